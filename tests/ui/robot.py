"""Hands and eyes for a windowed Blender: finds buttons by what they do, clicks, types and takes pictures.

Runs inside Blender started with --enable-event-simulate: the events go the way of a person's, from the window to the
button. A script is a generator that yields the seconds to wait, so that Blender draws and works in between:

    def script(robot):
        yield from robot.click("aimv.generate", "'SCENE'")
        yield from robot.until(lambda: ..., "pictures")

    robot.run(script, lambda error: ...)
"""

import os
import shlex
import string
import subprocess
import time
import traceback

import bpy

TICK = 0.03  # seconds between two movements: the time to draw
STEP = 7  # pixels, less than a button is high
SHIFTED = dict(zip('!"#$%&*()_+:<>?', "1'3457890-=;,./", strict=True))
KEYS = {
    " ": "SPACE", ".": "PERIOD", ",": "COMMA", "-": "MINUS", "/": "SLASH", "'": "QUOTE", ";": "SEMI_COLON",
    "=": "EQUAL", "0": "ZERO", "1": "ONE", "2": "TWO", "3": "THREE", "4": "FOUR", "5": "FIVE", "6": "SIX",
    "7": "SEVEN", "8": "EIGHT", "9": "NINE",
}  # fmt: skip


class LostError(Exception):
    """What was looked for is not there, or what was waited for does not come."""


class Robot:
    def __init__(self, pictures):
        self.pictures = pictures
        self.x = self.y = 0

    # eyes

    @property
    def window(self):
        return bpy.context.window_manager.windows[0]

    def area(self, kind):
        """The biggest area of a kind; of sequencers, one with a timeline."""
        areas = [area for area in self.window.screen.areas if area.type == kind]
        if not areas:
            raise LostError(f"there is no {kind}")
        timelines = [area for area in areas if getattr(area.spaces.active, "view_type", "") != "PREVIEW"]
        return max(timelines or areas, key=lambda area: area.width * area.height)

    def region(self, kind="UI", area="SEQUENCE_EDITOR"):
        return next(region for region in self.area(area).regions if region.type == kind)

    def under_pointer(self, area, region):
        """What the button under the pointer does or changes, as Python; empty where there is none."""
        manager = bpy.context.window_manager
        with bpy.context.temp_override(window=self.window, area=area, region=region):
            if bpy.ops.ui.copy_python_command_button.poll():
                bpy.ops.ui.copy_python_command_button()
            elif bpy.ops.ui.copy_data_path_button.poll():
                bpy.ops.ui.copy_data_path_button(full_path=False)
            else:
                return ""
        return manager.clipboard

    def find(self, *words, kind="UI", area="SEQUENCE_EDITOR", across=(0.4,)):
        """Moves the pointer over a region until the button under it has all the words; scrolls where need be.

        `across` are the shares of the region's width at which it looks.
        """
        seen = set()
        for turn in range(12):
            place, region = self.area(area), self.region(kind, area)
            for y in range(region.y + region.height - 4, region.y, -STEP):
                for share in across:
                    yield from self.move(region.x + round(region.width * share), y)
                    told = self.under_pointer(place, region)
                    if told and all(word in told for word in words):
                        yield 0.2
                        if self.under_pointer(place, region) == told:  # it was not what lay there a moment ago
                            return
                    seen.add(told)
            yield from self.move(region.x + region.width // 2, region.y + region.height // 2)
            yield from self.scroll(-40 if turn == 0 else 5)  # the first time all the way up
        raise LostError(f"no button with {words}; there are {sorted(seen)}")

    def until(self, holds, what, seconds=300.0):
        """Waits until it holds."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise LostError(f"{what}: not there after {seconds:.0f} s")
            yield 0.2

    def picture(self, name):
        """Takes a picture of the window, with the pointer out of the way.

        Blender does it, or the command in AIMV_UI_SCREENSHOT, which is given the file's name: Blender's are black
        where OpenGL is Mesa's software.
        """
        file = str(self.pictures / f"{name}.png")
        yield from self.move(self.window.width // 2, 2)
        yield 1.0
        if command := os.environ.get("AIMV_UI_SCREENSHOT"):
            subprocess.run([*shlex.split(command), file], check=True)
        else:
            with bpy.context.temp_override(window=self.window):
                bpy.ops.screen.screenshot(filepath=file, check_existing=False)
        yield TICK

    # hands

    def send(self, kind, value, **more):
        self.window.event_simulate(kind, value, x=self.x, y=self.y, **more)

    def move(self, x, y):
        """Moves the pointer to a place in the window, in pixels from its lower left corner."""
        self.x, self.y = x, y
        self.send("MOUSEMOVE", "NOTHING")
        yield TICK

    def press(self, kind, **more):
        """Presses a key or a button of the mouse, and lets it go."""
        self.send(kind, "PRESS", **more)
        yield TICK
        more.pop("unicode", None)
        self.send(kind, "RELEASE", **more)
        yield TICK

    def tap(self, x, y):
        """Clicks a place. Blender finds the button under the pointer when the pointer moves."""
        yield from self.move(x - 2, y)
        yield from self.move(x, y)
        yield 0.2
        yield from self.press("LEFTMOUSE")
        yield 0.4  # two clicks are not a double click

    def scroll(self, steps):
        """Turns the wheel, down or (below zero) up."""
        for _ in range(abs(steps)):
            yield from self.press("WHEELDOWNMOUSE" if steps > 0 else "WHEELUPMOUSE")

    def click(self, *words, **where):
        """Clicks the button with these words."""
        yield from self.find(*words, **where)
        yield from self.tap(self.x, self.y)

    def type(self, text):
        """Types letters, digits and a few signs."""
        for letter in text:
            if letter in string.ascii_letters:
                yield from self.press(letter.upper(), unicode=letter, shift=letter.isupper())
            elif letter in KEYS:
                yield from self.press(KEYS[letter], unicode=letter)
            else:
                yield from self.press(KEYS[SHIFTED[letter]], unicode=letter, shift=True)

    def retype(self, text):
        """Replaces all that is in the text field that is being edited."""
        yield from self.press("A", ctrl=True)
        yield from self.press("BACK_SPACE")
        yield from self.type(text)


def run(script, finish):
    """Runs the script's steps from a timer, and then `finish` with None or the text of an error."""

    def tick():
        try:
            return next(script)
        except StopIteration:
            finish(None)
        except Exception:
            finish(traceback.format_exc())
        return None

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)

"""One edit in a windowed Blender: the tab, a song, a storyboard, a scene, another prompt.

    blender --enable-event-simulate --python walk.py -- FOLDER ENGINE PROMPT

FOLDER holds song.wav and gets the .blend, pictures of the window, and told.json: what was found, and what went wrong.
Clicked and typed by events as they come from a mouse and a keyboard: the tab, Import Song, the file, This Scene, the
prompt. Done by script: a new file for video editing, saving it, its size and rate, the engine's Python.
"""

import importlib
import json
import sys
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parent))
from robot import LostError, Robot, run

PACKAGE = "bl_ext.user_default.aimv"


def ours(name):
    return importlib.import_module(f"{PACKAGE}.blender_addon.{name}")


class Walk:
    def __init__(self, folder, engine, prompt):
        self.folder, self.engine, self.prompt = folder, engine, prompt
        self.robot = Robot(folder)
        self.told = {}

    @property
    def scene(self):
        workspace = bpy.context.window_manager.windows[0].workspace
        return getattr(workspace, "sequencer_scene", None) or bpy.data.scenes[0]

    def markers(self):
        return ours("segments").markers(self.scene)

    def states(self):
        return [ours("jobs").state_of(self.scene, marker)[0] for marker in self.markers()]

    def files(self, index):
        """The names of the pictures that a scene shows."""
        found = ours("strips").of(self.scene, self.markers()[index].aimv.uid)
        return [element.filename for strip in found for element in strip.elements]

    def idle(self):
        return not ours("jobs").unfinished()

    def steps(self):
        yield from self.begin()
        yield from self.open_tab()
        yield from self.robot.picture("1 first steps")
        yield from self.import_song()
        yield from self.robot.picture("2 storyboard")
        yield from self.generate("3 while it is made")
        self.told["first"] = self.files(0)
        yield from self.robot.picture("4 made")
        yield from self.change_prompt()
        yield from self.robot.picture("5 another prompt")
        yield from self.generate("6 while it is made again")
        self.told["second"] = self.files(0)
        yield from self.robot.picture("7 made again")
        bpy.ops.wm.save_mainfile()

    def begin(self):
        preferences = bpy.context.preferences
        preferences.view.show_splash = False
        preferences.view.filebrowser_display_type = "SCREEN"  # a window of its own could lie anywhere
        preferences.addons[PACKAGE].preferences.engine_python = self.engine
        bpy.ops.wm.read_homefile(app_template="Video_Editing")
        yield 1.0
        scene = self.scene
        scene.render.resolution_x, scene.render.resolution_y = 320, 180
        scene.render.fps = 12
        bpy.ops.wm.save_as_mainfile(filepath=str(self.folder / "edit.blend"))
        yield 0.5

    def open_tab(self):
        """The key N opens the sidebar; the tabs stand at its right edge."""
        robot = self.robot
        area = robot.area("SEQUENCE_EDITOR")
        if not area.spaces.active.show_region_ui:
            yield from robot.move(area.x + area.width // 2, area.y + area.height // 2)
            yield from robot.press("N")
            yield 1.0
        region = robot.region()
        for y in range(region.y + region.height - 10, region.y, -20):
            yield from robot.tap(region.x + region.width - 8, y)
            if region.active_panel_category == "AIMV":
                return
        raise LostError("there is no tab AIMV")

    def import_song(self):
        robot = self.robot
        yield from robot.click("aimv.import_song")
        yield 1.0
        browser = robot.area("FILE_BROWSER").spaces.active.params
        browser.directory, browser.display_type = str(self.folder).encode(), "LIST_VERTICAL"
        yield 0.5
        yield from self.choose_file("song.wav")
        # at its right end: the field with the file's name says that it does the same
        yield from robot.click("file.execute", kind="EXECUTE", area="FILE_BROWSER", across=(0.95,))
        yield 1.0
        self.told["asked"] = [job.title for job in ours("jobs").unfinished()]
        yield from robot.until(lambda: self.idle() and self.markers(), "the storyboard")
        self.told["storyboard"] = [(marker.name, marker.aimv.sentence) for marker in self.markers()]
        self.told["after storyboard"] = self.states()

    def choose_file(self, name):
        """Clicks down the list of files until the one of that name is chosen."""
        region = self.robot.region("WINDOW", "FILE_BROWSER")
        for y in range(region.y + region.height - 10, region.y, -12):
            yield from self.robot.tap(region.x + 60, y)
            if self.robot.area("FILE_BROWSER").spaces.active.params.filename == name:
                return
        raise LostError(f"the file browser does not show {name}")

    def generate(self, picture):
        """This Scene, which is the first one: that is where the playhead is."""
        robot = self.robot
        yield from robot.click("aimv.generate", "'SCENE'")
        yield from robot.until(lambda: self.states()[0] == "MAKING" and self.files(0), "its strip", 60.0)
        yield from robot.picture(picture)
        yield from robot.until(self.idle, "its pictures")
        self.told[picture] = self.states()

    def change_prompt(self):
        """The text box has no name that it could be found by, but Rewrite lies below it, and a label below that."""
        robot = self.robot
        region = robot.region()
        yield from robot.find("aimv.rewrite")
        if robot.y > region.y + region.height - 150:
            yield from robot.scroll(-6)
            yield from robot.find("aimv.rewrite")
        button = robot.y
        yield from robot.tap(robot.x, button + 50)
        yield from robot.retype(self.prompt)
        yield from robot.tap(robot.x, button - 30)  # beside it: that ends typing
        yield 0.5
        self.told["prompt"] = self.markers()[0].aimv.sentence
        self.told["after the prompt"] = self.states()


def main():
    folder, engine, prompt = sys.argv[sys.argv.index("--") + 1 :]
    walk = Walk(Path(folder), engine, prompt)

    def finish(error):
        jobs = sys.modules.get(f"{PACKAGE}.blender_addon.jobs")
        walk.told |= {"error": error, "line": jobs.state.error if jobs else ""}
        (walk.folder / "told.json").write_text(json.dumps(walk.told, indent=1), encoding="utf-8")
        bpy.ops.wm.quit_blender()

    run(walk.steps(), finish)


main()

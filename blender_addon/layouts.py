"""How things are laid out in the sidebar: text that is never cut, whatever the sidebar's width, and a few formats."""

from functools import lru_cache
from typing import Any

import blf
import bpy
from bpy.types import Context, UILayout

WIDGET = 20  # pixels a unit of the interface has at scale 1
NARROW = 12  # units: below that names and values of settings don't fit side by side when they are long
LINE = 0.7  # the height of a line of running text, in rows


def scale() -> float:
    """How much larger than usual the interface is. (Blender says 0 where there is no window.)"""
    return bpy.context.preferences.system.ui_scale or 1.0


def width(context: Context) -> float:
    """How wide a label can be in a panel of the region that is drawn, in pixels of the interface before zooming."""
    region = context.region
    left, right = (region.view2d.region_to_view(x, 0)[0] for x in (0, region.width))
    # the tabs, the panel's margins, and what a label keeps free at its ends
    return right - left - 2.7 * WIDGET * scale()


def units(context: Context) -> float:
    """The same in units, which are as wide as an icon."""
    return width(context) / (WIDGET * scale())


def wrapped(layout: UILayout, text: str, pixels: float, icon: str = "NONE") -> UILayout:
    """Writes a text as lines of at most so many pixels; an icon stands before the first. Returns the column."""
    indent = WIDGET * scale() if icon != "NONE" else 0
    found = broken(text, pixels - indent)
    column = layout.column(align=True)
    if len(found) > 1:
        column.scale_y = LINE
    for index, line in enumerate(found):
        column.label(text=line, icon="NONE" if not indent else "BLANK1" if index else icon, translate=False)
    return column


def setting(layout: UILayout, context: Context, data: Any, name: str) -> None:
    """A setting whose value may be long: under its name where the sidebar is too narrow for both side by side."""
    if units(context) >= NARROW:
        layout.prop(data, name)
        return
    column = layout.column(align=True)
    column.label(text=data.bl_rna.properties[name].name)
    column.prop(data, name, text="")


def broken(text: str, pixels: float) -> tuple[str, ...]:
    """A text as lines of at most so many pixels, in the letters of the interface."""
    return lines(text, pixels, bpy.context.preferences.ui_styles[0].widget.points * scale())


@lru_cache(maxsize=512)
def lines(text: str, pixels: float, points: float) -> tuple[str, ...]:
    """Breaks a text between words, and within a word that is longer than a line."""
    blf.size(0, points)
    found: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if blf.dimensions(0, longer)[0] <= pixels:
                line = longer
                continue
            if line:
                found.append(line)
            line = word
            while len(line) > 1 and blf.dimensions(0, line)[0] > pixels:
                fits = _fitting(line, pixels)
                found.append(line[:fits])
                line = line[fits:]
        found.append(line)
    return tuple(found)


def _fitting(word: str, pixels: float) -> int:
    """How many of its letters fit, at least one."""
    return max(1, sum(blf.dimensions(0, word[:end])[0] <= pixels for end in range(1, len(word))))


def clock(seconds: float) -> str:
    """Minutes and seconds, as 3:28."""
    whole = round(abs(seconds))
    return f"{'-' if seconds < 0 and whole else ''}{whole // 60}:{whole % 60:02d}"


def remaining(seconds: float) -> str:
    """How long it may still take."""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s left"
    if seconds < 55 * 60:
        return f"{round(seconds / 60)} min left"
    return f"{seconds / 3600:.1f} h left"


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return f"{count:.0f} bytes"

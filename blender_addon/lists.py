"""The list of scenes: one row a marker of ours, in the order in which they are seen. And the menus of the sidebar."""

import bpy
from bpy.types import Context, Menu, Scene, TimelineMarker, UILayout, UIList

from . import compat, jobs, layouts, models, segments, strips

STATES = {  # what is said of a scene, and by which icon (one that is made has a ring that fills)
    "EMPTY": ("Empty", "RADIOBUT_OFF"),
    "STALE": ("Stale", "FILE_REFRESH"),
    "QUEUED": ("Queued", "TIME"),
    "READY": ("Ready", "CHECKMARK"),
    "FAILED": ("Failed", "ERROR"),
    "MISSING": ("Missing", "LIBRARY_DATA_BROKEN"),
}


def draw_state(layout: UILayout, state: str, fraction: float, briefly: bool) -> None:
    """Says how far a scene is. Briefly: without words, but for how much of it is made."""
    if state == "MAKING":
        layout.progress(type="RING", factor=fraction, text="" if briefly else f"Making {100 * fraction:.0f} %")
        return
    text, icon = STATES[state]
    layout.label(text="" if briefly else text, icon=icon)


# widths in units, which are as wide as an icon
SIDE = 3.0  # what is beside the rows: margins, scroll bar, buttons
NAME, TIME, STATE, ICON = 3.0, 2.2, 5.2, 1.1


class AIMV_UL_scenes(UIList):
    """Scenes in time. The collection is the scene's markers, of which those that are not ours are left out."""

    bl_idname = "AIMV_UL_scenes"

    def filter_items(self, _context: Context, data: Scene, name: str) -> tuple[list[int], list[int]]:
        """Which markers are shown, and the place of each."""
        markers = getattr(data, name)
        wanted = self.filter_name.lower()
        flags = [
            self.bitflag_filter_item if marker.aimv.is_scene and _matches(marker, wanted) else 0 for marker in markers
        ]
        in_time = sorted(range(len(markers)), key=lambda index: markers[index].frame)
        places = [0] * len(markers)
        for place, index in enumerate(in_time):
            places[index] = place
        return flags, places

    def draw_item(
        self,
        context: Context,
        layout: UILayout,
        scene: Scene,
        marker: TimelineMarker,
        _icon: int,
        _active_data: object,
        _active_name: str,
    ) -> None:
        own = marker.aimv
        room = layouts.units(context) - SIDE
        briefly = room < NAME + TIME + STATE + ICON
        told = ICON if briefly else STATE + ICON
        parts = layout.split(factor=max(0.2, 1 - (TIME + told) / room), align=True)
        parts.prop(marker, "name", text="", emboss=False, icon=compat.color_icon(strips.color_tag(marker)))
        cells = parts.row(align=True)
        _cell(cells, TIME).label(text=layouts.clock(segments.seconds(scene, marker.frame)))
        if not briefly or not own.locked:
            draw_state(_cell(cells, ICON if briefly else STATE), *jobs.state_of(scene, marker), briefly)
        if not briefly or own.locked:
            cell = _cell(cells, ICON)
            cell.active = own.locked
            cell.prop(own, "locked", text="", emboss=False, icon="LOCKED" if own.locked else "UNLOCKED")


def _cell(row: UILayout, units: float) -> UILayout:
    """A part of a row that is as wide in every row."""
    cell = row.row()
    cell.ui_units_x = units
    return cell


def _matches(marker: TimelineMarker, wanted: str) -> bool:
    """Whether the list's search finds it, by its name or by what it shows."""
    return not wanted or wanted in marker.name.lower() or wanted in marker.aimv.sentence.lower()


class AIMV_MT_scenes(Menu):
    """What is done to a scene less often."""

    bl_idname = "AIMV_MT_scenes"
    bl_label = "Scene Specials"

    def draw(self, _context: Context) -> None:
        layout = self.layout
        layout.operator("aimv.copy_scene", icon="COPYDOWN")
        layout.operator("aimv.paste_scene", icon="PASTEDOWN")
        layout.separator()
        layout.operator("aimv.make_scene", icon="MARKER_HLT")
        layout.separator()
        layout.operator("aimv.check_files", icon="VIEWZOOM")


def _add_to_markers(menu: Menu, _context: Context) -> None:
    """What Blender's own menu of markers has besides."""
    menu.layout.separator()
    menu.layout.operator("aimv.make_scene", icon="MARKER_HLT")


def draw_scenes(layout: UILayout, scene: Scene) -> None:
    """The list, with what can be done to it at its side."""
    row = layout.row()
    rows = min(max(len(segments.markers(scene)), 4), 10)
    row.template_list("AIMV_UL_scenes", "", scene, "timeline_markers", scene.aimv, "active", rows=rows)
    side = row.column(align=True)
    side.operator("aimv.split_scene", text="", icon="ADD")
    side.operator("aimv.remove_scene", text="", icon="REMOVE")
    side.separator()
    side.menu("AIMV_MT_scenes", text="", icon="DOWNARROW_HLT")


class AIMV_MT_models(Menu):
    bl_label = "Models"
    bl_description = "Choose one of the diffusion models that AIMV knows"

    def draw(self, _context: Context) -> None:
        for card in models.cards():
            text = f"{card.title} ({card.download_gb:g} GB)"
            self.layout.operator("aimv.use_model", text=text).model = card.name


CLASSES = (AIMV_UL_scenes, AIMV_MT_scenes, AIMV_MT_models)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.SEQUENCER_MT_marker.append(_add_to_markers)


def unregister() -> None:
    bpy.types.SEQUENCER_MT_marker.remove(_add_to_markers)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)

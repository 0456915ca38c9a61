"""Blender 4.2 to 5.2 behind one face: the only module that knows versions. Frames are Blender's, ends exclusive."""

from collections.abc import Sequence
from typing import Any

import bpy
from bpy.types import Context, FCurve, Scene, UILayout

V4_4 = bpy.app.version >= (4, 4, 0)
V4_5 = bpy.app.version >= (4, 5, 0)
V5_0 = bpy.app.version >= (5, 0, 0)
V5_2 = bpy.app.version >= (5, 2, 0)

Strip = bpy.types.Strip if V4_4 else bpy.types.Sequence

# A text property that holds a folder or a file, maybe relative to the .blend
_RELATIVE = {"options": {"PATH_SUPPORTS_BLEND_RELATIVE"}} if V4_5 else {}
FOLDER = {"subtype": "DIR_PATH"} | _RELATIVE
FILE = {"subtype": "FILE_PATH"} | _RELATIVE

_START, _END, _CONTENT = (
    ("left_handle", "right_handle", "content_start")
    if V5_2
    else ("frame_final_start", "frame_final_end", "frame_start")
)
_ICONS = UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
_STRIP_ICON = "STRIP" if "STRIP_COLOR_01" in _ICONS else "SEQUENCE"
_INPUTS = ("input1", "input2") if V4_4 else ("seq1", "seq2")


# Strips


def strips(scene: Scene) -> Any:
    """The strips on the scene's timeline, as a collection that makes and removes them."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    return editor.strips if V5_0 else editor.sequences


def all_strips(scene: Scene) -> list[Strip]:
    """Every strip of the scene, those inside of meta strips too."""
    editor = scene.sequence_editor
    return list(editor.strips_all if V5_0 else editor.sequences_all) if editor else []


def start(strip: Strip) -> int:
    """The first frame that the strip is seen in, trimmed as it is."""
    return getattr(strip, _START)


def end(strip: Strip) -> int:
    """The frame after the last one that it is seen in."""
    return getattr(strip, _END)


def set_start(strip: Strip, frame: int) -> None:
    """Trims or extends the strip at its left; its content stays where it is."""
    setattr(strip, _START, frame)


def set_end(strip: Strip, frame: int) -> None:
    """The same at its right."""
    setattr(strip, _END, frame)


def content(strip: Strip) -> tuple[int, int]:
    """The frames that a strip's content would fill, were it neither trimmed nor extended."""
    first = round(getattr(strip, _CONTENT))
    return first, round(strip.content_end) if V5_2 else first + strip.frame_duration


def move_content(strip: Strip, frame: int) -> None:
    """Moves the strip as it is, trimmed or not, and its keys with it, so that its content begins at that frame."""
    setattr(strip, _CONTENT, frame)


def siblings(scene: Scene, strip: Strip) -> Any:
    """The strips beside this one, which is one of them: on the timeline or in a meta strip, as a collection."""
    meta = strip.parent_meta()
    if meta is None:
        return strips(scene)
    return meta.strips if V5_0 else meta.sequences


def replace_elements(scene: Scene, strip: Strip, names: Sequence[str]) -> None:
    """Makes an image strip one of so many pictures, one a frame; its handles are to be set afterwards.

    `elements.append` is not used: it leaves the picture's size undefined, and where such a picture is missing, Blender
    5.2 crashes. It is quadratic too: 14,400 pictures take 10 seconds.
    """
    editor = scene.sequence_editor
    before = editor.active_strip
    editor.active_strip = strip
    override = {"scene": scene, "sequencer_scene": scene} if V5_0 else {"scene": scene}
    with bpy.context.temp_override(**override):
        bpy.ops.sequencer.change_path(directory=strip.directory, files=[{"name": name} for name in names])
    editor.active_strip = before


def inputs(strip: Strip) -> list[Strip]:
    """The strips that an effect is made of; none for other strips."""
    return [getattr(strip, f"input_{number}") for number in range(1, getattr(strip, "input_count", 0) + 1)]


def set_sound_start(strip: Strip, frame: float, fps: float) -> None:
    """Moves a sound strip so that its content, trimmed or not, begins at that frame.

    Between two frames only from 4.4 on; before that at the nearest one.
    """
    setattr(strip, _CONTENT, round(frame))
    if V4_4:
        strip.sound_offset = (frame - round(frame)) / fps


def sound_start(strip: Strip, fps: float) -> float:
    """The frame, with its fraction, at which a sound strip's first sample is heard, or would be if it were not trimmed.

    What is cut off the sound itself (its animation offset) counts as trimmed too.
    """
    frame = getattr(strip, _CONTENT) - getattr(strip, "content_trim_start" if V5_2 else "animation_offset_start")
    return frame + (strip.sound_offset * fps if V4_4 else 0.0)


def new_effect(
    scene: Scene, name: str, kind: str, channel: int, first: int, last: int, inputs: tuple[Strip, ...] = ()
) -> Strip:
    """An effect strip from frame `first` up to `last`. One with two inputs lies where they overlap."""
    extent = {"length": last - first} if V5_0 else {"frame_end": last}
    return strips(scene).new_effect(
        name=name, type=kind, channel=channel, frame_start=first, **extent, **dict(zip(_INPUTS, inputs, strict=False))
    )


# Animation


def fcurves(scene: Scene) -> Any:
    """The scene's animation curves, as a collection that removes them; None while there is no animation."""
    animation = scene.animation_data
    if animation is None or animation.action is None:
        return None
    action = animation.action
    if not V4_4:
        return action.fcurves
    slot = animation.action_slot
    if slot is None or not action.layers or not action.layers[0].strips:
        return None
    bag = action.layers[0].strips[0].channelbag(slot)
    return bag.fcurves if bag else None


def curves_of(scene: Scene, strip: Strip) -> list[FCurve]:
    """The animation curves of a strip's properties."""
    path = f"{strip.path_from_id()}."
    return [curve for curve in fcurves(scene) or () if curve.data_path.startswith(path)]


def new_fcurve(scene: Scene, path: str) -> FCurve:
    """A new animation curve for a property of the scene."""
    animation = scene.animation_data or scene.animation_data_create()
    action = animation.action
    if action is None:
        action = animation.action = bpy.data.actions.new(f"{scene.name} effects")
    if not V4_4:
        return action.fcurves.new(path)
    slot = animation.action_slot
    if slot is None:
        slot = animation.action_slot = action.slots.new(scene.id_type, scene.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True).fcurves.new(path)


# Sound, output and window


def has_sound() -> bool:
    """Whether this Blender was built with sound (the bpy 4.2 wheel was not)."""
    return bpy.app.build_options.audaspace


def use_movie_format(scene: Scene) -> None:
    """Makes the scene's output a movie."""
    if V5_0:
        scene.render.image_settings.media_type = "VIDEO"
    scene.render.image_settings.file_format = "FFMPEG"


def as_output_path(path: str) -> str:
    """A path in which nothing is taken for a variable by the scene's output setting."""
    return path.replace("{", "{{").replace("}", "}}") if V4_5 else path


def show_in_every_workspace(scene: Scene) -> None:
    """Lets every sequencer show this scene (from 5.0 on a workspace has a sequencer scene of its own)."""
    if V5_0:
        for workspace in bpy.data.workspaces:
            workspace.sequencer_scene = scene


def sequencer_scene(context: Context) -> Scene:
    """The scene that the sequencer shows (from 5.0 on it need not be the window's)."""
    return getattr(context, "sequencer_scene", None) or context.scene


def color_icon(color_tag: str) -> str:
    """The icon of a strip's colour, as COLOR_01."""
    return f"{_STRIP_ICON}_{color_tag}"


def text_box(layout: UILayout, data: Any, name: str, lines: int) -> bool:
    """A field for a longer text. False where Blender has but a single line for it."""
    if V5_2:
        layout.textbox(data, name, initial_visible_lines=lines)
    else:
        layout.prop(data, name, text="")
    return V5_2

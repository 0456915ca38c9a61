"""Prompts as texts, for Blender's Text Editor: one text a scene, and what is written there becomes the prompt."""

import traceback

import bpy
from bpy.types import Context, Header, Scene, Text, TimelineMarker

from . import segments

SECONDS = 0.5  # between two looks whether something was written

# what a text remembers: whose prompt it is, and what that was when both were last the same
SCENE, MARKER, KNOWN = "aimv_scene", "aimv_marker", "aimv_known"


def is_prompt(text: Text) -> bool:
    """Whether a text is a prompt of ours."""
    return MARKER in text


def text_of(scene: Scene, marker: TimelineMarker) -> Text:
    """The text with the prompt of that scene, as it is now."""
    uid = marker.aimv.uid
    text = next(
        (text for text in bpy.data.texts if text.get(MARKER) == uid and text.get(SCENE) == scene.aimv.uid), None
    )
    if text is None:
        text = bpy.data.texts.new(f"Prompt {marker.name}")
        text[SCENE], text[MARKER] = scene.aimv.uid, uid
    if _written(text) != marker.aimv.sentence:
        text.from_string(marker.aimv.sentence)
    text[KNOWN] = marker.aimv.sentence
    return text


def _written(text: Text) -> str:
    """A prompt has no lines: breaks are only there to be read easily."""
    return " ".join(text.as_string().split())


def take_over() -> None:
    """Makes what was written since the last time the prompts of the scenes. Those of locked scenes stay."""
    for text in filter(is_prompt, bpy.data.texts):
        written = _written(text)
        if written == text[KNOWN]:
            continue
        scene = next((scene for scene in segments.own_scenes() if scene.aimv.uid == text[SCENE]), None)
        marker = segments.by_uid(scene, text[MARKER]) if scene else None
        if marker and not marker.aimv.locked:
            marker.aimv.sentence = text[KNOWN] = written


def show(text: Text) -> None:
    """Opens the text in a Text Editor: one that there is, or one in a new window."""
    if bpy.app.background:
        return
    areas = [area for window in bpy.context.window_manager.windows for area in window.screen.areas]
    area = next((area for area in areas if area.type == "TEXT_EDITOR"), None)
    if area is None:
        bpy.ops.wm.window_new()
        area = bpy.context.window_manager.windows[-1].screen.areas[0]
        area.type = "TEXT_EDITOR"
    area.spaces.active.text = text
    area.spaces.active.show_word_wrap = True


def _draw_button(header: Header, context: Context) -> None:
    text = context.space_data.text
    if text is not None and is_prompt(text):
        header.layout.operator("aimv.apply_prompt")


def _look() -> float:
    try:
        if not bpy.app.is_job_running("RENDER"):
            take_over()
    except Exception:  # a timer that raises is never called again
        traceback.print_exc()
    return SECONDS


def register() -> None:
    bpy.app.timers.register(_look, first_interval=SECONDS, persistent=True)
    bpy.types.TEXT_HT_header.append(_draw_button)


def unregister() -> None:
    bpy.types.TEXT_HT_header.remove(_draw_button)
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)

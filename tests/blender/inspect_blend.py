"""Runs inside Blender: opens a .blend, says as JSON what it holds, and renders single frames of it.

inspect_blend.py FILE.blend OUT [FRAME ...]     writes OUT/blend.json and OUT/FRAME.png
"""

import json
import os
import runpy
import sys
import traceback
from pathlib import Path

import bpy

HEADLESS = Path(__file__).resolve().parents[2] / "blender_addon" / "headless.py"


def strip_facts(compat, strip):
    facts = {
        "type": strip.type,
        "name": strip.name,
        "channel": strip.channel,
        "start": compat.start(strip),
        "end": compat.end(strip),
        "color": strip.color_tag,
        "selected": strip.select,
        "role": strip.aimv.role,
    }
    if strip.type == "IMAGE":
        facts["scene"] = strip.aimv.scene
        facts["directory"] = strip.directory
        facts["files"] = [element.filename for element in strip.elements]
        facts["found"] = all(Path(bpy.path.abspath(strip.directory), name).is_file() for name in facts["files"])
    if strip.type == "SOUND":
        facts["file"] = strip.sound.filepath
        facts["found"] = Path(bpy.path.abspath(strip.sound.filepath)).is_file()
    return facts


def marker_facts(marker):
    own = marker.aimv
    return {
        "name": marker.name,
        "frame": marker.frame,
        "tags": [[tag.name, round(tag.weight, 4)] for tag in own.tags],
        **{
            key: getattr(own, key)
            for key in ("cluster", "sentence", "negative", "look", "seed", "camera", "intensity", "style")
        },
    }


def scene_facts(scene):
    from aimv.blender_addon import compat, segments

    render, movie = scene.render, scene.render.ffmpeg
    return {
        "name": scene.name,
        "uid": scene.aimv.uid,
        "project": scene.aimv.project,
        "song": scene.aimv.song,
        "song_frame": scene.aimv.song_frame,
        "keyframe_rate": scene.aimv.keyframe_rate,
        "artist": scene.aimv.artist,
        "main_tags": [[tag.name, round(tag.weight, 4)] for tag in scene.aimv.main_tags],
        "fps": [render.fps, render.fps_base],
        "size": [render.resolution_x, render.resolution_y, render.resolution_percentage],
        "frames": [scene.frame_start, scene.frame_end],
        "view": scene.view_settings.view_transform,
        "output": render.filepath,
        "format": [render.image_settings.file_format, movie.format, movie.codec, movie.audio_codec],
        "strips": [strip_facts(compat, strip) for strip in compat.strips(scene)],
        "markers": [marker_facts(marker) for marker in segments.markers(scene)],
        "uids": [marker.aimv.uid for marker in segments.markers(scene)],
        "states": [segments.state(scene, marker) for marker in segments.markers(scene)],
        "segments": [[segment.name, segment.first, segment.last] for segment in segments.read(scene)],
        "workspace": bpy.context.window.workspace.name,
        "sequencers": sum(area.type == "SEQUENCE_EDITOR" for area in bpy.context.window.screen.areas),
        "shown": [getattr(space, "sequencer_scene", scene) == scene for space in bpy.data.workspaces],
    }


def render_still(scene, frame, path):
    if hasattr(scene.render.image_settings, "media_type"):
        scene.render.image_settings.media_type = "IMAGE"
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(path)
    scene.frame_set(frame)
    bpy.ops.render.render(write_still=True)


def main(blend, out, *frames):
    runpy.run_path(str(HEADLESS))["load_extension"]()
    bpy.ops.wm.open_mainfile(filepath=blend)
    scene = bpy.context.scene
    Path(out, "blend.json").write_text(json.dumps(scene_facts(scene)), encoding="utf-8")
    for frame in frames:
        render_still(scene, int(frame), Path(out, f"{frame}.png"))


if __name__ == "__main__":
    try:
        main(*(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)

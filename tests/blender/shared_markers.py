"""Marker > Copy Markers to Scene, after which both markers share their properties' memory, and what happens then.

shared_markers.py WAY MENDED      runs inside Blender, in a process of its own: it may crash

WAY is what Blender does next ("undo", "load", "save" or "delete"), MENDED "mended" with our repair, anything else
without. The exit status is 0 when Blender survived and everything is there.
"""

import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import bpy

LONG_ENOUGH = 120  # seconds; broken memory can also make Blender hang


def copy_markers(scene, target=None):
    """Copies all markers of the scene to another one, as the menu does. Returns that."""
    target = target or bpy.data.scenes.new("Target")
    for marker in scene.timeline_markers:
        marker.select = True
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, scene=scene, area=area, region=region):
        assert bpy.ops.marker.make_links_scene(scene=target.name) == {"FINISHED"}
    return target


def survives(way, mended):
    """Whether Blender survives it, in a process of its own."""
    blender = [sys.executable]
    if bpy.app.binary_path:
        blender = [bpy.app.binary_path, "--background", "--factory-startup", "--python"]
    separator = ["--"] if bpy.app.binary_path else []
    line = [*blender, __file__, *separator, way, mended]
    try:
        done = subprocess.run(line, capture_output=True, timeout=LONG_ENOUGH, check=False)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode == 1:  # an error of ours, not Blender's
        raise AssertionError(done.stdout.decode(errors="replace"))
    return done.returncode == 0


def main(way, mended):
    import harness

    harness.load()
    from aimv.blender_addon import repair, segments

    if mended != "mended":
        repair.mend_shared = lambda: None
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
    scene = bpy.context.scene
    segments.add(scene, "A1", 1).aimv.sentence = "A lighthouse in the snow"
    scene.timeline_markers.new("chapter", frame=60).aimv.sentence = "not ours"
    push("before")
    target = copy_markers(scene)
    push("copied")
    target.timeline_markers[0].aimv.negative = "text"
    push("changed")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "x.blend"))
        match way:
            case "undo":
                for step in (bpy.ops.ed.undo, bpy.ops.ed.undo, bpy.ops.ed.redo, bpy.ops.ed.redo):
                    assert step() == {"FINISHED"}
            case "load":
                bpy.ops.wm.read_homefile(use_empty=True)
                return
            case "save":
                bpy.ops.wm.save_as_mainfile(filepath=path)
                bpy.ops.wm.open_mainfile(filepath=path)
            case "delete":
                repair.mend()  # as the clock does
                bpy.data.scenes.remove(target)
                for number in range(50):
                    bpy.context.scene.timeline_markers.new("more", frame=number).aimv.sentence = "x" * number
    for each in bpy.data.scenes:
        sentences = [marker.aimv.sentence for marker in each.timeline_markers][:2]
        assert sentences == ["A lighthouse in the snow", "not ours"], sentences


def push(message):
    bpy.ops.ed.undo_push(message=message)


if __name__ == "__main__":
    status = 1
    try:
        main(*(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.stdout)
    sys.stdout.flush()
    os._exit(status)

"""Runs inside Blender: takes the extension off and puts it on again, and a marker's data are still there."""

import os
import runpy
import sys
import traceback
from pathlib import Path

import bpy

HEADLESS = Path(__file__).resolve().parents[2] / "blender_addon" / "headless.py"


def main():
    runpy.run_path(str(HEADLESS))["load_extension"]()
    import aimv

    marker = bpy.context.scene.timeline_markers.new("A1", frame=1)
    marker.aimv.sentence = "A lighthouse in the snow"
    aimv.unregister()
    assert not hasattr(marker, "aimv")
    assert not hasattr(bpy.context.scene, "aimv")
    aimv.register()
    assert marker.aimv.sentence == "A lighthouse in the snow"
    aimv.unregister()


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)

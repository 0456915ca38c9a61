"""Looks inside Blender."""

import bpy
import harness


def case_each_look_can_be_chosen_and_survives_a_file(folder):
    from aimv.blender_addon import looks

    scene = bpy.context.scene
    for name, *_ in looks.items(None, None):
        scene.timeline_markers.new(name, frame=1).aimv.look = name
    path = folder / "looks.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    markers = bpy.context.scene.timeline_markers
    assert len(markers) >= 11
    assert all(marker.aimv.look == marker.name for marker in markers)


if __name__ == "__main__":
    harness.main(globals())

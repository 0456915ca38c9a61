"""A whole edit as a person makes it, with the real engine, on a song of six seconds and in tiny pictures."""

from pathlib import Path

import bpy
import edits
import harness


def case_a_film_from_a_song(folder):
    """Import, storyboard, generate, change a prompt, generate what is stale, undo, save and load, render."""
    from aimv.blender_addon import compat, files, jobs, segments, strips
    from aimv.blender_addon.operators import generate

    scene = edits.small_scene()
    song = edits.write_song(folder / "Ein Lied.wav", seconds=6.0)
    before = scene.render.fps, scene.render.resolution_x, scene.render.resolution_y
    assert bpy.ops.aimv.import_song(filepath=str(song)) == {"FINISHED"}
    assert (scene.render.fps, scene.render.resolution_x, scene.render.resolution_y) == before
    assert abs(scene.aimv.duration - 6.0) < 0.1
    assert scene.frame_end == 72
    markers = edits.scene_markers(scene)
    assert markers[0].frame == 1
    assert all(marker.aimv.sentence and marker.aimv.candidates and marker.aimv.cluster for marker in markers)
    project = Path(scene.aimv.project)
    assert project == folder / "Ein Lied.aimv"
    assert (project / "overview.png").is_file()

    if len(markers) == 1:
        segments.split(scene, 36)
    scene.aimv.quality = "final"
    assert bpy.ops.aimv.generate(scope="ALL") == {"FINISHED"}
    count = len(edits.scene_markers(scene))
    assert edits.states(scene) == ["READY"] * count
    assert not files.look_for_pictures(scene)

    # another prompt: that scene alone is made anew
    scene.frame_set(40)
    marker = segments.at(scene, 40)
    names = {strip.name: [element.filename for element in strip.elements] for strip in strips.pictures(scene)}
    bpy.ops.ed.undo_push(message="before the change")
    marker.aimv.sentence = "A lighthouse on a cliff above a stormy sea"
    bpy.ops.ed.undo_push(message="another prompt")
    assert sorted(edits.states(scene)) == sorted(["READY"] * (count - 1) + ["STALE"])
    bpy.ops.aimv.generate(scope="STALE")
    assert edits.states(scene) == ["READY"] * count
    now = {strip.name: [element.filename for element in strip.elements] for strip in strips.pictures(scene)}
    assert now.keys() == names.keys()
    assert now != names

    # undone, and done again
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert "STALE" in edits.states(scene)
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert edits.states(scene) == ["READY"] * count
    again = {strip.name: [element.filename for element in strip.elements] for strip in strips.pictures(scene)}
    assert again == names
    bpy.ops.ed.redo()
    bpy.ops.ed.redo()
    scene = bpy.context.scene
    assert edits.states(scene) == ["READY"] * count

    # cancelled: what is there stays
    for marker in edits.scene_markers(scene):
        marker.aimv.seed += 1
    job = generate.start(scene, "ALL")
    edits.until(lambda: "MAKING" in edits.states(scene))
    assert bpy.ops.aimv.cancel() == {"FINISHED"}
    edits.until(lambda: job.ended)
    assert job.state == "CANCELLED"
    assert not jobs.state.error
    assert "STALE" in edits.states(scene)
    bpy.ops.aimv.generate(scope="STALE")
    assert edits.states(scene) == ["READY"] * count

    # saved, loaded, rendered
    path = folder / "film.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert scene.aimv.project == "//Ein Lied.aimv"
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    assert edits.states(scene) == ["READY"] * count
    assert not files.look_for_pictures(scene)
    assert not jobs.state.error
    bpy.ops.aimv.use_h264()
    scene.render.filepath = str(folder / "film.mp4")
    scene.frame_end = 6
    bpy.ops.render.render(animation=True, scene=scene.name)
    assert Path(scene.render.filepath).stat().st_size > 1000
    assert compat.strips(scene)


if __name__ == "__main__":
    harness.main(globals())

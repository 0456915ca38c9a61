"""What an edit must survive: undo, saving elsewhere, copies, missing files, and no loss in any of it."""

import shutil
from pathlib import Path

import bpy
import edits
import harness


def begin(folder, generate=True):
    """A scene with a song and two scenes that have their pictures. Returns the scene and its project's folder."""
    edits.use_pretended_engine()
    scene = edits.small_scene()
    scene.aimv.quality = "final"
    song = edits.write_song(folder / "Lied.wav")
    bpy.ops.aimv.import_song(filepath=str(song))
    if generate:
        bpy.ops.aimv.generate(scope="ALL")
    return scene, folder / "Lied.aimv"


def press(scope="SCENE"):
    from aimv.blender_addon.operators import generate

    return generate.start(bpy.context.scene, scope)


def save(path, **choices):
    bpy.ops.wm.save_as_mainfile(filepath=str(path), **choices)


def found(scene):
    """Whether Blender finds every picture of every strip."""
    from aimv.blender_addon import strips

    return all(
        Path(bpy.path.abspath(strip.directory), element.filename).is_file()
        for strip in strips.pictures(scene)
        for element in strip.elements
    )


def case_undo_and_redo_while_pictures_are_made(folder):
    scene, project = begin(folder, generate=False)
    bpy.ops.ed.undo_push(message="before")
    scene.frame_end = 90
    bpy.ops.ed.undo_push(message="a change that has nothing to do with it")
    edits.allow(project, 4)
    press("ALL")
    there = 20
    edits.until(
        lambda: (
            edits.states(scene)[0] == "MAKING"
            and sum("placeholder" not in name for name in edits.files(scene, 0)) == there + 10
        )
    )
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert scene.frame_end == 96
    assert edits.states(scene) == ["MAKING", "QUEUED"]
    assert sum("placeholder" not in name for name in edits.files(scene, 0)) == there + 10
    bpy.ops.ed.redo()
    scene = bpy.context.scene
    assert scene.frame_end == 90
    assert sum("placeholder" not in name for name in edits.files(scene, 0)) == there + 10
    edits.allow(project, None)
    edits.until(lambda: edits.states(bpy.context.scene)[0] == "READY")
    from aimv.blender_addon import jobs

    edits.until(lambda: not jobs.unfinished())
    bpy.ops.ed.undo()  # of the job itself: one step
    assert edits.states(bpy.context.scene)[0] == "EMPTY"
    bpy.ops.ed.redo()
    assert edits.states(bpy.context.scene)[0] == "READY"


def case_an_import_that_is_undone_is_forgotten(folder):
    from aimv.blender_addon import jobs

    bpy.ops.ed.undo_push(message="before")
    begin(folder, generate=False)
    bpy.ops.ed.undo_push(message="Import Song")  # which Blender does itself after a click
    while bpy.context.scene.aimv.uid:
        bpy.ops.ed.undo()
    assert not edits.scene_markers(bpy.context.scene)
    for _ in range(3):
        bpy.ops.ed.redo()
        if not bpy.ops.ed.redo.poll():
            break
    assert len(edits.scene_markers(bpy.context.scene)) == 2
    assert not jobs.unfinished()


def case_saved_and_opened_again(folder):
    scene, _ = begin(folder)
    assert found(scene)
    save(folder / "film.blend")
    assert found(scene)
    assert (scene.aimv.project, scene.aimv.song) == ("//Lied.aimv", "//Lied.wav")
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(folder / "film.blend"))
    scene = bpy.context.scene
    assert found(scene)
    assert edits.states(scene) == ["READY", "READY"]
    assert edits.files(scene, 0)[0].startswith("store/")


def case_saved_in_another_folder(folder):
    scene, project = begin(folder)
    save(folder / "film.blend")
    (folder / "elsewhere").mkdir()
    save(folder / "elsewhere" / "film.blend")
    assert found(scene)
    assert scene.aimv.project == "//../Lied.aimv"
    bpy.ops.wm.open_mainfile(filepath=str(folder / "elsewhere" / "film.blend"))
    scene = bpy.context.scene
    assert found(scene)
    scene.frame_set(60)
    edits.scene_markers(scene)[1].aimv.sentence = "A mountain"
    bpy.ops.aimv.generate(scope="STALE")
    assert edits.states(scene) == ["READY", "READY"]
    assert found(scene)
    assert len(list((project / "uses").iterdir())) == 2


def case_a_copy_is_saved_and_the_file_stays(folder):
    scene, _ = begin(folder)
    save(folder / "film.blend")
    (folder / "elsewhere").mkdir()
    save(folder / "elsewhere" / "copy.blend", copy=True)
    assert scene.aimv.project == "//Lied.aimv"
    assert found(scene)
    bpy.ops.wm.open_mainfile(filepath=str(folder / "elsewhere" / "copy.blend"))
    scene = bpy.context.scene
    assert scene.aimv.project == "//../Lied.aimv"
    assert found(scene)


def case_saving_fails(folder):
    scene, _ = begin(folder)
    save(folder / "film.blend")
    edits.refusal(lambda: save(folder / "no such folder" / "film.blend"))
    assert scene.aimv.project == "//Lied.aimv"
    assert found(scene)


def case_the_folder_is_moved_with_all_in_it(folder):
    begin(folder)
    (folder / "a").mkdir()
    for name in ("Lied.aimv", "Lied.wav"):
        shutil.move(folder / name, folder / "a" / name)
    scene = bpy.context.scene
    scene.aimv.project, scene.aimv.song = str(folder / "a" / "Lied.aimv"), str(folder / "a" / "Lied.wav")
    bpy.ops.aimv.generate(scope="ALL")
    save(folder / "a" / "film.blend")
    shutil.move(folder / "a", folder / "b")
    bpy.ops.wm.open_mainfile(filepath=str(folder / "b" / "film.blend"))
    scene = bpy.context.scene
    assert found(scene)
    bpy.ops.aimv.generate(scope="ALL")
    assert edits.states(scene) == ["READY", "READY"]


def case_a_song_beside_a_saved_file_is_named_as_seen_from_there(folder):
    from aimv.blender_addon import compat, sequencer

    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "edit.blend"))
    strip = sequencer.lay_song(bpy.context.scene, edits.write_song(folder / "song.wav"), 1)
    assert not compat.has_sound() or strip.sound.filepath == "//song.wav"


def case_two_files_share_a_project(folder):
    _, project = begin(folder)
    save(folder / "one.blend")
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
    scene, _ = begin(folder)
    save(folder / "two.blend")
    assert len(list((project / "uses").iterdir())) == 2
    assert found(scene)
    bpy.ops.wm.open_mainfile(filepath=str(folder / "one.blend"))
    assert found(bpy.context.scene)


def case_the_song_is_missing(folder):
    from aimv.blender_addon import files

    scene, _ = begin(folder)
    (folder / "Lied.wav").rename(folder / "Other.wav")
    edits.scene_markers(scene)[0].aimv.sentence = "A mountain"
    assert "The song is missing" in edits.refusal(lambda: bpy.ops.aimv.generate(scope="STALE"))
    assert edits.states(scene) == ["STALE", "READY"]
    files._songs.clear()  # time goes by
    assert files.song_is_missing(scene)
    bpy.ops.aimv.find_song(filepath=str(folder / "Other.wav"))
    assert not files.song_is_missing(scene)
    bpy.ops.aimv.generate(scope="STALE")
    assert edits.states(scene) == ["READY", "READY"]


def case_the_project_can_not_be_kept_there(folder):
    edits.use_pretended_engine()
    scene = edits.small_scene()
    song = edits.write_song(folder / "Lied.wav")
    (folder / "Lied.aimv").write_text("in the way")
    assert "choose another folder" in edits.refusal(lambda: bpy.ops.aimv.import_song(filepath=str(song)))
    assert not scene.aimv.song
    assert len(scene.timeline_markers) == 0
    bpy.ops.aimv.import_song(filepath=str(song), project=str(folder / "Project"))
    assert len(edits.scene_markers(scene)) == 2
    assert Path(scene.aimv.project) == folder / "Project"


def case_a_long_path_with_spaces_and_umlauts(folder):
    deep = folder / ("sehr lange Straße " * 3).strip() / ("Überraschung, ein Ordner " * 4).strip()
    deep.mkdir(parents=True)
    scene, _ = begin(deep)
    assert len(str(deep)) > 170
    save(deep / "Film für Äpfel.blend")
    bpy.ops.wm.open_mainfile(filepath=str(deep / "Film für Äpfel.blend"))
    scene = bpy.context.scene
    assert found(scene)
    assert edits.states(scene) == ["READY", "READY"]


def case_markers_and_strips_of_others_stay(folder):
    from aimv.blender_addon import compat

    scene = edits.small_scene()
    scene.timeline_markers.new("mine", frame=20)
    compat.new_effect(scene, "my color", "COLOR", 1, 1, 50)
    end = scene.frame_end
    begin(folder)
    assert [marker.name for marker in scene.timeline_markers] == ["mine", "A1", "B1"]
    assert compat.strips(scene)["my color"].channel == 1
    assert scene.frame_end == end  # there was something on the timeline, so it stays as it was
    assert edits.scene_markers(scene)[0].name == "A1"


def case_a_scene_copied_with_its_markers(folder):
    scene, _ = begin(folder)
    first = scene.name
    bpy.ops.scene.new(type="FULL_COPY")
    from aimv.blender_addon import repair

    repair.mend()
    copy, scene = bpy.context.scene, bpy.data.scenes[first]
    assert copy != scene
    assert copy.aimv.uid != scene.aimv.uid
    edits.scene_markers(copy)[0].aimv.sentence = "A mountain"
    assert edits.states(scene) == ["READY", "READY"]
    bpy.ops.aimv.generate(scope="ALL")
    assert edits.states(scene) == ["READY", "READY"]
    bpy.ops.ed.undo_push(message="copied")
    save(folder / "film.blend")
    bpy.ops.wm.open_mainfile(filepath=str(folder / "film.blend"))
    assert all(found(scene) for scene in bpy.data.scenes)


def case_results_land_in_the_scene_that_asked(folder):
    scene, project = begin(folder, generate=False)
    first = scene.name
    edits.allow(project, 1)
    press("ALL")
    edits.until(lambda: edits.states(bpy.data.scenes[first])[0] == "MAKING")
    bpy.ops.scene.new(type="NEW")
    edits.allow(project, None)
    edits.until(lambda: edits.states(bpy.data.scenes[first]) == ["READY", "READY"])
    assert not edits.scene_markers(bpy.context.scene)


def case_pictures_that_were_deleted_are_made_again(folder):
    from aimv.blender_addon import jobs

    _, project = begin(folder)
    save(folder / "film.blend")
    for name in edits.files(bpy.context.scene, 1)[10:20]:
        (project / name).unlink()
    bpy.ops.wm.open_mainfile(filepath=str(folder / "film.blend"))
    scene = bpy.context.scene
    assert f"10 pictures of {scene.name} are missing on disk" in jobs.state.error
    assert not found(scene)
    assert edits.states(scene) == ["READY", "MISSING"]
    bpy.ops.aimv.generate(scope="STALE")
    assert found(scene)
    assert edits.states(scene) == ["READY", "READY"]
    assert not jobs.state.error
    shutil.rmtree(project / "store")
    assert edits.states(scene) == ["READY", "READY"]
    bpy.ops.aimv.generate(scope="STALE")  # it looks
    assert found(scene)


def case_another_song_replaces_the_first_when_asked(folder):
    from aimv.blender_addon import compat, jobs, strips

    scene, project = begin(folder)
    mine = compat.new_effect(scene, "my color", "COLOR", 9, 1, 50)
    other = edits.write_song(folder / "Another.wav")
    refused = edits.refusal(lambda: bpy.ops.aimv.import_song(filepath=str(other)))
    assert "has the song Lied.wav already" in refused
    assert found(scene)
    before = [marker.aimv.uid for marker in edits.scene_markers(scene)]
    edits.allow(project, 1)
    edits.scene_markers(scene)[0].aimv.sentence = "A mountain"
    press()  # and it is still at it when the song goes
    bpy.ops.aimv.import_song(filepath=str(other), replace=True)
    edits.allow(project, None)
    edits.until(lambda: not jobs.unfinished())
    assert not strips.pictures(scene)
    assert not set(before) & {marker.aimv.uid for marker in edits.scene_markers(scene)}
    assert edits.states(scene) == ["EMPTY", "EMPTY"]
    assert Path(scene.aimv.project) == folder / "Another.aimv"
    assert mine.name in compat.strips(scene)
    if compat.has_sound():
        assert [strip.name for strip in compat.strips(scene) if strip.type == "SOUND"] == ["Another"]
    bpy.ops.aimv.generate(scope="ALL")
    assert found(scene)
    assert (project / "store").is_dir()


def case_the_same_song_again_changes_no_scene(folder):
    from aimv.blender_addon import compat

    scene, _ = begin(folder)
    scene.aimv.song_frame = 5
    count = len(compat.strips(scene))
    bpy.ops.aimv.import_song(filepath=str(folder / "Lied.wav"))
    assert len(compat.strips(scene)) == count
    assert [marker.name for marker in edits.scene_markers(scene)] == ["A1", "B1"]
    if compat.has_sound():
        assert scene.aimv.song_frame == 5


def case_the_sound_strip_that_is_there_is_used(folder):
    from aimv.blender_addon import compat

    if not compat.has_sound():
        return
    edits.use_pretended_engine()
    scene = edits.small_scene()
    song = edits.write_song(folder / "Lied.wav")
    strip = compat.strips(scene).new_sound("Lied", str(song), 3, 25)
    compat.set_start(strip, 37)
    scene.sequence_editor.active_strip = strip
    end = scene.frame_end
    bpy.ops.aimv.use_sound_strip()
    assert scene.aimv.song_frame == 25
    assert [marker.frame for marker in edits.scene_markers(scene)] == [25, 73]
    assert (scene.frame_end, compat.start(strip), strip.channel) == (end, 37, 3)


if __name__ == "__main__":
    harness.main(globals())

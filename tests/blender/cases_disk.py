"""Which pictures are needed, and deleting the others, with the engine itself."""

import json
import os
from pathlib import Path

import bpy
import harness
from edits import refusal


def begin(folder):
    """A saved file whose scene shows the first two of six pictures of its project. Returns scene and project."""
    project = folder / "Lied ü.aimv"
    for number in range(6):
        path = project / name(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1000))
    scene = bpy.context.scene
    scene.aimv.uid, scene.aimv.project = "scene", str(project)
    show(scene, project, 0, 1)
    save(folder / "Lied ü.blend")
    return scene, project


def name(number):
    return f"store/{number:02d}/{f'{number:02d}' * 16}.jpg"


def show(scene, project, *numbers):
    """One more image strip with those pictures."""
    from aimv.blender_addon import compat

    strip = compat.strips(scene).new_image("pictures", str(project / name(numbers[0])), 2, 1)
    strip.aimv.role, strip.aimv.scene = "SCENE", "marker"
    strip.directory = f"{project}/"
    strip.elements[0].filename = name(numbers[0])
    for number in numbers[1:]:
        strip.elements.append(name(number))
    return strip


def save(path, **choices):
    assert bpy.ops.wm.save_as_mainfile(filepath=str(path), **choices) == {"FINISHED"}


def left(project):
    """The numbers of the pictures that are there."""
    return sorted(int(path.parent.name) for path in (project / "store").rglob("*.jpg"))


def names(*numbers):
    return [name(number) for number in numbers]


def uses(project):
    """What the project's folder says of .blend files: their names and which pictures they show."""
    notes = [json.loads(path.read_text(encoding="utf-8")) for path in (project / "uses").glob("*.json")]
    return {Path(note["blend"]).name: note["frames"] for note in notes}


def case_saving_notes_what_the_file_shows(folder):
    scene, project = begin(folder)
    assert uses(project) == {"Lied ü.blend": names(0, 1)}
    show(scene, project, 2)
    bpy.ops.wm.save_mainfile()
    assert uses(project) == {"Lied ü.blend": names(0, 1, 2)}
    save(folder / "another.blend")
    save(folder / "copy.blend", copy=True)
    assert uses(project) == dict.fromkeys(("Lied ü.blend", "another.blend", "copy.blend"), names(0, 1, 2))
    assert not list((project / "uses").glob("*.part"))


def case_pictures_are_found_wherever_strips_have_them(folder):
    from aimv.blender_addon import disk

    scene, project = begin(folder)
    strip = show(scene, project, 3)
    strip.directory, strip.elements[0].filename = str(project / "store" / "03"), Path(name(3)).name
    other = bpy.data.scenes.new("Other")
    relative = show(other, project, 4)
    relative.directory = bpy.path.relpath(f"{project}/")
    elsewhere = show(other, project, 5)
    elsewhere.directory = str(folder)
    assert sorted(disk.shown(project)) == names(0, 1, 3, 4)


def case_pictures_are_found_again_wherever_the_file_goes(folder):
    from aimv.blender_addon import disk, strips

    _, project = begin(folder)  # saved for the first time
    (folder / "elsewhere").mkdir()
    blends = [folder / "Lied ü.blend", folder / "elsewhere" / "x.blend", folder / "y.blend"]
    for blend in blends:
        save(blend)
        (strip,) = strips.pictures(bpy.context.scene)
        assert strip.directory.startswith("//")
        assert disk.shown(project) == set(names(0, 1)), blend
    save(folder / "elsewhere" / "copy.blend", copy=True)
    assert disk.shown(project) == set(names(0, 1))
    assert "Cannot" in refusal(lambda: save(folder / "nowhere" / "z.blend"))
    assert disk.shown(project) == set(names(0, 1))
    for blend in (*blends, folder / "elsewhere" / "copy.blend"):
        bpy.ops.wm.open_mainfile(filepath=str(blend))
        assert disk.shown(project) == set(names(0, 1)), blend


def case_what_was_shown_since_the_file_was_opened_is_kept(folder):
    from aimv.blender_addon import compat, disk

    scene, project = begin(folder)
    disk.remember(project, [name(3)])
    collection = compat.strips(scene)
    collection.remove(collection[0])
    show(scene, project, 4)
    assert disk.keep(scene) == names(0, 1, 3, 4)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(folder / "Lied ü.blend"))
    scene = bpy.context.scene
    assert disk.keep(scene) == names(4)
    collection = compat.strips(scene)
    collection.remove(collection[0])
    assert disk.keep(scene) == names(4)  # undo can bring it back


def case_a_project_that_can_not_be_written_to_is_left_alone(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    for path in (project / "uses").iterdir():
        path.unlink()
    (project / "uses").rmdir()
    (project / "uses").write_text("no folder")  # what even an administrator can't write into
    save(folder / "another.blend")
    assert "can't be written to" in jobs.state.error
    jobs.state.error = ""
    save(folder / "another.blend")
    assert jobs.state.error == ""
    assert scene.aimv.uid == "scene"


def case_cleaning_up_deletes_what_nobody_needs(folder):
    from aimv.blender_addon import disk

    _, project = begin(folder)
    disk.remember(project, [name(2)])
    for number, blend in ((3, folder / "there.blend"), (4, folder / "gone.blend")):
        note = {"blend": str(blend), "frames": [name(number)]}
        (project / "uses" / f"{number}.json").write_text(json.dumps(note), encoding="utf-8")
    (folder / "there.blend").write_bytes(b"")
    assert bpy.ops.aimv.clean_up() == {"FINISHED"}
    assert left(project) == [0, 1, 2, 3, 4]
    assert bpy.ops.aimv.clean_up(forget=True) == {"FINISHED"}
    assert left(project) == [0, 1, 2, 3]
    assert "gone.blend" not in uses(project)


def case_the_scene_that_was_asked_about_is_cleaned_up(folder):
    _, project = begin(folder)
    other = bpy.data.scenes.new("Other")
    other.aimv.uid, other.aimv.project = "other", str(folder / "Other.aimv")
    path = folder / "Other.aimv" / name(7)
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(1000))
    assert bpy.ops.aimv.clean_up(asked="other") == {"FINISHED"}
    assert not path.exists()
    assert left(project) == [0, 1, 2, 3, 4, 5]
    assert "not there any more" in refusal(lambda: bpy.ops.aimv.clean_up(asked="gone"))


def case_linked_scenes_are_left_alone(folder):
    from aimv.blender_addon import disk, jobs

    _, project = begin(folder)
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
    with bpy.data.libraries.load(str(folder / "Lied ü.blend"), link=True) as (there, wanted):
        wanted.scenes = there.scenes
    (linked,) = wanted.scenes
    assert (linked.library is not None, linked.aimv.uid) == (True, "scene")
    assert jobs.scene_of("scene") is None
    save(folder / "another.blend")
    assert disk.shown(project) == set()
    assert list(uses(project)) == ["Lied ü.blend"]
    own = next(scene for scene in bpy.data.scenes if scene.library is None)
    own.aimv.uid = "scene"
    assert jobs.scene_of("scene") == own


def case_cleaning_up_first_says_what_there_is(folder):
    from aimv.blender_addon import disk, jobs
    from aimv.blender_addon.operators import disk as cleaning

    scene, project = begin(folder)
    (project / "uses" / "x.json").write_text(json.dumps({"blend": str(folder / "gone.blend"), "frames": names(5)}))
    jobs.wait(cleaning.ask(scene, cleaning._show_dialog))
    found = disk.known(project)
    assert (found["count"], found["unused_count"]) == (6, 3)
    assert (found["bytes"], found["unused_bytes"]) == (6000, 3000)
    assert cleaning.gone(found) == [str(folder / "gone.blend")]
    assert cleaning._there(found, bpy.data.filepath) == []
    assert left(project) == [0, 1, 2, 3, 4, 5]


def case_it_refuses_while_the_project_is_worked_on(folder):
    from aimv.blender_addon import jobs

    assert "no song yet" in refusal(bpy.ops.aimv.clean_up)
    scene, project = begin(folder)
    job = jobs.submit(scene, "generate", "Generate", {"project": str(project)}, lambda *_: None)
    assert "wait until that is done" in refusal(bpy.ops.aimv.clean_up)
    jobs.cancel(job)
    other = jobs.submit(scene, "generate", "Generate", {"project": str(folder / "other")}, lambda *_: None)
    assert bpy.ops.aimv.clean_up.poll()
    jobs.cancel(other)
    assert left(project) == [0, 1, 2, 3, 4, 5]


def case_amounts_are_said_as_a_person_reads_them(folder):
    from aimv.blender_addon.layouts import size

    sizes = (0, 999, 1500, 3_400_000, 1_200_000_000)
    assert [size(count) for count in sizes] == ["0 bytes", "999 bytes", "1.5 kB", "3.4 MB", "1.2 GB"]


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    harness.main(globals())

"""What a person does to scenes: split, remove, copy, paste, shuffle, tag and rewrite; prompts in the Text Editor."""

import bpy
import edits
import harness
from edits import refusal


def begin(folder):
    """A scene with a song and its storyboard of two scenes, A1 at frame 1 and B1 at 49. The playhead is in A1."""
    edits.use_pretended_engine()
    scene = edits.small_scene()
    scene.aimv.quality = "final"
    song = edits.write_song(folder / "Lied.wav")
    assert bpy.ops.aimv.import_song(filepath=str(song)) == {"FINISHED"}
    scene.frame_current = 1
    return scene


def go_to(scene, frame):
    """Moves the playhead as Blender does."""
    from aimv.blender_addon import segments

    scene.frame_set(frame)
    segments.follow_playhead(scene)
    return segments.current(scene)


def names(scene):
    return [marker.name for marker in edits.scene_markers(scene)]


def greyed_out(operator):
    """Whether a button is greyed out."""
    return not operator.poll()


def case_split_at_the_playhead(folder):
    scene = begin(folder)
    assert greyed_out(bpy.ops.aimv.split_scene)
    assert bpy.ops.aimv.generate(scope="ALL") == {"FINISHED"}
    go_to(scene, 20)
    assert bpy.ops.aimv.split_scene() == {"FINISHED"}
    assert names(scene) == ["A1", "A2", "B1"]
    assert edits.states(scene) == ["STALE", "STALE", "READY"]
    first, second, _ = edits.scene_markers(scene)
    assert (second.frame, second.aimv.seed, second.select) == (20, first.aimv.seed, False)
    assert scene.timeline_markers[scene.aimv.active] == second
    assert greyed_out(bpy.ops.aimv.split_scene)
    go_to(scene, 10)
    edits.scene_markers(scene)[0].aimv.locked = True
    assert "locked" in refusal(bpy.ops.aimv.split_scene)


def case_a_removed_scene_takes_its_pictures_along(folder):
    from aimv.blender_addon import compat, strips

    scene = begin(folder)
    assert bpy.ops.aimv.generate(scope="ALL") == {"FINISHED"}
    marker = go_to(scene, 60)
    uid = marker.aimv.uid
    assert len(strips.of(scene, uid)) == 1
    assert bpy.ops.aimv.remove_scene() == {"FINISHED"}
    assert names(scene) == ["A1"]
    assert edits.states(scene) == ["STALE"]
    assert strips.of(scene, uid) == []
    assert not any(strip.type == "CROSS" for strip in compat.strips(scene))
    assert scene.timeline_markers[scene.aimv.active].name == "A1"
    edits.scene_markers(scene)[0].aimv.locked = True
    assert "Scene A1 is locked" in refusal(bpy.ops.aimv.remove_scene)


def case_without_a_scene_buttons_are_grey(folder):
    for operator in (
        bpy.ops.aimv.split_scene,
        bpy.ops.aimv.remove_scene,
        bpy.ops.aimv.make_scene,
        bpy.ops.aimv.copy_scene,
        bpy.ops.aimv.paste_scene,
        bpy.ops.aimv.shuffle_seed,
        bpy.ops.aimv.edit_prompt,
        bpy.ops.aimv.apply_prompt,
        bpy.ops.aimv.rewrite,
        bpy.ops.aimv.use_candidate,
        bpy.ops.aimv.add_tag,
        bpy.ops.aimv.remove_tag,
    ):
        assert greyed_out(operator), operator


def case_ordinary_markers_become_scenes(folder):
    scene = begin(folder)
    for name, frame in (("chapter", 20), ("here is one", 49), ("left alone", 70)):
        scene.timeline_markers.new(name, frame=frame).select = name != "left alone"
    assert bpy.ops.aimv.make_scene() == {"FINISHED"}  # with a warning about the second one
    assert names(scene) == ["A1", "chapter", "B1"]
    first, chapter, _ = edits.scene_markers(scene)
    assert chapter.aimv.sentence == first.aimv.sentence
    assert chapter.aimv.uid not in ("", first.aimv.uid)


def case_the_first_scene_of_all_can_be_made_by_hand(folder):
    scene = bpy.context.scene
    scene.timeline_markers.new("first", frame=10).select = True
    assert bpy.ops.aimv.make_scene() == {"FINISHED"}
    (marker,) = edits.scene_markers(scene)
    assert (marker.name, marker.aimv.look, marker.aimv.sentence) == ("first", "oil", "")


def case_copy_and_paste(folder):
    from aimv.blender_addon import plain

    scene = begin(folder)
    source = go_to(scene, 1)
    source.aimv.look, source.aimv.camera, source.aimv.style, source.aimv.negative = "ink", "rise", 0.25, "text"
    source.aimv.tags.add().name = "flute"
    assert bpy.ops.aimv.copy_scene() == {"FINISHED"}
    target = go_to(scene, 60)
    before = plain.read(target.aimv)
    target.aimv.seed_locked = True
    assert bpy.ops.aimv.paste_scene() == {"FINISHED"}
    after = plain.read(target.aimv)
    pasted = ("sentence", "negative", "look", "camera", "style", "tags")
    assert {name: after[name] for name in pasted} == {name: plain.read(source.aimv)[name] for name in pasted}
    for name in ("seed", "uid", "cluster", "candidates"):
        assert after[name] == before[name], name
    target.aimv.seed_locked = False
    assert bpy.ops.aimv.paste_scene() == {"FINISHED"}
    assert target.aimv.seed == source.aimv.seed
    target.aimv.locked = True
    assert "locked" in refusal(bpy.ops.aimv.paste_scene)


def case_shuffle(folder):
    scene = begin(folder)
    marker = go_to(scene, 60)
    before = marker.aimv.seed
    assert bpy.ops.aimv.shuffle_seed() == {"FINISHED"}
    assert marker.aimv.seed != before
    marker.aimv.seed_locked = True
    assert "seed of scene B1 is locked" in refusal(bpy.ops.aimv.shuffle_seed)


def case_tags(folder):
    scene = begin(folder)
    tags = go_to(scene, 1).aimv.tags
    assert bpy.ops.aimv.add_tag(tag="  warm  rain ", weight=0.75) == {"FINISHED"}
    assert bpy.ops.aimv.add_tag(tag="Ambient", weight=0.25) == {"FINISHED"}
    assert [(tag.name, tag.weight) for tag in tags] == [("Ambient", 0.25), ("slow", 0.25), ("warm rain", 0.75)]
    assert "needs a name" in refusal(bpy.ops.aimv.add_tag)
    assert bpy.ops.aimv.remove_tag(index=1) == {"FINISHED"}
    assert [tag.name for tag in tags] == ["Ambient", "warm rain"]
    assert "no tag 8" in refusal(lambda: bpy.ops.aimv.remove_tag(index=7))


def case_the_language_model_suggests_and_the_person_picks(folder):
    scene = begin(folder)
    marker = go_to(scene, 60)
    before = marker.aimv.sentence
    for expected in (["Picture 0", "Picture 1"], ["Picture 2", "Picture 3"]):
        assert bpy.ops.aimv.rewrite() == {"FINISHED"}
        assert [candidate.name for candidate in marker.aimv.candidates] == expected
    assert marker.aimv.sentence == before
    assert bpy.ops.aimv.use_candidate(index=1) == {"FINISHED"}
    assert marker.aimv.sentence == "Picture 3"
    assert "no suggestion 10" in refusal(lambda: bpy.ops.aimv.use_candidate(index=9))


def case_suggestions_land_in_the_scene_they_were_asked_for(folder):
    from aimv.blender_addon import jobs

    scene = begin(folder)
    marker = go_to(scene, 60)
    edits.allow(folder / "Lied.aimv", 0)
    assert bpy.ops.aimv.rewrite(wait=False) == {"FINISHED"}
    go_to(scene, 1)
    marker.frame = 70
    edits.allow(folder / "Lied.aimv", None)
    edits.until(lambda: not jobs.unfinished())
    assert [candidate.name for candidate in marker.aimv.candidates] == ["Picture 0", "Picture 1"]


def case_a_prompt_as_a_text(folder):
    from aimv.blender_addon import prompts

    scene = begin(folder)
    marker = go_to(scene, 60)
    assert bpy.ops.aimv.edit_prompt() == {"FINISHED"}
    (text,) = (text for text in bpy.data.texts if prompts.is_prompt(text))
    assert text.as_string() == marker.aimv.sentence
    prompts.take_over()
    assert bpy.ops.aimv.apply_prompt() == {"FINISHED"}
    marker.aimv.sentence = "Written in the panel"  # a text that nobody wrote in does not take that back
    prompts.take_over()
    assert marker.aimv.sentence == "Written in the panel"
    assert bpy.ops.aimv.edit_prompt() == {"FINISHED"}
    assert text.as_string() == "Written in the panel"
    text.from_string("A long\n  prompt\nüber drei Zeilen\n")
    assert bpy.ops.aimv.apply_prompt() == {"FINISHED"}
    assert marker.aimv.sentence == "A long prompt über drei Zeilen"
    assert edits.scene_markers(scene)[0].aimv.sentence == "A quiet lake, picture 0"

    marker.aimv.locked = True
    text.from_string("Too late")
    prompts.take_over()
    assert marker.aimv.sentence == "A long prompt über drei Zeilen"
    marker.aimv.locked = False
    scene.timeline_markers.remove(marker)
    prompts.take_over()  # nobody's prompt any more


def case_undo_takes_each_of_them_back(folder):
    scene = begin(folder)
    go_to(scene, 20)
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.aimv.split_scene() == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Split Scene")  # Blender does this for operators that a person calls
    assert bpy.ops.ed.undo() == {"FINISHED"}
    scene = bpy.context.scene
    assert names(scene) == ["A1", "B1"]
    assert bpy.ops.ed.redo() == {"FINISHED"}
    assert names(bpy.context.scene) == ["A1", "A2", "B1"]


if __name__ == "__main__":
    harness.main(globals())

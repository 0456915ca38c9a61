"""The queue of jobs inside Blender, with an engine that pretends: order, landing, waiting, trouble, cancelling."""

import bpy
import edits
import harness


def begin(folder, quality="final"):
    """A scene with a song and its storyboard of two scenes. Returns the scene and its project's folder."""
    edits.use_pretended_engine()
    scene = edits.small_scene()
    scene.aimv.quality = quality
    song = edits.write_song(folder / "Lied.wav")
    assert bpy.ops.aimv.import_song(filepath=str(song)) == {"FINISHED"}
    return scene, folder / "Lied.aimv"


def press(scope="SCENE"):
    """What a click on Generate does: it returns at once. (Without a window Blender invokes nothing.)"""
    from aimv.blender_addon.operators import generate

    return generate.start(bpy.context.scene, scope)


def case_a_song_becomes_scenes(folder):
    scene, project = begin(folder)
    own = scene.aimv
    assert (own.duration, own.tempo, own.key) == (8.0, 120.0, "A minor")
    assert [tag.name for tag in own.main_tags] == ["ambient"]
    assert own.artist == "by Albert Bierstadt"
    assert own.show_overlay
    assert scene.frame_end == 96
    markers = edits.scene_markers(scene)
    assert [(marker.name, marker.frame) for marker in markers] == [("A1", 1), ("B1", 49)]
    assert [marker.aimv.sentence for marker in markers] == ["A quiet lake, picture 0", "A quiet lake, picture 1"]
    assert not any(marker.select for marker in markers)
    assert edits.states(scene) == ["EMPTY", "EMPTY"]
    assert project.is_dir()


def case_generating_all_makes_all(folder):
    scene, project = begin(folder)
    assert bpy.ops.aimv.generate(scope="ALL") == {"FINISHED"}
    assert edits.states(scene) == ["READY", "READY"]
    assert [marker.aimv.made_size for marker in edits.scene_markers(scene)] == ["96x64", "96x64"]
    for index in range(2):
        names = edits.files(scene, index)
        assert len(names) == 50
        assert all((project / name).is_file() for name in names)
        assert not any("placeholder" in name for name in names)


def case_what_can_not_be_asked_for_fails_and_the_next_is_done(folder):
    from aimv.blender_addon import jobs

    scene, _ = begin(folder)
    bad = jobs.submit(scene, "rewrite", "Rewrite", {"project": object()}, lambda *_: None)
    press()
    edits.until(lambda: edits.states(scene) == ["READY", "EMPTY"])
    assert bad.state == "FAILED"
    assert bad.error.startswith("Rewrite: TypeError")


def case_a_clock_that_went_wrong_once_goes_on(folder):
    from aimv.blender_addon import prompts, repair

    def go_wrong():
        raise ValueError

    for module, work in ((repair, "mend"), (prompts, "take_over")):
        right = getattr(module, work)
        setattr(module, work, go_wrong)
        try:
            assert module._look() == module.SECONDS
        finally:
            setattr(module, work, right)


def case_frames_show_up_while_they_are_made(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    edits.allow(project, 1)
    press()
    edits.until(lambda: edits.states(scene) == ["MAKING", "EMPTY"])
    assert all("placeholder" in name for name in edits.files(scene, 0))
    edits.allow(project, 3)
    edits.until(lambda: sum("placeholder" in name for name in edits.files(scene, 0)) == 30)
    state, fraction = jobs.state_of(scene, edits.scene_markers(scene)[0])
    assert (state, round(fraction, 2)) == ("MAKING", 0.4)
    edits.allow(project, None)
    edits.until(lambda: edits.states(scene) == ["READY", "EMPTY"])


def case_another_scene_waits_for_its_turn(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    edits.allow(project, 1)
    press()
    scene.frame_set(60)
    edits.scene_markers(scene)[1].aimv.sentence = "Something else"
    press()
    edits.until(lambda: edits.states(scene) == ["MAKING", "QUEUED"])
    assert [job.title for job in jobs.unfinished()] == ["Generate A1", "Generate B1"]
    press()  # the same again
    assert len(jobs.unfinished()) == 2
    edits.allow(project, None)
    edits.until(lambda: edits.states(scene) == ["READY", "READY"])


def case_a_change_of_mind_takes_the_place_of_what_waits(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    edits.allow(project, 1)
    press()
    scene.frame_set(60)
    press()
    second = edits.scene_markers(scene)[1]
    second.aimv.sentence = "A mountain"
    press()
    (waiting,) = jobs.unfinished()[1:]
    assert waiting.params["scenes"][1]["sentence"] == "A mountain"
    edits.allow(project, None)
    edits.until(lambda: edits.states(scene) == ["READY", "READY"])


def case_a_change_while_it_is_made_leaves_it_stale(folder):
    scene, project = begin(folder)
    edits.allow(project, 2)
    press()
    edits.until(lambda: edits.states(scene)[0] == "MAKING")
    edits.scene_markers(scene)[0].aimv.sentence = "A mountain"
    edits.allow(project, None)
    edits.until(lambda: edits.states(scene) == ["STALE", "EMPTY"])
    press()
    edits.until(lambda: edits.states(scene) == ["READY", "EMPTY"])


def case_the_scene_before_is_brought_up_to_date(folder):
    from aimv.blender_addon import jobs

    scene, _ = begin(folder)
    bpy.ops.aimv.generate(scope="ALL")
    scene.frame_set(60)
    first, second = edits.scene_markers(scene)
    second.aimv.sentence = "A mountain"
    press()
    (job,) = jobs.unfinished()
    assert list(job.making) == [second.aimv.uid, first.aimv.uid]
    assert job.params["make"] == [1, 0]
    jobs.wait(job)
    first.aimv.locked = True
    second.aimv.sentence = "A river"
    press()
    assert jobs.unfinished()[0].params["make"] == [1]
    bpy.ops.aimv.cancel()


def case_what_is_asked_for_of_the_scene_before_is_not_given_up(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder, "draft")
    scene.render.resolution_x, scene.render.resolution_y = 1280, 720
    assert bpy.ops.aimv.generate(scope="ALL") == {"FINISHED"}
    edits.allow(project, 1)
    for frame, quality, sentence in ((60, "draft", "A tree"), (1, "final", ""), (60, "draft", "Two trees")):
        scene.frame_set(frame)
        scene.aimv.quality = quality
        if sentence:
            edits.scene_markers(scene)[1].aimv.sentence = sentence
        press()
        edits.until(lambda: jobs.unfinished()[0].state == "RUNNING")
    assert [job.title for job in jobs.unfinished()] == ["Generate B1", "Generate A1", "Generate B1"]
    edits.allow(project, None)
    edits.until(lambda: not jobs.unfinished())
    assert [marker.aimv.made_size for marker in edits.scene_markers(scene)] == ["1280x720", "640x360"]


def case_a_moved_marker_gets_its_pictures_where_they_belong(folder):
    from aimv.blender_addon import compat, strips

    scene, project = begin(folder)
    edits.allow(project, 0)
    scene.frame_set(60)
    press()
    marker = edits.scene_markers(scene)[1]
    marker.frame = 61
    edits.allow(project, None)
    edits.until(lambda: edits.states(scene) == ["EMPTY", "STALE"])
    (strip,) = strips.of(scene, marker.aimv.uid)
    assert compat.start(strip) == 47


def case_nobody_misses_a_deleted_scene(folder):
    from aimv.blender_addon import jobs, strips

    scene, project = begin(folder)
    edits.allow(project, 0)
    press()
    marker = edits.scene_markers(scene)[0]
    uid = marker.aimv.uid
    scene.timeline_markers.remove(marker)
    edits.allow(project, None)
    edits.until(lambda: not jobs.unfinished())
    assert not strips.of(scene, uid)
    assert not jobs.state.error


def case_cancelling_keeps_what_is_done(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    edits.allow(project, 8)
    press("ALL")
    edits.until(lambda: edits.states(scene) == ["READY", "MAKING"])
    assert bpy.ops.aimv.cancel() == {"FINISHED"}
    edits.until(lambda: not jobs.unfinished())
    assert edits.states(scene) == ["READY", "EMPTY"]
    assert not jobs.state.error
    assert not any("placeholder" in name for name in edits.files(scene, 0))


def case_one_that_waits_can_be_cancelled_alone(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    edits.allow(project, 1)
    press()
    scene.frame_set(60)
    press()
    edits.until(lambda: edits.states(scene) == ["MAKING", "QUEUED"])
    running, waiting = jobs.of(scene)[:2]
    bpy.ops.aimv.cancel(job=waiting.id)
    assert [job.state for job in (running, waiting)] == ["RUNNING", "CANCELLED"]
    edits.allow(project, None)
    edits.until(lambda: edits.states(scene) == ["READY", "EMPTY"])


def case_what_fails_says_why_and_can_be_tried_again(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    edits.set_manner(project, "fail")
    press("ALL")
    edits.until(lambda: not jobs.unfinished())
    assert jobs.state.error == "the disk is full: make room"
    assert edits.states(scene) == ["FAILED", "FAILED"]
    bpy.ops.aimv.dismiss_error()
    assert edits.states(scene) == ["EMPTY", "EMPTY"]
    edits.set_manner(project, "")
    bpy.ops.aimv.generate(scope="ALL")
    assert edits.states(scene) == ["READY", "READY"]
    assert not jobs.state.error


def case_a_model_is_downloaded_only_when_somebody_says_yes(folder):
    from aimv.blender_addon import jobs

    scene, _ = begin(folder)
    assert bpy.ops.aimv.use_model(model="sd-turbo") == {"FINISHED"}
    press()
    scene.frame_set(60)
    press()
    edits.until(lambda: not jobs.unfinished())
    assert edits.states(scene) == ["FAILED", "FAILED"]
    assert not any("download" in job.params for job in jobs.of(scene))
    bpy.context.preferences.system.use_online_access = False
    assert not bpy.ops.aimv.download_model.poll()
    bpy.context.preferences.system.use_online_access = True
    try:
        assert bpy.ops.aimv.download_model.poll()
        scene.aimv.diffusion_model = "sdxl"  # which nobody was asked about
        assert "Another model" in edits.refusal(bpy.ops.aimv.download_model)
        scene.aimv.diffusion_model = "sd-turbo"
        assert bpy.ops.aimv.download_model() == {"FINISHED"}
    finally:
        bpy.context.preferences.system.use_online_access = False
    assert edits.states(scene) == ["READY", "READY"]
    assert not jobs.state.error
    edits.scene_markers(scene)[0].aimv.seed += 1
    assert bpy.ops.aimv.generate(scope="STALE") == {"FINISHED"}
    assert [job.params.get("download") for job in jobs.of(scene) if job.kind == "generate"] == [None, True]


def case_the_generator_is_asked_for(folder):
    from aimv.blender_addon import requests

    scene, _ = begin(folder)
    own = scene.aimv
    names = ("generator", "diffusion_model", "mode", "follow", "steps", "guidance", "best_of")

    def asked():
        settings = requests.settings(scene)
        return [settings[name] for name in names]

    assert asked() == ["auto", "", "auto", "paint", 0, -1.0, 1]
    own.generator = "diffusion"
    assert asked()[0] == "auto"  # so that listening goes on without a model
    assert "needs a model" in edits.refusal(press)
    own.diffusion_model, own.mode, own.follow = "sdxl", "follow", str(folder / "film.mp4")
    own.steps, own.guidance, own.best_of = 30, 6.6, 4
    assert asked() == ["diffusion", "sdxl", "follow", str(folder / "film.mp4"), 30, 6.6, 4]
    own.diffusion_model = f"{folder}/"
    assert asked()[1] == str(folder)
    own.diffusion_model = "owner/model"
    assert asked()[1] == "owner/model"
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "film.blend"))
    own.diffusion_model = "//model.safetensors"
    assert own.diffusion_model == str(folder / "model.safetensors")


def case_a_script_gets_the_error(folder):
    _, project = begin(folder)
    edits.set_manner(project, "fail")
    assert "the disk is full: make room" in edits.refusal(lambda: bpy.ops.aimv.generate(scope="ALL"))


def case_a_dead_engine_is_started_again(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    edits.allow(project, 1)
    press()
    scene.frame_set(60)
    press()
    edits.until(lambda: edits.states(scene) == ["MAKING", "QUEUED"])
    edits.set_manner(project, "die")
    edits.allow(project, None)
    edits.until(lambda: edits.states(scene)[0] == "FAILED")
    assert "MemoryError: all is lost" in jobs.state.error
    edits.set_manner(project, "")
    edits.until(lambda: not jobs.unfinished())
    assert bpy.ops.aimv.generate(scope="STALE") == {"FINISHED"}
    assert edits.states(scene) == ["READY", "READY"]


def case_a_hanging_engine_is_ended(folder):
    from aimv.blender_addon import engine, jobs

    scene, project = begin(folder)
    patience, engine.PATIENCE = engine.PATIENCE, 2.0
    try:
        edits.set_manner(project, "hang")
        press()
        edits.until(lambda: not jobs.unfinished())
        assert "hangs" in jobs.state.error
    finally:
        engine.PATIENCE = patience
    edits.set_manner(project, "")
    bpy.ops.aimv.generate(scope="ALL")
    assert edits.states(scene) == ["READY", "READY"]


def case_without_an_engine_there_is_a_line(folder):
    from aimv.blender_addon import jobs, preferences
    from aimv.blender_addon.errors import AddonError

    def none():
        raise AddonError("set up the engine in the preferences")

    scene, _ = begin(folder)
    jobs.stop_engine()
    command, preferences.new_engine = preferences.new_engine, none
    try:
        press("ALL")
        edits.until(lambda: not jobs.unfinished())
    finally:
        preferences.new_engine = command
    assert jobs.state.error == "set up the engine in the preferences"
    assert edits.states(scene) == ["FAILED", "FAILED"]


def case_results_wait_for_their_file(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    edits.allow(project, 3)
    press("ALL")
    edits.until(lambda: edits.states(scene) == ["MAKING", "QUEUED"])
    path = str(folder / "film.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
    edits.allow(project, None)
    edits.until(lambda: not jobs.unfinished())
    assert not edits.scene_markers(bpy.context.scene)
    bpy.context.scene.aimv.project = str(project)
    assert not bpy.ops.aimv.clean_up.poll()  # no file shows these pictures yet
    bpy.ops.wm.open_mainfile(filepath=path)
    scene = bpy.context.scene
    edits.until(lambda: edits.states(scene) == ["READY", "READY"])
    assert bpy.ops.aimv.clean_up.poll()
    assert not any("placeholder" in name for index in range(2) for name in edits.files(scene, index))


def case_locked_scenes_are_never_made(folder):
    from aimv.blender_addon import jobs

    scene, _ = begin(folder)
    first, second = edits.scene_markers(scene)
    first.aimv.locked = True
    bpy.ops.aimv.generate(scope="ALL")
    assert edits.states(scene) == ["EMPTY", "READY"]
    second.aimv.locked = True
    assert "Scene A1 is locked" in edits.refusal(lambda: bpy.ops.aimv.generate(scope="SCENE"))
    assert jobs.state.error == "Scene A1 is locked"


def case_a_final_film_replaces_a_draft(folder):
    from aimv.blender_addon import jobs

    scene, _ = begin(folder, "draft")
    scene.render.resolution_x, scene.render.resolution_y = 1000, 562
    bpy.ops.aimv.generate(scope="ALL")
    assert [marker.aimv.made_size for marker in edits.scene_markers(scene)] == ["640x360"] * 2
    scene.aimv.quality = "final"
    assert edits.states(scene) == ["READY", "READY"]
    press("STALE")
    (job,) = jobs.unfinished()
    assert (job.params["size"], job.params["make"]) == ([1000, 562], [0, 1])
    jobs.wait(job)
    assert [marker.aimv.made_size for marker in edits.scene_markers(scene)] == ["1000x562"] * 2
    assert edits.refusal(lambda: press("STALE")) == "Every scene is up to date, or locked"


def case_there_are_never_more_keyframes_than_frames(folder):
    from aimv.blender_addon import requests

    scene, _ = begin(folder)
    scene.render.fps, scene.render.fps_base = 60, 1.001  # 59.940059...
    scene.aimv.keyframe_rate = 100
    assert requests.settings(scene)["keyframe_rate"] == 59.94
    scene.aimv.keyframe_rate = 2.3
    assert requests.settings(scene)["keyframe_rate"] == 2.3


def case_the_request_says_what_is_on_the_timeline(folder):
    from aimv.blender_addon import requests

    scene, project = begin(folder)
    scene.render.fps, scene.render.fps_base = 24, 1.001
    scene.aimv.song_frame = 13
    scene.frame_end = 60
    params = requests.generate(scene, [], (96, 64))
    assert params["fps"] == [24000, 1001]
    assert params["start"] == [-1001, 2000]  # half a second before the song, in frames of 1001/24000 s
    assert (params["frame_count"], [item["first_frame"] for item in params["scenes"]]) == (60, [0, 48])
    assert params["scenes"][0]["tags"] == [["ambient", 0.5], ["slow", 0.25]]
    assert params["settings"]["writer"] == "auto"
    assert params["project"] == str(project)


def case_only_looking_leaves_no_trace(folder):
    from aimv.blender_addon import jobs

    scene, project = begin(folder)
    bpy.ops.ed.undo_push(message="before")
    scene.frame_end = 90
    bpy.ops.ed.undo_push(message="after")
    jobs.state.error = "trouble"
    params = {"project": str(project)}
    jobs.wait(jobs.submit(scene, "analyze", "Look", params, lambda *_: None, only_looks=True))
    assert jobs.state.error == "trouble"
    bpy.ops.ed.undo()
    assert bpy.context.scene.frame_end == 96  # the step before the job is the editor's own
    jobs.wait(jobs.submit(bpy.context.scene, "analyze", "Look", params, lambda *_: None))
    assert not jobs.state.error


def case_cancelled_half_way_it_is_not_ready(folder):
    from aimv.blender_addon import jobs, segments

    scene, project = begin(folder)
    bpy.ops.aimv.generate(scope="ALL")
    first, second = edits.scene_markers(scene)
    first.aimv.sentence = "A mountain"
    edits.allow(project, 3)
    press("STALE")
    edits.until(lambda: sum("placeholder" in name for name in edits.files(scene, 0)) == 30)
    assert segments.state(scene, first) == "STALE"
    bpy.ops.aimv.cancel()
    edits.until(lambda: not jobs.unfinished())
    assert edits.states(scene) == ["STALE", "READY"]
    assert sum("placeholder" in name for name in edits.files(scene, 0)) == 30  # what is done stays
    edits.allow(project, 1)
    scene.render.resolution_x = 192
    scene.frame_set(60)
    press()
    edits.until(lambda: edits.states(scene)[1] == "MAKING")
    bpy.ops.aimv.cancel()
    edits.until(lambda: not jobs.unfinished())
    assert edits.states(scene) == ["STALE", "EMPTY"]  # nothing but placeholders
    assert second.aimv.made_size == ""
    edits.allow(project, None)
    bpy.ops.aimv.generate(scope="STALE")
    assert edits.states(scene) == ["READY", "READY"]
    assert not any("placeholder" in name for index in range(2) for name in edits.files(scene, index))


def case_pictures_of_a_deleted_marker_go(folder):
    from aimv.blender_addon import segments, strips

    scene, _ = begin(folder)
    bpy.ops.aimv.generate(scope="ALL")
    scene.timeline_markers.remove(edits.scene_markers(scene)[1])
    assert len(strips.pictures(scene)) == 2
    assert bpy.ops.aimv.generate(scope="STALE") == {"FINISHED"}
    (strip,) = strips.pictures(scene)
    assert strips.scene_of(strip) == segments.markers(scene)[0].aimv.uid
    assert edits.states(scene) == ["READY"]


def case_what_needs_a_failed_job_is_given_up(folder):
    from aimv.blender_addon import jobs, songs

    scene, project = begin(folder)
    edits.set_manner(project, "fail")
    first, second = songs.listen(scene, fit=False, replace=False)
    edits.until(lambda: not jobs.unfinished())
    assert (first.state, second.state) == ("FAILED", "CANCELLED")
    assert jobs.state.error == "the disk is full: make room"
    edits.set_manner(project, "")
    first, second = songs.listen(scene, fit=False, replace=False)
    jobs.cancel(first)
    edits.until(lambda: not jobs.unfinished())
    assert (first.state, second.state) == ("CANCELLED", "CANCELLED")


if __name__ == "__main__":
    harness.main(globals())

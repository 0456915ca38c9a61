"""The taggram over the timeline: what can be told without a GPU."""

import bpy
import harness


def case_heat_grows_with_the_likelihood(folder):
    from aimv.blender_addon import overlay

    brightness = [sum(overlay.heat(step / 50)) for step in range(51)]
    assert brightness == sorted(brightness)
    assert overlay.heat(-1.0) == overlay.HEAT[0]
    assert overlay.heat(2.0) == overlay.HEAT[-1]


def case_the_curve_keeps_every_hit(folder):
    from aimv.blender_addon import overlay

    energy = [10] * 1000
    energy[317], energy[999] = 255, 128
    curve = overlay.energy_curve(energy, 100.0)
    assert len(curve) == 200
    seconds, height = max(curve, key=lambda point: point[1])
    assert height == 1.0
    assert abs(seconds - 3.17) <= 0.05
    assert curve[-1][1] == 128 / 255
    assert overlay.energy_curve([], 100.0) == [(0.0, 0.0)]


def case_the_typical_gap_is_not_moved_by_a_pause(folder):
    from aimv.blender_addon import overlay

    assert abs(overlay.typical_gap([0.0, 0.5, 1.0, 9.0, 9.5]) - 0.5) < 1e-9
    assert overlay.typical_gap([3.0]) == 0.0


def case_a_taggram_is_asked_for_once_and_only_after_an_analysis(folder):
    from aimv.blender_addon import jobs, overlay

    scene = bpy.context.scene
    scene.aimv.uid, scene.aimv.project = "scene", str(folder)
    overlay.forget()
    assert overlay.picture(scene) is None
    assert overlay._pictures == {}  # there is nothing to ask for
    scene.aimv.duration = 6.0
    assert overlay.picture(scene) is None
    assert overlay.picture(scene) is None
    (key,) = overlay._pictures
    try:
        overlay._ask("scene", key)
        (job,) = jobs.of(scene)
        assert (job.kind, job.params) == ("taggram", {"project": str(folder)})
        scene.aimv.hop = 0.5  # analysed anew, it is another taggram
        overlay.picture(scene)
        assert len(overlay._pictures) == 2
    finally:
        jobs._jobs.clear()
        overlay.forget()


def case_what_could_not_be_read_is_asked_for_again_when_the_engine_works(folder):
    from aimv.blender_addon import jobs, overlay

    scene = bpy.context.scene
    scene.aimv.uid, scene.aimv.project, scene.aimv.duration = "scene", str(folder), 6.0
    overlay.forget()
    overlay.picture(scene)
    (key,) = overlay._pictures
    try:
        overlay._ask("scene", key)
        asked = overlay._pictures[key]
        asked.state = "FAILED"
        overlay.picture(scene)
        assert overlay._pictures[key] == asked
        jobs.submit(scene, "analyze", "Analyze", {}, lambda *_: None).state = "DONE"
        overlay.picture(scene)
        assert overlay._pictures[key] is None
        overlay._ask("scene", key)
        assert overlay._pictures[key].state == "QUEUED"
        bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
        assert overlay._pictures == {}
    finally:
        jobs._jobs.clear()
        overlay.forget()


def case_of_a_scene_that_is_gone_nothing_is_asked(folder):
    from aimv.blender_addon import jobs, overlay

    overlay._ask("no such scene", ())
    assert jobs.unfinished() == []


if __name__ == "__main__":
    harness.main(globals())

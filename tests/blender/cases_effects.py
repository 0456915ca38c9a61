"""Effects of the music: our keys on one strip, and nothing of the editor's is touched. And how the film is rendered."""

import wave
from array import array
from math import sin

import bpy
import harness

CURVES = {
    "scale": {"frames": [0, 10, 20], "values": [1.0, 1.1, 1.0]},
    "brightness": {"frames": [5, 15], "values": [1.0, 1.25]},
    "saturation": {"frames": [0, 30], "values": [1.0, 0.75]},
}
OURS = {"transform.scale_x", "transform.scale_y", "color_multiply", "color_saturation"}


def modules():
    from aimv.blender_addon import compat, effects, segments

    return compat, effects, segments


def apply(curves=CURVES, first=11, last=111):
    """Applies effects to the open scene. Returns our strip."""
    _, effects, _ = modules()
    effects.apply(bpy.context.scene, curves, first, last)
    ours = effects.of(bpy.context.scene)
    return ours[0] if ours else None


def keys(strip):
    """The keys of every animated property of a strip."""
    compat, *_ = modules()
    begin = len(strip.path_from_id()) + 1
    curves = compat.curves_of(bpy.context.scene, strip)
    return {curve.data_path[begin:]: [tuple(point.co) for point in curve.keyframe_points] for curve in curves}


def sequencer():
    """The context in which the sequencer's operators work."""
    scene = bpy.context.scene
    window = bpy.data.window_managers[0].windows[0]
    area = next(area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR")
    region = next(region for region in area.regions if region.type == "WINDOW")
    area.spaces[0].view_type = "SEQUENCER"
    shown = {"sequencer_scene": scene} if hasattr(bpy.types.WorkSpace, "sequencer_scene") else {}
    return bpy.context.temp_override(window=window, area=area, region=region, **shown)


def case_curves_become_linear_keys_above_the_pictures_and_below_titles(folder):
    compat, *_ = modules()
    scene = bpy.context.scene
    compat.new_effect(scene, "Title", "COLOR", 7, 50, 60)
    strip = apply()
    assert (strip.type, strip.name, strip.channel) == ("ADJUSTMENT", "AIMV Beats", 5)
    assert (compat.start(strip), compat.end(strip)) == (11, 111)
    assert keys(strip) == {
        "transform.scale_x": [(11, 1.0), (21, single(1.1)), (31, 1.0)],
        "transform.scale_y": [(11, 1.0), (21, single(1.1)), (31, 1.0)],
        "color_multiply": [(16, 1.0), (26, 1.25)],
        "color_saturation": [(11, 1.0), (41, 0.75)],
    }
    points = [point for curve in compat.curves_of(scene, strip) for point in curve.keyframe_points]
    assert {point.interpolation for point in points} == {"LINEAR"}
    scene.frame_set(26)
    assert strip.color_multiply == 1.25
    assert abs(strip.transform.scale_x - 1.05) < 1e-6


def single(value):
    """A number as Blender keeps it, in four bytes."""
    return array("f", [value])[0]


def case_again_replaces_our_keys_and_nothing_else(folder):
    compat, effects, _ = modules()
    scene = bpy.context.scene
    strip = apply()
    strip.name, strip.channel, strip.blend_type = "Pumping", 20, "ADD"
    compat.set_end(strip, 80)
    with sequencer():
        strip.modifiers.new("Contrast", "BRIGHT_CONTRAST")
    for frame, alpha in ((11, 0.0), (30, 1.0)):
        strip.blend_alpha = alpha
        strip.keyframe_insert("blend_alpha", frame=frame)
    by_hand = keys(strip)["blend_alpha"]
    assert apply({"brightness": {"frames": [3], "values": [1.5]}}, first=21, last=131) == strip
    assert len(compat.strips(scene)) == 1
    assert keys(strip) == {"color_multiply": [(24, 1.5)], "blend_alpha": by_hand}
    assert strip.transform.scale_x == strip.transform.scale_y == strip.color_saturation == 1.0
    assert (strip.name, strip.channel, strip.blend_type) == ("Pumping", 20, "ADD")
    assert [modifier.name for modifier in strip.modifiers] == ["Contrast"]
    assert (compat.start(strip), compat.end(strip)) == (21, 80)  # the untouched handle goes with the film
    assert effects.of(scene) == [strip]


def case_what_somebody_keyed_where_we_have_nothing_stays(folder):
    strip = apply({"brightness": CURVES["brightness"]})
    strip.transform.scale_x = 1.5
    strip.transform.keyframe_insert("scale_x", frame=40)
    apply({"brightness": {"frames": [0], "values": [1.0]}})
    assert keys(strip)["transform.scale_x"] == [(40, 1.5)]
    assert strip.transform.scale_x == 1.5


def case_what_somebody_keyed_is_not_taken_over_by_the_music(folder):
    strip = apply({"brightness": CURVES["brightness"]})
    strip.color_saturation = 1.5
    strip.keyframe_insert("color_saturation", frame=40)
    for _ in range(2):
        apply()
        assert keys(strip)["color_saturation"] == [(40, 1.5)]
        assert keys(strip)["color_multiply"] == [(16, 1.0), (26, 1.25)]
    apply({})
    assert keys(strip) == {"color_saturation": [(40, 1.5)]}


def case_without_curves_nothing_is_made(folder):
    compat, *_ = modules()
    assert apply({}) is None
    assert len(compat.strips(bpy.context.scene)) == 0
    strip = apply()
    apply({})
    assert keys(strip) == {}
    assert strip.color_multiply == 1.0


def case_a_strip_cut_in_two_gets_keys_in_both_halves(folder):
    compat, effects, _ = modules()
    scene = bpy.context.scene
    strip = apply()
    strip.select = True
    with sequencer():
        bpy.ops.sequencer.split(frame=60, channel=strip.channel, type="SOFT", side="RIGHT")
    apply({"brightness": {"frames": [0, 90], "values": [1.0, 1.5]}})
    halves = sorted(effects.of(scene), key=compat.start)
    assert [(compat.start(half), compat.end(half)) for half in halves] == [(11, 60), (60, 111)]
    assert [keys(half) for half in halves] == [{"color_multiply": [(11, 1.0), (101, 1.5)]}] * 2


def case_removed_it_leaves_nothing_and_undo_brings_it_back(folder):
    compat, effects, _ = modules()
    scene = bpy.context.scene
    compat.new_effect(scene, "Mine", "COLOR", 3, 1, 50)
    apply()
    bpy.ops.ed.undo_push(message="Applied")
    assert bpy.ops.aimv.remove_effects() == {"FINISHED"}
    assert [strip.name for strip in compat.strips(scene)] == ["Mine"]
    assert not list(compat.fcurves(scene))
    assert not bpy.ops.aimv.remove_effects.poll()
    bpy.ops.ed.undo_push(message="Removed")
    bpy.ops.ed.undo()
    (strip,) = effects.of(bpy.context.scene)
    assert set(keys(strip)) == OURS
    assert len(keys(strip)["transform.scale_x"]) == 3


def case_it_survives_saving(folder):
    _, effects, _ = modules()
    apply()
    path = str(folder / "film.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    strip = apply({"brightness": CURVES["brightness"]})
    assert set(keys(strip)) == {"color_multiply"}
    assert len(effects.of(bpy.context.scene)) == 1


# The operators


def write_song(path, seconds=12, tempo=120, rate=22050):
    """A hum with a loud click on every beat."""
    every = rate * 60 // tempo
    samples = array("h")
    for number in range(seconds * rate):
        click = max(0.0, 1 - (number % every) / 600)
        samples.append(int(2000 * sin(number * 0.06) + 26000 * click * sin(number * 0.9)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def case_the_engine_is_asked_for_the_curves(folder):
    _, effects, segments = modules()
    scene = bpy.context.scene
    song = folder / "Lied.wav"
    write_song(song)
    scene.frame_end = 250
    own = scene.aimv
    own.uid, own.song, own.project, own.song_frame = segments.new_uid(), str(song), str(folder / "Lied.aimv"), 11
    own.saturation = 1.0
    segments.add(scene, "A1", 11)
    assert bpy.ops.aimv.apply_effects() == {"FINISHED"}
    (strip,) = effects.of(scene)
    assert set(keys(strip)) == OURS
    flashes = [frame for frame, value in keys(strip)["color_multiply"] if value > 1.01]
    assert len(flashes) > 5
    frames = [frame for frame, _ in keys(strip)["transform.scale_x"]]
    assert frames[0] >= 11
    assert frames[-1] <= 250


def case_effects_need_scenes_and_a_song(folder):
    _, _, segments = modules()
    assert "no scenes" in complaint()
    segments.add(bpy.context.scene, "A1", 1)
    assert "no song" in complaint()


def complaint():
    """What Apply Effects reports as an error."""
    try:
        bpy.ops.aimv.apply_effects()
    except RuntimeError as error:
        return str(error)
    return ""


def case_h264_leaves_rate_size_and_range(folder):
    scene = bpy.context.scene
    render = scene.render
    render.fps, render.fps_base = 30, 1.001
    render.resolution_x, render.resolution_y, render.resolution_percentage = 1000, 500, 50
    scene.frame_start, scene.frame_end = 7, 77
    render.filepath = "//mine/"
    scene.view_settings.view_transform = "AgX"
    bpy.ops.aimv.use_h264(plain_colors=False)
    assert scene.view_settings.view_transform == "AgX"
    bpy.ops.aimv.use_h264()
    assert scene.view_settings.view_transform == "Standard"
    movie = render.ffmpeg
    assert (render.image_settings.file_format, movie.format, movie.codec) == ("FFMPEG", "MPEG4", "H264")
    assert (movie.audio_codec, movie.gopsize) == ("AAC", 30)
    assert (render.fps, round(render.fps_base, 4)) == (30, 1.001)
    assert (render.resolution_x, render.resolution_y, render.resolution_percentage) == (1000, 500, 50)
    assert (scene.frame_start, scene.frame_end, render.filepath) == (7, 77, "//mine/")


if __name__ == "__main__":
    harness.main(globals())

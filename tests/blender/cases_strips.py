"""Live image strips: they follow the engine, and whatever the editor did to them stays."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import bpy
import harness

DRAFT, FINAL = (160, 90), (320, 180)


def modules():
    from aimv.blender_addon import compat, files, segments, strips

    return SimpleNamespace(compat=compat, files=files, segments=segments, strips=strips)


aimv = None  # the modules of the add-on, once it is registered


def scene_with(*frames, end=120):
    """A Blender scene with a marker of ours at each of the frames."""
    global aimv
    aimv = modules()
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = FINAL
    scene.frame_end = end
    return scene, [aimv.segments.add(scene, f"A{index}", frame) for index, frame in enumerate(frames, 1)]


def named(prefix, count):
    return [f"store/{prefix}/{index}.jpg" for index in range(count)]


def ensure(scene, marker, first, files, folder, size=FINAL):
    return aimv.strips.ensure(scene, marker, first, size, files, "blank.png", folder)


def shown(strip):
    return [element.filename for element in strip.elements]


def span(strip):
    return aimv.compat.start(strip), aimv.compat.end(strip)


def sequencer(scene):
    """The context in which the sequencer's operators work on a scene."""
    window = bpy.data.window_managers[0].windows[0]
    area = next(area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR")
    region = next(region for region in area.regions if region.type == "WINDOW")
    area.spaces[0].view_type = "SEQUENCER"
    shown = {"sequencer_scene": scene} if hasattr(bpy.types.WorkSpace, "sequencer_scene") else {}
    return bpy.context.temp_override(window=window, area=area, region=region, **shown)


def only(scene, strip):
    """Selects one strip alone."""
    for other in aimv.compat.strips(scene):
        other.select = other == strip
    scene.sequence_editor.active_strip = strip


def cut(scene, strip, frame):
    only(scene, strip)
    with sequencer(scene):
        bpy.ops.sequencer.split(frame=frame, channel=strip.channel, type="SOFT", side="RIGHT")


def lie_apart(scene):
    """No two strips touch on a channel."""
    strips = aimv.compat.strips(scene)
    for channel in {strip.channel for strip in strips}:
        lying = sorted(span(strip) for strip in strips if strip.channel == channel)
        assert all(one[1] <= other[0] for one, other in pairwise(lying)), (channel, lying)


# Making and filling


def case_a_strip_is_made_with_placeholders_and_filled(folder):
    scene, (marker,) = scene_with(11)
    strip = ensure(scene, marker, 7, [None] * 20, folder)
    assert span(strip) == (7, 27)
    assert shown(strip) == ["blank.png"] * 20
    assert aimv.strips.scene_of(strip) == marker.aimv.uid
    assert strip.name == "A1"
    assert strip.color_tag != "NONE"
    aimv.strips.set_frames(scene, marker.aimv.uid, 5, named("a", 3))
    assert shown(strip) == ["blank.png"] * 5 + named("a", 3) + ["blank.png"] * 12
    assert len(aimv.compat.strips(scene)) == 1


def case_names_are_seen_from_the_blend_when_it_is_saved(folder):
    scene, (marker,) = scene_with(1)
    project = folder / "Lied.aimv"
    strip = ensure(scene, marker, 1, named("a", 3), project)
    assert Path(strip.directory) == project
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "film.blend"))
    ensure(scene, marker, 1, named("a", 3), project)
    assert strip.directory == "//Lied.aimv/"


def case_neighbours_lie_on_two_channels_and_no_strip_of_the_user_is_touched(folder):
    scene, markers = scene_with(1, 31, 61, 91)
    title = aimv.compat.new_effect(scene, "Title", "COLOR", 2, 40, 50)
    for marker in markers:
        ensure(scene, marker, marker.frame - 4, named("a", 38), folder)
    assert [aimv.strips.of(scene, marker.aimv.uid)[0].channel for marker in markers] == [3, 4, 3, 4]
    assert (title.channel, *span(title)) == (2, 40, 50)
    lie_apart(scene)


def case_a_scene_that_grows_into_its_channel_goes_to_another(folder):
    scene, markers = scene_with(1, 31, 61)
    made = [ensure(scene, marker, marker.frame - 4, named("a", 38), folder) for marker in markers]
    scene.timeline_markers.remove(markers[1])
    ensure(scene, markers[0], -3, named("b", 68), folder)
    assert span(made[0]) == (-3, 65)
    assert span(made[1]) == (27, 65)
    lie_apart(scene)


def case_a_deleted_strip_comes_back_only_by_ensure(folder):
    scene, (marker,) = scene_with(1)
    aimv.compat.strips(scene).remove(ensure(scene, marker, 1, named("a", 10), folder))
    aimv.strips.set_frames(scene, marker.aimv.uid, 0, named("b", 3))
    aimv.strips.cross_fades(scene)
    assert len(aimv.compat.strips(scene)) == 0
    ensure(scene, marker, 1, named("a", 10), folder)
    assert len(aimv.compat.strips(scene)) == 1


def case_pictures_that_are_gone_are_named(folder):
    scene, (marker,) = scene_with(1)
    (folder / "store").mkdir()
    (folder / "store" / "there.jpg").touch()
    ensure(scene, marker, 1, ["store/there.jpg", "store/gone.jpg", None, "store/gone.jpg"], folder)
    scene.aimv.uid, scene.aimv.project = "scene", str(folder)
    assert not aimv.files.are_missing(scene, marker)
    assert aimv.files.look_for_pictures(scene) == 2
    assert aimv.files.are_missing(scene, marker)
    for name in ("blank.png", "store/gone.jpg"):
        (folder / name).touch()
    assert bpy.ops.aimv.check_files() == {"FINISHED"}
    assert not aimv.files.are_missing(scene, marker)


def case_a_strip_holds_a_whole_film(folder):
    scene, (marker,) = scene_with(1, end=14400)
    for count in (14400, 1500, 9000):
        names = named(f"n{count}", count)
        strip = ensure(scene, marker, 1, names, folder)
        assert shown(strip) == names
        assert span(strip) == (1, 1 + count)
        # Blender leaves sizes undefined when it appends, and crashes where such a picture is missing
        assert {(element.orig_width, element.orig_height) for element in strip.elements} == {(0, 0)}


def case_a_scene_that_no_window_shows_is_filled_too(folder):
    other, _ = scene_with(1)
    hidden = bpy.data.scenes.new("Hidden")
    marker = aimv.segments.add(hidden, "A1", 5)
    title = aimv.compat.new_effect(hidden, "Title", "COLOR", 9, 1, 5)
    hidden.sequence_editor.active_strip = title
    for count in (30, 60):
        strip = ensure(hidden, marker, 5, named("a", count), folder)
        assert shown(strip) == named("a", count)
    assert hidden.sequence_editor.active_strip == title
    assert not aimv.compat.all_strips(other)


# What the editor did stays


def case_untouched_handles_follow_the_content(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 30), folder)
    for first, count in ((15, 40), (25, 20), (25, 60), (10, 5)):
        assert ensure(scene, marker, first, named("b", count), folder) == strip
        assert span(strip) == (first, first + count)
        assert shown(strip) == named("b", count)


def case_trimmed_handles_stay_as_far_as_there_is_content(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 40), folder)
    aimv.compat.set_start(strip, 30)
    aimv.compat.set_end(strip, 50)
    for first, count, expected in (
        (10, 60, (30, 50)),
        (35, 10, (35, 45)),
        (30, 60, (30, 90)),  # both lie at the content's edges now, as if nobody had touched them
    ):
        ensure(scene, marker, first, named("b", count), folder)
        assert span(strip) == expected, (first, count, span(strip))
        assert aimv.compat.content(strip) == (first, first + count)


def case_handles_pulled_out_stay(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 40), folder)
    aimv.compat.set_start(strip, 10)
    aimv.compat.set_end(strip, 80)
    ensure(scene, marker, 22, named("b", 30), folder)
    assert span(strip) == (10, 80)
    assert aimv.compat.content(strip) == (22, 52)


def case_a_strip_that_was_slid_keeps_its_shift(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 40), folder)
    aimv.compat.move_content(strip, 27)
    ensure(scene, marker, 20, named("b", 40), folder)
    assert span(strip) == (27, 67)
    ensure(scene, marker, 15, named("b", 40), folder)
    assert span(strip) == (22, 62)


def case_all_that_was_set_stays(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 40), folder)
    settings = {"blend_type": "SCREEN", "color_tag": "COLOR_09", "mute": True, "name": "Mine", "color_multiply": 1.5}
    for setting, value in settings.items():
        setattr(strip, setting, value)
    strip.channel = 17
    strip.transform.offset_x, strip.transform.rotation = 12, 0.5
    with sequencer(scene):
        strip.modifiers.new("Curves", "CURVES")
    ensure(scene, marker, 18, named("b", 44), folder)
    for setting, value in settings.items():
        assert getattr(strip, setting) == value
    assert strip.channel == 17
    assert (strip.transform.offset_x, strip.transform.rotation) == (12, 0.5)
    assert [modifier.name for modifier in strip.modifiers] == ["Curves"]


def case_fades_stay_fades(folder):
    scene, (marker,) = scene_with(21)
    strip = ensure(scene, marker, 21, named("a", 40), folder)
    for frame, alpha in ((21, 0.0), (26, 1.0), (55, 1.0), (60, 0.0)):
        strip.blend_alpha = alpha
        strip.keyframe_insert("blend_alpha", frame=frame)
    ensure(scene, marker, 11, named("b", 40), folder)
    (curve,) = aimv.compat.curves_of(scene, strip)
    assert [point.co.x for point in curve.keyframe_points] == [11, 16, 45, 50]
    ensure(scene, marker, 11, named("b", 60), folder)
    (curve,) = aimv.compat.curves_of(scene, strip)
    assert [point.co.x for point in curve.keyframe_points] == [11, 16, 65, 70]


def case_a_cut_strip_is_filled_in_both_halves(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 40), folder)
    cut(scene, strip, 45)
    left, right = aimv.strips.of(scene, marker.aimv.uid)
    assert (span(left), span(right)) == ((20, 45), (45, 60))
    ensure(scene, marker, 15, named("b", 50), folder)
    assert (span(left), span(right)) == ((15, 45), (45, 65))
    aimv.strips.set_frames(scene, marker.aimv.uid, 40, named("c", 5))
    for half in (left, right):
        assert shown(half) == named("b", 50)[:40] + named("c", 5) + named("b", 50)[45:]
    lie_apart(scene)


def case_a_strip_in_a_meta_strip_is_filled(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 40), folder)
    only(scene, strip)
    with sequencer(scene):
        bpy.ops.sequencer.meta_make()
    ensure(scene, marker, 15, named("b", 50), folder)
    (strip,) = aimv.strips.of(scene, marker.aimv.uid)
    assert shown(strip) == named("b", 50)
    assert len(aimv.compat.strips(scene)) == 1


def case_another_scenes_copy_is_left_alone(folder):
    scene, (marker,) = scene_with(20)
    ensure(scene, marker, 20, named("a", 40), folder)
    with bpy.context.temp_override(scene=scene):
        bpy.ops.scene.new(type="FULL_COPY")
    (copy,) = (other for other in bpy.data.scenes if other != scene and other.timeline_markers)
    ensure(scene, marker, 20, named("b", 40), folder)
    (there,) = aimv.strips.of(copy, marker.aimv.uid)
    assert shown(there) == named("a", 40)


# Size


def case_a_picture_of_another_size_looks_the_same(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 40), folder, DRAFT)
    assert strip.transform.scale_x == strip.transform.scale_y == 2.0
    strip.transform.scale_x *= 1.5  # the editor's zoom
    strip.crop.min_x = 8
    for frame, scale in ((20, 2.0), (50, 4.0)):
        strip.transform.scale_y = scale
        strip.transform.keyframe_insert("scale_y", frame=frame)
    ensure(scene, marker, 20, named("b", 40), folder, FINAL)
    assert strip.transform.scale_x == 1.5
    assert strip.crop.min_x == 16
    (curve,) = aimv.compat.curves_of(scene, strip)
    assert [point.co.y for point in curve.keyframe_points] == [1.0, 2.0]
    ensure(scene, marker, 20, named("a", 40), folder, DRAFT)
    assert strip.transform.scale_x == 3.0


def case_a_picture_fills_an_output_of_another_size(folder):
    scene, (marker,) = scene_with(20)
    strip = ensure(scene, marker, 20, named("a", 40), folder, FINAL)
    scene.render.resolution_x, scene.render.resolution_y = 640, 360
    ensure(scene, marker, 20, named("b", 40), folder, FINAL)
    assert (strip.transform.scale_x, strip.transform.scale_y) == (2.0, 2.0)


# The tie


def case_ties_survive_undo_saving_and_copies(folder):
    scene, (marker,) = scene_with(20)
    uid = marker.aimv.uid
    ensure(scene, marker, 20, named("a", 40), folder)
    bpy.ops.ed.undo_push(message="Made")
    strip = aimv.strips.of(scene, uid)[0]
    only(scene, strip)
    with sequencer(scene):
        bpy.ops.sequencer.duplicate()
    assert len(aimv.strips.of(scene, uid)) == 2
    bpy.ops.ed.undo_push(message="Copied")
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert len(aimv.strips.of(scene, uid)) == 1
    bpy.ops.ed.redo()
    path = str(folder / "film.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    scene = bpy.context.scene
    assert len(aimv.strips.of(scene, uid)) == 2
    assert aimv.strips.of(scene, uid)[0].aimv.first == 20


# What is seen


def paint(path, color, size):
    """A picture of two halves, of which the right one is black."""
    image = bpy.data.images.new("picture", *size)
    width, height = size
    image.pixels = ([*color, 1.0] * (width // 2) + [0.0, 0.0, 0.0, 1.0] * (width // 2)) * height
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def rendered(scene, frame, folder):
    """What the sequencer shows at a frame, as rows of red, green and blue from 0 to 1."""
    render = scene.render
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format = "PNG"
    render.filepath = str(folder / "seen.png")
    scene.view_settings.view_transform = "Standard"
    scene.frame_set(frame)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(render.filepath)
    pixels, width = list(image.pixels), image.size[0]
    bpy.data.images.remove(image)
    dots = [tuple(round(value, 1) for value in pixels[place : place + 3]) for place in range(0, len(pixels), 4)]
    return [dots[place : place + width] for place in range(0, len(dots), width)]


RED, GREEN, BLACK = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)


def case_new_pictures_are_seen_at_once(folder):
    scene, (marker,) = scene_with(1)
    paint(folder / "red.png", RED, FINAL)
    paint(folder / "green.png", GREEN, FINAL)
    ensure(scene, marker, 1, ["red.png", "later.png"], folder)
    assert rendered(scene, 1, folder)[90][40] == RED
    rendered(scene, 2, folder)
    aimv.strips.set_frames(scene, marker.aimv.uid, 0, ["green.png"])
    assert rendered(scene, 1, folder)[90][40] == GREEN
    paint(folder / "later.png", GREEN, FINAL)  # it was missing
    aimv.strips.set_frames(scene, marker.aimv.uid, 1, ["later.png"])
    assert rendered(scene, 2, folder)[90][40] == GREEN
    paint(folder / "later.png", RED, FINAL)  # another picture under the same name
    aimv.strips.set_frames(scene, marker.aimv.uid, 1, ["later.png"])
    assert rendered(scene, 2, folder)[90][40] == RED


def case_draft_and_final_lie_on_the_same_pixels(folder):
    scene, (marker,) = scene_with(1)
    paint(folder / "draft.png", RED, DRAFT)
    paint(folder / "final.png", RED, FINAL)
    strip = ensure(scene, marker, 1, ["draft.png"] * 2, folder, DRAFT)
    strip.transform.scale_x *= 0.5
    strip.transform.offset_x = 20
    strip.crop.min_x = 8
    draft = rendered(scene, 1, folder)
    ensure(scene, marker, 1, ["final.png"] * 2, folder, FINAL)
    final = rendered(scene, 1, folder)
    for row in (draft[90], final[90]):
        lit = [column for column, dot in enumerate(row) if dot == RED]
        assert abs(lit[0] - 108) <= 1, lit[0]
        assert abs(lit[-1] - 179) <= 1, lit[-1]


# Cross-fades


def fades(scene):
    return [strip for strip in aimv.compat.strips(scene) if strip.type == "CROSS"]


def case_cross_fades_come_once_and_go_with_the_overlap(folder):
    scene, markers = scene_with(1, 31, 61)
    for marker in markers:
        ensure(scene, marker, marker.frame - 4, named("a", 38), folder)
        aimv.strips.cross_fades(scene)
    assert [span(fade) for fade in fades(scene)] == [(27, 35), (57, 65)]
    assert all(fade.channel == 4 for fade in fades(scene))
    aimv.strips.cross_fades(scene)
    assert len(fades(scene)) == 2
    ensure(scene, markers[0], -3, named("a", 30), folder)
    aimv.strips.cross_fades(scene)
    assert [span(fade) for fade in fades(scene)] == [(57, 65)]


def case_cross_fades_of_the_editor_stay(folder):
    scene, markers = scene_with(1, 31, 61)
    made = [ensure(scene, marker, marker.frame - 4, named("a", 38), folder) for marker in markers]
    aimv.compat.new_effect(scene, "Mine", "WIPE", 9, 27, 35, inputs=(made[0], made[1]))
    aimv.strips.cross_fades(scene)
    assert [span(fade) for fade in fades(scene)] == [(57, 65)]
    (fade,) = fades(scene)
    fade.name, fade.use_default_fade = "Slow", False
    aimv.strips.cross_fades(scene)
    assert [(fade.name, fade.use_default_fade) for fade in fades(scene)] == [("Slow", False)]
    aimv.compat.set_end(made[0], 31)
    aimv.compat.set_start(made[1], 31)
    aimv.strips.cross_fades(scene)
    assert "Mine" in aimv.compat.strips(scene)


def case_a_deleted_cross_fade_stays_deleted(folder):
    scene, markers = scene_with(1, 31, 61)
    for marker in markers:
        ensure(scene, marker, marker.frame - 4, named("a", 38), folder)
    assert aimv.strips.cross_fades(scene) == 2
    aimv.compat.strips(scene).remove(fades(scene)[0])
    assert aimv.strips.cross_fades(scene) == 0
    assert [span(fade) for fade in fades(scene)] == [(57, 65)]
    ensure(scene, markers[1], 25, named("b", 40), folder)
    assert aimv.strips.cross_fades(scene) == 0
    scene.frame_set(40)
    assert bpy.ops.aimv.cross_fades() == {"FINISHED"}
    assert sorted(span(fade) for fade in fades(scene)) == [(25, 35), (57, 65)]
    assert aimv.strips.cross_fades(scene, again=True) == 0


def case_a_cross_fade_comes_back_with_the_overlap(folder):
    scene, markers = scene_with(1, 31)
    for marker in markers:
        ensure(scene, marker, marker.frame - 4, named("a", 38), folder)
    aimv.strips.cross_fades(scene)
    ensure(scene, markers[0], -3, named("a", 30), folder)
    aimv.strips.cross_fades(scene)
    assert not fades(scene)
    ensure(scene, markers[0], -3, named("a", 38), folder)
    assert aimv.strips.cross_fades(scene) == 1


def case_pictures_without_a_marker_go_where_another_scene_is_seen(folder):
    scene, markers = scene_with(1, 31, 61)
    made = [ensure(scene, marker, marker.frame - 4, named("a", 38), folder) for marker in markers]
    aimv.strips.cross_fades(scene)
    first, _, third = (marker.aimv.uid for marker in markers)
    aimv.strips.remove_leftovers(scene, markers[0])
    assert len(aimv.strips.pictures(scene)) == 3
    scene.timeline_markers.remove(markers[1])
    aimv.strips.remove_leftovers(scene, aimv.segments.by_uid(scene, third))
    assert len(aimv.strips.pictures(scene)) == 3  # they lie in the first scene
    aimv.compat.move_content(made[1], made[1].aimv.first + 3)
    aimv.strips.remove_leftovers(scene, aimv.segments.by_uid(scene, first))
    assert len(aimv.strips.pictures(scene)) == 3  # the editor keeps them there
    aimv.compat.move_content(made[1], made[1].aimv.first)
    aimv.strips.remove_leftovers(scene, aimv.segments.by_uid(scene, first))
    assert {strip.aimv.scene for strip in aimv.strips.pictures(scene)} == {first, third}
    assert not fades(scene)


if __name__ == "__main__":
    harness.main(globals())

"""The frame plan: scenes tile the film, frames fall on exact times, and a change travels no further than it must."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimv_engine.film import list_pictures
from aimv_engine.frames.motion import camera_at, count_bars, make_motion, walk_at
from aimv_engine.frames.planner import plan_film
from aimv_engine.looks import load
from aimv_engine.song.energy import Energy
from aimv_engine.song.rhythm import Rhythm
from aimv_engine.storyboard.scene import CAMERAS, Scene, Storyboard

DURATION = 40.0
BEATS = np.arange(0, DURATION, 0.5)
RHYTHM = Rhythm(beats=BEATS, downbeats=BEATS[::4], tempo=120.0, meter=4, confidence=1.0, beatless=False)


def curves(percussive):
    count = round(DURATION * 43)
    half = np.full(count, 0.5, np.float32)
    return Energy(
        rate=43.0, onset=half, percussive=np.full(count, percussive, np.float32), loudness=half, brightness=half
    )


MOTION = make_motion(RHYTHM, curves(0.5))


def scene(start=0.0, end=DURATION, sentence="A scene.", **direction):
    plain = Scene(
        start=start,
        end=end,
        cluster="A",
        sentence=sentence,
        candidates=(),
        tags=(("ambient", 0.5),),
        seed=100,
        look="oil",
    )
    return replace(plain, **direction)


def board(*bounds, sentences=None, **direction):
    """Scenes between the bounds (seconds)."""
    scenes = []
    for index, (start, end) in enumerate(pairwise(bounds)):
        sentence = sentences[index] if sentences else f"Scene number {index}."
        scenes.append(scene(start, end, sentence, cluster="ABCDEF"[index], seed=100 + index, **direction))
    return Storyboard(main_tags=(("ambient", 0.5),), artist="by Nobody", look="oil", scenes=tuple(scenes))


def planned(storyboard, fps=Fraction(24), start=Fraction(0), end=Fraction(40), rate=Fraction(6)):
    return plan_film(storyboard, MOTION, [0.5] * len(storyboard.scenes), fps, rate, start, end)


def pictures(film):
    return list_pictures(film, (640, 360), "generator 1", "interpolator 1")


@given(
    cuts=st.lists(st.floats(6, 34), min_size=0, max_size=4, unique=True),
    fps=st.sampled_from([Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001), Fraction(60)]),
    start=st.sampled_from([Fraction(0), Fraction(7, 2), Fraction(10)]),
    length=st.integers(1, 25),
)
@settings(max_examples=60, deadline=None)
def test_scenes_tile_the_film_and_every_frame_has_its_picture(cuts, fps, start, length):
    film = planned(board(0.0, *sorted(cuts), DURATION), fps, start, start + length)
    assert film.frame_count == round(length * fps)
    assert film.scenes[0].first_frame == 0
    assert film.scenes[-1].last_frame == film.frame_count
    assert all(one.last_frame == two.first_frame for one, two in pairwise(film.scenes))
    for scene, strip in zip(film.scenes, pictures(film).strips, strict=True):
        assert scene.strip_first <= scene.first_frame < scene.last_frame <= scene.strip_last
        assert len(strip) == scene.strip_last - scene.strip_first


def test_neighbouring_strips_overlap_by_the_looks_cross_fade():
    film = planned(board(0.0, 10.0, 25.0, DURATION))
    overlaps = [one.strip_last - two.strip_first for one, two in pairwise(film.scenes)]
    assert overlaps == [24, 24]  # one second of oil's transition at 24 frames a second


def test_at_a_scenes_end_its_words_turn_into_the_next_ones():
    film = planned(board(0.0, 10.0, DURATION))
    texts = [spec.texts for spec in film.scenes[0].keyframes]
    assert [text.role for text in texts[0]] == ["scene", "tag", "artist", "look"]
    turns = [next((text.weight for text in each if text.role == "next scene"), 0.0) for each in texts]
    assert turns == sorted(turns)
    assert turns[-1] > 0.8
    for each in texts:
        assert sum(text.weight for text in each if "scene" in text.role) == pytest.approx(1.0)


def test_another_sentence_changes_only_its_own_scene_and_the_fade_into_it():
    before = pictures(planned(board(0.0, 10.0, 25.0, DURATION, sentences=["One.", "Two.", "Three."])))
    after = pictures(planned(board(0.0, 10.0, 25.0, DURATION, sentences=["One.", "Other.", "Three."])))
    assert before.strips[2] == after.strips[2]
    assert not set(before.strips[1]) & set(after.strips[1])
    changed = sum(one != two for one, two in zip(before.strips[0], after.strips[0], strict=True))
    assert 0 < changed <= 30  # the cross-fade's second, and the in-betweens of the keyframes next to it


def test_a_moved_boundary_makes_only_what_comes_and_goes():
    before = pictures(planned(board(0.0, 20.0, DURATION)))
    after = pictures(planned(board(0.0, 21.0, DURATION)))
    new = set(after.keyframes) - set(before.keyframes)
    assert len(new) <= 6 * 3  # a second of scene and of cross-fade at 6 keyframes a second


def test_draft_and_final_film_share_their_keyframes():
    storyboard = board(0.0, 20.0, DURATION)
    draft = pictures(planned(storyboard, Fraction(12)))
    final = pictures(planned(storyboard, Fraction(60)))
    assert len(set(final.keyframes) - set(draft.keyframes)) <= 2


def test_percussive_energy_makes_scenes_move_on_faster_and_never_back():
    calm, wild = make_motion(RHYTHM, curves(0.0)), make_motion(RHYTHM, curves(1.0))
    assert calm.at(calm.walk, 30.0) == pytest.approx(30.0, abs=0.1)
    assert wild.at(wild.walk, 30.0) == pytest.approx(90.0, abs=0.3)
    assert (np.diff(wild.walk) > 0).all()


def test_bars_are_counted_on_the_downbeats_and_go_on_beyond_them():
    late = replace(RHYTHM, downbeats=np.arange(3.0, 30.0, 2.0))
    assert count_bars(late, np.array([3.0, 4.0, 5.0, 1.0, 33.0])) == pytest.approx([0, 0.5, 1, -1, 15])


@given(time=st.floats(0, DURATION), sentence=st.text())
def test_the_camera_never_shows_more_than_the_picture_and_never_loses_it(time, sentence):
    camera = camera_at(MOTION, time, scene(sentence=sentence), load("oil"))
    assert 1.0 <= camera.zoom <= 1.3
    assert max(abs(camera.pan_x), abs(camera.pan_y)) < 0.15
    assert abs(camera.roll) < 0.06


@given(
    times=st.tuples(st.floats(-5, DURATION + 5), st.floats(0.01, 5)), intensity=st.floats(0, 2), loud=st.floats(0, 1)
)
def test_the_scenes_clock_never_runs_back_whatever_the_intensity(times, intensity, loud):
    early, step = times
    motion = make_motion(RHYTHM, curves(loud))
    assert walk_at(motion, early, intensity) <= walk_at(motion, early + step, intensity)


def test_intensity_scales_what_the_music_moves():
    assert walk_at(MOTION, 20.0, 1.0) == MOTION.at(MOTION.walk, 20.0)
    assert walk_at(MOTION, 20.0, 0.0) == 20.0
    assert walk_at(MOTION, 20.0, 2.0) - 20.0 == pytest.approx(2 * (walk_at(MOTION, 20.0) - 20.0))
    oil = load("oil")
    fixed = {camera_at(MOTION, time, scene(intensity=0.0), oil) for time in np.arange(0, 40, 2.7)}
    assert len(fixed) == 1
    (still,) = fixed
    assert still == camera_at(MOTION, 5.0, scene(camera="still"), oil)
    for time in (3.0, 11.0):
        once, twice = (camera_at(MOTION, time, scene(intensity=share), oil) for share in (1.0, 2.0))
        assert twice.zoom - still.zoom == pytest.approx(2 * (once.zoom - still.zoom))
        assert twice.pan_x - still.pan_x == pytest.approx(2 * (once.pan_x - still.pan_x))
        assert twice.roll == pytest.approx(2 * once.roll)


@pytest.mark.parametrize(
    ("camera", "value", "sign"),
    [
        ("push in", "zoom", 1),
        ("pull out", "zoom", -1),
        ("pan right", "pan_x", 1),
        ("pan left", "pan_x", -1),
        ("sink", "pan_y", 1),
        ("rise", "pan_y", -1),
    ],
)
def test_a_chosen_movement_goes_one_way_from_the_scenes_beginning(camera, value, sign):
    values = [
        getattr(camera_at(MOTION, 10.0 + 2 * bar, scene(10.0, camera=camera), load("oil")), value) for bar in range(12)
    ]  # every two seconds: a bar, so that the sway is the same
    assert (sign * np.diff(values) > 0).all()
    assert abs(values[-1] - values[0]) > 0.05
    moved = scene(10.0, end=21.0, camera=camera)
    assert camera_at(MOTION, 15.0, moved, load("oil")) == camera_at(
        MOTION, 15.0, scene(10.0, camera=camera), load("oil")
    )


@given(time=st.floats(-2, DURATION), camera=st.sampled_from(CAMERAS), intensity=st.floats(0, 2))
def test_no_choice_of_camera_loses_the_picture(time, camera, intensity):
    found = camera_at(MOTION, time, scene(camera=camera, intensity=intensity), load("dream"))
    assert 1.0 <= found.zoom <= 2.0
    assert abs(found.pan_x) <= 0.5
    assert abs(found.pan_y) <= 0.2


def test_negative_and_style_reach_the_generator_and_nothing_else_changes():
    plain, directed = (
        planned(board(0.0, 10.0, DURATION)),
        planned(board(0.0, 10.0, DURATION, negative="fog", style=0.5)),
    )
    for one, other in zip(plain.scenes[0].keyframes, directed.scenes[0].keyframes, strict=True):
        roles = {text.role: text for text in other.texts}
        assert roles["look"].weight == 0.5
        assert roles["negative"].text == "fog"
        assert roles["negative"].weight == roles["scene"].weight
        assert ("next negative" in roles) == ("next scene" in roles)
        assert replace(other, texts=one.texts) == one

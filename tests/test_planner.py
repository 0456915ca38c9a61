"""The frame plan: scenes tile the film, frames fall on exact times, and a change travels no further than it must."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimv_engine.film import list_pictures
from aimv_engine.frames.motion import camera_at, count_bars, make_motion
from aimv_engine.frames.planner import plan_film
from aimv_engine.looks import load
from aimv_engine.song.energy import Energy
from aimv_engine.song.rhythm import Rhythm
from aimv_engine.storyboard.scene import Scene, Storyboard

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


def board(*bounds, sentences=None):
    """Scenes between the bounds (seconds)."""
    scenes = []
    for index, (start, end) in enumerate(pairwise(bounds)):
        sentence = sentences[index] if sentences else f"Scene number {index}."
        scenes.append(
            Scene(
                start=start,
                end=end,
                cluster="ABCDEF"[index],
                sentence=sentence,
                candidates=(),
                tags=(("ambient", 0.5),),
                seed=100 + index,
                look="oil",
            )
        )
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
    camera = camera_at(MOTION, time, sentence, load("oil"))
    assert 1.0 <= camera.zoom <= 1.3
    assert max(abs(camera.pan_x), abs(camera.pan_y)) < 0.15
    assert abs(camera.roll) < 0.06

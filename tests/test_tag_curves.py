"""Tags over time: a keyframe's mood follows what is heard, measured by what the storyboard says."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from aimv_engine.film import list_pictures
from aimv_engine.frames.planner import plan_film
from aimv_engine.frames.tag_curves import STRONGEST, tag_curves
from aimv_engine.tagging.taggram import Taggram
from tests.test_planner import MOTION, board, scene

TIMES = np.arange(1.5, 118.0)
TAGS = ("guitar", "ambient", "opera")


def taggram(guitar):
    """A song in which a guitar is heard as `guitar` [T] says, ambient music all along, and never an opera."""
    rows = np.stack([guitar, np.full(len(TIMES), 0.4), np.full(len(TIMES), 0.001)], axis=1)
    return Taggram(TIMES, TAGS, rows.astype(np.float32))


COMES_AND_GOES = tag_curves(taggram(np.where((TIMES > 50) & (TIMES < 60), 0.8, 0.1)))


def weights(tags, time):
    return dict(COMES_AND_GOES.heard(tags, time))


def test_a_tag_weighs_more_while_it_is_heard_more_than_around():
    tags = (("guitar", 0.3), ("ambient", 0.5))
    solo, before, long_before = (weights(tags, time) for time in (55.0, 45.0, 10.0))
    assert solo["guitar"] == pytest.approx(0.3 * STRONGEST)
    assert before["guitar"] < 0.3 * 0.6
    assert long_before["guitar"] == pytest.approx(0.3)
    assert solo["ambient"] == before["ambient"] == 0.5


def test_the_gain_is_the_likelihood_beside_its_mean_over_half_a_minute():
    guitar = 0.4 + 0.2 * np.sin(TIMES / 3)
    curves = tag_curves(taggram(guitar))
    around = guitar[60 - 15 : 60 + 15].mean()
    assert curves.heard((("guitar", 0.5),), TIMES[60]) == (
        ("guitar", pytest.approx(0.5 * (guitar[60] + 0.05) / (around + 0.05), abs=1e-4)),
    )


def test_what_the_storyboard_says_is_the_measure():
    raised, plain = weights((("guitar", 0.4),), 45.0), weights((("guitar", 0.2),), 45.0)
    assert raised["guitar"] == pytest.approx(2 * plain["guitar"], abs=1e-3)
    assert weights((("guitar", 0.9),), 55.0) == {"guitar": 1.0}
    assert weights((("a burning barn", 0.7),), 55.0) == {"a burning barn": 0.7}


def test_it_moves_on_without_steps():
    course = [weights((("guitar", 0.3),), time)["guitar"] for time in np.arange(0.0, 120.0, 1 / 6)]
    assert np.abs(np.diff(course)).max() < 0.11  # of a range of 0.5, at the sharpest change that there is
    assert course[0] == course[5]  # held before the first patch's middle


@pytest.mark.parametrize("rows", [0, 1])
def test_a_song_too_short_to_compare_keeps_its_tags(rows):
    short = replace(taggram(np.full(len(TIMES), 0.5)), times=TIMES[:rows], likelihoods=np.full((rows, 3), 0.5))
    assert tag_curves(short).heard((("guitar", 0.3),), 1.0) == (("guitar", 0.3),)


def planned(curves, start=0.0):
    tagged = board(start, 20.0, 40.0, tags=(("guitar", 0.3), ("ambient", 0.5)))
    return plan_film(tagged, MOTION, [0.5, 0.5], Fraction(24), Fraction(6), Fraction(0), Fraction(40), curves)


def said(film, role):
    """All that a film's first scene says in a role from keyframe to keyframe."""
    return {tuple(text.weight for text in spec.texts if text.role == role) for spec in film.scenes[0].keyframes}


def test_only_a_plan_that_is_given_curves_follows_them():
    moving, still = planned(tag_curves(taggram(0.4 + 0.2 * np.sin(TIMES / 3)))), planned(None)
    assert len(said(moving, "heard tag")) > 50
    assert said(still, "heard tag") == {()}
    assert said(moving, "tag") == said(still, "tag") == {(0.3, 0.5)}  # by which paint chooses what to paint
    names = [set(list_pictures(film, (640, 360), "one", "two").keyframes) for film in (moving, still)]
    assert not names[0] & names[1]


def test_a_moved_boundary_still_makes_only_what_comes_and_goes():
    curves = tag_curves(taggram(0.4 + 0.2 * np.sin(TIMES / 3)))

    def names(cut):
        scenes = (scene(0.0, cut), scene(cut, 40.0, "Another."))
        cut_board = replace(board(0.0, 40.0), scenes=tuple(replace(s, tags=(("guitar", 0.3),)) for s in scenes))
        film = plan_film(cut_board, MOTION, [0.5, 0.5], Fraction(24), Fraction(6), Fraction(0), Fraction(40), curves)
        return set(list_pictures(film, (640, 360), "one", "two").keyframes)

    assert len(names(21.0) - names(20.0)) <= 6 * 3

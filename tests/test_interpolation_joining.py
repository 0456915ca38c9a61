"""Neighbours that show the same move into each other; others dissolve, and strangers are cut."""

from collections.abc import Iterator

import numpy as np
import pytest

from aimv_engine.arrays import Picture
from aimv_engine.interpolation.joining import ENCODED, LINEAR, dissolve, join, joint
from aimv_engine.interpolation.rife import Rife
from aimv_engine.storyboard.language_model import fixed_threads
from tests.films import bikes, moved, texture


@pytest.fixture(scope="module")
def rife() -> Iterator[Rife]:
    with fixed_threads(1):
        yield Rife("cpu")


@pytest.mark.parametrize("seed", range(4))
def test_a_camera_move_morphs(rife: Rife, seed: int) -> None:
    scene = texture(seed)
    assert joint(rife.motion(moved(scene, 0), moved(scene, 10, -5, zoom=1.06))) == "morph"


@pytest.mark.parametrize("seed", range(4))
def test_a_scene_that_slowly_becomes_another_morphs(rife: Rife, seed: int) -> None:
    scene, other = texture(seed), texture(seed + 20)
    assert joint(rife.motion(dissolve(scene, other, 0.4), dissolve(scene, other, 0.48))) == "morph"


@pytest.mark.parametrize("seed", range(4))
def test_another_scene_in_the_same_colours_dissolves(rife: Rife, seed: int) -> None:
    scene = texture(seed)
    assert joint(rife.motion(scene, np.ascontiguousarray(scene[::-1, ::-1]))) == "dissolve"


@pytest.mark.parametrize("seed", range(4))
def test_strangers_are_cut(rife: Rife, seed: int) -> None:
    cold, warm = (texture(seed + shift) // 2 for shift in (0, 20))
    cold[..., 2] += 100
    warm[..., 0] += 100
    assert joint(rife.motion(cold, warm)) == "cut"
    early, late = join(rife, cold, warm, (0.49, 0.5))
    np.testing.assert_array_equal(early, cold)
    np.testing.assert_array_equal(late, warm)


def test_two_empty_pictures_have_no_structure_to_tear(rife: Rife) -> None:
    dusk, night = (np.full((96, 128, 3), level, np.uint8) for level in (60, 50))
    assert joint(rife.motion(dusk, night)) == "morph"


def test_a_films_cuts_are_found(rife: Rife) -> None:
    """bikes.mp4 is cut between frames 28 and 32, 72 and 76, 136 and 140, 184 and 188, 240 and 244."""
    film = bikes()
    joints = {
        start: joint(rife.motion(film[start], film[start + 4])) for start in (4, 28, 72, 116, 136, 168, 184, 216, 240)
    }
    assert {start for start, kind in joints.items() if kind != "morph"} == {28, 72, 136, 184, 240}


def test_a_dissolve_mixes_light() -> None:
    black, white = (np.full((2, 2, 3), level, np.uint8) for level in (0, 255))
    assert dissolve(black, white, 0.5).max() == 188  # half the light of white, in sRGB
    every: Picture = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    for time in (0.0, 0.3, 1.0):
        np.testing.assert_array_equal(dissolve(every, every, time), every)
    np.testing.assert_array_equal(dissolve(every, every[::-1], 0), every)
    np.testing.assert_array_equal(dissolve(every, every[::-1], 1), every[::-1])


def test_every_level_survives_linear_light() -> None:
    np.testing.assert_array_equal(ENCODED[np.round(LINEAR * 65535).astype(int)], np.arange(256))

"""The paint generator as a whole: pure, in order, the same from any process, and cancelled without a trace."""

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.frames.generators.paint import trees
from aimv_engine.frames.generators.paint.generator import Paint
from aimv_engine.frames.plan import Camera, KeyframeSpec, WeightedText

SIZE = (160, 96)


def spec(sentence: str, walk: float = 3.0, look: str = "oil", seed: int = 5, **changes: object) -> KeyframeSpec:
    plain = KeyframeSpec(seed, walk, (WeightedText(sentence, 1.0, "scene"),), look, Camera(), 0.5, 0.5, 0.2)
    return dataclasses.replace(plain, **changes)


LAKE = "A quiet lake below snowy peaks at sunrise"
STREET = "A woman in a red coat walks through neon streets in the rain"


@pytest.fixture(scope="module")
def alone() -> Paint:
    return Paint(workers=0)


@pytest.fixture(scope="module")
def two() -> Paint:
    generator = Paint(workers=2)
    yield generator
    generator.close()


def paint(generator: Paint, *specs: KeyframeSpec, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    return list(generator.pictures(specs, size))


def difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


@pytest.mark.parametrize("size", [(160, 90), (96, 96), (90, 160), (201, 117)])
def test_any_size(alone, size):
    (picture,) = paint(alone, spec(LAKE), size=size)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8
    assert 20 < picture.mean() < 235
    assert picture.std() > 10


def test_workers_give_the_bytes_of_this_process_in_order(alone, two):
    specs = [
        spec(sentence, walk, look) for walk in (1.0, 2.0) for sentence in (LAKE, STREET) for look in ("oil", "graphic")
    ]
    here, there = paint(alone, *specs), paint(two, *specs)
    assert len(there) == len(specs)
    for first, second in zip(here, there, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_picture_does_not_depend_on_its_neighbours(alone):
    (by_itself,) = paint(alone, spec(STREET))
    *_, after_others = paint(alone, spec(LAKE), spec(LAKE, 9.0), spec(STREET))
    np.testing.assert_array_equal(by_itself, after_others)


def test_scenes_differ_more_than_moments(alone):
    lake, a_moment_later, street = paint(alone, spec(LAKE), spec(LAKE, 3.0 + 1 / 6), spec(STREET))
    assert 0.2 < difference(lake, a_moment_later) < 12
    assert difference(lake, street) > 3 * difference(lake, a_moment_later)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 6},
        {"camera": Camera(zoom=1.2)},
        {"camera": Camera(pan_x=0.1)},
        {"camera": Camera(pan_y=0.06)},
        {"camera": Camera(roll=0.05)},
        {"energy": 1.0},
        {"brightness": 1.0},
        {"hue": 0.7},
        {"look": "ink"},
    ],
    ids=str,
)
def test_everything_in_a_spec_is_seen(alone, changes):
    plain, changed = paint(alone, spec(LAKE), spec(LAKE, **changes))
    assert difference(plain, changed) > 0.3


def test_style_is_how_much_of_the_look_is_laid_over_the_plain_picture(alone):
    def styled(*weights: float) -> list[np.ndarray]:
        texts = (WeightedText(LAKE, 1.0, "scene"),)
        return paint(alone, *[spec(LAKE, look="ink", texts=(*texts, WeightedText("", w, "look"))) for w in weights])

    unsaid = paint(alone, spec(LAKE, look="ink"))[0]
    none, half, usual, double = styled(0.0, 0.5, 1.0, 2.0)
    np.testing.assert_array_equal(usual, unsaid)
    assert 2 < difference(none, half) < difference(none, usual) < difference(none, double)


def test_a_negative_prompt_is_not_painted(alone):
    def without(negative: str) -> KeyframeSpec:
        sentence = "In a field, a man stands by a burning house as birds fly"
        return spec(LAKE, texts=(WeightedText(sentence, 1.0, "scene"), WeightedText(negative, 1.0, "negative")))

    plain, same, house, next_scenes = paint(
        alone, without(""), without("blurry, bad hands"), without("a house"), without("birds")
    )
    np.testing.assert_array_equal(plain, same)
    assert difference(plain, house) > 1
    assert difference(plain, next_scenes) > 0


def test_the_heart_beats_while_pictures_are_painted_and_its_stop_ends_the_painters():
    others = set(multiprocessing.active_children())
    generator, beats = Paint(workers=2), []

    def beat() -> None:
        beats.append(len(set(multiprocessing.active_children()) - others))
        if beats.count(2) > 2:  # both at work
            raise Cancelled

    with pytest.raises(Cancelled):
        list(generator.pictures([spec(LAKE, walk) for walk in range(500)], SIZE, beat))
    assert set(multiprocessing.active_children()) <= others


def test_the_next_scene_lends_its_light_little_by_little(alone):
    def turning(share: float) -> KeyframeSpec:
        texts = (WeightedText(LAKE, 1 - share, "scene"), WeightedText("A street at midnight", share, "next scene"))
        return spec(LAKE, texts=texts)

    before, early, late = paint(alone, turning(0.0), turning(0.2), turning(0.6))
    assert 0 < difference(before, early) < difference(before, late)


def test_a_stopped_iteration_leaves_no_process():
    others = set(multiprocessing.active_children())
    generator = Paint(workers=2)
    pictures = generator.pictures([spec(LAKE, walk) for walk in range(50)], SIZE)
    next(pictures)
    assert len(set(multiprocessing.active_children()) - others) == 2
    pictures.close()
    assert set(multiprocessing.active_children()) <= others
    generator.close()
    generator.close()


def test_a_killed_worker_is_a_clear_error_and_the_generator_goes_on_after_it():
    others = set(multiprocessing.active_children())
    generator = Paint(workers=1)
    pictures = generator.pictures([spec(LAKE, walk) for walk in range(50)], SIZE)
    next(pictures)
    (worker,) = set(multiprocessing.active_children()) - others
    os.kill(worker.pid, signal.SIGTERM)
    with pytest.raises(AimvError, match="a process for painting has ended"):
        list(pictures)
    assert len(list(generator.pictures([spec(LAKE, walk) for walk in range(8)], SIZE))) == 8
    generator.close()


def test_an_unknown_look_is_named_before_and_from_workers(alone, two):
    with pytest.raises(AimvError, match="no look 'oils'"):
        paint(alone, spec(LAKE, look="oils"))
    with pytest.raises(AimvError, match="no look 'oils'"):
        paint(two, *[spec(LAKE, walk, look="oils") for walk in range(8)])


def test_identity_is_the_same_in_every_process():
    code = "from aimv_engine.frames.generators.paint.generator import Paint; print(Paint().identity)"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {Paint().identity}


def test_what_a_worker_imports_is_light():
    paint = "aimv_engine.frames.generators.paint"
    script = f"import sys, aimv_engine.workers, {paint}.painter, {paint}.scene\n"
    script += "print([name for name in ('torch', 'transformers', 'librosa') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["leafy", "bare", "pine", "trunk"])
def test_trees_at_the_sides_find_room_whatever_the_seed(kind):
    for seed in range(8):
        row = trees.row(kind, seed, 16, 480, 1, spread=0.6)
        assert row.texture.shape[1] == trees.WIDTH

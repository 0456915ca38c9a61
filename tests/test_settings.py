"""What can be chosen, and one clear line for what can't."""

import pytest

from aimv_engine.errors import AimvError
from aimv_engine.settings import Settings, from_json


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"size": "640"}, "--size looks like"),
        ({"size": "641x360"}, "even numbers"),
        ({"size": "32x32"}, "between 64 and 4096"),
        ({"fps": "0.5"}, "--fps"),
        ({"fps": "0"}, "frame rate"),
        ({"fps": "fast"}, "fast"),
        ({"keyframe_rate": 30.0}, "--keyframe-rate"),
        ({"hop": 0.0}, "--hop"),
        ({"clusters": 27}, "--clusters"),
        ({"tagger": "GTZAN"}, "--model"),
        ({"generator": "crayon"}, "--generator"),
        ({"generator": "diffusion"}, "--diffusion-model"),
        ({"mode": "run"}, "--mode"),
        ({"steps": -1}, "--steps"),
        ({"guidance": 31.0}, "--guidance"),
        ({"guidance": float("nan")}, "--guidance"),
        ({"best_of": 0}, "--best-of"),
        ({"preset": "no-such-look"}, "no-such-look"),
        ({"start": -1.0}, "--start"),
        ({"start": float("inf")}, "--start"),
        ({"start": float("nan")}, "--start"),
        ({"end": float("inf")}, "--end"),
        ({"end": float("nan")}, "--end"),
        ({"start": 10.0, "end": 10.5}, "--end"),
    ],
)
def test_each_unusable_value_is_said_by_its_option(choice, says):
    with pytest.raises(AimvError, match=says):
        Settings().changed(**choice)


def test_what_is_not_given_stays_as_it_was():
    chosen = Settings().changed(size="1280x720", fps="23.976")
    again = chosen.changed(seed=5, size=None)
    assert (again.size, again.fps, again.seed) == ("1280x720", "23.976", 5)
    assert again.frame_rate.denominator == 1001


@pytest.mark.parametrize(
    ("choice", "diffusion"),
    [
        ({}, False),
        ({"diffusion_model": "sd-turbo"}, True),
        ({"generator": "paint", "diffusion_model": "sd-turbo"}, False),
        ({"generator": "diffusion", "diffusion_model": "sd-turbo"}, True),
    ],
)
def test_a_model_is_reason_enough_for_diffusion(choice, diffusion):
    assert Settings().changed(**choice).diffusion is diffusion


@pytest.mark.parametrize(
    "data",
    [
        {"colour": "blue"},
        {"hop": "often"},
        [],
        {"fps": 25},
        {"seed": "7"},
        {"clusters": True},
        {"size": None},
        {"fps": "x"},
    ],
)
def test_a_settings_file_that_makes_no_sense_is_an_error_and_not_a_traceback(data):
    with pytest.raises(AimvError, match=r"settings\.json"):
        from_json(data)


def test_whole_numbers_are_numbers_too():
    assert from_json({"hop": 3, "end": 20, "keyframe_rate": 8}).end == 20

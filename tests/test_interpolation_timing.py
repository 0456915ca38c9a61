"""Frame times are exact at any rate and over any length."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimv_engine.errors import AimvError
from aimv_engine.interpolation.timing import frame_time, parse_fps, place

FPS = st.sampled_from([parse_fps(text) for text in ("12.5", "23.976", "24", "25", "29.97", "30", "50", "59.94", "60")])
KEYFRAME_RATES = st.fractions(min_value=Fraction(1, 2), max_value=12, max_denominator=1001)
STARTS = st.fractions(min_value=0, max_value=600, max_denominator=48000)
FRAMES = st.integers(min_value=0, max_value=60 * 3600 * 24)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("24", Fraction(24)),
        ("25", Fraction(25)),
        ("25.0", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        ("24000/1001", Fraction(24000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("23.976024", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("47.952", Fraction(48000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("23.9", Fraction(239, 10)),
        ("23.97", Fraction(2397, 100)),
    ],
)
def test_frame_rates(text: str, rate: Fraction) -> None:
    assert parse_fps(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "24/0", "nan", "inf", "24,5", "0", "-25"])
def test_no_frame_rate(text: str) -> None:
    with pytest.raises(AimvError, match="frame rate"):
        parse_fps(text)


@given(FRAMES, FPS, KEYFRAME_RATES, STARTS)
def test_place_is_the_exact_inverse_of_time(frame: int, fps: Fraction, rate: Fraction, start: Fraction) -> None:
    index, t = place(frame, fps, rate, start)
    assert 0 <= t < 1
    assert (index + t) / rate == start + frame / fps == frame_time(frame, fps, start)


@given(FRAMES, FPS, KEYFRAME_RATES, STARTS)
def test_places_are_evenly_spaced(frame: int, fps: Fraction, rate: Fraction, start: Fraction) -> None:
    assert sum(place(frame + 1, fps, rate, start)) - sum(place(frame, fps, rate, start)) == rate / fps


def test_no_drift_over_a_day() -> None:
    """At 23.976 frames a second, exactly 24000 frames take 1001 seconds, however often."""
    fps = parse_fps("23.976")
    for spans in range(0, 87):
        assert frame_time(24000 * spans, fps) == 1001 * spans
        assert place(24000 * spans, fps, Fraction(6)) == (6006 * spans, 0)

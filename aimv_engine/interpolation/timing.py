"""Which moment a frame shows, and where that lies between the keyframes. Exact: nothing is rounded or summed up."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction

from aimv_engine.errors import AimvError

NTSC_RATES = tuple(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120))


def parse_fps(text: str) -> Fraction:
    """The frame rate meant by "25", "24000/1001" or "12.5"; "23.976", "29.97" and "59.94" mean the exact NTSC rates.

    Raises AimvError for what is no frame rate.
    """
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise AimvError(f"'{text}' is no frame rate; write it like 24, 23.976 or 24000/1001")
    return _meant(text, rate)


def _meant(text: str, rate: Fraction) -> Fraction:
    """The NTSC rate that, rounded to as many decimals as `text` has (at least two), is `text`; else `rate`."""
    try:
        decimals = -int(Decimal(text).as_tuple().exponent)
    except InvalidOperation:  # a fraction is meant as it is written
        return rate
    return next((ntsc for ntsc in NTSC_RATES if decimals >= 2 and round(ntsc, decimals) == rate), rate)


def frame_time(frame: int, fps: Fraction, start: Fraction = Fraction(0)) -> Fraction:
    """The moment in seconds that frame number `frame` (from 0) shows; frame 0 shows `start`."""
    return start + frame / fps


def place(frame: int, fps: Fraction, keyframe_rate: Fraction, start: Fraction = Fraction(0)) -> tuple[int, Fraction]:
    """Where a frame lies between keyframes: the index of the keyframe before it (or at it), and how far on, 0 <= t < 1.

    Keyframe k lies at k / keyframe_rate seconds; frame n shows start + n / fps seconds.
    """
    position = frame_time(frame, fps, start) * keyframe_rate
    index = position.numerator // position.denominator
    return index, position - index

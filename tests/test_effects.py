"""The fast clock: where pulses lie, how strong they are, and how often light may flash."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimv_engine import looks
from aimv_engine.frames.effects import FLASHES_PER_SECOND, beat_effects
from aimv_engine.song.energy import Energy
from aimv_engine.song.rhythm import Rhythm

OIL = looks.load("oil")


def steady(tempo, seconds, first=0.0):
    """A rhythm of even beats, four to a bar."""
    beats = np.arange(first, seconds, 60.0 / tempo)
    return Rhythm(beats=beats, downbeats=beats[::4], tempo=tempo, meter=4, confidence=1.0, beatless=False)


def level(value, seconds, rate=43.0):
    """Curves that stay at one value."""
    curve = np.full(round(seconds * rate), value, np.float32)
    return Energy(rate=rate, onset=curve, percussive=curve, loudness=curve, brightness=curve)


def test_clicks_at_120_bpm_pulse_every_half_second_and_peak_on_the_beat():
    effects = beat_effects(steady(120, 10), level(1.0, 10), OIL, Fraction(24), Fraction(0), 240)
    scale, brightness = effects.sampled(240)
    peaks = [n for n in range(1, 239) if scale[n] > scale[n - 1] and scale[n] > scale[n + 1]]
    assert peaks == list(range(12, 239, 12))
    assert brightness[48] > brightness[12] > 1.0  # frame 48 is a downbeat


@given(
    tempo=st.floats(40, 240),
    fps=st.sampled_from([Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(60)]),
    first=st.floats(0, 1),
)
@settings(max_examples=60)
def test_pulses_peak_within_a_frame_of_the_beat_and_never_shrink_the_picture(tempo, fps, first):
    count = round(8 * fps)
    rhythm = steady(tempo, 8, first)
    scale, brightness = beat_effects(rhythm, level(0.8, 8), OIL, fps, Fraction(0), count).sampled(count)
    assert scale.min() >= 1.0
    assert brightness.min() >= 1.0
    for beat in rhythm.beats:
        frame = round(beat * fps)
        if 0 < frame < count:
            assert scale[frame] > scale[frame - 1]


def test_fast_music_does_not_flash_more_often_than_is_safe():
    for tempo in (100, 149, 151, 190, 220):
        _, brightness = beat_effects(
            steady(tempo, 20, 0.3), level(1.0, 20), OIL, Fraction(60), Fraction(0), 1200
        ).sampled(1200)
        flashes = sum(brightness[n] > brightness[n - 1] and brightness[n] >= brightness[n + 1] for n in range(1, 1199))
        assert flashes / 20 <= FLASHES_PER_SECOND + 0.1


def test_quiet_music_moves_less_and_music_without_beats_not_at_all():
    loud = beat_effects(steady(120, 5), level(1.0, 5), OIL, Fraction(24), Fraction(0), 120)
    quiet = beat_effects(steady(120, 5), level(0.2, 5), OIL, Fraction(24), Fraction(0), 120)
    assert max(quiet.scale) - 1 == pytest.approx(0.2 * (max(loud.scale) - 1), rel=0.01)
    ambient = Rhythm(np.empty(0), np.empty(0), tempo=0.0, meter=4, confidence=0.0, beatless=True)
    assert beat_effects(ambient, level(1.0, 5), OIL, Fraction(24), Fraction(0), 120).frames == ()


def test_a_film_that_starts_later_has_its_pulses_at_the_same_moments_of_the_song():
    whole = beat_effects(steady(120, 10), level(1.0, 10), OIL, Fraction(24), Fraction(0), 240).sampled(240)[0]
    part = beat_effects(steady(120, 10), level(1.0, 10), OIL, Fraction(24), Fraction(5), 120).sampled(120)[0]
    assert np.allclose(part[:100], whole[120:220])

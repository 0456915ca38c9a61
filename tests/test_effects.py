"""The fast clock: where pulses lie, how strong they are, and how often light may flash."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimv_engine import looks
from aimv_engine.frames.effects import FLASHES_PER_SECOND, Amounts, beat_effects, music_curves
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


FPS = Fraction(24)


def test_amounts_multiply_the_looks_own():
    def deepest(**amounts):
        effects = beat_effects(steady(120, 5), level(1.0, 5), OIL, FPS, Fraction(0), 120, Amounts(**amounts))
        return max(effects.scale) - 1, max(effects.brightness) - 1

    scale, light = deepest()
    assert deepest(pulse=2.0) == pytest.approx((2 * scale, light), abs=1e-4)
    assert deepest(flash=0.5) == pytest.approx((scale, light / 2), abs=1e-4)
    assert deepest(pulse=0.0, flash=0.0) == (0.0, 0.0)


def test_a_strobe_is_hard_and_only_in_loud_parts():
    energy = level(1.0, 10)
    energy.loudness[: 5 * 43] = 0.2
    rhythm, amounts = steady(120, 10), Amounts(flash=0.0, strobe=1.0)
    for fps, lit in ((FPS, 1), (Fraction(60), 4)):
        count = round(10 * fps)
        light = beat_effects(rhythm, energy, OIL, fps, Fraction(0), count, amounts).sampled(count)[1]
        assert light[: 4 * fps.numerator].max() == 1.0
        beats = [round(time * fps) for time in rhythm.beats if time > 6]
        for beat in beats:
            assert light[beat - 1] == 1.0
            assert (light[beat : beat + lit] == light.max()).all()
            assert light[beat + lit] == 1.0
        assert np.flatnonzero(light > 1.0)[-1] < count


@given(
    gaps=st.lists(st.floats(0.1, 0.9), min_size=5, max_size=40),
    tempo=st.floats(40, 240),
    fps=st.sampled_from([Fraction(12), Fraction(24), Fraction(24000, 1001), Fraction(60)]),
    strobe=st.sampled_from([0.0, 1.0, 2.0]),
)
@settings(max_examples=60, deadline=None)
def test_there_are_never_more_than_three_flashes_in_a_second(gaps, tempo, fps, strobe):
    """However uneven the beats are and whatever is asked for (WCAG 2.3.1)."""
    beats = np.cumsum(gaps)
    rhythm = Rhythm(beats=beats, downbeats=beats[::4], tempo=tempo, meter=4, confidence=1.0, beatless=False)
    count = round((beats[-1] + 1) * fps)
    amounts = Amounts(flash=2.0, strobe=strobe)
    light = beat_effects(rhythm, level(1.0, beats[-1] + 1), OIL, fps, Fraction(0), count, amounts).sampled(count)[1]
    rises = np.flatnonzero(np.diff(light) > 0.01) + 1
    assert all(later - first > fps for first, later in zip(rises, rises[3:], strict=False))


def test_saturation_follows_slow_energy_with_few_keys_at_fixed_times_of_the_song():
    energy = level(0.1, 20)
    energy.loudness[10 * 43 :] = 0.9
    amounts = Amounts(saturation=1.0)
    curve = music_curves(steady(120, 20), energy, OIL, FPS, Fraction(0), 480, amounts)["saturation"]
    values = np.interp(np.arange(480), curve.frames, curve.values)
    assert (np.diff(curve.frames) >= 24 / 4).all()
    assert len(curve.frames) < 16  # where nothing changes there is no key
    assert values[100] == pytest.approx(1 - (values[400] - 1))
    assert values[100] < 0.8 < 1.2 < values[400]
    assert (np.diff(values) >= 0).all()
    part = music_curves(steady(120, 20), energy, OIL, FPS, Fraction(5), 240, amounts)["saturation"]
    assert np.allclose(np.interp(np.arange(240), part.frames, part.values), values[120:360], atol=1e-4)


def test_curves_that_do_nothing_are_left_out():
    def names(rhythm, **amounts):
        return set(music_curves(rhythm, level(0.8, 5), OIL, FPS, Fraction(0), 120, Amounts(**amounts)))

    ambient = Rhythm(np.empty(0), np.empty(0), tempo=0.0, meter=4, confidence=0.0, beatless=True)
    assert names(steady(120, 5)) == {"scale", "brightness"}
    assert names(steady(120, 5), pulse=0.0) == {"brightness"}
    assert names(ambient) == set()
    assert names(ambient, saturation=0.5, strobe=1.0) == {"saturation"}


def test_curves_are_the_beat_effects_with_fewer_keys():
    arguments = (steady(170, 10), level(0.7, 10), OIL, Fraction(60), Fraction(0), 600, Amounts(strobe=1.0))
    effects, curves = beat_effects(*arguments), music_curves(*arguments)
    for name, values in zip(("scale", "brightness"), effects.sampled(600), strict=True):
        curve = curves[name]
        assert np.allclose(np.interp(np.arange(600), curve.frames, curve.values), values)
    assert len(curves["brightness"].frames) < len(effects.frames)

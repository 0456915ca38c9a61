"""The energy curves say when something happens, how loud it is and how bright."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimv_engine.song.energy import Energy, analyse_energy
from aimv_engine.song.mel import RATE
from tests.songs import song_of

CURVES = ("onset", "percussive", "loudness", "brightness")


def sine(frequency: float, seconds: float, amplitude: float = 0.3) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def between(energy: Energy, curve: str, start: float, end: float) -> np.ndarray:
    return getattr(energy, curve)[round(start * energy.rate) : round(end * energy.rate)]


@settings(max_examples=25, deadline=None)
@given(time=st.floats(0.1, 9.9), rate=st.sampled_from([22050, 44100, 48000]))
def test_a_click_shows_when_it_is_heard(time: float, rate: int) -> None:
    samples = np.zeros(10 * rate)
    samples[round(time * rate)] = 1.0
    energy = analyse_energy(song_of(samples, rate))
    for curve in ("onset", "percussive", "loudness"):
        assert abs(np.argmax(getattr(energy, curve)) / energy.rate - time) <= 1 / energy.rate


def test_a_note_shows_when_it_begins_and_not_when_it_glides() -> None:
    seconds = np.arange(4 * RATE) / RATE
    vibrato = 0.3 * np.sin(2 * np.pi * 440 * seconds + 3.0 * np.sin(2 * np.pi * 6 * seconds))
    energy = analyse_energy(song_of(np.concatenate([np.zeros(2 * RATE), vibrato])))
    assert abs(np.argmax(energy.onset) / energy.rate - 2.0) <= 1 / energy.rate
    assert between(energy, "onset", 2.2, 5.8).max() < 0.1


def test_curves_lie_between_0_and_1_at_40_to_50_frames_a_second() -> None:
    noise = np.random.default_rng(1).standard_normal(8 * RATE) * np.linspace(0, 0.5, 8 * RATE)
    energy = analyse_energy(song_of(noise))
    assert 40 <= energy.rate <= 50
    for name in CURVES:
        curve = getattr(energy, name)
        assert curve.dtype == np.float32
        assert len(curve) == pytest.approx(8 * energy.rate, abs=1)
        assert curve.min() >= 0
        assert curve.max() <= 1


@pytest.mark.parametrize("level", [0.0, 5e-4])
def test_silence_is_zero_everywhere(level: float) -> None:
    energy = analyse_energy(song_of(level * np.random.default_rng(2).uniform(-1, 1, 5 * RATE)))
    assert not any(getattr(energy, name).any() for name in CURVES)


def test_loudness_spans_the_song_and_follows_the_ear() -> None:
    quiet_to_loud = np.concatenate([sine(1000, 3, amplitude) for amplitude in (0.01, 0.1, 0.3)])
    energy = analyse_energy(song_of(quiet_to_loud))
    soft, middle, loud = (between(energy, "loudness", start, start + 2).mean() for start in (0.5, 3.5, 6.5))
    assert soft < 0.05
    assert loud > 0.95
    assert 0.3 < middle < 0.7  # 20 dB over the soft part, 10 dB below the loud one: about half as loud

    bass_and_voice = analyse_energy(song_of(np.concatenate([sine(50, 3), sine(3000, 3)])))
    assert between(bass_and_voice, "loudness", 0.5, 2.5).mean() < 0.5  # the same level, but the ear hears less of it


def test_a_steady_song_is_steadily_loud() -> None:
    energy = analyse_energy(song_of(sine(440, 6)))
    assert between(energy, "loudness", 0.5, 5.5).min() > 0.9


def test_drums_are_percussive_and_chords_are_not() -> None:
    chord = sum(sine(frequency, 6, 0.1) for frequency in (220, 277, 330, 440, 554, 660))
    drums = np.zeros(6 * RATE)
    noise = np.random.default_rng(3).standard_normal(RATE // 10) * np.exp(-np.linspace(0, 8, RATE // 10))
    for beat in np.arange(0, 6, 0.5):
        drums[round(beat * RATE) :][: len(noise)] += 0.5 * noise
    energy = analyse_energy(song_of(np.concatenate([chord, drums])))
    assert between(energy, "percussive", 0.2, 5.8).max() < 0.05
    beats = [between(energy, "percussive", 6 + beat, 6 + beat + 0.1).max() for beat in np.arange(0.5, 5.5, 0.5)]
    assert min(beats) > 0.7


@pytest.mark.parametrize(("frequency", "brightness"), [(150, 0.0), (600, 0.4), (2400, 0.8), (4800, 1.0), (9000, 1.0)])
def test_brightness_counts_octaves(frequency: float, brightness: float) -> None:
    energy = analyse_energy(song_of(sine(frequency, 5)))
    assert between(energy, "brightness", 1, 4) == pytest.approx(brightness, abs=0.06)

"""Beats, bars and tempo against songs that are played to a known beat."""

import warnings

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimv_engine.arrays import F32, F64
from aimv_engine.song.novelty import foote_novelty
from aimv_engine.song.onsets import RATE, onset_envelopes
from aimv_engine.song.rhythm import Rhythm, analyse_rhythm
from aimv_engine.song.tempo import TEMPI, persistence, tempo_path, tempogram
from tests import band
from tests.songs import song_of


def analyse(samples: F32) -> Rhythm:
    """The rhythm of samples at RATE. A warning is an error: nobody should see numpy complain about their song."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return analyse_rhythm(song_of(samples))


def f_measure(truth: F64, found: F64) -> float:
    """Found events within 70 ms of true ones, as the harmonic mean of precision and recall."""
    return float(mir_eval.beat.f_measure(truth, found))


STEADY = ["rock", "breaks", "swing", "waltz", "half_time", "metal", "house", "funk", "ballad", "shuffle", "jam"]
CHANGING = ["ramp", "drift", "two_tempi"]


@pytest.mark.parametrize("name", STEADY + CHANGING)
def test_finds_beats_and_bars(name: str) -> None:
    piece = band.SONGS[name]()
    rhythm = analyse(piece.samples)
    assert f_measure(piece.beats, rhythm.beats) >= 0.98
    assert f_measure(piece.downbeats, rhythm.downbeats) >= 0.95
    assert rhythm.meter == piece.meter
    assert rhythm.confidence > 0.7
    assert not rhythm.beatless
    assert np.isin(rhythm.downbeats, rhythm.beats).all()
    if name in STEADY:
        assert rhythm.tempo == pytest.approx(60 / np.diff(piece.beats).mean(), rel=1e-3)
        late = rhythm.beats[:, None] - piece.beats[None]
        assert np.median(np.abs(late).min(axis=1)) < 0.012  # seconds: strings have no sharp attack


@pytest.mark.parametrize("name", ["pad", "noise", "wind"])
def test_beatless_music_has_no_beats(name: str) -> None:
    rhythm = analyse(band.SONGS[name]().samples)
    assert rhythm.beatless
    assert rhythm.tempo == 0
    assert rhythm.confidence == 0
    assert len(rhythm.beats) == len(rhythm.downbeats) == 0


@pytest.mark.parametrize("bpm", [88.0, 128.37, 151.9])
def test_beats_stay_in_step_for_a_whole_song(bpm: float) -> None:
    """The last beat of a steady song lies as true as the first: the tempo has no error that adds up."""
    piece = band.rock(bpm, seed=30, count=380)
    rhythm = analyse(piece.samples)
    for end in (piece.beats[:20], piece.beats[-20:]):
        assert f_measure(end, rhythm.beats[(rhythm.beats > end[0] - 0.1) & (rhythm.beats < end[-1] + 0.1)]) == 1


def test_beats_move_with_the_music_and_not_with_its_level() -> None:
    piece = band.rock(count=130)
    delay = 0.217  # seconds
    later = np.concatenate([np.zeros(int(delay * RATE), dtype=np.float32), piece.samples * 0.02])
    before, after = analyse(piece.samples), analyse(later)
    after_beats = after.beats[after.beats >= delay - 0.02]
    count = min(len(before.beats), len(after_beats))
    assert count > 120
    assert np.abs(after_beats[:count] - before.beats[:count] - delay).max() < 0.003


def test_beats_end_with_the_song() -> None:
    piece = band.rock(count=130)
    rhythm = analyse(piece.samples)
    assert rhythm.beats[0] >= 0
    assert rhythm.beats[-1] < piece.duration
    assert (np.diff(rhythm.beats) > 0).all()


@pytest.mark.parametrize("name", ["rock", "swing", "jam"])
def test_a_few_seconds_of_a_beat_are_a_beat(name: str) -> None:
    piece = band.SONGS[name]()
    start, end = 31, 39  # seconds
    truth = piece.beats[(piece.beats >= start) & (piece.beats < end)] - start
    found = analyse(piece.samples[start * RATE : end * RATE]).beats
    share = [np.abs(found - beat).min() < 0.07 for beat in truth]
    assert np.mean(share) > 0.9


@pytest.mark.parametrize("seconds", [6, 8, 11, 20])
def test_a_few_seconds_of_noise_are_none(seconds: int) -> None:
    samples = band.noise().samples
    assert all(analyse(samples[start * RATE : (start + seconds) * RATE]).beatless for start in range(0, 40, 10))


def _clicks(seconds: float, every: float) -> F32:
    samples = np.zeros(int(seconds * RATE), dtype=np.float32)
    samples[(np.arange(every / 2, seconds, every) * RATE).astype(int)] = 0.9
    return samples


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(60 * RATE),
        np.full(60 * RATE, 0.5),
        np.full(5 * RATE, 1e-4),
        np.sin(np.arange(30 * RATE) * 0.05),
        np.random.default_rng(0).normal(0, 0.1, 5 * RATE),
    ],
    ids=["silence", "constant", "nearly silent", "one tone", "a moment of noise"],
)
def test_what_is_no_music_is_beatless(samples: F64) -> None:
    assert analyse(samples).beatless


def test_a_metronome_is_followed() -> None:
    rhythm = analyse(_clicks(40, 0.5))
    assert rhythm.tempo == pytest.approx(120, abs=0.02)
    assert len(rhythm.beats) == 80
    assert np.abs(rhythm.beats - np.arange(0.25, 40, 0.5)).max() < 0.008


@settings(max_examples=12, deadline=None)
@given(
    seconds=st.floats(5, 30),
    every=st.floats(0.02, 9),
    level=st.sampled_from([1e-5, 1e-3, 1.0]),
    seed=st.integers(0, 99),
)
def test_nothing_crashes_and_all_is_in_order(seconds: float, every: float, level: float, seed: int) -> None:
    samples = _clicks(seconds, every)
    rhythm = analyse(samples * level + np.random.default_rng(seed).normal(0, level / 50, len(samples)))
    assert (np.diff(rhythm.beats) > 0).all()
    assert ((rhythm.beats >= 0) & (rhythm.beats < seconds)).all()
    assert 0 <= rhythm.confidence <= 1
    assert rhythm.beatless == (len(rhythm.beats) == 0) == (rhythm.tempo == 0)


def test_envelopes_hear_kick_snare_and_cymbal_apart() -> None:
    samples = np.zeros(12 * RATE, dtype=np.float32)
    for start, drum in ((2, "kick"), (5, "snare"), (8, "hat")):
        sound = band.DRUMS[drum]
        samples[start * RATE : start * RATE + len(sound)] += sound
    onsets = onset_envelopes(samples)

    def heard(envelope: F64, start: float) -> float:
        """The envelope's peak within 20 ms of `start`, as a part of its highest."""
        return float(envelope[np.abs(onsets.times - start) < 0.02].max() / envelope.max())

    assert heard(onsets.low, 2) == 1
    assert heard(onsets.mid, 5) == 1
    assert heard(onsets.high, 8) > 0.1
    assert heard(onsets.high, 2) < 0.03
    assert heard(onsets.low, 8) < 0.03


def test_tempogram_shows_tempo_and_its_change() -> None:
    slow, fast = _clicks(40, 60 / 90), _clicks(40, 60 / 125)
    gram = tempogram(onset_envelopes(np.concatenate([slow, fast])).total)
    assert gram.strength.shape == (len(gram.clarity), len(TEMPI))
    assert gram.strength.min() >= 0
    assert gram.clarity.max() <= 1
    path = tempo_path(gram)
    assert path[10:30] == pytest.approx(90, rel=0.02)
    assert path[50:70] == pytest.approx(125, rel=0.02)


def test_persistence_tells_a_pulse_from_accidents() -> None:
    random = np.random.default_rng(5)
    accidents = np.zeros(60 * RATE, dtype=np.float32)
    accidents[random.integers(0, len(accidents), 120)] = 0.9
    assert persistence(tempogram(onset_envelopes(accidents).total)) < 0.35
    assert persistence(tempogram(onset_envelopes(_clicks(60, 0.5)).total)) > 0.9


def test_novelty_is_the_checkerboard_of_the_similarity_matrix() -> None:
    rows = np.random.default_rng(3).normal(size=(40, 6))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    size, middle = 5, 20
    taper = np.exp(-0.5 * ((np.arange(size) + 0.5) / (0.6 * size)) ** 2)
    side = np.concatenate([-taper[::-1], taper])
    matrix = (unit @ unit.T)[middle - size : middle + size, middle - size : middle + size]
    expected = side @ matrix @ side / taper.sum() ** 2 / 2
    assert foote_novelty(rows, size)[middle] == pytest.approx(expected, rel=1e-6)


def test_novelty_peaks_where_the_music_changes() -> None:
    random = np.random.default_rng(4)
    verse, chorus = random.normal(size=(2, 8))
    rows = np.concatenate([np.tile(verse, (30, 1)), np.tile(chorus, (25, 1))]) + random.normal(0, 0.2, (55, 8))
    assert foote_novelty(rows, 12).argmax() == 30
    assert foote_novelty(rows[:2], 12).tolist() == [0, 0]

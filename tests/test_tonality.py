"""Keys and chroma of chords, in all keys and tunings."""

import numpy as np
import pytest

from aimv_engine.song.audio import Song
from aimv_engine.song.tonality import PITCHES, RATE, Mode, analyse_tonality, estimate_key
from tests.songs import song_of

MAJOR, MINOR, DIMINISHED = (0, 4, 7), (0, 3, 7), (0, 3, 6)
CADENCES: dict[Mode, tuple[tuple[int, tuple[int, ...]], ...]] = {
    "major": ((0, MAJOR), (9, MINOR), (5, MAJOR), (7, MAJOR)),  # I vi IV V
    "minor": ((0, MINOR), (8, MAJOR), (5, MINOR), (7, MAJOR)),  # i VI iv V
}
KEYS = [(tonic, mode) for mode in CADENCES for tonic in range(12)]


def played(samples: np.ndarray) -> Song:
    """The samples as a song, made softer if they would clip."""
    return song_of(0.9 * samples / np.abs(samples).max(initial=1.0))


def chord(notes: list[int], seconds: float, tuning: float) -> np.ndarray:
    """Plucked notes (MIDI numbers) of six overtones each; tuning is the frequency of A in Hz."""
    time = np.arange(round(seconds * RATE)) / RATE
    tones = [
        0.7**overtone * np.sin(2 * np.pi * (overtone + 1) * tuning * 2 ** ((note - 69) / 12) * time)
        for note in notes
        for overtone in range(6)
    ]
    return np.sum(tones, axis=0) * np.exp(-time) * np.minimum(1, time / 0.01)


def cadence(tonic: int, mode: Mode, tuning: float = 440.0) -> np.ndarray:
    """Four chords over their bass notes, twice, about ten seconds."""
    chords = [[36 + (tonic + root) % 12] + [60 + (tonic + root + third) % 12 for third in triad]
              for root, triad in CADENCES[mode]]  # fmt: skip
    return np.concatenate([chord(notes, 1.2, tuning) for notes in chords * 2])


@pytest.mark.parametrize(("tonic", "mode"), KEYS)
@pytest.mark.parametrize("tuning", [432.0, 440.0, 446.0])
def test_key_of_a_cadence_in_any_tuning(tonic: int, mode: Mode, tuning: float) -> None:
    key = analyse_tonality(played(cadence(tonic, mode, tuning))).key_between(0.0, 9.6)
    assert (key.tonic, key.mode) == (tonic, mode)
    assert key.name == f"{PITCHES[tonic]} {mode}"
    assert 0.7 < key.strength <= 1


@pytest.mark.parametrize(("tonic", "mode"), KEYS[::5])
def test_key_under_drums(tonic: int, mode: Mode) -> None:
    samples = cadence(tonic, mode)
    random = np.random.default_rng(tonic)
    for start in range(0, len(samples) - RATE // 5, RATE // 4):
        samples[start : start + RATE // 5] += (
            3 * random.standard_normal(RATE // 5) * np.exp(-np.arange(RATE // 5) / 700)
        )
    key = analyse_tonality(played(samples)).key_between(0.0, 9.6)
    assert (key.tonic, key.mode) == (tonic, mode)


def test_each_part_has_its_own_key() -> None:
    tonality = analyse_tonality(played(np.concatenate([cadence(0, "major"), cadence(9, "minor"), cadence(6, "major")])))
    names = [tonality.key_between(start, start + 9.6).name for start in (0.0, 9.6, 19.2)]
    assert names == ["C major", "A minor", "F# major"]


def test_chroma_holds_the_notes_that_sound_when_they_sound() -> None:
    samples = np.concatenate([chord([69], 2.0, 440.0), chord([60], 2.0, 440.0)])
    tonality = analyse_tonality(played(samples))
    loudest = tonality.chroma.argmax(axis=1)
    times = np.arange(len(loudest)) / tonality.rate
    assert tonality.chroma.dtype == np.float32
    assert (loudest[(times > 0.2) & (times < 1.8)] == PITCHES.index("A")).all()
    assert (loudest[(times > 2.2) & (times < 3.8)] == PITCHES.index("C")).all()


def test_silence_has_no_key() -> None:
    hiss = np.random.default_rng(5).uniform(-1, 1, 5 * RATE) * 5e-4
    for samples in (np.zeros(5 * RATE), hiss):
        tonality = analyse_tonality(song_of(samples))
        assert not tonality.chroma.any()
        assert tonality.key_between(0.0, 5.0).strength == 0


def test_a_part_shorter_than_a_frame_still_has_a_key() -> None:
    assert analyse_tonality(played(cadence(2, "major"))).key_between(9.59, 9.6).strength > 0


def test_a_flat_chroma_tells_nothing() -> None:
    assert estimate_key(np.ones(12)).strength == 0

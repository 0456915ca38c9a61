"""A small band of oscillators and noise that plays songs whose every beat is known.

Beats and bars say what is struck when; `perform` makes the sound. The songs last one to three minutes, are built of
sections that sound different, and are slightly human: strokes vary in strength and by a few milliseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from aimv_engine.arrays import F32, F64

RATE = 22050  # Hz
TIMING = 0.004  # seconds, the standard deviation of a stroke from its place
CHORDS = (
    (45, 52, 57, 60, 64),
    (41, 48, 53, 57, 60),
    (36, 48, 52, 55, 64),
    (43, 50, 55, 59, 62),
)  # Am F C G, MIDI pitches
OTHER_CHORDS = ((38, 50, 53, 57, 62), (46, 50, 53, 58, 65), (41, 53, 57, 60, 65), (40, 52, 56, 59, 64))  # Dm Bb F E

# What one bar of a section holds: for each instrument (a drum, "bass" or "chord") its strokes, as (beats after the bar
# line, strength).
Strokes = tuple[tuple[float, float], ...]
Bar = dict[str, Strokes]


@dataclass(frozen=True)
class Piece:
    """A song and what is true of it. All times in seconds; a beatless piece has no beats, and no bar lines."""

    samples: F32
    beats: F64
    downbeats: F64
    meter: int

    @property
    def duration(self) -> float:
        return len(self.samples) / RATE


def evenly(step: float, beats: float, strength: float = 0.5, start: float = 0.0) -> Strokes:
    """Strokes every `step` beats of a bar of `beats` beats."""
    return tuple((float(place), strength) for place in np.arange(start, beats - 1e-6, step))


# ---- instruments: each a short sound -------------------------------------------------


def _decay(seconds: float, halving: float) -> F64:
    return np.asarray(0.5 ** (np.arange(int(seconds * RATE)) / RATE / halving))


def _noise(count: int, seed: int) -> F64:
    return np.random.default_rng(seed).standard_normal(count)


def _kick() -> F64:
    time = np.arange(int(0.25 * RATE)) / RATE
    return np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-time / 0.03)))) * _decay(0.25, 0.05) * 1.2


def _snare() -> F64:
    envelope = _decay(0.2, 0.03)
    time = np.arange(len(envelope)) / RATE
    return (0.5 * np.sin(2 * np.pi * 190 * time) + 0.35 * _noise(len(envelope), 1)) * envelope


def _cymbal(halving: float) -> F64:
    envelope = _decay(8 * halving, halving)
    return np.diff(_noise(len(envelope) + 2, 2), 2) * 0.08 * envelope  # differences keep the high end


def _pluck(pitch: int, seconds: float, halving: float) -> F64:
    """A string: ten harmonics, the higher the weaker."""
    time = np.arange(int(seconds * RATE)) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    harmonics = [np.sin(2 * np.pi * frequency * k * time) / k for k in range(1, 11) if frequency * k < RATE / 2.2]
    return np.sum(harmonics, axis=0) * _decay(seconds, halving) * np.minimum(1, time / 0.004)


DRUMS: dict[str, F64] = {
    "kick": _kick(),
    "snare": _snare(),
    "hat": _cymbal(0.012),
    "ride": _cymbal(0.06),
    "crash": _cymbal(0.25),
}


# ---- playing ---------------------------------------------------------------------------------------------------


def perform(beats: F64, meter: int, sections: list[tuple[Bar, int]], seed: int = 0, swing: float = 0.0) -> Piece:
    """Play `sections` (a bar and how often) one after another at `beats` (seconds), which begin with a bar line.

    `swing` moves what lies on the second half of a beat later, by that part of a beat (1/6 makes triplets).
    """
    random = np.random.default_rng(seed)
    bars = [(bar, index % 2) for index, (bar, times) in enumerate(sections) for _ in range(times)]
    bars = bars[: (len(beats) - 1) // meter]
    beats = beats[: len(bars) * meter + 1]
    samples = np.zeros(int((beats[-1] + 1.0) * RATE))
    for number, (bar, palette) in enumerate(bars):
        chord = number % 4 + 4 * palette
        for instrument, strokes in bar.items():
            sound = DRUMS[instrument] if instrument in DRUMS else _pitched(instrument, chord)
            for place, strength in strokes:
                late = swing if abs(place % 1 - 0.5) < 1e-6 else 0.0
                time = np.interp(number * meter + place + late, np.arange(len(beats)), beats) + random.normal(0, TIMING)
                first = max(0, int(time * RATE))
                heard = min(len(sound), len(samples) - first)
                samples[first : first + heard] += sound[:heard] * (strength * random.uniform(0.85, 1.15))
    samples += 0.002 * _noise(len(samples), seed)
    return Piece(_level(samples), beats, beats[::meter], meter)


@cache
def _pitched(instrument: str, chord: int) -> F64:
    pitches = (CHORDS + OTHER_CHORDS)[chord]
    if instrument == "bass":
        return 0.35 * _pluck(pitches[0], 0.5, 0.12)
    return np.asarray(0.12 * np.sum([_pluck(pitch, 1.6, 0.4) for pitch in pitches[1:]], axis=0))


def _level(samples: F64) -> F32:
    return np.asarray(samples / np.abs(samples).max() * 0.8, dtype=np.float32)


def steady(bpm: float, count: int) -> F64:
    return np.arange(count) * 60 / bpm


def _at_tempi(bpm: F64) -> F64:
    """Beats of which each lasts 60 / its tempo."""
    return np.concatenate([[0.0], np.cumsum(60 / bpm)])


# ---- the songs -------------------------------------------------------------------------------------------------

ROCK: Bar = {
    "kick": ((0, 1), (2, 0.9), (2.5, 0.7)),
    "snare": ((1, 1), (3, 1)),
    "hat": evenly(0.5, 4),
    "bass": evenly(0.5, 4, 0.7),
    "chord": ((0, 1),),
}
ROCK_CHORUS: Bar = {
    "kick": ((0, 1), (0.5, 0.6), (2, 1)),
    "snare": ((1, 1), (3, 1)),
    "ride": evenly(1, 4, 0.8),
    "crash": ((0, 0.5),),
    "bass": evenly(0.5, 4, 0.8),
    "chord": evenly(1, 4, 0.7),
}
QUIET: Bar = {"hat": evenly(1, 4, 0.3), "chord": ((0, 0.8), (2, 0.5)), "bass": ((0, 0.6),)}
PAD: Bar = {"chord": ((0, 0.8),)}


def rock(bpm: float = 120, seed: int = 0, count: int = 260) -> Piece:
    return perform(steady(bpm, count), 4, [(QUIET, 4), (ROCK, 16), (ROCK_CHORUS, 8)] * 4, seed)


def breaks(bpm: float = 124, seed: int = 1) -> Piece:
    """The drums pause for eight seconds, again and again: the beat goes on."""
    return perform(steady(bpm, 260), 4, [(ROCK, 12), (PAD, 4), (ROCK_CHORUS, 8), (PAD, 4)] * 4, seed)


def swing(bpm: float = 144, seed: int = 2) -> Piece:
    bar: Bar = {
        "ride": ((0, 0.9), (1, 1), (1.5, 0.6), (2, 0.9), (3, 1), (3.5, 0.6)),
        "hat": ((1, 0.7), (3, 0.7)),
        "kick": evenly(1, 4, 0.35),
        "bass": evenly(1, 4, 0.9),
        "chord": ((0, 0.6), (1.5, 0.5)),
    }
    louder: Bar = {
        **bar,
        "snare": ((1.5, 0.3), (3.5, 0.4)),
        "kick": ((0, 0.7), (2, 0.5), (3.5, 0.4)),
        "chord": ((0.5, 0.5), (2.5, 0.5)),
    }
    return perform(steady(bpm, 300), 4, [(bar, 8), (louder, 16)] * 4, seed, swing=1 / 6)


def waltz(bpm: float = 152, seed: int = 3) -> Piece:
    bar: Bar = {
        "kick": ((0, 0.9),),
        "snare": ((1, 0.4), (2, 0.4)),
        "bass": ((0, 1),),
        "chord": ((1, 0.7), (2, 0.7)),
        "hat": ((1, 0.4), (2, 0.4)),
    }
    louder: Bar = {**bar, "ride": evenly(1, 3, 0.6), "crash": ((0, 0.3),), "chord": evenly(1, 3, 0.8)}
    return perform(steady(bpm, 301), 3, [(bar, 16), (louder, 16)] * 4, seed)


def half_time(bpm: float = 140, seed: int = 4) -> Piece:
    """Verses whose snare falls on the third beat only, choruses in straight time, at the same tempo."""
    verse: Bar = {
        "kick": ((0, 1), (1.5, 0.6)),
        "snare": ((2, 1),),
        "hat": evenly(0.5, 4),
        "bass": ((0, 1), (1.5, 0.7), (3, 0.6)),
        "chord": ((0, 1),),
    }
    return perform(steady(bpm, 300), 4, [(verse, 12), (ROCK_CHORUS, 12)] * 4, seed)


def metal(bpm: float = 190, seed: int = 5) -> Piece:
    thrash: Bar = {
        "kick": evenly(0.5, 4, 0.8),
        "snare": ((1, 1), (3, 1)),
        "ride": evenly(1, 4, 0.7),
        "bass": evenly(0.5, 4),
        "chord": evenly(0.5, 4, 0.6),
    }
    double: Bar = {
        "kick": evenly(0.25, 4, 0.7),
        "snare": ((1, 1), (3, 1)),
        "crash": ((0, 0.6), (2, 0.5)),
        "bass": evenly(0.5, 4),
        "chord": ((0, 1), (1.5, 0.8)),
    }
    heavy: Bar = {
        "kick": ((0, 1), (0.5, 0.7), (2.5, 0.7)),
        "snare": ((2, 1),),
        "crash": evenly(1, 4, 0.4),
        "bass": ((0, 1), (2.5, 1)),
        "chord": ((0, 1), (2.5, 0.8)),
    }
    return perform(steady(bpm, 400), 4, [(thrash, 12), (double, 12), (heavy, 8)] * 4, seed)


def house(bpm: float = 126, seed: int = 6) -> Piece:
    bar: Bar = {
        "kick": evenly(1, 4, 1),
        "hat": evenly(1, 4, 0.9, 0.5),
        "snare": ((1, 0.5), (3, 0.5)),
        "bass": evenly(1, 4, 0.8, 0.5),
        "chord": ((0, 0.7), (1.5, 0.6)),
    }
    down: Bar = {"hat": evenly(0.25, 4, 0.3), "chord": ((0, 0.7), (1.5, 0.6), (3, 0.6))}
    return perform(steady(bpm, 300), 4, [(down, 4), (bar, 16), (down, 8)] * 4, seed)


def funk(bpm: float = 104, seed: int = 7) -> Piece:
    bar: Bar = {
        "kick": ((0, 1), (0.75, 0.7), (2.25, 0.7), (2.5, 0.8)),
        "snare": ((1, 1), (1.75, 0.25), (3, 1), (3.75, 0.25)),
        "hat": evenly(0.25, 4, 0.4),
        "bass": ((0, 1), (0.75, 0.7), (1.5, 0.5), (2.25, 0.8), (3.5, 0.6)),
        "chord": ((0.5, 0.6), (1.75, 0.6), (3.25, 0.4)),
    }
    return perform(steady(bpm, 240), 4, [(bar, 12), (ROCK_CHORUS, 8), (QUIET, 4)] * 4, seed)


def ballad(bpm: float = 76, seed: int = 8) -> Piece:
    """Sparse: one kick and one rim a bar, a piano in quarters."""
    verse: Bar = {
        "kick": ((0, 0.7),),
        "snare": ((2, 0.3),),
        "chord": ((0, 1), (1, 0.5), (2, 0.6), (3, 0.5)),
        "bass": ((0, 0.8), (2.5, 0.5)),
    }
    chorus: Bar = {**ROCK, "hat": evenly(0.5, 4, 0.4)}
    return perform(steady(bpm, 180), 4, [(PAD, 4), (verse, 12), (chorus, 8)] * 4, seed)


def shuffle(bpm: float = 96, seed: int = 9) -> Piece:
    bar: Bar = {
        "kick": ((0, 1), (2, 0.9)),
        "snare": ((1, 1), (3, 1)),
        "hat": evenly(0.5, 4, 0.6),
        "bass": evenly(0.5, 4, 0.8),
        "chord": ((0, 0.8), (2.5, 0.5)),
    }
    return perform(steady(bpm, 220), 4, [(bar, 12), ({**bar, "ride": evenly(1, 4, 0.6)}, 12)] * 4, seed, swing=1 / 6)


def reggae(bpm: float = 74, seed: int = 10) -> Piece:
    """One drop: nothing on the first beat of the bar, the guitar between the beats."""
    bar: Bar = {
        "kick": ((2, 1),),
        "snare": ((2, 0.7),),
        "hat": evenly(0.5, 4, 0.4),
        "chord": evenly(1, 4, 0.8, 0.5),
        "bass": ((0, 0.9), (1, 0.6), (1.5, 0.7), (3, 0.7)),
    }
    return perform(steady(bpm, 180), 4, [(bar, 16), ({**bar, "kick": evenly(1, 4, 0.8)}, 8)] * 4, seed)


def ramp(first: float = 90, last: float = 132, seed: int = 11) -> Piece:
    return perform(_at_tempi(np.linspace(first, last, 220)), 4, [(ROCK, 12), (ROCK_CHORUS, 8)] * 4, seed)


def drift(bpm: float = 112, seed: int = 12) -> Piece:
    """A band without a click: the tempo wanders within four per cent."""
    wander = np.sin(np.arange(240) / 23.0) + np.sin(np.arange(240) / 9.1 + seed)
    return perform(_at_tempi(bpm * (1 + 0.02 * wander)), 4, [(ROCK, 12), (QUIET, 4), (ROCK_CHORUS, 8)] * 4, seed)


def two_tempi(first: float = 100, second: float = 138, seed: int = 13) -> Piece:
    beats = _at_tempi(np.concatenate([np.full(112, first), np.full(160, second)]))
    return perform(beats, 4, [(ROCK, 28), (ROCK_CHORUS, 20), (ROCK, 20)], seed)


def jam(bpm: float = 120, seed: int = 14) -> Piece:
    """The same groove throughout, chords only: no drum at all."""
    bar: Bar = {"chord": ((0, 1), (1, 0.6), (2, 0.8), (2.5, 0.5), (3, 0.6)), "bass": ((0, 1), (2, 0.7))}
    return perform(steady(bpm, 220), 4, [(bar, 16), ({**bar, "chord": evenly(0.5, 4, 0.7)}, 8)] * 4, seed)


def _beatless(samples: F64) -> Piece:
    return Piece(_level(samples), np.zeros(0), np.zeros(0), 4)


def pad(seconds: float = 100, seed: int = 20) -> Piece:
    """Ambient: tones swell and fade at no particular time."""
    random = np.random.default_rng(seed)
    samples = np.zeros(int(seconds * RATE))
    for start in np.cumsum(random.uniform(0.7, 6.0, 200)):
        length = int(random.uniform(6, 14) * RATE)
        first = int(start * RATE)
        if first + length >= len(samples):
            break
        time = np.arange(length) / RATE
        frequency = 440 * 2 ** ((random.choice([45, 52, 57, 60, 64, 67, 71]) - 69) / 12)
        tone = sum(
            np.sin(2 * np.pi * frequency * (1 + detune) * k * time) / k**1.5
            for k in (1, 2, 3)
            for detune in (-0.002, 0.0015)
        )
        samples[first : first + length] += np.asarray(tone) * np.hanning(length)
    return _beatless(samples + 0.01 * _noise(len(samples), seed))


def noise(seconds: float = 60, seed: int = 21) -> Piece:
    return _beatless(_noise(int(seconds * RATE), seed))


def wind(seconds: float = 80, seed: int = 22) -> Piece:
    """Noise that swells slowly and at random."""
    swell = np.interp(
        np.arange(int(seconds * RATE)) / RATE,
        np.arange(0, seconds + 3, 2.3),
        np.random.default_rng(seed).uniform(0.05, 1, int((seconds + 3) / 2.3) + 1),
    )
    return _beatless(_noise(len(swell), seed) * swell)


SONGS: dict[str, Callable[[], Piece]] = {
    song.__name__: song
    for song in (
        rock,
        breaks,
        swing,
        waltz,
        half_time,
        metal,
        house,
        funk,
        ballad,
        shuffle,
        reggae,
        ramp,
        drift,
        two_tempi,
        jam,
        pad,
        noise,
        wind,
    )
}

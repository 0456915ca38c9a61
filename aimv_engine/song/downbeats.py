"""Bars: how many beats they have, and on which they begin."""

from dataclasses import dataclass

import librosa
import numpy as np
import scipy.ndimage as ndi

from aimv_engine.arrays import F32, F64
from aimv_engine.song.novelty import foote_novelty
from aimv_engine.song.onsets import FRAME_RATE, RATE, Onsets, strongest_near

FEWEST = 16  # beats from which bars can be told
CHROMA_HOP = 1024  # samples
CHROMA_WINDOW = 4096
NEAR = 2  # frames round a beat that belong to it
THREE_BY = 0.08  # how much more alike bars of three must be than bars of four, which are far more common


@dataclass(frozen=True)
class Bars:
    """How the beats of a song fall into bars."""

    meter: int  # beats in a bar, 3 or 4
    first: int  # the index of the first beat that begins a bar
    margin: float  # how far this phase is ahead of the next best, in standard errors


def find_bars(samples: F32, onsets: Onsets, beats: F64) -> Bars | None:
    """The bars that `beats` (seconds) fall in, or None where they are too few. samples: [N] at RATE.

    A bar begins where the bass is struck and the snare is not, where the chord changes, and above all where
    a section begins.
    """
    if len(beats) < FEWEST:
        return None
    chroma = _per_beat(_chroma(samples), beats, RATE / CHROMA_HOP)
    timbre = _per_beat(onsets.spectrum, beats, FRAME_RATE)
    low, mid, high = (strongest_near(onsets, band, beats, NEAR) for band in (onsets.low, onsets.mid, onsets.high))
    change = np.concatenate([[0.0], 1 - _cosines(chroma[1:], chroma[:-1])])
    meter = _beats_in_bar(np.column_stack([low, mid, high, change]))

    timbre = (timbre - timbre.mean(axis=0)) / (timbre.std() + 1e-9)
    look = np.hstack([_standard(chroma) / np.sqrt(chroma.shape[1]), timbre / np.sqrt(timbre.shape[1])])
    evidence = (
        _standard(low)
        - 0.3 * _standard(mid)
        + _standard(change)
        + 0.7 * _standard(foote_novelty(look, 4))
        + 1.2 * _standard(_peaks(foote_novelty(look, 16)))
    )
    phases = np.array([evidence[phase::meter].mean() for phase in range(meter)])
    ahead = np.diff(np.sort(phases))[-1]
    error = evidence.std() / np.sqrt(len(evidence) / meter)
    return Bars(meter, int(phases.argmax()), float(ahead / (error + 1e-9)))


def _chroma(samples: F32) -> F64:
    """How strongly each pitch class sounds [F, 12], C first, RATE / CHROMA_HOP frames a second."""
    chroma = librosa.feature.chroma_stft(y=samples, sr=RATE, n_fft=CHROMA_WINDOW, hop_length=CHROMA_HOP, tuning=0.0)
    return np.asarray(chroma.T, dtype=np.float64)


def _per_beat(rows: F64 | F32, beats: F64, rate: float) -> F64:
    """The mean of rows [F, D], `rate` a second, from each beat to the next; [B, D]."""
    starts = np.minimum((beats * rate).astype(int), len(rows) - 1)
    ends = np.maximum(np.append(starts[1:], len(rows)), starts + 1)
    sums = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0, dtype=np.float64)])
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, None])


def _cosines(rows: F64, others: F64) -> F64:
    """The cosine of the angle between each row and its other."""
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    return np.asarray((rows * others).sum(axis=1) / (lengths + 1e-9))


def _standard(values: F64) -> F64:
    """Mean 0, standard deviation 1."""
    return np.asarray((values - values.mean()) / (values.std() + 1e-9))


def _peaks(novelty: F64) -> F64:
    """Novelty where it is the highest of 9 beats and among the song's highest, else 0."""
    highest = (novelty == ndi.maximum_filter1d(novelty, 9)) & (novelty > np.percentile(novelty, 70))
    return np.where(highest, novelty, 0.0)


def _beats_in_bar(accents: F64) -> int:
    """3 where the accents [B, K] repeat after 3 or 6 beats clearly better than after 4 or 8, else 4."""
    rows = (accents - accents.mean(axis=0)) / (accents.std(axis=0) + 1e-9)

    def alike(lag: int) -> float:
        return float((rows[lag:] * rows[:-lag]).mean()) if len(rows) > 2 * lag else -1.0

    return 3 if max(alike(3), alike(6)) > max(alike(4), alike(8)) + THREE_BY else 4

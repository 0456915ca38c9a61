"""Which of the pulses of a piece is the beat, and when in its period the beat falls.

All works on folded envelopes: the song is cut at each period of a pulse and the pieces are laid over each other, so
that what is struck on the beat adds up and all else drowns. A pulse is given as its position, the number of its
periods that have passed at each frame; so it may be as steady as a machine, or wander.
"""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi

from aimv_engine.arrays import F64
from aimv_engine.song.onsets import Onsets

RATIOS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4)  # of the beat's tempo to that of a pulse

BINS = 48  # of a folded period: a multiple of 2, 3, 8
SLOWEST, FASTEST = 55.0, 215.0  # BPM that a beat may have
ODD_RATIO_COST = 0.35  # held against a beat that is no octave of the pulse it was derived from

PREFERRED, SPREAD = 130.0, 0.8  # BPM and octaves: where tempi of recorded music lie
ALTERNATION = 0.7  # weight of kick and snare taking turns
CROWD, CROWD_FREE = 10.0, 0.04  # weight of strokes on eighths of a beat, and how strong they may be for nothing
SMOOTH = 0.7  # bins


@dataclass(frozen=True)
class Beat:
    """A pulse judged as the beat."""

    score: float  # higher is more like a beat; a logarithm
    offset: float  # where in its period the beat falls, 0 to 1


def levels(bpm: float) -> list[tuple[float, float]]:
    """The levels of a pulse of tempo `bpm` that may be the beat, as (ratio to the pulse, what is held against it)."""
    return [
        (ratio, 0.0 if np.log2(ratio) % 1 == 0 else ODD_RATIO_COST)
        for ratio in RATIOS
        if SLOWEST <= bpm * ratio <= FASTEST
    ]


def fold(envelopes: F64, position: F64, bins: int = BINS) -> F64:
    """The mean of each of `envelopes` [E, F] over one period of `position` [F]; [E, bins]."""
    place = position % 1 * bins
    first = place.astype(int) % bins
    late = place - np.floor(place)
    second = (first + 1) % bins
    weight = np.bincount(first, 1 - late, bins) + np.bincount(second, late, bins)
    sums = [np.bincount(first, row * (1 - late), bins) + np.bincount(second, row * late, bins) for row in envelopes]
    return np.asarray(sums / np.maximum(weight, 1e-9))


def judge(onsets: Onsets, position: F64, bpm: float) -> Beat:
    """How good a beat the pulse `position` (periods passed at each frame, [F]) of tempo `bpm` makes.

    A beat is struck harder than what lies between; kick and snare take turns on it; little happens at its eighths (it
    would be twice as fast); and its tempo is a usual one.
    """
    low, mid, total = ndi.gaussian_filter1d(
        fold(np.stack([onsets.low, onsets.mid, onsets.total]), position), SMOOTH, axis=1, mode="wrap"
    )
    # the kick tells the beat from the half beat
    peak = int(np.argmax(low + 0.15 * mid + 0.1 * total))
    around = np.roll(total, -peak)  # the beat at 0
    strike, half = around[0], around[BINS // 2]
    contrast = np.log((strike + 0.5 * half) / 1.5 / (total.mean() + 1e-9) + 1e-3)
    usual = -0.5 * (np.log2(bpm / PREFERRED) / SPREAD) ** 2
    crowd = max(0.0, _crowding(around) - CROWD_FREE)
    score = contrast + usual + ALTERNATION * _alternation(onsets, position, peak) - CROWD * crowd
    return Beat(float(score), (peak + parabola(total, peak)) % BINS / BINS)


def _crowding(around: F64) -> float:
    """Strokes on the odd eighths of a beat, relative to the beat; 0 for triplets, which fall between them."""
    strike = max(around[0], around[BINS // 2]) + 1e-9
    quarters = around[[BINS // 4, 3 * BINS // 4]].mean()
    thirds = around[[BINS // 3, 2 * BINS // 3]]
    if thirds.mean() > 1.2 * quarters and thirds[1] > 0.1 * strike:
        return 0.0
    return float((around[BINS // 8 :: BINS // 4].mean() - around.min()) / strike)


def _alternation(onsets: Onsets, position: F64, peak: int) -> float:
    """How much kick and snare take turns from beat to beat, 0 to 1. `peak`: the bin of the beat."""
    pair = fold(np.stack([onsets.low, onsets.mid]), position / 2, 2 * BINS)
    low, mid = ndi.gaussian_filter1d(pair, SMOOTH, axis=1, mode="wrap")[:, [peak, peak + BINS]]
    kick, snare = ((band[0] - band[1]) / (band.sum() + 1e-9) for band in (low, mid))
    return float(min(1.0, abs(kick - snare)))


def parabola(values: F64, peak: int) -> float:
    """How far from bin `peak` of a circle of values its top lies, in bins (-0.5 to 0.5)."""
    before, top, after = values[peak - 1], values[peak], values[(peak + 1) % len(values)]
    bend = before - 2 * top + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0

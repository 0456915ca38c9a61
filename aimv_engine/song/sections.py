"""Where a song turns into something else, told from its sound.

What changes is told from half-second steps, whatever the beat, so that a wrong beat can't hide a change; exactly when
it changes is then told from the frames around it, where bar lines have a say.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from scipy.fft import dct

from aimv_engine.arrays import F32, F64
from aimv_engine.song.audio import Song
from aimv_engine.song.mel import BANDS, FRAME_RATE, mel_level, mel_power
from aimv_engine.song.novelty import foote_novelty
from aimv_engine.song.rhythm import Rhythm
from aimv_engine.song.tonality import Tonality

STEP = 0.5  # seconds
TIMBRE = 14  # cepstral coefficients
REGISTERS = 3  # bass, middle, treble
GROUPS = 8  # of mel bands
BESIDE_TIMBRE = 0.8  # the weight of each other kind of feature
OUTLYING = 3.0  # standard deviations: what is further out, such as a second of silence, counts no more

SHORTEST = 6.0  # seconds, the least length of a section
LONG = 32.0  # seconds: a film tires of a longer scene
LONGEST = 64.0  # seconds, the longest section
TIRING = 0.5  # cost of each second beyond LONG
PHRASES = (4, 8)  # bars: sections tend to be made of these
OFF_PHRASE = 1.0  # cost of a length halfway between whole phrases, for each kind of phrase

# What a cut costs: one has to explain so many seconds of wholly different sound. Cheaper where sound changes suddenly.
CUT = 5.0
SUDDEN = 0.4  # the part of it that novelty takes away at most, or adds where there is none
NOVELTY_REACH = 10.0  # seconds to each side

CONTEXT = 6.0  # seconds of a section that say how it sounds near its end
CLEAR = 0.5  # squared distance between sections, below which they differ no more than chance has it
FREE = 0.3  # seconds that a cut may move from its step to the moment of change
BAR_REACH = 1.2  # seconds that it may move to a bar line ...
BAR_PULL = 0.6  # ... if that misplaces no more than this many seconds of wholly different sound


@dataclass(frozen=True)
class Sound:
    """How a song sounds, with every feature whitened over the song.

    frames: F64 [F, 17], timbre and onsets, at mel.FRAME_RATE
    steps: F64 [S, 37], timbre, unrest, onsets and notes; row s sounds from s * STEP on, the last row to the end.
        The mean squared length of a row is about 3.
    """

    frames: F64
    steps: F64
    duration: float  # seconds


def describe(song: Song, tonality: Tonality) -> Sound:
    """The sound of a song, for `find_boundaries` and for comparing sections."""
    level = mel_level(mel_power(song))
    timbre = dct(level, axis=0, norm="ortho")[:TIMBRE].T
    rise = np.maximum(np.diff(level, axis=1, prepend=level[:, :1]), 0.0)
    onsets = np.array([band.mean(axis=0) for band in np.array_split(rise, REGISTERS)]).T
    groups = level.reshape(GROUPS, BANDS // GROUPS, -1).mean(axis=1).T
    count = max(1, int(song.duration / STEP))
    mean = _step_means(groups, FRAME_RATE, count)
    unrest = np.sqrt(np.maximum(_step_means(groups**2, FRAME_RATE, count) - mean**2, 0.0))
    notes = np.sqrt(_step_means(tonality.chroma, tonality.rate, count))
    notes /= np.linalg.norm(notes, axis=1, keepdims=True) + 1e-9
    return Sound(
        frames=np.hstack([whitened(timbre), whitened(onsets)]),
        steps=np.hstack(
            [
                whitened(_step_means(timbre, FRAME_RATE, count)),
                BESIDE_TIMBRE * whitened(unrest),
                BESIDE_TIMBRE * whitened(_step_means(onsets, FRAME_RATE, count)),
                BESIDE_TIMBRE * whitened(notes),
            ]
        ),
        duration=song.duration,
    )


def whitened(rows: F32 | F64) -> F64:
    """The rows [N, D] moved and scaled: mean 0, all features about as wide, mean squared length 1 (0 if constant)."""
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    deviation = centred.std(axis=0)
    scaled = np.clip(centred / (deviation + 0.1 * deviation.max() + 1e-6), -OUTLYING, OUTLYING)
    result: F64 = scaled / (np.sqrt((scaled**2).sum(axis=1).mean()) + 1e-6)
    return result


def find_boundaries(sound: Sound, rhythm: Rhythm) -> F64:
    """The sections' borders in seconds, from 0 to the song's duration, at least SHORTEST apart (if the song is longer).

    How many there are is told by the sound alone.
    """
    return _settle(sound, _divide(sound.steps, rhythm.downbeats), rhythm.downbeats)


def _step_means(rows: F32 | F64, rate: float, count: int) -> F64:
    """The means [count, D] of the rows [F, D] that belong to each step."""
    first = np.minimum((np.arange(count) * STEP * rate).round().astype(int), len(rows) - 1)
    size = np.diff(np.append(first, len(rows)))[:, None]
    means: F64 = np.add.reduceat(rows.astype(np.float64), first, axis=0) / size
    return means


def _divide(steps: F64, downbeats: F64) -> list[float]:
    """Where sections end and others begin, in seconds, as exactly as steps can tell.

    Exact penalised least squares by dynamic programming (Jackson et al., An algorithm for optimal partitioning of data
    on an interval, IEEE Signal Processing Letters 12(2), 2005): a section costs its squared distance from its mean, and
    something for being long or no whole number of phrases; a cut costs less where the sound changes suddenly.
    """
    count = len(steps)
    sums = np.vstack([np.zeros(steps.shape[1]), np.cumsum(steps, axis=0)])
    squares = np.append(0.0, np.cumsum((steps**2).sum(axis=1)))
    novelty = foote_novelty(steps, round(NOVELTY_REACH / STEP))
    suddenness = np.clip(novelty / (np.percentile(novelty, 98) + 1e-9), 0.0, 1.0)
    cut = np.append(CUT * (1 + SUDDEN - 2 * SUDDEN * suddenness), 0.0)
    bars = np.interp(np.arange(count + 1) * STEP, downbeats, np.arange(len(downbeats))) if len(downbeats) else None
    shortest, longest = round(SHORTEST / STEP), round(LONGEST / STEP)

    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    before = np.zeros(count + 1, dtype=np.intp)
    for end in range(shortest, count + 1):
        starts = np.arange(max(0, end - longest), end - shortest + 1)
        length = end - starts
        spread = squares[end] - squares[starts] - ((sums[end] - sums[starts]) ** 2).sum(axis=1) / length
        cost = STEP * spread + TIRING * np.maximum(length * STEP - LONG, 0.0)
        if bars is not None:
            cost += _off_phrase(bars[end] - bars[starts])
        total = best[starts] + cost
        chosen = int(np.argmin(total))
        best[end], before[end] = total[chosen] + cut[end], starts[chosen]
    cuts = []
    step = before[count]
    while step > 0:
        cuts.append(float(step * STEP))
        step = before[step]
    return cuts[::-1]


def _off_phrase(bars: F64) -> F64:
    """What it costs sections to be so many bars long."""
    cost = np.zeros_like(bars)
    for phrase in PHRASES:
        phrases = bars / phrase
        cost += OFF_PHRASE * 2 * np.abs(phrases - np.round(phrases))
    return cost


def _settle(sound: Sound, cuts: list[float], downbeats: F64) -> F64:
    """The borders of all sections (seconds): each cut moved to where the sound really changes, or to a bar line."""
    borders = [0.0]
    for cut, following in pairwise([*cuts, sound.duration]):
        earliest = max(cut - BAR_REACH, borders[-1] + SHORTEST)
        latest = min(cut + BAR_REACH, following - SHORTEST)
        times = np.arange(ceil(earliest * FRAME_RATE), int(latest * FRAME_RATE) + 1) / FRAME_RATE
        if len(times) < 2:
            borders.append(cut)
            continue
        wrong = _misplaced(
            before=_frames_between(sound, max(borders[-1], times[0] - CONTEXT), times[0]),
            between=_frames_between(sound, times[0], times[-1]),
            after=_frames_between(sound, times[-1], min(times[-1] + CONTEXT, following)),
        )
        free = np.abs(times - cut) <= FREE
        bars = downbeats[(downbeats >= times[0]) & (downbeats <= times[-1])]
        places = np.concatenate([[cut], times[free], bars])
        costs = np.interp(places, times, wrong) - BAR_PULL * (np.arange(len(places)) > free.sum())
        borders.append(float(places[np.argmin(costs)]))
    return np.array([*borders, sound.duration])


def _misplaced(before: F64, between: F64, after: F64) -> F64:
    """What is wrong with a border before each of the frames between, and one after them all [N + 1].

    In seconds of frames that sound wholly like the section on the other side; only differences mean something.
    """
    left, right = before.mean(axis=0), after.mean(axis=0)
    misfit = ((between - left) ** 2).sum(axis=1) - ((between - right) ** 2).sum(axis=1)
    wrong: F64 = np.append(0.0, np.cumsum(misfit)) / (FRAME_RATE * max(((left - right) ** 2).sum(), CLEAR))
    return wrong


def _frames_between(sound: Sound, start: float, end: float) -> F64:
    return sound.frames[round(start * FRAME_RATE) : round(end * FRAME_RATE)]

"""How fast the pulse goes, as far as it can be told without knowing where the beats are."""

from dataclasses import dataclass

import numpy as np

from aimv_engine.arrays import F64
from aimv_engine.song.onsets import FRAME_RATE

STEP = 0.01  # of a tempo's logarithm
TEMPI = np.exp(np.arange(np.log(40), np.log(260), STEP))  # BPM
SECONDS = 10.0  # of music that one row looks at: some 20 beats
PREFERRED, SPREAD = 120.0, 0.9  # BPM and octaves: the tempo that people tap, and how far from it they still do
WANDER = 6  # steps that a tempo may change within one window
SLOPE, JUMP = 20.0, 1.2  # what a change of a tempo's logarithm costs, and the most that any change costs


@dataclass(frozen=True)
class Tempogram:
    """One row a second, centred on second 0, 1, 2 ..."""

    strength: F64  # [T, len(TEMPI)], 0 to 1: a pulse of that tempo, without favour for its octave
    clarity: F64  # [T], 0 to 1: the largest autocorrelation, how regular it is at all

    @property
    def average(self) -> F64:
        """[len(TEMPI)]: the mean over the song, each second by its clarity."""
        rows = self.strength / (self.strength.max(axis=1, keepdims=True) + 1e-9)
        return np.asarray((rows * self.clarity[:, None]).mean(axis=0))


def tempogram(envelope: F64) -> Tempogram:
    """The tempogram of an onset envelope [F].

    A Fourier tempogram answers to a tempo and its multiples, an autocorrelation tempogram to a tempo and its fractions
    (P. Grosche, M. Müller, F. Kurth, "Cyclic tempogram", 2010); their product is high where both agree.
    """
    length = int(SECONDS * FRAME_RATE)
    window = np.hanning(length)
    padded = np.pad(envelope, (length // 2, length // 2))
    rows = np.lib.stride_tricks.sliding_window_view(padded, length)[:: int(FRAME_RATE)]
    rows = (rows - rows.mean(axis=1, keepdims=True)) * window

    waves = np.exp(-2j * np.pi * np.outer(np.arange(length) / FRAME_RATE, TEMPI / 60))
    norm = np.sqrt((rows**2).sum(axis=1, keepdims=True) * length)
    fourier = np.hypot(rows @ waves.real, rows @ waves.imag) / (norm + 1e-9)

    correlation = _autocorrelation(rows) / (_autocorrelation(window[None]) + 1e-3)
    lags = 60 / TEMPI * FRAME_RATE
    whole = lags.astype(int)
    between = lags - whole
    regular = np.maximum(0, correlation[:, whole] * (1 - between) + correlation[:, whole + 1] * between)
    return Tempogram(fourier * regular, np.minimum(1, regular.max(axis=1)))


def _autocorrelation(rows: F64) -> F64:
    """[R, N] of rows [R, N], 1 at lag 0."""
    count = rows.shape[1]
    power = np.abs(np.fft.rfft(rows, 2 * count, axis=1)) ** 2
    correlation = np.fft.irfft(power, axis=1)[:, :count]
    return np.asarray(correlation / (correlation[:, :1] + 1e-9))


def strongest_tempi(average: F64, count: int) -> list[tuple[float, float]]:
    """The `count` highest peaks of a tempogram's average, as (BPM, height), highest first."""
    inner = average[1:-1]
    peaks = 1 + np.flatnonzero((inner >= average[:-2]) & (inner > average[2:]))
    if not len(peaks):
        peaks = np.array([average.argmax()])
    return [
        (float(TEMPI[peak]), float(average[peak])) for peak in sorted(peaks, key=lambda peak: -average[peak])[:count]
    ]


def persistence(gram: Tempogram) -> float:
    """How alike the tempogram is to itself one window later, when nothing of the same sound is left: 0 to 1.

    Music with a beat goes on with its pattern of pulses, if a little faster or slower; without one, each moment's pulse
    is another accident. (Songs have 0.7 to 1, also those that speed up or drift; ambient tones and noise under 0.4.)
    """
    rows = gram.strength - gram.strength.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9
    later = min(int(SECONDS), len(rows) // 2)
    before = np.pad(rows[:-later], ((0, 0), (WANDER, WANDER)))
    after = rows[later:]
    alike = np.max(
        [(before[:, shift : shift + rows.shape[1]] * after).sum(axis=1) for shift in range(2 * WANDER + 1)], axis=0
    )
    shared = 1 - later / SECONDS  # of the two windows in a song too short for two: alike in any case
    return float(max(0.0, (alike.mean() - shared) / (1 - shared)))


def tempo_path(gram: Tempogram) -> F64:
    """The tempo (BPM) at each row [T] of a tempogram: near its peaks, near the usual, and changing little or at once.

    The most likely path by the Viterbi algorithm, where a change costs by its logarithm, but a jump no more than JUMP.
    """
    usual = np.exp(-0.5 * (np.log2(TEMPI / PREFERRED) / SPREAD) ** 2)
    likely = np.log(gram.strength * usual / (gram.strength.max(axis=1, keepdims=True) + 1e-9) + 0.05)
    place = np.arange(len(TEMPI))
    cost = np.minimum(SLOPE * STEP * np.abs(place[:, None] - place), JUMP)
    score, origins = likely[0], []
    for row in likely[1:]:
        arrivals = score - cost
        origin = arrivals.argmax(axis=1)
        score = arrivals[place, origin] + row
        origins.append(origin)
    path = [int(score.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return np.asarray(TEMPI[path[::-1]])

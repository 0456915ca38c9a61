"""Songs of one constant tempo: a single grid of beats from the first second to the last, through all breaks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aimv_engine.arrays import F64
from aimv_engine.song import metre
from aimv_engine.song.onsets import FRAME_RATE, Onsets
from aimv_engine.song.tempo import TEMPI, Tempogram, strongest_tempi

SEARCH = 0.02  # how far from a tempogram's tempo the true one may lie, as a part of it
SLOW_RATE = 10  # Hz: enough for an envelope that has been shifted to frequency 0
COHERENT = 0.85  # least coherence of a grid
FAINT_COST = 0.2  # held against a beat for each e-fold that its pulse is weaker than the strongest
CLEAR = 0.3  # clarity of a second that has a pulse at all
RELATED = 0.025  # of a tempo's logarithm: how near a tempo is to one that the grid accounts for
LATE = 0.04  # seconds from the grid that listeners hear as off


@dataclass(frozen=True)
class Grid:
    """Beats at first + k * 60 / bpm seconds, for whole k."""

    bpm: float
    first: float  # seconds, less than one period
    coherence: float  # 0 to 1

    def beats(self, duration: float) -> F64:
        """All beats from 0 to `duration` seconds."""
        period = 60 / self.bpm
        return np.asarray(np.arange(self.first % period, duration, period))


def constant_grid(onsets: Onsets, gram: Tempogram) -> Grid | None:
    """The grid that fits the song best, or None where no constant tempo explains it all."""
    best: tuple[float, Grid] | None = None
    for bpm, cost in _tempi_to_try(gram):
        fitted, steady = fit_tempo(onsets, bpm)
        if steady < COHERENT:
            continue
        beat = metre.judge(onsets, onsets.times * fitted / 60, fitted)
        score = beat.score - cost + 2 * min(0.0, steady - 0.95)
        if best is None or score > best[0]:
            best = score, Grid(fitted, beat.offset * 60 / fitted, steady)
    if best is None or not _explains(best[1], onsets, gram):
        return None
    return best[1]


def _tempi_to_try(gram: Tempogram) -> list[tuple[float, float]]:
    """Tempi (BPM) that the beat may have, each with what is held against it: simple ratios of the strongest pulses."""
    pulses = strongest_tempi(gram.average, 3)
    tries: list[tuple[float, float]] = []
    for pulse, strength in pulses:
        faint = FAINT_COST * np.log(pulses[0][1] / (strength + 1e-9) + 1e-9)
        tries += [(pulse * ratio, float(faint + cost)) for ratio, cost in metre.levels(pulse)]
    tries.sort(key=lambda each: each[1])
    return [
        each for n, each in enumerate(tries) if all(abs(np.log(each[0] / other[0])) > SEARCH for other in tries[:n])
    ]


def fit_tempo(onsets: Onsets, bpm: float) -> tuple[float, float]:
    """The exact tempo near `bpm`, and the coherence (0 to 1) of its pulse over the song.

    The beat and its multiples are looked at: a multiple tells the tempo more sharply, if it is about as coherent.
    """
    best = bpm, 0.0
    for multiple in (1, 2, 4):
        frequency = _strongest_frequency(onsets.total, bpm / 60 * multiple)
        steady = coherence(onsets, onsets.times * frequency)
        if multiple == 1 or steady > best[1] - 0.03:
            best = frequency / multiple * 60, steady
    return best


def _strongest_frequency(envelope: F64, near: float) -> float:
    """The frequency (Hz) of the envelope's strongest Fourier component within SEARCH of `near`."""
    frames = np.arange(len(envelope))
    shifted = (envelope - envelope.mean()) * np.exp(-2j * np.pi * near / FRAME_RATE * frames)
    step = int(FRAME_RATE / SLOW_RATE)
    slow = shifted[: len(shifted) // step * step].reshape(-1, step).sum(axis=1)
    size = 16 * len(slow)
    offsets = np.fft.fftfreq(size, step / FRAME_RATE)
    power = np.where(np.abs(offsets) <= SEARCH * near, np.abs(np.fft.fft(slow, size)), 0)
    top = int(power.argmax())
    return float(near + offsets[top] + metre.parabola(power, top) / size / step * FRAME_RATE)


def coherence(onsets: Onsets, position: F64) -> float:
    """How well the onsets keep in step with a pulse all along, 0 to 1. position [F]: how many periods have passed."""
    waves = _pulse_waves(onsets.total, position, 8.0)
    return float(np.abs(waves.sum()) / (np.abs(waves).sum() + 1e-9))


def _pulse_waves(envelope: F64, position: F64, seconds: float) -> NDArray[np.complex128]:
    """The Fourier component of envelope [F] at one cycle a unit of `position` [F], in each stretch of about `seconds`.

    Their phases agree where the envelope keeps in step with `position`.
    """
    waves = (envelope - envelope.mean()) * np.exp(-2j * np.pi * position)
    count = max(1, int(len(envelope) / FRAME_RATE / seconds))
    return np.asarray([stretch.sum() for stretch in np.array_split(waves, count)])


def _explains(grid: Grid, onsets: Onsets, gram: Tempogram) -> bool:
    """Whether the grid holds everywhere: onsets keep in step with it, and no other tempo shows itself."""
    frequency = grid.bpm / 60 * 2  # half beats: syncopation does not hide them
    waves = _pulse_waves(onsets.total, onsets.times * frequency, 5.0)
    late = np.abs(np.angle(waves * np.conj(waves.sum()))) / (2 * np.pi * frequency)
    heard = np.abs(waves) > 0.4 * np.median(np.abs(waves))
    off = heard & (late > LATE)
    if off.sum() > 0.15 * heard.sum() or _lasts(off, 3):
        return False
    strongest = TEMPI[gram.strength.argmax(axis=1)]
    distance = np.min([np.abs(np.log(strongest / (grid.bpm * ratio))) for ratio in metre.RATIOS], axis=0)
    return not _lasts((distance > RELATED) & (gram.clarity > CLEAR), 8)


def _lasts(flags: NDArray[np.bool_], count: int) -> bool:
    """Whether `count` flags are set in a row."""
    return any(flags[start : start + count].all() for start in range(len(flags) - count + 1))

"""Onset envelopes: how strongly something new begins, in low, middle and high frequencies, 86 times a second."""

from dataclasses import dataclass
from functools import cached_property

import librosa
import numpy as np
import scipy.ndimage as ndi

from aimv_engine.arrays import F32, F64
from aimv_engine.song.mel import superflux

RATE = 22050  # Hz, of the samples that are looked at
HOP = 256  # samples: beats want twice the precision of mel.py's curves
FRAME_RATE = RATE / HOP  # frames a second
WINDOW = 1024  # samples: 46 ms, short enough for the strokes of a fast drummer
BANDS = 64
LOWEST, HIGHEST = 27.5, 11000.0  # Hz
LOUDNESS = 0.1  # root mean square that songs are brought to, so that the logarithm below treats all alike
COMPRESSION = 10.0
LAG = 2  # frames from a spectrum to the one it is compared with
DELAY = 0.002  # seconds that the peak of an envelope comes after a click (measured on clicks)
FLOOR_SECONDS, LEVEL_SECONDS = 0.6, 12.0  # averaged over: what counts as no onset, and as a usual onset


@dataclass(frozen=True)
class Onsets:
    """Onset envelopes [F], 0 or more, where 1 is about the mean of the song's surroundings (12 s)."""

    low: F64  # below 160 Hz: kick and bass
    mid: F64  # 200 to 4000 Hz: snare, chords, voices
    high: F64  # above 4000 Hz: cymbals
    spectrum: F32  # [F, 64], logarithm of the mel spectrum

    @cached_property
    def total(self) -> F64:
        """All bands; the high one counts half, for hi-hats rarely tell where the beat is."""
        return self.low + self.mid + 0.5 * self.high

    @cached_property
    def times(self) -> F64:
        """[F] seconds of the frames."""
        return np.arange(len(self.low)) / FRAME_RATE - DELAY

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.low) / FRAME_RATE


def onset_envelopes(samples: F32) -> Onsets:
    """The onset envelopes of `samples` ([N] mono at RATE).

    The superflux of a logarithmic spectrum, from which a slow mean is subtracted; the rest is divided by its level
    nearby, so that quiet verses count as loud choruses do.
    """
    level = float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
    mel = librosa.feature.melspectrogram(
        y=np.pad(samples, (0, max(0, WINDOW - len(samples)))) * (LOUDNESS / (level + 1e-9)),
        sr=RATE,
        n_fft=WINDOW,
        hop_length=HOP,
        n_mels=BANDS,
        fmin=LOWEST,
        fmax=HIGHEST,
        power=1.0,
    )
    spectrum = np.log1p(COMPRESSION * mel)
    growth = superflux(spectrum, LAG)
    centres = librosa.mel_frequencies(BANDS, fmin=LOWEST, fmax=HIGHEST)
    low, mid, high = (
        _levelled(growth[(centres >= lowest) & (centres < highest)].mean(axis=0))
        for lowest, highest in ((0, 160), (200, 4000), (4000, HIGHEST + 1))
    )
    return Onsets(low, mid, high, np.ascontiguousarray(spectrum.T))


def _levelled(flux: F32) -> F64:
    """Flux [F] above its mean nearby, in units of its level nearby."""
    smooth = ndi.gaussian_filter1d(flux.astype(np.float64), 1.0)
    peaks = np.maximum(0, smooth - ndi.uniform_filter1d(smooth, int(FRAME_RATE * FLOOR_SECONDS)))
    nearby = np.sqrt(np.maximum(0, ndi.uniform_filter1d(peaks**2, int(FRAME_RATE * LEVEL_SECONDS))))
    song = np.sqrt(np.mean(peaks**2))
    # the song's own level and a constant keep silence from being raised to music
    return np.asarray(peaks / (nearby + 0.15 * song + 0.003))


def strongest_near(onsets: Onsets, envelope: F64, times: F64, frames: int) -> F64:
    """The largest value of `envelope` within `frames` of each of `times` (seconds); [len(times)]."""
    largest = ndi.maximum_filter1d(envelope, 2 * frames + 1)
    return np.asarray(np.interp(times, onsets.times, largest, left=0, right=0))

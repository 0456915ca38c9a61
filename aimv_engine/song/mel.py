"""The spectrogram in mel bands that energy and sections are told from, and how such a spectrogram grows."""

import librosa
import numpy as np
from scipy import ndimage

from aimv_engine.arrays import F32
from aimv_engine.song.audio import Song

RATE = 22050  # Hz
WINDOW = 1024  # samples, 46 ms: as long as an attack
HOP = 512  # samples
FRAME_RATE = RATE / HOP  # 43 frames a second; frame k is centred on k / FRAME_RATE seconds
BANDS = 64
LOWEST, HIGHEST = 27.5, 11000.0  # Hz

FREQUENCIES = librosa.mel_frequencies(BANDS + 2, fmin=LOWEST, fmax=HIGHEST)[1:-1]  # the bands' middles, Hz


def mel_power(song: Song) -> F32:
    """Power in mel bands [BANDS, F], the lowest first; zeros for a silent song, whose hiss is no music."""
    samples = song.at(RATE)
    if song.silent:
        return np.zeros((BANDS, 1 + len(samples) // HOP), np.float32)
    spectrum = librosa.stft(samples, n_fft=WINDOW, hop_length=HOP)
    filters = librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=BANDS, fmin=LOWEST, fmax=HIGHEST)
    power: F32 = filters @ (spectrum.real**2 + spectrum.imag**2)
    return power


def mel_level(power: F32) -> F32:
    """Power on a scale like the ear's [BANDS, F]: logarithmic, 0 in silence, relative to the song's mean level."""
    magnitude = np.sqrt(power)
    level: F32 = np.log1p(100.0 * magnitude / max(float(magnitude.mean()), 1e-5))
    return level


def superflux(level: F32, lag: int) -> F32:
    """How much each cell of a logarithmic spectrogram [BANDS, F] grew over `lag` frames; the first ones are 0.

    It grows only over what it and its neighbours in pitch were: a gliding note is no onset (Böck and Widmer, Maximum
    filter vibrato suppression for onset detection, DAFx 2013).
    """
    growth = np.zeros_like(level)
    before = ndimage.maximum_filter1d(level, 3, axis=0)
    growth[:, lag:] = np.maximum(level[:, lag:] - before[:, :-lag], 0.0)
    return growth

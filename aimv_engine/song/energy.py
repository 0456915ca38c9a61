"""How much happens in a song from moment to moment: onsets, percussion, loudness and brightness.

One spectrogram of 64 mel bands serves all four curves, so that a whole song costs a fraction of a second.
"""

from dataclasses import dataclass

import librosa
import numpy as np
from scipy import ndimage

from aimv_engine.arrays import F32, F64
from aimv_engine.song.audio import Song
from aimv_engine.song.mel import FRAME_RATE, FREQUENCIES, mel_level, mel_power, superflux

HELD = 17  # frames, 0.4 s: what sounds for half of it is a note
BROAD = 9  # bands: what fills half of them is a drum

DARKEST, BRIGHTEST = 150.0, 4800.0  # Hz, the spectral centroids shown as 0 and 1: five octaves
FULL_DRUMS = 0.5  # of the loudness of the song's loudest moments is shown as 1
SMALLEST_RANGE = 0.5  # the quietest tenth of a song is shown as 0 only where it is half as loud as the top, or less


@dataclass(frozen=True)
class Energy:
    """Curves of one song; frame k is centred on k / rate seconds.

    All are F32 [F] from 0 to 1, and 0 in silence:
    onset       how strongly something new sounds; 1 is the mean of the strongest attacks, one a second
    percussive  the loudness of the drum-like part of the sound; 1 where it is half as loud as the song's top
    loudness    as the ear judges it, from the song's quietest passages to its loudest
    brightness  where the middle of the spectrum lies, in octaves: the same for every song
    """

    rate: float
    onset: F32
    percussive: F32
    loudness: F32
    brightness: F32


def analyse_energy(song: Song) -> Energy:
    """The energy curves of a song."""
    power = mel_power(song)
    hearing = _hearing()[:, None]
    audible = power * hearing
    loudness = _sones(audible.sum(axis=0))
    top = np.percentile(loudness[loudness > 0], 99.0) if loudness.any() else 1.0
    bottom = min(np.percentile(loudness, 10.0), SMALLEST_RANGE * top)
    return Energy(
        rate=FRAME_RATE,
        onset=_relative_to_attacks(superflux(mel_level(power), 1).mean(axis=0)),
        percussive=_clipped(_sones((_percussion(power) * hearing).sum(axis=0)) / (FULL_DRUMS * top)),
        loudness=_clipped((loudness - bottom) / (top - bottom)),
        brightness=_brightness(audible),
    )


def _hearing() -> F32:
    """The ear's sensitivity as a factor on the power of each band [BANDS]: the A curve of IEC 61672."""
    decibels: F64 = librosa.A_weighting(FREQUENCIES)
    return (10.0 ** (decibels / 10.0)).astype(np.float32)


def _sones(power: F32) -> F32:
    """Loudness by Stevens' law: ten decibels more sound twice as loud (The measurement of loudness, JASA 1955)."""
    loudness: F32 = power**0.3
    return loudness


def _percussion(power: F32) -> F32:
    """The drum-like part of the power in each cell [BANDS, F].

    Drums are ridges over frequency, notes are ridges over time, and a median along a ridge keeps it while it erases
    the other kind (FitzGerald, Harmonic/percussive separation using median filtering, DAFx 2010). Here the notes are
    taken away first and what is left must be broad, so that held chords leave nothing.
    """
    magnitude = np.sqrt(power)
    held = ndimage.median_filter(magnitude, (1, HELD), mode="nearest")
    broad: F32 = ndimage.median_filter(np.maximum(magnitude - held, 0.0), (BROAD, 1), mode="nearest")
    return broad**2


def _brightness(power: F32) -> F32:
    """The spectral centroid in octaves over DARKEST, as a share of the octaves up to BRIGHTEST; 0 in silence."""
    octaves = np.log2(FREQUENCIES / DARKEST).astype(np.float32) / np.log2(BRIGHTEST / DARKEST)
    total = power.sum(axis=0)
    return _clipped(np.divide(octaves @ power, total, out=np.zeros_like(total), where=total > 1e-9))


def _relative_to_attacks(onset: F32) -> F32:
    """The curve over the mean of its highest frames, one for every second of the song; at most 1."""
    attacks = max(1, int(len(onset) / FRAME_RATE))
    return _clipped(onset / max(float(np.sort(onset)[-attacks:].mean()), 1e-9))


def _clipped(curve: F32) -> F32:
    return np.clip(curve, 0.0, 1.0).astype(np.float32)

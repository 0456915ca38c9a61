"""Which notes a song is made of, and the key of any part of it."""

from dataclasses import dataclass
from typing import Literal

import librosa
import numpy as np
from numpy.typing import NDArray

from aimv_engine.arrays import F32, F64
from aimv_engine.song.audio import Song

RATE = 22050  # Hz
WINDOW = 8192  # samples, 0.37 s: tells semitones apart down to the bass
HOP = 2048  # samples: 11 frames a second
LOWEST, HIGHEST = 55.0, 2000.0  # Hz, where notes are clearest
FAINT = 0.01  # of a frame's strongest peak (40 dB below it): what is weaker is no note
SILENT = 1e-4 * WINDOW / 4  # the spectral peak of a sine at -80 dBFS: what is weaker is not there

Mode = Literal["major", "minor"]
PITCHES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

# How often each degree of the scale occurs in pieces of known key (Albrecht and Shanahan, The use of large corpora to
# train a new type of key-finding algorithm, Music Perception 31(1), 2013). On synthesised progressions in all keys it
# was right more often than the profiles of Krumhansl and Kessler, of Temperley and of Sapp.
PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    "minor": (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
}


@dataclass(frozen=True)
class Key:
    """A key. `strength` is how well the notes fit it: their correlation with the key's profile, 0 to 1."""

    tonic: int  # 0 to 11, C is 0
    mode: Mode
    strength: float

    @property
    def name(self) -> str:
        """Such as "A minor"."""
        return f"{PITCHES[self.tonic]} {self.mode}"


@dataclass(frozen=True)
class Tonality:
    """The notes of a song; frame k is centred on k / rate seconds.

    chroma: F32 [F, 12], how strongly each pitch class sounds (C first), in units of amplitude; zeros in silence.
    """

    rate: float
    chroma: F32

    def key_between(self, start: float, end: float) -> Key:
        """The key of the part from start to end (seconds). Silence has strength 0."""
        first = max(0, min(int(start * self.rate), len(self.chroma) - 1))
        return estimate_key(self.chroma[first : max(first + 1, round(end * self.rate))].mean(axis=0))


def analyse_tonality(song: Song) -> Tonality:
    """The chroma of a song, whatever pitch its instruments are tuned to.

    The peaks of the spectrum, not its bins, are sorted into pitch classes, as in Gómez, Tonal description of polyphonic
    audio for music content processing, INFORMS Journal on Computing 18(3), 2006.
    """
    spectrum = librosa.stft(song.at(RATE), n_fft=WINDOW, hop_length=HOP)
    magnitude = np.abs(spectrum[: int(HIGHEST * WINDOW / RATE) + 2])
    frame, pitch, amplitude = _spectral_peaks(magnitude)
    pitch -= _tuning(pitch, amplitude)
    semitone = np.round(pitch).astype(int)
    weight = amplitude * np.cos(np.pi * (pitch - semitone)) ** 2  # what lies between two semitones tells nothing
    chroma = np.bincount(frame * 12 + semitone % 12, weight, magnitude.shape[1] * 12).reshape(-1, 12)
    return Tonality(rate=RATE / HOP, chroma=chroma.astype(np.float32))


def estimate_key(chroma: F32 | F64) -> Key:
    """The key whose profile correlates best with a chroma vector [12]; a flat one has strength 0.

    Krumhansl, Cognitive foundations of musical pitch, 1990, chapter 4.
    """
    if float(np.ptp(chroma)) <= 1e-6:
        return Key(0, "major", 0.0)
    modes: tuple[Mode, ...] = ("major", "minor")
    fit = np.array(
        [[np.corrcoef(np.roll(PROFILES[mode], tonic), chroma)[0, 1] for tonic in range(12)] for mode in modes]
    )
    mode, tonic = np.unravel_index(np.argmax(fit), fit.shape)
    return Key(int(tonic), modes[mode], max(0.0, float(fit[mode, tonic])))


def _spectral_peaks(magnitude: F32) -> tuple[NDArray[np.intp], F64, F64]:
    """The P peaks of a spectrogram [bins, F]: frame, pitch (semitones over C0, fractional) and amplitude, each [P]."""
    middle = magnitude[1:-1]
    audible = middle > np.maximum(FAINT * magnitude.max(axis=0), SILENT)
    audible[: int(LOWEST * WINDOW / RATE)] = False
    peak, frame = np.nonzero(audible & (middle > magnitude[:-2]) & (middle >= magnitude[2:]))
    # the top of a parabola through the logarithm of three bins is the sine's frequency
    # (Smith and Serra, PARSHL, ICMC 1987)
    below, at, above = (np.log(magnitude[peak + step, frame] + 1e-9) for step in (0, 1, 2))
    frequency = (peak + 1 + 0.5 * (below - above) / (below - 2 * at + above)) * (RATE / WINDOW)
    return frame, 12 * np.log2(frequency / librosa.note_to_hz("C0")), np.exp(at)


def _tuning(pitch: F64, amplitude: F64) -> float:
    """How far the song is tuned above A = 440 Hz, in semitones from -0.5 to 0.5: the circular mean of all peaks."""
    return float(np.angle(np.sum(amplitude * np.exp(2j * np.pi * pitch))) / (2 * np.pi))

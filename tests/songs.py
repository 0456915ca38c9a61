"""Small synthesised sounds that several tests listen to."""

import wave
from pathlib import Path

import numpy as np

from aimv_engine.arrays import F32, F64
from aimv_engine.song.audio import Song

RATE = 22050  # Hz, at which most of the analysis listens: nothing has to be resampled


def song_of(samples: F32 | F64, rate: int = RATE) -> Song:
    """A song that was never a file, from samples [N]."""
    return Song(Path("synthesised.wav"), np.asarray(samples, dtype=np.float32), rate, sha256="")


def tone(frequency: float, seconds: float, rate: int = 44100, level: float = 0.5) -> F32:
    """A sine wave [N]."""
    return (level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def three_scenes(rate: int = 16000) -> F32:
    """Nine seconds: a soft chord that dies away, a drum of noise at 120 BPM, a loud distorted fifth."""
    time = np.arange(3 * rate) / rate
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220.0, 277.18, 329.63)) * np.exp(-time) / 12
    noise = np.random.default_rng(0).standard_normal(len(time))
    drum = 0.3 * noise * np.exp(-20 * (time % 0.5))
    fifth = 0.7 * np.tanh(8 * (np.sin(2 * np.pi * 110 * time) + np.sin(2 * np.pi * 165 * time)))
    return np.concatenate([chord, drum, fifth]).astype(np.float32)


def write_wav(path: Path, samples: F32, rate: int = 44100) -> None:
    """Write samples [N] or [N, channels] as 16-bit wav."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1] if samples.ndim == 2 else 1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())

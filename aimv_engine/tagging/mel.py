"""What musicnn listens to: a logarithmic mel spectrogram."""

from functools import cache

import librosa
import torch
from torch import Tensor

RATE = 16000  # Hz
HOP = 256  # samples between frames: 62.5 frames a second
WINDOW = 512  # samples
BANDS = 96


def frame_count(samples: int) -> int:
    """How many frames a song of that many samples has; the first lies on the first sample."""
    return 1 + samples // HOP


def log_mel(samples: Tensor, first: int, last: int) -> Tensor:
    """Frames `first` to `last` (exclusive) of the spectrogram [frames, 96] of a song [N] at 16 kHz.

    Frame n is centred on sample 256 n, and hears silence beyond the ends. Values are log10(1 + 10000 power), of power
    in slaney bands as librosa makes them; in float32, for in float16 loud songs overflow.
    """
    start, end = first * HOP - WINDOW // 2, (last - 1) * HOP + WINDOW // 2
    heard = samples[max(0, start) : end]
    before = max(0, -start)
    heard = torch.nn.functional.pad(heard, (before, end - start - before - len(heard)))
    spectrum = torch.stft(heard, WINDOW, HOP, window=torch.hann_window(WINDOW), center=False, return_complex=True)
    return torch.log10(1.0 + 10000.0 * (spectrum.abs().square().T @ _filters()))


@cache
def _filters() -> Tensor:
    """The bands as columns [257, 96]."""
    return torch.from_numpy(librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=BANDS).T)

"""Seeded noise: tileable textures and profiles made in the frequency domain, and random numbers for cells.

Clouds, waves, wood, facades and mountains are all looked up in a few such textures. Noise whose amplitude falls with
frequency as a power law looks natural (Voss, "Fractals in nature", 1988); below a slope of about 1.6 in two
dimensions it looks like static.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike

from aimv_engine.arrays import F32

SIZE = 512  # samples along the side of a texture


@lru_cache(maxsize=48)
def cloud(seed: int, slope: float = 2.2, low: int = 1) -> F32:
    """A tileable texture [SIZE, SIZE], 0..1, of mean 0.5. `slope` is the power law, `low` the lowest frequency kept."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.8 * rough((SIZE, SIZE), seed, slope + 0.5, low)), np.float32)


def rough(shape: tuple[int, int], seed: int, slope: float, low: float = 1, high: float | None = None) -> F32:
    """Tileable noise of that shape, mean 0 and deviation 1, with amplitudes f ** -slope.

    Frequencies are counted along the longer side; those under `low` and (softly) over `high` are left out.
    """
    rows, columns = shape
    longest = max(shape)
    spectrum = np.fft.rfft2(np.random.default_rng(seed).standard_normal(shape))
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None] * longest, np.fft.rfftfreq(columns)[None] * longest)
    frequency[0, 0] = 1
    amplitude = np.where(frequency < low, 0, frequency**-slope)
    amplitude[0, 0] = 0
    if high is not None:
        amplitude *= np.exp(-((frequency / high) ** 2))
    field = np.fft.irfft2(spectrum * amplitude, shape)
    return np.asarray(field / field.std(), np.float32)


def profile(count: int, seed: int, slope: float, low: int = 1, high: int = 400) -> F32:
    """A line that closes on itself [count], mean 0 and deviation 1; the same shape whatever `count` is.

    Only harmonics from `low` to `high` take part, each drawn once: more samples trace the same line more finely.
    """
    random = np.random.default_rng(seed)
    harmonics = np.arange(high + 1, dtype=np.float64)
    parts = random.standard_normal((high + 1, 2)) @ np.array([1, 1j])
    parts *= np.where(harmonics < max(low, 1), 0, np.maximum(harmonics, 1) ** (-slope / 2))
    parts = parts[: count // 2]
    line = np.fft.irfft(np.pad(parts, (0, count // 2 + 1 - len(parts))), count)
    return np.asarray(line / line.std(), np.float32)


def sample(texture: F32, u: ArrayLike, v: ArrayLike) -> F32:
    """The texture at (u, v), in widths of the texture; it repeats. Both broadcast; |u| and |v| up to 60."""
    size = np.float32(texture.shape[0])
    across, down = np.broadcast_arrays(np.asarray(u, np.float32) * size, np.asarray(v, np.float32) * size)
    return np.asarray(
        cv2.remap(
            texture,
            np.ascontiguousarray(across),
            np.ascontiguousarray(down),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        ),
        np.float32,
    )


def chance(seed: int, *cells: ArrayLike) -> F32:
    """An even random number 0..1 for every cell of a grid, from its whole coordinates (an integer hash)."""
    value = np.asarray(seed * 2654435761 & 0xFFFFFFFF, np.uint32)
    with np.errstate(over="ignore"):
        for cell in cells:
            value = (value ^ np.asarray(np.floor(cell)).astype(np.int64).astype(np.uint32)) * np.uint32(0x9E3779B1)
            value = value ^ (value >> np.uint32(15))
        value = (value * np.uint32(0x85EBCA6B)) ^ (value >> np.uint32(13))
    return np.asarray((value & np.uint32(0xFFFFFF)) / np.float32(0x1000000), np.float32)

"""Colours as the renderer computes with them: linear light, float32 [3], 0 is black and 1 is paper white.

Linear light stands for the square of the display value: a gamma of 2 is near enough to sRGB and its root is cheap.
"""

import numpy as np
from numpy.typing import ArrayLike

from aimv_engine.arrays import F32

WHITE = np.ones(3, np.float32)
LUMA = np.array([0.30, 0.59, 0.11], np.float32)  # the weight of red, green and blue in how light a colour looks


def linear(code: str) -> F32:
    """A colour written "#rrggbb", as linear light [3]."""
    return (np.frombuffer(bytes.fromhex(code.lstrip("#")), np.uint8) / np.float32(255)).astype(np.float32) ** 2


def smooth(low: float, high: float, x: ArrayLike) -> F32:
    """0 below `low`, 1 above `high`, an S curve between; `low` may be the greater one, then it falls."""
    t = np.clip((np.asarray(x, np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def mix(first: ArrayLike, second: ArrayLike, amount: ArrayLike) -> F32:
    """`first` where the amount is 0, `second` where it is 1."""
    a, b = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return np.asarray(a + (b - a) * np.asarray(amount, np.float32), np.float32)


def wheel(turn: float, softness: float = 1.6) -> F32:
    """A saturated colour round the hue circle, `turn` in whole turns; cosines keep it bright everywhere."""
    thirds = np.array([0.0, 0.33, 0.67])
    return np.asarray((0.5 + 0.5 * np.cos(2 * np.pi * (thirds + turn))) ** softness, np.float32)

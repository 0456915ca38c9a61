"""Skylines as layers: blocks of houses with masts, and windows that are lit or dark."""

from functools import lru_cache

import cv2
import numpy as np

from .colours import smooth
from .layer import WIDTH, Layer, build

WINDOWS_LIT = 0.42  # share of windows with a light on


@lru_cache(maxsize=8)
def skyline(seed: int, count: int, tall: int, detail: int, side: int = 1) -> Layer:
    """About `count` buildings of up to `tall` lines. Accents: warm windows, and windows in the other colour."""
    random = np.random.default_rng(seed)
    base = tall * 2
    light, cover, warm, cold = np.zeros((4, base + 30, WIDTH), np.float32)
    left = 0
    while left < WIDTH:
        width = int(random.uniform(0.5, 1.4) * WIDTH / count)
        height = int(tall * random.uniform(0.35, 1.0) * (1.8 if random.random() < 0.12 else 1.0))
        right, top = min(WIDTH, left + width), base - height
        cover[top:, left:right] = 1
        tone = random.uniform(0.1, 0.5)
        light[top:, left:right] = tone
        lit = max(2, width // 4)
        light[top:, slice(left, left + lit) if side < 0 else slice(right - lit, right)] = tone + 0.3
        warm[top:, left:right] = cold[top:, left:right] = 0
        middle = (left + right) // 2
        if random.random() < 0.35:  # a mast
            cover[max(0, top - height // 5) : top, middle : middle + 2] = 1
        if random.random() < 0.4:  # a storey set back
            cover[max(0, top - 10) : top, left + width // 4 : left + width * 3 // 4] = 1
            light[max(0, top - 10) : top, left + width // 4 : left + width * 3 // 4] = tone
        across, down = int(random.choice([5, 6, 7])), int(random.choice([7, 8, 10]))
        for y in range(top + 5, base, down):
            for x in range(left + 3, right - 4, across):
                if random.random() < WINDOWS_LIT:
                    colour = warm if random.random() < 0.6 else cold
                    colour[y : y + down - 4, x : x + across - 3] = random.uniform(0.35, 1)
        left += width + int(random.integers(0, 6))
    light *= 0.6 + 0.4 * smooth(base, 0, np.arange(base + 30))[:, None]
    size = (WIDTH * detail, (base + 30) * detail)
    light, cover, warm, cold = (
        np.asarray(cv2.resize(channel, size, interpolation=cv2.INTER_NEAREST), np.float32)
        for channel in (light, cover, warm, cold)
    )
    return build(light, cover, base * detail, detail, warm, cold)

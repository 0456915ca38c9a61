"""What grows on the ground, as layers: grass, ears of corn, and flowers of two colours."""

from functools import lru_cache

import cv2
import numpy as np

from .layer import WIDTH, Layer, build
from .noise import profile

BASE = 110  # lines above the ground line that plants may reach


class _Bed:
    """Four channels to draw plants on, in lines; drawn twice as fine as a draft needs."""

    def __init__(self, rows: int) -> None:
        self.light, self.cover, self.first, self.second = np.zeros((4, rows * 2, WIDTH * 2), np.uint8)

    def stem(self, points: np.ndarray, width: float, light: float) -> None:
        line = [np.round(points * 32).astype(np.int32)]
        thickness = max(1, round(width * 2))
        cv2.polylines(self.cover, line, False, 255, thickness, cv2.LINE_AA, 4)
        cv2.polylines(self.light, line, False, float(light), thickness, cv2.LINE_AA, 4)

    def petal(
        self, x: float, y: float, size: tuple[float, float], angle: float, accent: np.ndarray, light: float
    ) -> None:
        where, axes = (round(x * 32), round(y * 32)), (max(8, round(size[0] * 32)), max(8, round(size[1] * 32)))
        for channel, value in ((self.cover, 255.0), (self.light, 0.0), (accent, light)):
            cv2.ellipse(channel, where, axes, np.degrees(angle), 0, 360, float(value), -1, cv2.LINE_AA, 4)


@lru_cache(maxsize=10)
def plants(seed: int, blades: int, flowers: int, size: float, detail: int, ears: bool = False) -> Layer:
    """A bed of `blades` of grass (with ears of corn, on request) and flowers; `size` 1 is a meadow's middle distance.

    First and second accent: blossoms of two colours; ears count as the first.
    """
    random = np.random.default_rng(seed)
    base, rows = round(BASE * max(size, 0.6)), round(BASE * max(size, 0.6) + 90 * size) + 4
    bed = _Bed(rows)
    ground = profile(WIDTH, seed, 3, 1, 8) * 6 * size
    soil = np.arange(rows * 2)[:, None] >= (base + np.repeat(ground, 2)[None]) * 2
    bed.cover[soil], bed.light[soil] = 255, 70
    depth = np.sort(random.uniform(0, 1, blades))  # far blades first
    for far in depth:
        x = random.uniform(0, WIDTH)
        foot = base + ground[int(x)] + 62 * size * far
        length, bend = random.uniform(12, 34) * size, random.normal(0, 9) * size
        along = np.linspace(0, 1, 6)
        stalk = np.stack([x + bend * along**2, foot - length * along], 1)
        light = random.uniform(40, 150) + 80 * far
        bed.stem(stalk, max(0.5, 0.9 * size), light)
        if ears:
            lean = np.arctan2(stalk[-1, 1] - stalk[-2, 1], stalk[-1, 0] - stalk[-2, 0])
            bed.petal(
                stalk[-1, 0], stalk[-1, 1], (4.5 * size, 1.4 * size), float(lean), bed.first, random.uniform(110, 255)
            )
    for far in np.sort(random.uniform(0, 1, flowers)):
        x = random.uniform(0, WIDTH)
        foot = base + ground[int(x)] + (63 * far - 8) * size
        length, bend, radius = random.uniform(16, 40) * size, random.normal(0, 6) * size, random.uniform(3, 6.5) * size
        head = (x, foot - length)
        bed.stem(np.array([[x - bend, foot], head]), max(0.5, 0.7 * size), 120)
        accent = bed.first if random.random() < 0.55 else bed.second
        turn, squash, petals = random.random() * 6, random.uniform(0.5, 0.95), int(random.integers(5, 8))
        for index in range(petals):
            angle = turn + index * 2 * np.pi / petals
            out = np.array([np.cos(angle), np.sin(angle) * squash]) * radius * 0.75
            aim = float(np.arctan2(out[1], out[0]))
            light = random.uniform(140, 255) * (0.85 - 0.15 * np.sin(angle))
            bed.petal(head[0] + out[0], head[1] + out[1], (radius * 0.62, radius * 0.38), aim, accent, light)
        bed.petal(*head, (radius * 0.28, radius * 0.24), 0.0, accent, 60)
        cv2.circle(
            bed.light, (round(head[0] * 32), round(head[1] * 32)), max(8, round(radius * 9)), 255, -1, cv2.LINE_AA, 4
        )
    size_out = (WIDTH * detail, rows * detail)
    light, cover, first, second = (
        np.asarray(cv2.resize(channel, size_out, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
        for channel in (bed.light, bed.cover, bed.first, bed.second)
    )
    return build(light, cover, base * detail, detail, first, second)

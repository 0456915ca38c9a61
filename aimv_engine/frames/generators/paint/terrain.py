"""Land as layers: mountains, hills and dunes, each a field of heights seen from the side.

The field is projected column by column, near rows hiding far ones, as in the voxel landscapes of the early nineties:
every ridge gets slopes that face the light or lie in shade, and valleys that fill with haze.
"""

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from aimv_engine.arrays import F32

from .colours import smooth
from .layer import WIDTH, Layer, build
from .noise import profile, rough

Kind = Literal["mountains", "hills", "dunes"]
DEPTH = 128  # rows of a field, the first one nearest
SPACING = 3.0  # lines from one row to the next


@lru_cache(maxsize=12)
def terrain(kind: Kind, seed: int, relief: float, detail: int, side: int = 1) -> Layer:
    """A stretch of land, `relief` lines high, lit from the right (`side` 1) or the left (-1).

    First accent: how much snow lies; second: how much haze the valleys hold.
    """
    field = FIELDS[kind](seed)
    height = field * np.float32(relief / field.max())
    if kind in ("mountains", "hills"):  # they rise from the plain
        height *= smooth(0.0, 0.5, np.linspace(0, 1, DEPTH))[:, None]
    light = _light(height, side, kind)
    snow = smooth(0.40, 0.62, height / relief + 0.07 * rough(height.shape, seed + 5, 1.3, 6) - 0.30 * (0.6 - light))
    distance = np.linspace(0, 1, DEPTH, dtype=np.float32)[:, None]
    haze = np.clip(distance * 1.1 - 0.55 * height / relief, 0, 1)
    tilt = {"mountains": 0.08, "hills": 0.12, "dunes": 0.34}[kind]
    before = 0.0 if kind in ("mountains", "hills") else 0.92
    return _project(height, tilt, before, np.stack([light, snow, haze], -1), detail)


def _range(seed: int) -> F32:
    """Peaks with spurs running down from them, on a warped ground, roughened by sharp crests."""
    random = np.random.default_rng(seed)
    along = np.arange(WIDTH, dtype=np.float32)[None] + 22 * rough((DEPTH, WIDTH), seed + 1, 1.9, 4, 60)
    back = np.arange(DEPTH, dtype=np.float32)[:, None] * SPACING + 14 * rough((DEPTH, WIDTH), seed + 2, 1.9, 4, 60)
    field = np.zeros((DEPTH, WIDTH), np.float32)
    count = 13
    for index in range(count):
        middle = (index + random.uniform(-0.35, 0.35)) * WIDTH / count
        across = np.mod(along - middle + WIDTH / 2, WIDTH) - WIDTH / 2
        away = back - random.uniform(0.50, 0.85) * DEPTH * SPACING
        tall = random.uniform(0.40, 1.0)
        angle = np.arctan2(away, across)
        spurs = 1 + 0.20 * np.sin(5 * angle + 6 * random.random()) + 0.10 * np.sin(9 * angle + 6 * random.random())
        slope = np.sqrt(across**2 + away**2) * spurs / (tall * random.uniform(165, 250))
        field = np.maximum(field, tall * (0.85 * np.clip(1 - slope, 0, 1) + 0.15 * np.exp(-3 * slope**2)))
    crests = sum(
        0.5**octave * (1 - np.abs(rough((DEPTH, WIDTH), seed + 10 + octave, 1.0, 8 * 2**octave, 16 * 2**octave)))
        for octave in range(4)
    )
    return np.asarray(np.clip(field + (0.03 + 0.10 * field) * crests, 0, None), np.float32)


def _rolling(seed: int) -> F32:
    field = 0.5 + 0.24 * rough((DEPTH, WIDTH), seed, 2.6, 2, 14) + 0.012 * rough((DEPTH, WIDTH), seed + 1, 1.2, 40, 300)
    return np.asarray(np.clip(field, 0, 1.2), np.float32)


def _dunes(seed: int) -> F32:
    """Long slopes to windward, steep ones to leeward, crests that wander."""
    along = np.arange(WIDTH, dtype=np.float32)[None] / WIDTH
    back = np.arange(DEPTH, dtype=np.float32)[:, None] / DEPTH
    wander = 0.30 * rough((DEPTH, WIDTH), seed, 2.6, 1, 9)
    phase = np.mod(along * 4 + wander + back * 1.3, 1)
    slope = np.where(phase < 0.72, (phase / 0.72) ** 1.25, np.clip((1 - phase) / 0.28, 0, 1) ** 0.9)
    size = np.clip(0.62 + 0.26 * rough((DEPTH, WIDTH), seed + 3, 2.2, 1, 6), 0.15, 1.1)
    return np.asarray(cv2.GaussianBlur((slope * size).astype(np.float32), (0, 0), 1.2), np.float32)


FIELDS = {"mountains": _range, "hills": _rolling, "dunes": _dunes}


def _light(height: F32, side: int, kind: Kind) -> F32:
    """How lit every point of a field is, 0..1: a low sun from one side, and shade in the hollows."""
    across = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) / 2
    back = np.gradient(height, axis=0) / SPACING
    facing = (-0.72 * side * across - 0.30 * back + 0.55) / np.sqrt(across**2 + back**2 + 1)
    hollow = height - cv2.GaussianBlur(height, (0, 0), 14)
    light = 0.10 + 0.75 * facing + 0.35 * np.tanh(hollow / (0.25 * np.abs(hollow).max() + 1e-6))
    if kind == "dunes":  # ripples in the sand, and grains
        along = np.arange(WIDTH, dtype=np.float32)[None]
        wave = profile(WIDTH, 7, 2.5, 1, 60)[None] * 6
        rows = np.arange(DEPTH, dtype=np.float32)[:, None]
        light = light + 0.05 * np.sin(rows * 2.1 + wave + along * 0.05)
    return np.asarray(np.clip(light, 0, 1), np.float32)


def _project(height: F32, tilt: float, before: float, channels: F32, detail: int) -> Layer:
    """The field seen from the side: `tilt` lines upwards for every line of distance. Channels: light and two accents.

    The share `before` of the field lies this side of the base line.
    """
    supersampled = 2 * detail  # rows a line, halved at the end: smooth edges on the ridges inside
    size = (WIDTH * detail, DEPTH)
    surface = np.asarray(cv2.resize(height, size, interpolation=cv2.INTER_CUBIC), np.float32)
    values = np.asarray(cv2.resize(channels, size, interpolation=cv2.INTER_LINEAR), np.float32)
    lifted = surface + tilt * SPACING * np.arange(DEPTH, dtype=np.float32)[:, None]
    skyline = np.maximum.accumulate(lifted, axis=0)  # what near rows hide
    rows = int(np.ceil(skyline.max())) + 3
    levels = (rows - (np.arange(rows * supersampled, dtype=np.float32) + 0.5) / supersampled).astype(np.float32)
    row_seen = np.stack([np.searchsorted(skyline[:, column], levels) for column in range(size[0])], 1)
    seen = values[np.minimum(row_seen, DEPTH - 1), np.arange(size[0])[None]]
    everything = np.concatenate([seen, (row_seen < DEPTH)[..., None]], -1).astype(np.float32)
    halved = np.asarray(cv2.resize(everything, (size[0], rows * detail), interpolation=cv2.INTER_AREA), np.float32)
    base = (rows - before * tilt * SPACING * DEPTH) * detail
    return build(halved[..., 0], halved[..., 3], base, detail, halved[..., 1], halved[..., 2])

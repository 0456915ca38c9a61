"""Land as layers: mountains, hills, dunes and seas of cloud, each a field of heights seen from the side.

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

Kind = Literal["mountains", "hills", "dunes", "clouds"]
DEPTH = 128  # rows of a field, the first one nearest
SPACING = 3.0  # lines from one row to the next


@lru_cache(maxsize=12)
def terrain(kind: Kind, seed: int, relief: float, detail: int, side: int = 1) -> Layer:
    """A stretch of land, `relief` lines high, lit from the right (`side` 1) or the left (-1).

    First accent: how much snow lies; second: how much haze the valleys hold.
    """
    height = FIELDS[kind](seed) * relief
    light = _light(height, side, kind)
    snow = smooth(0.42, 0.62, height / relief + 0.10 * rough(height.shape, seed + 5, 1.3, 6) - 0.35 * (0.5 - light))
    distance = np.linspace(0, 1, DEPTH, dtype=np.float32)[:, None]
    haze = np.clip(distance * 1.1 - 0.55 * height / relief, 0, 1)
    tilt = {"mountains": 0.10, "hills": 0.16, "dunes": 0.30, "clouds": 0.34}[kind]
    return _project(height, tilt, np.stack([light, snow, haze], -1), detail)


def _ridged(seed: int) -> F32:
    """Sharp crests with gullies: octaves of folded noise, each stronger where the one before was high (Musgrave 1994)."""
    field = np.zeros((DEPTH, WIDTH), np.float32)
    weight = np.ones_like(field)
    for octave in range(6):
        middle = 4.5 * 2**octave
        band = rough((DEPTH, WIDTH), seed + octave, 1.0, middle * 0.6, middle * 1.2)
        crest = np.clip(1 - 0.75 * np.abs(band), 0, 1) ** 2
        field += crest * weight * 0.5**octave
        weight = np.clip(crest * weight * 1.6, 0, 1)
    massif = 0.55 + 0.45 * np.tanh(rough((DEPTH, WIDTH), seed + 9, 1.8, 1, 6))
    behind = np.linspace(0.45, 1.0, DEPTH, dtype=np.float32)[:, None]  # the crest line stands behind its foothills
    return np.asarray(np.clip(field / 1.75, 0, 1.2) * massif * behind, np.float32)


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


def _billows(seed: int) -> F32:
    """Heaped clouds: rounded tops and sharp clefts, the reverse of mountains."""
    field = np.zeros((DEPTH, WIDTH), np.float32)
    for octave in range(5):
        middle = 5.0 * 2**octave
        field += np.abs(rough((DEPTH, WIDTH), seed + octave, 1.0, middle * 0.6, middle * 1.3)) * 0.55**octave
    return np.asarray(np.clip(field / 2.4, 0, 1.2), np.float32)


FIELDS = {"mountains": _ridged, "hills": _rolling, "dunes": _dunes, "clouds": _billows}


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


def _project(height: F32, tilt: float, channels: F32, detail: int) -> Layer:
    """The field seen from the side: `tilt` lines upwards for every line of distance. Channels: light and two accents."""
    supersampled = 2 * detail  # rows a line, halved at the end: smooth edges on the ridges inside
    size = (WIDTH * detail, DEPTH)
    height = cv2.resize(height, size, interpolation=cv2.INTER_CUBIC)
    channels = cv2.resize(channels, size, interpolation=cv2.INTER_LINEAR)
    lifted = height + tilt * SPACING * np.arange(DEPTH, dtype=np.float32)[:, None]
    skyline = np.maximum.accumulate(lifted, axis=0)  # what near rows hide
    rows = int(np.ceil(skyline.max())) + 3
    levels = (rows - (np.arange(rows * supersampled, dtype=np.float32) + 0.5) / supersampled).astype(np.float32)
    row_seen = np.stack([np.searchsorted(skyline[:, column], levels) for column in range(size[0])], 1)
    cover = (row_seen < DEPTH).astype(np.float32)
    seen = channels[np.minimum(row_seen, DEPTH - 1), np.arange(size[0])[None]]
    halved = (size[0], rows * detail)
    cover = cv2.resize(cover, halved, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(seen, halved, interpolation=cv2.INTER_AREA)
    return build(seen[..., 0], cover, rows * detail, detail, seen[..., 1], seen[..., 2])

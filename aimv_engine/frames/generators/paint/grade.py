"""From linear light to a finished picture: bloom, vignette, colour grade, tone curve, the tooth of the paper."""

from functools import lru_cache

import cv2
import numpy as np

from aimv_engine.arrays import F32
from aimv_engine.looks import Look

from .canvas import Canvas
from .colours import LUMA, linear, smooth
from .view import View


def bloom(canvas: Canvas, strength: float) -> None:
    """What is bright glows over its surroundings: a near halo and a wide one."""
    height, width = canvas.shape[:2]
    quarter, sixteenth = (width // 4, height // 4), (max(1, width // 16), max(1, height // 16))
    bright = np.clip(cv2.resize(canvas, quarter, interpolation=cv2.INTER_AREA) - np.float32(0.55), 0, 2)
    spread = height / 120
    near = cv2.GaussianBlur(bright, (0, 0), spread)
    wide = cv2.GaussianBlur(cv2.resize(bright, sixteenth, interpolation=cv2.INTER_AREA), (0, 0), spread)
    glow = near * np.float32(0.35) + cv2.resize(wide, quarter, interpolation=cv2.INTER_LINEAR) * np.float32(0.5)
    canvas += cv2.resize(glow * np.float32(strength), (width, height), interpolation=cv2.INTER_LINEAR)


@lru_cache(maxsize=4)
def _vignette(width: int, height: int) -> F32:
    x, y = View(width, height, 0.0).screen()
    away = np.sqrt((x / max(1.0, width / height / 1.78)) ** 2 * 0.9 + y**2 * 1.5)
    return np.asarray(cv2.merge([1 - 0.5 * smooth(0.30, 1.05, away)] * 3), np.float32)


def develop(canvas: Canvas, view: View, look: Look) -> F32:
    """Display values 0..1 of a canvas: graded by the look, by the energy and the key of the music."""
    exposure = 0.92 + 0.25 * view.brightness
    if look.levels:  # flat tones would make black corners of a vignette
        canvas *= np.float32(exposure)
    else:
        cv2.multiply(canvas, _vignette(view.width, view.height), dst=canvas, scale=exposure)
    saturation = look.saturation * (0.88 + 0.24 * view.energy)
    matrix = np.eye(3) * saturation + (1 - saturation) * LUMA[None]
    tint = 1 + 0.06 * np.cos(2 * np.pi * (np.array([0, 1 / 3, 2 / 3]) - view.hue))
    lifted = np.array([[0.004], [0.004], [0.007]])
    picture = cv2.transform(canvas, np.hstack([tint[:, None] * matrix, lifted]).astype(np.float32))
    np.maximum(picture, 0, out=picture)
    picture = cv2.sqrt(picture * (1 + picture * np.float32(0.16)) / (1 + picture) * np.float32(1.12))
    picture = (picture - np.float32(0.45)) * np.float32(look.contrast * 1.08) + np.float32(0.446)
    if look.toning:
        picture = _toned(picture, look)
    return np.clip(picture, 0, 1, out=picture)


def _toned(picture: F32, look: Look) -> F32:
    """Shadows, middle tones and lights drawn towards three colours of the look."""
    stops = [np.sqrt(linear(code)) for code in look.palette]
    luma = np.clip(cv2.transform(picture, LUMA[None]), 0, 1)
    index = (luma * 255).astype(np.uint8)
    places = np.linspace(0, 1, len(stops))
    table = np.stack([np.interp(np.linspace(0, 1, 256), places, [stop[c] for stop in stops]) for c in range(3)], -1)
    toned = table.astype(np.float32)[index]
    return np.asarray(picture + (toned - picture) * np.float32(look.toning), np.float32)


@lru_cache(maxsize=4)
def _paper(width: int, height: int) -> F32:
    """The tooth of a rough paper, mean 0: it lies still under everything that moves."""
    scale = max(1.0, height / 540)
    grain = np.random.default_rng(61).standard_normal((round(height / scale) + 1, round(width / scale) + 1))
    fine, coarse = (np.asarray(cv2.GaussianBlur(grain, (0, 0), spread), np.float32) for spread in (0.9, 2.4))
    fibres = fine + np.float32(1.2) * coarse
    lit = fibres - np.roll(fibres, (1, 1), (0, 1))  # from one side
    tooth = cv2.resize(lit, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.merge([tooth / tooth.std()] * 3), np.float32)


def on_paper(picture: F32, amount: float) -> F32:
    """The picture on rough paper: pigment lies in its hollows, less where it is very light or very dark."""
    height, width = picture.shape[:2]
    held = cv2.multiply(picture, np.float32(1.15) - picture)
    return np.asarray(picture + _paper(width, height) * held * np.float32(0.10 * amount), np.float32)

"""Halls: walking down the nave of a cathedral or through a palace, arch after arch."""

import numpy as np

from aimv_engine.arrays import F32

from .canvas import Canvas, add, enlarge, over, ramp
from .colours import WHITE, mix, smooth
from .noise import cloud, sample
from .stage import Stage

ARCHES = 9  # seen at a time
EYE = 0.20  # height of the eye; the nave is 1 wide
SPRING = 0.50  # where the arches begin to bend
PIER, AISLE = 0.17, 0.26  # thickness of the piers, and half the width of the openings to the sides


def paint_hall(canvas: Canvas, stage: Stage) -> None:
    """Walls with openings one behind the other, hazier with distance; light comes from the far end and one side."""
    view, light, horizon = stage.view, stage.light, stage.horizon
    x, y = view.plane(0.5, 2)
    walked = view.time * stage.number("pace", 0.16)
    stone = stage.colour("wall", "#a8987e")
    shine = np.float32(0.40 + 0.60 * max(light.ambient, 0.45 * light.strength))
    glow = mix(light.horizon, light.sun, 0.5) * shine
    glass = glow * stage.colour("glass", "#ffe0b0")

    away = np.sqrt(x**2 + (y - horizon + 0.04) ** 2)
    picture = ramp(np.exp(-away * 9), mix(light.air, glow, 0.3) * np.float32(0.7), glow * np.float32(1.9))
    _paint_floor(picture, stage, x, y, walked, stone, glow)
    for index in range(ARCHES, 0, -1):
        distance = index - np.mod(walked, 1) + 0.06
        across, up = np.abs(x) * distance, (horizon - y) * distance
        gap, rim = _arcade(across, up, stage.number("pointed", 1.0))
        soft = 1.4 * distance / view.height
        solid = smooth(-soft, soft, gap) * smooth(-soft, soft, up + EYE)
        which = index + int(np.floor(walked))
        stains = sample(cloud(stage.seed % 499, 1.7), across * 0.4 + 0.31 * (which % 7), up * 0.4)
        moulding = np.exp(-(((up - SPRING) / 0.018) ** 2)) + 0.7 * np.exp(-(((gap - 0.045) / 0.008) ** 2))
        lit = np.clip(0.10 + 0.28 * stains + 0.62 * np.exp(-gap * 20) * rim + 0.25 * moulding, 0, 1)
        face = ramp(lit, stone * light.shade * np.float32(0.55), stone * glow * np.float32(1.1))
        pane = _lancet(across, up, soft)
        over(face, pane * 0.95, glass * np.float32(1.5))
        haze = 1 - np.exp(-max(distance - 0.8, 0) * 0.30)
        over(face, np.full(face.shape[:2], haze), mix(light.air, glow, 0.45))
        over(picture, solid * float(smooth(0.12, 0.5, distance)), face)
    slant = x * 0.7 + (y - horizon) * (0.8 * stage.side)
    shafts = smooth(0.52, 0.80, sample(cloud(14, 2.2, 3), slant * 0.34 + view.time * 0.008, 0.2 + view.time * 0.005))
    add(picture, shafts * smooth(0.40, -0.45, y) * (0.25 + 0.25 * view.energy), glow)
    canvas[:] = enlarge(picture, view)


def _arcade(across: F32, up: F32, pointed: float) -> tuple[F32, F32]:
    """How far points of a wall lie outside its nearest opening (negative inside), and how much its edge is lit.

    The middle opening is a pointed arch (two arcs about the opposite feet) or a round one; smaller ones repeat beside
    it.
    """
    above = np.maximum(up - SPRING, 0)
    gothic, rounded = np.sqrt((across + 0.5) ** 2 + above**2) - 1, np.sqrt(across**2 + above**2) - 0.5
    middle = gothic if pointed else rounded
    beside = np.abs(np.mod(across - 0.5 - PIER, 2 * AISLE + PIER) - AISLE)
    low = np.maximum(up - SPRING * 0.7, 0)
    aisle = np.sqrt((beside + AISLE) ** 2 + low**2) - 2 * AISLE if pointed else np.sqrt(beside**2 + low**2) - AISLE
    inner = across < 0.5 + PIER / 2
    return np.where(inner, middle, aisle).astype(np.float32), np.where(inner, 1.0, 0.55).astype(np.float32)


def _lancet(across: F32, up: F32, soft: float) -> F32:
    """The windows over the side openings."""
    beside = np.abs(np.mod(across - 0.5 - PIER, 2 * AISLE + PIER) - AISLE)
    top = 1.20 - 1.6 * beside
    bars = smooth(0.010, 0.010 + soft, np.abs(beside - 0.0)) * smooth(0.01, 0.01 + soft, np.abs(up - 1.0))
    window = (
        smooth(0.12 + soft, 0.12 - soft, beside)
        * smooth(0.82 - soft, 0.82 + soft, up)
        * smooth(top + soft, top - soft, up)
    )
    return np.asarray(window * bars * (across > 0.5 + PIER / 2), np.float32)


def _paint_floor(picture: Canvas, stage: Stage, x: F32, y: F32, walked: float, stone: F32, glow: F32) -> None:
    """Chequered slabs that mirror the light of the far end."""
    below = np.maximum(y - stage.horizon, 0.003)
    reach = np.minimum(EYE / below, 40)
    blur = np.clip(reach**2 * 0.02, 0, 1)
    tile = (np.floor(x * reach * 5 + 0.5) + np.floor((reach + walked) * 5)) % 2
    shine = np.exp(-np.abs(x) * 2.6) * np.exp(-below * 1.5) + 0.35 * np.exp(-np.abs(x) * 7)
    lit = np.clip(0.12 + 0.14 * (tile * (1 - blur) + 0.5 * blur) + 0.7 * shine, 0, 1)
    floor = ramp(lit, stone * stage.light.shade * np.float32(0.5), glow * mix(stone, WHITE, 0.25))
    over(floor, np.exp(-below * 9) * 0.9, mix(stage.light.air, glow, 0.5))
    over(picture, smooth(0.0, 0.01, y - stage.horizon - 0.012), floor)

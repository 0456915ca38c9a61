"""A street between houses: two upright planes of facades that pass by, with windows, signs and lamps."""

import cv2
import numpy as np

from .canvas import Canvas, Mask, add, enlarge, over, ramp
from .colours import linear, mix, smooth
from .noise import chance, cloud, sample
from .stage import Stage

WALL = 1.05  # how far to the side the facades stand
SIGNS = ("#ff3f9c", "#2fe0ff", "#ffb23f", "#8cff5a", "#a060ff")


def paint_houses(canvas: Canvas, stage: Stage) -> None:
    """House fronts on both sides, and their light on the ground before them."""
    view, light = stage.view, stage.light
    x, y = view.plane(0.55, 2)
    y = y - stage.horizon
    side = (x > 0).astype(np.float32)
    distance = (WALL / np.maximum(np.abs(x), 0.02) * 0.5).astype(np.float32)
    up = -y * distance * 2  # height on the wall
    ahead = np.minimum(distance, 40) + view.time * stage.number("speed", 0.30)

    block = np.floor(ahead * 0.55)
    taller = chance(stage.seed, block, side)
    wall = (
        smooth(0.0, 0.012, (1.0 + 2.6 * taller - up) / distance)
        * smooth(0.0, 0.02, up + 0.30)
        * smooth(0.03, 0.10, np.abs(x))
    )

    column, storey = ahead * 4.4, up * 4.2 + 40
    fine = distance * 2.2 / view.height  # how much of the wall one pixel spans
    across, down = np.mod(column, 1), np.mod(storey, 1)
    edge = np.clip(fine * 5, 0.03, 0.2)
    pane = _within(across, 0.2, 0.8, edge) * _within(down, 0.25, 0.8, edge) * (up > 0.12)
    who = chance(stage.seed + 1, column, storey, side)
    lit = pane * smooth(0.50, 0.56, who) * smooth(13, 4, distance)
    flicker = 0.8 + 0.2 * np.sin(view.time * 1.1 + who * 40)
    bars = _within(across, 0.47, 0.53, edge) * pane  # glazing bars
    lit = lit * (1 - 0.5 * bars) * flicker

    frame = np.clip(fine * 6, 0.02, 0.2)
    sign_column, sign_row = ahead * 1.7, up * 1.5 + 20
    sign = chance(stage.seed + 2, sign_column, sign_row, side)
    board = _within(np.mod(sign_column, 1), 0.2, 0.42 + 0.4 * (sign > 0.85), frame) * _within(
        np.mod(sign_row, 1), 0.08, 0.92, frame
    )
    board = board * smooth(0.66, 0.70, sign) * (up > 0.02) * (up < 1.5) * smooth(15, 5, distance)
    letters = 0.55 + 0.45 * (chance(stage.seed + 3, sign_column * 9, sign_row * 9, side) > 0.45)
    front_width = np.mod(ahead * 1.1, 1)
    shop = (
        _within(front_width, 0.10, 0.90, frame)
        * _within(up, -0.24, 0.06, np.clip(fine * 3, 0.01, 0.2))
        * smooth(12, 4, distance)
    )
    shelves = (
        0.45 + 0.55 * sample(cloud(12, 1.7), ahead * 1.3, up * 1.6) - 0.25 * _within(np.mod(up * 9, 1), 0.0, 0.25, edge)
    )
    panes = 1 - 0.6 * _within(np.mod(front_width * 3, 1), 0.0, 0.07, edge)
    shop = shop * (chance(stage.seed + 4, ahead * 1.1, side) > 0.35) * shelves * panes * smooth(-0.30, 0.02, up)

    neon = np.float32(1 if light.night > 0.7 else 0.55)
    night = np.float32(0.3 + 0.7 * max(light.night, 0.3))
    brick = mix(light.zenith, light.fog, 0.3) * np.float32(0.5 + 0.5 * light.ambient)
    facing = np.float32(1.15) if light.ambient > 0.4 else np.float32(0.6)
    tone = (0.5 + 0.6 * taller + 0.25 * (sample(cloud(12, 1.6), ahead * 0.4, up * 0.4) - 0.5)).astype(np.float32)
    front = ramp(tone, brick * 0.3, mix(brick, light.shine, 0.4 * light.ambient) * facing)
    over(
        front,
        (pane * (1 - smooth(0.50, 0.56, who)) * 0.6).astype(np.float32),
        mix(light.zenith, light.horizon, 0.5) * np.float32(0.45),
    )
    energy = np.float32(0.6 + 0.5 * view.energy)
    add(
        front,
        (lit * (0.3 + 0.7 * chance(stage.seed + 6, column, storey))).astype(np.float32),
        linear("#ffc46a") * energy * night,
    )
    pick = np.floor(chance(stage.seed + 7, sign_column, sign_row, side) * len(SIGNS))
    for index, code in enumerate(SIGNS):
        add(
            front,
            (board * letters * (pick == index)).astype(np.float32),
            linear(code) * energy * neon * np.float32(1.4),
        )
    add(front, shop.astype(np.float32), linear("#ffdc9c") * energy * night * np.float32(0.9))
    haze = 1 - np.exp(-np.maximum(distance - 1, 0) * 0.10 * (1 + stage.haze))
    over(front, (haze * 0.9).astype(np.float32), mix(light.fog, light.horizon, 0.3))
    cover = enlarge(wall.astype(np.float32), view)
    front = enlarge(front, view)
    over(canvas, cover, front)
    _mirror_in_ground(canvas, stage, front * cover[..., None])
    _paint_lamps(canvas, stage)


def _within(value: np.ndarray, low: float | np.ndarray, high: float | np.ndarray, edge: np.ndarray) -> np.ndarray:
    """1 between two bounds, falling to 0 over `edge` outside."""
    return np.asarray(
        np.clip((value - low) / edge + 0.5, 0, 1) * np.clip((high - value) / edge + 0.5, 0, 1), np.float32
    )


def _mirror_in_ground(canvas: Canvas, stage: Stage, front: Canvas) -> None:
    """Lit windows and signs, drawn out on the wet ground."""
    wet = max(stage.number("wet", 0.4), 0.9 if "rain" in stage.things else 0)
    height = stage.view.height
    top = int((stage.horizon + 0.52) * height)
    x, y = stage.view.screen()
    bumps = sample(cloud(4, 1.6), x * 0.8, y[top:] * 2.5 - stage.view.time * 0.05) - 0.5
    rows = (2 * stage.horizon - y[top:] + 0.5) * height + bumps * height * 0.07
    columns = (x + stage.view.aspect / 2) * height + bumps * height * 0.04
    mirror = cv2.remap(
        front, columns.astype(np.float32), np.clip(rows, 0, height - 1).astype(np.float32), cv2.INTER_LINEAR
    )
    canvas[top:] += cv2.GaussianBlur(mirror, (0, 0), height / 360, sigmaY=height / 80) * np.float32(0.8 * wet)


def _paint_lamps(canvas: Canvas, stage: Stage) -> None:
    """Street lamps in two rows that come nearer."""
    view = stage.view
    passed = np.mod(view.time * stage.number("speed", 0.30) / 2.2, 1)
    posts, bulbs = Mask(view), Mask(view)
    for index in range(5, 0, -1):
        distance = (index - passed) * 2.2 / 2 + 0.35
        for side in (-1, 1):
            foot = view.project(side * 0.36 / distance, stage.horizon + 0.12 / distance, 0.55)
            head = view.project(side * 0.36 / distance, stage.horizon - 0.34 / distance, 0.55)
            arm = view.project(side * 0.27 / distance, stage.horizon - 0.36 / distance, 0.55)
            posts.line([foot, head, arm], 0.006 / distance)
            bulbs.disc(*arm, 0.007 / distance, 1.0, 0.7)
    over(canvas, posts.cover() * np.float32(0.9), stage.light.zenith * np.float32(0.2))
    if stage.light.night > 0.2:
        lamp = linear("#ffd9a0")
        add(canvas, bulbs.cover(), lamp * 1.5)
        add(canvas, bulbs.cover(0.02) * np.float32(2.2), lamp * np.float32(0.5))

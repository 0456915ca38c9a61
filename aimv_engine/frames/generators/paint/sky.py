"""Sky: its colours, sun and moon, clouds, stars and northern lights."""

from functools import lru_cache

import cv2
import numpy as np

from aimv_engine.arrays import F32

from .canvas import Canvas, Mask, add, enlarge, over, ramp
from .colours import linear, mix, smooth
from .noise import cloud, sample
from .stage import Stage

FAR = 0.03  # the depth of the sky


def paint_sky(canvas: Canvas, stage: Stage) -> None:
    """Gradient, glow, clouds, and the sun's or moon's disc."""
    view, light = stage.view, stage.light
    x, y = view.plane(FAR, 2)
    height = (y - stage.horizon) / (0.5 + stage.horizon)  # -1 at the top, 0 at the horizon
    stops = np.array([-1.0, -0.45, 0.0, 0.4])
    colours = [light.zenith, light.middle, light.horizon, light.horizon * 0.9]
    rows = np.stack([np.interp(height[:, 0], stops, [c[i] for c in colours]) for i in range(3)], -1)
    sky = np.repeat(rows[:, None].astype(np.float32), x.shape[1], 1)

    away_x, away_y = x - stage.sun[0], y - stage.sun[1]
    distance = np.sqrt(away_x**2 + away_y**2)
    glow = (0.55 * np.exp(-distance * 5) + 0.6 * np.exp(-distance * 16)) * (0.75 + 0.35 * view.brightness)
    if light.height < 0.3:  # a low sun lights the whole horizon
        glow = glow + 0.5 * np.exp(-np.abs(y - stage.horizon) * 9 - np.abs(away_x) * 1.6)
    add(sky, (glow * light.strength).astype(np.float32), light.sun)

    cover = np.zeros_like(distance)
    amount = stage.number("clouds", 0.45)
    if amount > 0:
        cover, lit = _clouds(stage, x, y, amount)
        shade = mix(light.fog, light.zenith, 0.45) * 0.75
        colour = ramp(lit, shade, mix(light.horizon, light.sun, 0.6) * 1.05)
        add(colour, np.exp(-distance * 3) * (1 - cover) * np.float32(0.35 * light.strength), light.sun)
        over(sky, cover, colour)
    canvas[:] = enlarge(sky, view)
    clear = 1 - enlarge(cover, view)
    if light.night > 0.3 or "stars" in stage.things:
        _paint_stars(canvas, stage, np.clip(1.3 * clear - 0.3, 0, 1))
    if light.strength > 0.3 and stage.number("disc", 1.0):
        _paint_disc(canvas, stage, clear)


def _clouds(stage: Stage, x: F32, y: F32, amount: float) -> tuple[F32, F32]:
    """How much clouds cover, and how lit they are: a noisy plane overhead, lit where it thins out towards the sun."""
    time, seed = stage.view.time, stage.seed % 499
    above = np.maximum(stage.horizon - y, 0) + 0.06
    u = (x + stage.wander * 0.1) / above * 0.16 + time * 0.010
    v = 0.16 / above + time * 0.004
    large, fine = cloud(seed, 2.5, 2), cloud(seed + 3, 1.9, 4)
    density = 0.72 * sample(large, u, v) + 0.28 * sample(fine, u * 2.3 + time * 0.006, v * 2.3)
    threshold = 1.02 - 0.75 * amount
    cover = smooth(threshold - 0.28, threshold + 0.22, density) * smooth(0, 0.10, above - 0.06) * np.float32(0.92)
    towards = 0.018 if stage.light.height > 0.2 else -0.011
    beside = sample(large, u + (stage.sun[0] - x) * 0.05, v - towards)
    return cover, np.clip(0.5 + (density - beside) * 2.6, 0, 1).astype(np.float32)


def _paint_disc(canvas: Canvas, stage: Stage, clear: F32) -> None:
    view, light = stage.view, stage.light
    x, y = view.screen()
    sun_x, sun_y = view.project(*stage.sun, FAR)
    radius = stage.number("disc_radius", 0.045)
    away = np.sqrt((x - sun_x) ** 2 + (y - sun_y) ** 2)
    disc = smooth(radius + 0.003, radius - 0.003, away)
    if light.night > 0.5:  # the moon has seas
        seas = sample(cloud(31, 2.0), (x - sun_x) * 1.3, (y - sun_y) * 1.3)
        add(canvas, disc * (0.5 + 0.6 * seas) * (0.4 + 0.6 * clear), light.sun)
    else:
        add(canvas, disc * np.float32(1.6) * (0.25 + 0.75 * clear), light.sun)


@lru_cache(maxsize=4)
def starfield(seed: int, count: int = 800, detail: int = 1) -> F32:
    """Points of light of very different brightness, [720, 1536] times detail, 0..1."""
    random = np.random.default_rng(seed)
    field = np.zeros((720 * detail, 1536 * detail), np.uint8)
    places = random.uniform(0, 1, (count, 2)) * [1536 * detail, 720 * detail]
    for (x, y), bright in zip(places, random.random(count) ** 5, strict=True):
        radius = (0.5 + 1.3 * bright) * detail
        cv2.circle(field, (round(x * 16), round(y * 16)), round(radius * 16), 40 + 215 * bright, -1, cv2.LINE_AA, 4)
    return np.asarray(field, np.float32) / np.float32(255)


def _paint_stars(canvas: Canvas, stage: Stage, clear: F32) -> None:
    """Two fields that twinkle in turns."""
    view = stage.view
    scale = view.height / (480 * stage.detail)
    for index, twinkle in enumerate((np.sin(view.time * 1.7), -np.sin(view.time * 1.7))):
        field = starfield(stage.seed % 97 + index, detail=stage.detail)
        shift = (view.time * 0.004 + view.pan_x * FAR) * view.height
        warp = np.array([[scale, 0, -shift - 0.2 * view.width], [0, scale, -0.1 * view.height]])
        stars = cv2.warpAffine(field, warp, (view.width, view.height), borderMode=cv2.BORDER_WRAP)
        strength = (stage.light.night + 0.25) * (1.0 + 0.35 * twinkle)
        add(canvas, stars * clear * np.float32(strength), (0.85, 0.92, 1.0))


def paint_aurora(canvas: Canvas, stage: Stage) -> None:
    """Three curtains of light that fold and drift."""
    view, time = stage.view, stage.view.time
    x, y = view.plane(FAR, 2)
    light = np.zeros((view.height // 2, view.width // 2, 3), np.float32)
    for index, colour in enumerate(("#38ff9c", "#38d0ff", "#b060ff")):
        hem = (
            -0.24
            + 0.10 * index
            + 0.07 * np.sin(x * 3.1 + time * 0.35 + index * 2)
            + 0.04 * np.sin(x * 7.7 - time * 0.5)
        )
        above = hem + 0.12 - y
        curtain = np.where(
            above > 0, np.exp(-np.maximum(above, 0) * (7 - 3 * view.energy)), np.exp(np.minimum(above, 0) * 40)
        )
        folds = sample(cloud(3, 2.0), x * 0.9 + time * 0.02 + index * 0.3, time * 0.012 + index * 0.21)
        rays = sample(cloud(8, 1.4), x * 2.6 + index * 0.4, y * 0.12 + time * 0.03)
        shining = curtain * np.clip(folds * 1.6 - 0.35, 0, 1) * (0.4 + rays) * (0.3 + 0.35 * view.energy)
        add(light, shining.astype(np.float32), linear(colour))
    canvas += enlarge(light, view)


def paint_birds(canvas: Canvas, stage: Stage) -> None:
    """A loose flock that crosses the sky."""
    view, time = stage.view, stage.view.time
    mask = Mask(view)
    half = view.aspect / 2 + 0.15
    for lane, start, level, size, beat, phase in np.random.default_rng(stage.seed + 17).random((11, 6)):
        x = np.mod(start * 0.8 + lane * 0.4 + time * (0.03 + 0.015 * lane) / half, 1) * 2 * half - half
        y = -0.36 + 0.30 * level + 0.02 * np.sin(time * 0.7 + phase * 6)
        span = 0.014 + 0.024 * size
        flap = np.sin(time * (4 + 2 * beat) + phase * 6.3) * 0.55 + 0.15
        bend = -0.55 * abs(flap)
        wing = np.array([[-1.5, -0.9 * flap], [-0.6, bend - 0.1], [0, 0.08], [0.6, bend - 0.1], [1.5, -0.9 * flap]])
        under = np.array([[0.6, bend + 0.14], [0, 0.3], [-0.6, bend + 0.14]])
        mask.polygon(np.concatenate([wing, under]) * span + np.array([x, y]))
    over(canvas, mask.cover() * np.float32(0.85), stage.light.zenith * 0.25)

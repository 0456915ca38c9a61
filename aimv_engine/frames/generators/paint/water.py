"""Water: a mirror of all that was painted before, broken by waves, with the sun's path on it."""

import cv2
import numpy as np

from .canvas import Canvas, add, enlarge, over, ramp
from .colours import WHITE, linear, mix, smooth
from .light import fog_bank
from .noise import cloud, sample
from .sky import FAR
from .stage import Stage

WAVES = 50  # the seed of the texture waves are read from
STEEPEST = 20  # rows of that texture that a row of the picture may span before its waves fade


def paint_water(canvas: Canvas, stage: Stage) -> None:
    """From the horizon to the viewer. Setting `rough`: 0 a mirror, 1 the open sea."""
    view, light = stage.view, stage.light
    top = int((stage.horizon + 0.5) * view.height)
    x, y = (axis.copy() for axis in view.screen())
    y = y[top:]
    below = np.maximum(y - stage.horizon, 0.001) / view.scale(0.5)
    near = 0.06 / (below + 0.012)  # how far away a row is, in the waves' measure
    rough, time = stage.number("rough", 0.8), view.time
    texture = cloud(WAVES, 2.0, 4)
    across = (x / view.scale(0.5) + view.pan_x * 0.3 + stage.wander * 0.3) * near * 2.2
    finest = 1 / (near * near * len(texture) / (0.06 * view.height))  # rows of the picture a texture's row fills
    swell = sample(texture, across * 0.8 + time * 0.025, near * 3.1 - time * 0.05) - 0.5
    ripple = sample(texture, across * 2.1 - time * 0.04, near * 8.0 - time * 0.09 + 0.37) - 0.5
    swell *= np.clip(STEEPEST * finest / 3.1, 0, 1)  # waves finer than a row would be noise
    ripple *= np.clip(STEEPEST * finest / 8.0, 0, 1)
    wave = swell + 0.6 * ripple
    strength = (0.35 + 0.9 * view.energy) * rough
    mirrored = (2 * stage.horizon - y + 0.5) * view.height - 2 + wave * below**0.8 * view.height * 0.42 * strength
    sideways = (x + view.aspect / 2) * view.height + (ripple - swell) * below * view.height * 0.25 * strength
    mirror = cv2.remap(
        canvas,
        sideways.astype(np.float32),
        np.clip(mirrored, 0, top - 1).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    seen = np.clip(0.95 - 1.05 * below + wave * 0.55 * strength, 0.12, 0.96).astype(np.float32)
    deep = mix(stage.colour("water", "#0d3448"), light.fog, 0.18) * np.float32(0.35 + 0.65 * light.ambient)
    sea = ramp(np.ones_like(seen), deep, deep)
    over(sea, seen, mirror * np.float32(0.86))
    path = view.project(*stage.sun, FAR)[0]
    glitter = np.exp(-(((x - path) / (0.035 + below * 0.45)) ** 2)) * smooth(0.10, 0.42, wave + 0.18 * ripple + 0.02)
    add(sea, (glitter * light.strength * (1.2 if light.height < 0.7 else 0.3)).astype(np.float32), light.sun)
    foam = smooth(0.24, 0.38, swell * 0.9 + 0.5 * ripple) * smooth(0.06, 0.4, below) * np.float32(0.3 * rough)
    add(sea, foam * np.float32(light.ambient + 0.08), mix(light.horizon, WHITE, 0.4))
    canvas[top:] = sea
    fog_bank(canvas, view, stage.horizon, 0.02 + 0.05 * stage.haze, 0.15 + 0.4 * stage.haze, light.air, stage.seed)
    shore = np.exp(-(((y - stage.horizon - 0.006) / 0.004) ** 2)) * max(0.0, 0.6 - rough)
    over(canvas[top:], shore, mix(light.horizon, light.sun, 0.3) * np.float32(0.3 + 0.7 * light.ambient))


def paint_beach(canvas: Canvas, stage: Stage) -> None:
    """Sand in the foreground, with surf that runs up it and slides back."""
    view, light = stage.view, stage.light
    x, y = view.plane(0.7, 2)
    along = x + stage.wander * 0.7
    run = 0.022 * np.sin(view.time * 0.55) + 0.008 * np.sin(view.time * 1.3 + 1)
    edge = stage.horizon + 0.27 + 0.10 * x + run * (0.6 + 0.8 * view.energy)
    edge = edge + 0.05 * (sample(cloud(6, 2.2, 2), along * 0.12, view.time * 0.01) - 0.5)
    depth = y - edge
    grains = sample(cloud(9, 1.5), along * 0.9, y * 2.2)
    sand = stage.colour("sand", "#d8b888")
    wet = smooth(0.10, 0.0, depth)
    beach = ramp(np.clip(0.3 + 0.7 * grains, 0, 1), sand * light.shade * 1.6, sand * light.shine * 1.5)
    over(
        beach, (wet * 0.75).astype(np.float32), mix(light.horizon, sand, 0.35) * np.float32(0.25 + 0.5 * light.ambient)
    )
    lace = sample(cloud(14, 1.8, 4), along * 0.8 + view.time * 0.01, y * 2.6)
    foam = np.exp(-(((depth - 0.004) / 0.010) ** 2)) + 0.55 * smooth(-0.10, 0.0, depth) * smooth(0.55, 0.75, lace)
    over(
        beach,
        np.clip(foam, 0, 0.9).astype(np.float32),
        mix(light.shine, WHITE, 0.5) * np.float32(0.4 + 0.6 * light.ambient),
    )
    cover = smooth(-0.012, 0.004, depth) + 0.5 * foam * (depth < 0)
    full_cover = enlarge(np.clip(cover, 0, 1).astype(np.float32), view)
    over(canvas, full_cover, enlarge(beach, view))


def paint_waterfall(canvas: Canvas, stage: Stage) -> None:
    """A white fall between mossy rocks, with spray at its foot."""
    view, light = stage.view, stage.light
    x, y = view.plane(0.35, 2)
    beside = x - stage.number("fall", -0.10)
    rock = sample(cloud(stage.seed % 499, 1.9, 2), x * 0.55, y * 0.30)
    facing = rock - sample(cloud(stage.seed % 499, 1.9, 2), x * 0.55 + 0.015 * stage.side, y * 0.30 + 0.012)
    brink = -0.30 + 0.5 * np.maximum(np.abs(beside) - 0.16, 0) + 0.22 * (rock - 0.5) * smooth(0.06, 0.2, np.abs(beside))
    wall = smooth(-0.01, 0.01, y - brink) * smooth(0.06, 0.05, y - stage.horizon)
    moss, stone = stage.colour("leaves", "#5f7a48"), linear("#6e6a60")
    tone = np.clip(0.40 + 4.5 * facing + 0.3 * (rock - 0.5), 0, 1)
    cliff = ramp(tone, stone * light.shade * 1.2, stone * light.shine * np.float32(1.3))
    over(cliff, smooth(0.50, 0.62, rock) * 0.7, ramp(tone, moss * light.shade, moss * light.shine * np.float32(1.5)))
    strands = sample(cloud(71, 1.7), beside * 1.9, y * 0.22 - view.time * 0.42)
    veil = smooth(0.10, 0.04, np.abs(beside + 0.02 * np.sin(y * 9)) + 0.09 * (strands - 0.5))
    white = mix(light.shine, WHITE, 0.6) * np.float32(0.4 + 0.6 * light.ambient)
    over(cliff, veil * (0.35 + 0.65 * strands), white)
    over(canvas, enlarge(np.asarray(wall + 0 * x, np.float32), view), enlarge(cliff, view))
    fog_bank(canvas, view, stage.horizon + 0.03, 0.05, 0.6, mix(light.air, WHITE, 0.3), stage.seed, 0.04)

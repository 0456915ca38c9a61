"""What falls, flies and burns: rain, snow, petals, fireflies, fire with its sparks, lightning's glow.

Rain, snow and dust are put on after the painting, so that drops stay drops and not brush strokes.
"""

import numpy as np

from aimv_engine.arrays import F32

from .canvas import Canvas, Mask, add, enlarge, over, ramp
from .colours import WHITE, linear, mix, smooth
from .noise import cloud, sample
from .stage import Stage


def _lots(stage: Stage, count: int, salt: int) -> F32:
    """Random numbers [count, 6] for so many particles."""
    return np.random.default_rng(stage.seed + salt).random((count, 6), np.float32)


def paint_rain(canvas: Canvas, stage: Stage) -> None:
    view, time = stage.view, stage.view.time
    half = view.aspect / 2 + 0.15
    mask = Mask(view)
    for start, near, aside, *_ in _lots(stage, int(200 + 260 * view.energy), 101):
        fallen = np.mod(start + time * (0.9 + 0.8 * near), 1)
        x = (aside * 2 - 1) * half - fallen * 0.18
        y = fallen * 1.25 - 0.62
        length = 0.035 + 0.05 * near
        mask.line([(x, y), (x - length * 0.16, y + length)], 0.0012, 0.25 + 0.35 * float(near))
    add(
        canvas,
        mask.cover() * np.float32(0.5),
        mix(stage.light.horizon, WHITE, 0.5) * np.float32(0.35 + 0.5 * stage.light.ambient),
    )


def paint_snowfall(canvas: Canvas, stage: Stage) -> None:
    view, time = stage.view, stage.view.time
    half = view.aspect / 2 + 0.08
    mask = Mask(view)
    for start, near, aside, phase, bright, _ in _lots(stage, int(300 + 160 * view.energy), 102):
        fallen = np.mod(start + time * (0.05 + 0.10 * near), 1)
        size = near**2
        drift = aside + (0.02 * np.sin(time * 0.9 + phase * 6.3) + time * 0.015 * size) / half
        x = np.mod(drift, 1) * 2 * half - half
        mask.disc(x, fallen * 1.1 - 0.55, 0.0016 + 0.0065 * size, 0.4 + 0.5 * float(bright) * (1 - 0.4 * float(size)))
    colour = mix(stage.light.horizon, WHITE, 0.7) * np.float32(0.45 + 0.5 * stage.light.ambient)
    over(canvas, mask.cover(0.0016) * np.float32(0.9), colour)


def paint_petals(canvas: Canvas, stage: Stage) -> None:
    """Petals, leaves or confetti that tumble down, in up to four colours."""
    view, time = stage.view, stage.view.time
    if "confetti" in stage.things:
        codes = ["#f04860", "#f8c840", "#48b0f0", "#f090d0"]
    elif "leaves" in stage.things:
        codes = ["#c8501c", "#e09a2c", "#8c3a18", "#d8b038"]
    else:
        codes = ["#ffc8d8", "#ff9ab8", "#fff0f4", "#f8b0c8"]
    masks = [Mask(view) for _ in codes]
    half = view.aspect / 2 + 0.08
    for index, (start, near, aside, phase, speed, _) in enumerate(_lots(stage, 120, 103)):
        fallen = np.mod(start + time * (0.05 + 0.08 * near), 1)
        swing = 0.05 * np.sin(time * (0.8 + speed) + phase * 6.3)
        x = np.mod(aside + swing * 0.5 + time * 0.012, 1) * 2 * half - half
        y, size, turn = fallen * 1.1 - 0.55, 0.004 + 0.011 * near**2, time * (1 + 2 * speed) + phase * 6.3
        thin = 0.25 + 0.75 * abs(np.cos(time * (1.5 + speed) + phase * 9))
        along, beside = (
            np.array([np.cos(turn), np.sin(turn)]) * size,
            np.array([-np.sin(turn), np.cos(turn)]) * size * 0.6 * thin,
        )
        where = np.array([x, y])
        masks[index % len(codes)].polygon([where - along, where + beside, where + along, where - beside])
    for mask, code in zip(masks, codes, strict=True):
        tone = mix(stage.light.shine, WHITE, 0.45) * np.float32(0.4 + 0.6 * stage.light.ambient)
        over(canvas, mask.cover() * np.float32(0.95), linear(code) * tone)


def paint_dust(canvas: Canvas, stage: Stage) -> None:
    """Fireflies at night, motes of dust by day: points of light that wander and breathe."""
    view, time = stage.view, stage.view.time
    half = view.aspect / 2
    mask = Mask(view)
    for aside, slow, level, phase, other, size in _lots(stage, 110, 104):
        x = np.mod(aside + 0.03 * np.sin(time * 0.4 + phase * 6.3) + time * 0.006, 1) * 2 * half - half
        y = np.mod(level - time * 0.012 * (slow + 0.3) + 0.02 * np.sin(time * 0.6 + other * 6.3), 1) - 0.5
        glow = 0.5 + 0.5 * np.sin(time * (0.8 + 0.6 * slow) + phase * 6.3)
        mask.disc(x, y, 0.0016 + 0.005 * size**3, float(0.15 + 0.75 * glow))
    colour = mix(stage.light.sun, linear("#ffe070"), 0.5)
    add(canvas, mask.cover(0.002) * np.float32(0.45) + mask.cover(0.010) * np.float32(0.7), colour)


def paint_fire(canvas: Canvas, stage: Stage) -> None:
    """A camp fire: tongues of flame that tear off upwards, glow on all around it, logs and sparks."""
    view, time = stage.view, stage.view.time
    x, y = view.plane(0.75, 2)
    middle, foot, tall = (
        stage.number("fire_x", 0.0),
        0.43,
        0.36 * stage.number("fire_size", 1.0) * (1 + 0.25 * view.energy),
    )
    beside, up = x - middle, (foot - y) / tall
    large = sample(cloud(11, 2.2, 3), beside * 0.9 + 0.1 * np.sin(up * 4 + time), y * 0.55 + time * 0.42)
    fine = sample(cloud(12, 1.8, 4), beside * 1.9, y * 1.1 + time * 0.75)
    width = 0.16 * tall / 0.42 * (1 - np.clip(up, 0, 1)) ** 0.6 * (1 + 0.3 * view.energy)
    bent = beside + (large - 0.5) * 0.34 * np.clip(up, 0, 1)
    flame = np.clip(1 - np.abs(bent) / np.maximum(width, 0.004), 0, 1) ** 0.8
    flame = flame * smooth(-0.06, 0.05, up) * smooth(1.15, 0.1, up + (fine - 0.5) * 0.9)
    heat = np.clip(flame * (0.55 + 1.1 * fine), 0, 1.2)
    flicker = 0.05 * np.sin(time * 9) + 0.03 * np.sin(time * 14.3)
    glow = np.exp(-(beside**2 * 5 + (y - foot + 0.12) ** 2 * 6)) * (0.30 + 0.25 * view.energy + flicker)
    red, green, blue = heat**0.8 * 3.2 + glow * 0.9, heat**1.7 * 1.9 + glow * 0.33, heat**3.2 * 1.1 + glow * 0.06
    canvas += enlarge(np.stack([red, green, blue], -1).astype(np.float32), view)
    logs = Mask(view)
    for angle in (-0.35, 0.0, 0.4, 2.8):
        end = np.array([np.cos(angle) * 0.13, np.sin(angle) * 0.03])
        where = np.array(view.project(middle, foot + 0.015, 0.75))
        logs.line([where - end, where + end], 0.022)
    over(canvas, logs.cover() * np.float32(0.9), np.array([0.02, 0.008, 0.004]))
    paint_sparks(canvas, stage)


def paint_sparks(canvas: Canvas, stage: Stage) -> None:
    """Sparks that rise, whirl and die."""
    view, time = stage.view, stage.view.time
    mask = Mask(view)
    middle = stage.number("fire_x", 0.0)
    for start, speed, aside, phase, drift, size in _lots(stage, 90, 105):
        age = np.mod(start + time * (0.09 + 0.14 * speed), 1)
        x = middle + (aside - 0.5) * 0.6 * (0.4 + age) + 0.06 * np.sin(age * 9 + phase * 6) + 0.1 * age * (drift - 0.5)
        where = view.project(x, 0.42 - age * 0.95, 0.7)
        mask.disc(*where, 0.0014 + 0.0034 * size, float((1 - age) * min(1.0, age * 8)))
    add(canvas, mask.cover() * np.float32(0.8 + 0.6 * view.energy) + mask.cover(0.008), (2.0, 0.75, 0.15))


def paint_lava(canvas: Canvas, stage: Stage) -> None:
    """Glowing streams in the dark ground of a volcano, and the red light above it."""
    view, time = stage.view, stage.view.time
    x, y = view.plane(0.6, 2)
    below = np.maximum(y - stage.horizon, 0.004)
    reach = 0.12 / below
    across, ahead = x * reach * 2.2, np.minimum(reach, 40)
    warp = sample(cloud(stage.seed % 499, 2.4, 2), across * 0.1, ahead * 0.1)
    veins = sample(cloud(stage.seed % 499 + 1, 2.0, 3), across * 0.16 + warp * 0.15, ahead * 0.16 + time * 0.008)
    crack = np.exp(-((np.abs(veins - 0.5) / 0.045) ** 1.2)) + 0.3 * np.exp(-np.abs(veins - 0.5) / 0.10)
    flow = 0.6 + 0.6 * sample(cloud(14, 2.0, 2), across * 0.3, ahead * 0.3 - time * 0.05)
    crust = ramp((warp * 0.8).astype(np.float32), linear("#0c0808"), linear("#3a2c2a"))
    hot = (crack * flow * (0.7 + 0.5 * view.energy)).astype(np.float32)
    add(crust, hot, linear("#ff7a20") * 1.3)
    add(crust, hot**3, linear("#ffe080") * 0.8)
    over(canvas, enlarge(smooth(0.0, 0.01, y - stage.horizon) + 0 * x, view), enlarge(crust, view))
    over(
        canvas,
        enlarge(np.exp(-(((y - stage.horizon) / 0.07) ** 2)).astype(np.float32) * 0.6 + 0 * x, view),
        linear("#d8481c") * 0.6,
    )


def paint_lightning(canvas: Canvas, stage: Stage) -> None:
    """A branching bolt that stands for a moment every few seconds, and the cloud it lights."""
    view, time = stage.view, stage.view.time
    strike, since = int(time // 2.6), np.mod(time, 2.6)
    bright = float(np.exp(-since * 3.0)) * (0.7 + 0.3 * np.sin(since * 30))
    if bright < 0.03:
        return
    random = np.random.default_rng(stage.seed + strike)
    x, y, mask = random.uniform(-0.6, 0.6) * min(1, view.aspect), -0.5, Mask(view)
    paths = [(x, y, 0.0055)]
    while paths:
        x, y, width = paths.pop()
        while y < stage.horizon and width > 0.001:
            to = (x + random.normal(0, 0.028), y + random.uniform(0.02, 0.05))
            mask.line([view.project(x, y, 0.1), view.project(*to, 0.1)], width)
            x, y = to
            if random.random() < 0.18:
                paths.append((x, y, width * 0.5))
    add(canvas, mask.cover() * np.float32(1.6 * bright) + mask.cover(0.03) * np.float32(6 * bright), (0.75, 0.8, 1.0))
    canvas *= np.float32(1 + 0.8 * bright)


def paint_smoke(canvas: Canvas, stage: Stage) -> None:
    """Dark smoke that rises over a burnt or burning land."""
    view, time = stage.view, stage.view.time
    x, y = view.plane(0.3, 4)
    large = sample(cloud(17, 2.3, 2), x * 0.35 + 0.05 * time, y * 0.35 + time * 0.05)
    fine = sample(cloud(18, 2.0, 3), x * 0.9 + 0.06 * time, y * 0.9 + time * 0.09)
    cover = smooth(0.40, 0.85, large * 0.7 + fine * 0.3) * smooth(stage.horizon + 0.1, -0.3, y) * 0.75
    over(
        canvas, enlarge(cover.astype(np.float32), view), mix(stage.light.fog, stage.light.zenith, 0.6) * np.float32(0.5)
    )

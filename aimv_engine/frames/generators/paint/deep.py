"""Under water: shafts of light from the surface, a sandy floor, weed that sways, shoals and a whale."""

import numpy as np

from .canvas import Canvas, Mask, add, enlarge, over, ramp
from .colours import linear, smooth
from .noise import cloud, sample
from .stage import Stage


def paint_deep(canvas: Canvas, stage: Stage) -> None:
    view, time = stage.view, stage.view.time
    x, y = view.plane(0.3, 2)
    y = y + 0.5
    bright = np.float32(0.55 + 0.6 * stage.light.ambient)
    down = np.clip(y + 0.1 * x**2, 0, 1) ** 0.7
    water = ramp(down.astype(np.float32), stage.colour("surface", "#58d0d8") * bright, stage.colour("abyss", "#04182e"))
    texture = cloud(14, 2.0, 3)
    fan = (x - stage.sun[0] * 0.3) / (y + 0.35)
    shafts = sample(texture, fan * 0.22 + time * 0.016, time * 0.02) * sample(
        texture, fan * 0.51 - time * 0.025, 0.4 + time * 0.013
    )
    shafts = smooth(0.18, 0.55, shafts) * np.exp(-y * 1.9) * (0.5 + 0.6 * view.energy)
    add(water, shafts.astype(np.float32), linear("#b8fff0") * bright)
    under = np.maximum(0.30 - y, 0.01)
    net = 1 - np.abs(
        sample(texture, np.clip(x / under * 0.05, -50, 50) + time * 0.02, 0.08 / under + time * 0.03) * 2 - 1
    )
    add(water, (net**6 * smooth(0.25, 0.0, y) * 0.6).astype(np.float32), np.array([0.8, 1, 1]) * bright)
    along = x + stage.wander * 0.3
    crest = 0.82 + 0.04 * np.sin(along * 3.2) + 0.12 * (sample(cloud(3, 2.4), along * 0.4, 0.2) - 0.5)
    sand = sample(cloud(4, 1.8), along * 0.6, y * 1.2)
    caustics = 1 - np.abs(sample(texture, along * 0.55 + time * 0.025, y * 1.4 - time * 0.03) * 2 - 1)
    floor = ramp(
        (0.25 + 0.5 * sand + caustics**5 * 0.6).astype(np.float32) * np.float32(0.5),
        np.zeros(3),
        linear("#6ca09a") * bright,
    )
    over(water, smooth(-0.01, 0.03, y - crest) * np.float32(0.85), floor)
    canvas[:] = enlarge(water, view)
    _paint_weed(canvas, stage)
    if stage.seed % 3 == 0 or "whale" in stage.things:
        _paint_whale(canvas, stage)
    _paint_shoal(canvas, stage)


def _paint_weed(canvas: Canvas, stage: Stage) -> None:
    view, time = stage.view, stage.view.time
    along = np.linspace(0, 1, 12)
    for depth, count, colour in ((0.4, 16, "#0e4048"), (0.8, 14, "#062228")):
        mask = Mask(view)
        for start, tall, speed, level in np.random.default_rng(stage.seed + count).random((count, 4)):
            bend = np.sin(along * 3 + time * (0.9 + 0.4 * speed) + start * 40) * along * 0.05 * (0.7 + view.energy)
            x = (start - 0.5) * 2.4 + bend - stage.wander * depth * 0.2
            y = 0.46 + 0.06 * level - along * (0.12 + 0.34 * tall * depth)
            width = (1 - along) * 0.010 + 0.002
            outline = np.concatenate([np.stack([x - width, y], 1), np.stack([x + width, y], 1)[::-1]])
            mask.polygon([view.project(a, b, depth) for a, b in outline])
        over(canvas, mask.cover() * np.float32(0.88), linear(colour))


def _paint_shoal(canvas: Canvas, stage: Stage) -> None:
    """Two shoals that keep together and beat their tails."""
    view, time = stage.view, stage.view.time
    mask, backs = Mask(view), Mask(view)
    half = view.aspect / 2 + 0.25
    for index, (aside, level, phase, size, speed) in enumerate(np.random.default_rng(stage.seed + 3).random((26, 5))):
        x = np.mod(aside * 0.35 + 0.3 * (index % 2) + time * (0.035 + 0.006 * speed), 1) * 2 * half - half
        y = -0.20 + 0.34 * level + 0.03 * np.sin(time * 0.6 + phase * 6) + 0.03 * np.sin(index)
        length = 0.013 + 0.016 * size
        beat = 0.35 * np.sin(time * 6 + index)
        tail = np.array([[-1.2, 0], [-2.3, -0.7 + beat], [-2.0, beat * 0.5], [-2.3, 0.7 + beat]]) * length
        mask.disc(x, y, length * 1.6, 1, 0.38)
        mask.polygon(np.add(tail, (x, y)))
        backs.disc(x + 0.2 * length, y + 0.18 * length, length * 1.1, 1, 0.25)
    over(canvas, mask.cover() * np.float32(0.75), linear("#0c4a5c"))
    add(canvas, backs.cover() * np.float32(0.18), linear("#b8fff0"))


def _paint_whale(canvas: Canvas, stage: Stage) -> None:
    """A whale far off, drawn as a long drop with flippers and a fluke that beats slowly."""
    view, time = stage.view, stage.view.time
    half = view.aspect / 2 + 0.5
    x, y = np.mod(0.3 + time * 0.012, 1) * 2 * half - half, -0.12 + 0.03 * np.sin(time * 0.3)
    beat = np.sin(time * 0.9)
    along = np.linspace(0, 1, 24)
    thick = 0.062 * np.sin(np.pi * along**0.62) ** 0.8 * (1 - 0.25 * along) + 0.004
    spine = 0.02 * np.sin(along * 3 - time * 0.9) * (1 - along) + 0.03 * beat * (1 - along) ** 2
    body_x = -0.30 + 0.56 * along
    body = np.concatenate([np.stack([body_x, spine - thick * 0.8], 1), np.stack([body_x, spine + thick], 1)[::-1]])
    fluke = np.array([[-0.29, 0], [-0.40, -0.055 - 0.02 * beat], [-0.36, 0.0], [-0.40, 0.05 - 0.02 * beat]])
    fluke[:, 1] += 0.03 * beat
    fin = np.array([[0.10, 0.03], [0.02, 0.115 + 0.012 * beat], [0.05, 0.04]])
    mask = Mask(view)
    for outline in (body, fluke, fin):
        mask.polygon([view.project(a + x, b + y, 0.3) for a, b in outline])
    over(canvas, mask.cover(0.002) * np.float32(0.55), linear("#0a3a50"))

"""Pictures without things: a kaleidoscope of outlines, ribbons of light, drifting lights out of focus; and a club."""

import numpy as np

from aimv_engine.arrays import F32

from .canvas import Canvas, Mask, add, enlarge, over
from .colours import linear, mix, smooth, wheel
from .noise import chance, cloud, sample
from .stage import Stage


def paint_kaleidoscope(canvas: Canvas, stage: Stage) -> None:
    """Circles, squares and lines, mirrored round the middle; they breathe, turn and slide through each other."""
    view, time, hue = stage.view, stage.view.time, _hue(stage)
    x, y = view.plane(0.6, 2)
    y = y - np.float32(stage.number("middle", 0.0))
    radius = np.sqrt(x**2 + y**2) + 1e-4
    folds = int(5 + np.random.default_rng(stage.seed).integers(0, 4))
    wedge = 2 * np.pi / folds
    angle = np.abs(np.mod(np.arctan2(y, x) + time * 0.12, wedge) - wedge / 2)
    u, v = radius * np.cos(angle) * 2.2, radius * np.sin(angle) * 2.2
    smoke = sample(cloud(stage.seed % 499, 2.4), x * 0.5 + time * 0.012, y * 0.5 + time * 0.012)
    figure = np.zeros((view.height // 2, view.width // 2, 3), np.float32)
    add(figure, (0.02 + 0.14 * smoke).astype(np.float32), wheel(hue + 0.5))
    add(figure, np.exp(-radius * 4) * np.float32(0.22), wheel(hue + 0.1))
    energy = np.float32(0.55 + 0.7 * view.energy)
    random = np.random.default_rng(stage.seed + 1).random((5, 4))
    for index, (size, slide, turn, kind) in enumerate(random):
        centre = 0.22 + 0.28 * index + 0.10 * np.sin(time * 0.6 + index + 6 * slide)
        beside = 0.10 * np.sin(time * 0.43 + index * 1.3)
        span = 0.10 + 0.05 * index * size
        spin = time * (0.15 + 0.2 * turn) + index
        near_u, near_v = u - centre, v - beside
        turned_u = near_u * np.cos(spin) + near_v * np.sin(spin)
        turned_v = near_v * np.cos(spin) - near_u * np.sin(spin)
        if kind < 0.34:
            outline = np.abs(np.sqrt(near_u**2 + near_v**2) - span)
        elif kind < 0.67:
            outline = np.abs(np.maximum(np.abs(turned_u), np.abs(turned_v)) - span)
        else:
            outline = np.abs(np.maximum(turned_v, np.abs(turned_u) * 0.866 - turned_v * 0.5) - span * 0.7)
        slant = 0.5 + index * 0.4 + time * 0.05
        line = np.abs(u * np.cos(slant) + v * np.sin(slant) - centre * 0.9)
        glow = 0.006 / (outline + 0.006) * energy + 0.0016 / (line + 0.006)
        fill = 0.10 * smooth(span, span * 0.2, np.sqrt(near_u**2 + near_v**2))
        add(figure, ((glow**1.3 + fill) * np.exp(-radius * 0.8)).astype(np.float32), wheel(hue + 0.13 * index) * 1.2)
    canvas += enlarge(figure, view)


def _hue(stage: Stage) -> float:
    """The section's key as a colour, moved by the scene."""
    return stage.view.hue + (stage.seed % 7) * 0.05


def paint_ribbons(canvas: Canvas, stage: Stage) -> None:
    """Veils of coloured light that wave through the dark."""
    view, time, hue = stage.view, stage.view.time, _hue(stage)
    x, y = view.plane(0.4, 2)
    canvas[:] = stage.light.zenith * np.float32(0.4)
    light = np.zeros((view.height // 2, view.width // 2, 3), np.float32)
    texture = cloud(stage.seed % 499, 2.4, 2)
    for index, (level, speed, wide, phase) in enumerate(np.random.default_rng(stage.seed).random((7, 4))):
        drift = time * (0.25 + 0.35 * speed)
        wave = 0.16 * np.sin(x * (1.4 + 1.5 * wide) + drift + phase * 6) + 0.07 * np.sin(x * 4.1 - drift * 1.6 + index)
        fold = sample(texture, x * 0.18 + index * 0.21 + time * 0.012, y * 0.03 + time * 0.01)
        middle = (level - 0.5) * 0.7 + wave * (0.7 + 0.7 * view.energy) + 0.22 * (fold - 0.5)
        above = (middle - y) / (0.10 + 0.16 * wide)
        veil = np.where(above > 0, np.exp(-above * 1.6), np.exp(above * 14)) * (0.25 + 0.75 * fold)
        grain = 0.75 + 0.5 * sample(texture, x * 1.7 + index * 0.3 + fold * 0.3, y * 0.06 + index * 0.17)
        add(light, (veil * grain * (0.35 + 0.35 * view.energy)).astype(np.float32), wheel(hue + 0.07 * index - 0.1))
    canvas += enlarge(light, view)


def paint_bokeh(canvas: Canvas, stage: Stage) -> None:
    """City lights far out of focus: overlapping discs that drift and breathe."""
    view, time, light = stage.view, stage.view.time, stage.light
    _, y = view.plane(0.1)
    canvas[:] = mix(light.zenith, light.horizon, smooth(-0.6, 0.6, y)[..., None]) * np.float32(0.6)
    colours = [mix(light.horizon, light.sun, 0.4), linear("#ffb050"), linear("#ff4f7a"), linear("#58b8ff")]
    masks = [Mask(view) for _ in colours]
    half = view.aspect / 2 + 0.2
    for index, (start, level, size, which, speed, phase) in enumerate(
        np.random.default_rng(stage.seed).random((60, 6))
    ):
        near = 0.3 + 0.7 * size
        x = (
            np.mod(start + (time * (0.012 + 0.02 * speed) * near + stage.wander * 0.2 * near) / half, 1) * 2 * half
            - half
        )
        where = view.project(x, (level - 0.5) * 0.9 + 0.012 * np.sin(time * 0.6 + phase * 6), 0.2 + 0.6 * size)
        bright = (0.25 + 0.55 * chance(stage.seed, index)) * (0.65 + 0.35 * np.sin(time * (0.5 + speed) + phase * 6.3))
        masks[int(which * len(colours))].disc(*where, (0.018 + 0.055 * size**2) * view.scale(size), float(bright))
    for mask, colour in zip(masks, colours, strict=True):
        shining = mask.cover(0.0025) + np.float32(0.9) * mask.cover(0.05)
        add(canvas, shining * np.float32(0.8 + 0.5 * view.energy), colour)


def paint_beams(canvas: Canvas, stage: Stage) -> None:
    """Stage lights that sweep through smoke from above."""
    view, time, hue = stage.view, stage.view.time, _hue(stage)
    x, y = view.plane(0.4, 2)
    beams = np.zeros((view.height // 2, view.width // 2, 3), np.float32)
    smoke = sample(cloud(stage.seed % 499, 2.2), x * 0.5 + time * 0.02, y * 0.5 - time * 0.015)
    down = y + 0.52
    for index in range(7):
        sweep = 0.55 * np.sin(time * (0.7 + 0.1 * (index % 3)) + index * 0.9) + (index - 3) * 0.08
        foot = (index - 3) * 0.24 * min(1.0, view.aspect / 1.6)
        away = np.abs((x - foot) * np.cos(sweep) - down * np.sin(sweep))
        beam = np.exp(-away / (0.003 + 0.022 * down)) * np.exp(-down * 1.3) * (0.25 + 0.75 * smoke)
        add(beams, (beam * (0.45 + 0.75 * view.energy)).astype(np.float32), wheel(hue + 0.09 * index + 0.2) * 1.3)
    canvas += enlarge(beams, view)


def paint_crowd(canvas: Canvas, stage: Stage) -> None:
    """Heads, shoulders and raised arms from behind, three rows deep, edged by the light in front of them."""
    view, time = stage.view, stage.view.time
    behind = canvas[::8, ::8].mean((0, 1)) + np.float32(0.02)
    half = view.aspect / 2
    for row, (spacing, tall) in enumerate(((0.075, 0.12), (0.115, 0.18), (0.17, 0.26))):
        mask = Mask(view)
        count = int(2 * half / spacing) + 3
        random = np.random.default_rng(stage.seed + row).random((count, 6))
        for index, (aside, level, arms, both, phase, size) in enumerate(random):
            beat = time * 2 * np.pi * 0.9 + phase * 2.2
            x = -half - spacing + (index + 0.8 * aside) * spacing + 0.010 * np.sin(beat / 2)
            ground = 0.50 - 0.05 * (2 - row) + 0.03 * level
            high = tall * (0.88 + 0.24 * size)
            lift = 0.018 * abs(np.sin(beat / 2)) * (0.4 + view.energy)
            head = high * 0.145
            top = ground - high - lift
            mask.disc(x, top + head, head * 0.80, 1, 1.22)
            neck, shoulder = top + 2.0 * head, top + 2.75 * head
            body = [
                (-0.35, neck),
                (-1.0, shoulder - 0.25 * head),
                (-1.75, shoulder + 0.2 * head),
                (-2.05, ground + 0.1),
            ]
            outline = [(x + a * head, b) for a, b in body] + [(x - a * head, b) for a, b in reversed(body)]
            mask.polygon(outline)
            if arms < 0.5:
                for side in (-1, 1) if both > 0.4 else (1,):
                    reach = 0.75 + 0.25 * np.sin(beat / 2 + side)
                    elbow = (x + side * head * 2.5, shoulder - head * (0.2 + 1.1 * reach))
                    hand = (
                        x + side * head * (1.9 + 0.5 * np.sin(beat / 2 + phase * 6)),
                        shoulder - head * (1.6 + 2.6 * reach),
                    )
                    mask.line([(x + side * head * 1.6, shoulder + 0.3 * head), elbow, hand], head * 0.55)
                    mask.disc(*hand, head * 0.33)
        cover = mask.cover()
        over(canvas, cover, behind * np.float32(0.10 * (2 - row)) + np.float32(0.004))
        rim = np.clip(cover - np.roll(cover, max(1, view.height // 200), 0), 0, 1)
        add(canvas, rim * np.float32(0.5 + 0.25 * row), behind * 2.5)


def paint_ferris_wheel(canvas: Canvas, stage: Stage) -> None:
    """A fair at dusk: a turning wheel of lamps, tents, strings of bulbs."""
    view, time, light = stage.view, stage.view.time, stage.light
    dark, bulbs = Mask(view), [Mask(view) for _ in range(4)]
    middle, radius, depth = (stage.number("wheel", -0.22) * min(1, view.aspect), stage.horizon - 0.27), 0.27, 0.35
    spin = time * 0.22

    def at(angle: float, out: float) -> tuple[float, float]:
        return view.project(middle[0] + radius * out * np.cos(angle), middle[1] + radius * out * np.sin(angle), depth)

    for out in (1.0, 0.94):
        dark.line([at(angle, out) for angle in np.linspace(0, 2 * np.pi, 49)], 0.004)
    for index in range(16):
        angle = spin + index * np.pi / 8
        dark.line([at(angle, 0.03), at(angle, 1.0)], 0.003)
        cabin = at(angle, 1.0)
        dark.disc(cabin[0], cabin[1] + 0.017, 0.014, 1, 1.1)
        bulbs[index % 4].disc(*at(angle, 1.0), 0.008)
        for step in range(1, 7):
            chase = 0.35 + 0.65 * (0.5 + 0.5 * np.sin(time * 3 - step + index * np.pi / 4))
            bulbs[(index + step) % 4].disc(*at(angle, step / 7), 0.0045, float(chase))
    for side in (-1, 1):
        foot = view.project(middle[0] + side * 0.13, stage.horizon + 0.02, depth)
        dark.line([view.project(*middle, depth), foot], 0.009)
    random = np.random.default_rng(stage.seed).random((9, 3))
    for index, (aside, high, wide) in enumerate(random):
        x, top = -1.1 + 0.26 * index + 0.1 * aside, 0.06 + 0.05 * high
        half = 0.07 + 0.05 * wide
        roof = [
            (x - half, stage.horizon - top * 0.45),
            (x, stage.horizon - top),
            (x + half, stage.horizon - top * 0.45),
        ]
        tent = [*roof, (x + half * 0.92, stage.horizon + 0.03), (x - half * 0.92, stage.horizon + 0.03)]
        dark.polygon([view.project(a, b, depth) for a, b in tent])
        bulbs[index % 4].disc(*view.project(x, stage.horizon - top, depth), 0.005)
    for line in range(2):
        across = np.linspace(-1.0, 1.0, 34)
        sag = (
            stage.horizon
            - 0.20
            + 0.06 * line
            + 0.05 * np.cos(across * 5 + line * 2)
            + 0.004 * np.sin(time + across * 9)
        )
        string = [view.project(a, b, 0.6) for a, b in zip(across, sag, strict=True)]
        dark.line(string, 0.0015)
        for index, where in enumerate(string):
            bulbs[index % 4].disc(*where, 0.005)
    over(canvas, dark.cover() * np.float32(0.93), light.zenith * np.float32(0.3))
    for mask, code in zip(bulbs, ("#ffd070", "#ff5a5a", "#6ad0ff", "#ffa0e0"), strict=True):
        add(canvas, mask.cover(), linear(code) * 1.6)
        halo: F32 = mask.cover(0.014)
        add(canvas, halo * np.float32(1.6 + view.energy), linear(code))

"""Animals, vehicles and other single things, drawn as outlines: closed curves through a few points.

Points are in units of the thing's own length, x to the right (the way it faces), y downwards, the origin on the ground.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Mask, add, over
from .colours import WHITE, linear, mix
from .figures import curve
from .stage import Stage

HORSE = [
    (-0.46, -0.62),
    (-0.38, -0.70),
    (-0.15, -0.66),
    (0.08, -0.68),
    (0.22, -0.76),
    (0.32, -0.92),
    (0.38, -1.02),
    (0.41, -1.10),
    (0.44, -1.04),
    (0.52, -0.98),
    (0.60, -0.88),
    (0.58, -0.83),
    (0.50, -0.84),
    (0.42, -0.82),
    (0.36, -0.70),
    (0.32, -0.56),
    (0.26, -0.46),
    (0.10, -0.42),
    (-0.12, -0.41),
    (-0.30, -0.44),
    (-0.42, -0.46),
    (-0.48, -0.54),
]
RIDER = [
    (-0.10, -0.60),
    (0.10, -0.60),
    (0.11, -0.82),
    (0.10, -1.08),
    (0.0, -1.14),
    (-0.09, -1.06),
    (-0.16, -0.80),
    (-0.30, -0.58),
]
WOLF = [
    (-0.46, -0.42),
    (-0.36, -0.50),
    (-0.10, -0.47),
    (0.14, -0.50),
    (0.26, -0.58),
    (0.30, -0.68),
    (0.34, -0.60),
    (0.42, -0.56),
    (0.54, -0.50),
    (0.52, -0.45),
    (0.42, -0.43),
    (0.36, -0.36),
    (0.28, -0.26),
    (0.10, -0.25),
    (-0.12, -0.28),
    (-0.34, -0.26),
    (-0.44, -0.30),
]
CAT = [
    (-0.30, 0.0),
    (-0.36, -0.16),
    (-0.30, -0.38),
    (-0.17, -0.54),
    (-0.17, -0.68),
    (-0.15, -0.82),
    (-0.07, -0.74),
    (0.07, -0.74),
    (0.15, -0.82),
    (0.17, -0.68),
    (0.15, -0.54),
    (0.26, -0.38),
    (0.32, -0.16),
    (0.28, 0.0),
]
HERON = [
    (-0.34, -0.50),
    (-0.10, -0.62),
    (0.06, -0.66),
    (0.13, -0.78),
    (0.10, -0.94),
    (0.15, -1.04),
    (0.24, -1.05),
    (0.46, -1.00),
    (0.24, -0.99),
    (0.18, -0.95),
    (0.21, -0.80),
    (0.17, -0.62),
    (0.06, -0.50),
    (-0.12, -0.46),
]
CAR = [
    (-0.50, -0.08),
    (-0.50, -0.20),
    (-0.44, -0.23),
    (-0.30, -0.25),
    (-0.20, -0.36),
    (-0.02, -0.39),
    (0.12, -0.37),
    (0.24, -0.26),
    (0.42, -0.23),
    (0.50, -0.17),
    (0.51, -0.08),
    (0.40, -0.05),
    (-0.40, -0.05),
]


@dataclass(frozen=True)
class Shape:
    """An outline with legs (where they start, how long) and what it is by default: length, colour, how it moves."""

    outline: list[tuple[float, float]]
    length: float  # picture heights
    legs: tuple[tuple[float, float], ...] = ()  # x and y of hip or shoulder
    thick: float = 0.05  # of a leg
    gait: float = 0.0  # steps a second; 0 stands still
    speed: float = 0.0  # picture heights a second
    colour: str = "#181210"


SHAPES = {
    "horse": Shape(
        HORSE, 0.30, ((-0.36, -0.50), (-0.30, -0.50), (0.20, -0.50), (0.27, -0.50)), 0.075, 1.3, 0.05, "#2a1c14"
    ),
    "wolf": Shape(
        WOLF, 0.17, ((-0.36, -0.32), (-0.28, -0.32), (0.20, -0.32), (0.27, -0.32)), 0.055, 1.7, 0.05, "#2c2c30"
    ),
    "cat": Shape(CAT, 0.16, colour="#0c0a0a"),
    "heron": Shape(HERON, 0.17, ((-0.04, -0.50), (0.02, -0.50)), 0.022, colour="#54606c"),
    "car": Shape(CAR, 0.36, speed=0.12, colour="#9c2020"),
}


def paint_shapes(canvas: Canvas, stage: Stage) -> None:
    """Each of the scene's animals and vehicles, on the ground, in its own or the sentence's colour."""
    for index, (name, shape) in enumerate((name, shape) for name, shape in SHAPES.items() if name in stage.things):
        count = 3 if name == "wolf" else 1
        for other in range(count):
            _paint_shape(canvas, stage, shape, name, index + other * 1.7)


def _paint_shape(canvas: Canvas, stage: Stage, shape: Shape, name: str, place: float) -> None:
    view, light = stage.view, stage.light
    half = view.aspect / 2 + shape.length
    face = 1 if (stage.seed // 3) % 2 else -1
    start = 0.22 * place - 0.18 + 0.12 * np.sin(stage.seed + place)
    x = (
        np.mod(start + face * shape.speed * view.time + half, 2 * half) - half
        if shape.speed
        else start * min(1, view.aspect)
    )
    ground = stage.number("stand", 0.42) - 0.02 - 0.03 * np.mod(place, 1)
    step = view.time * shape.gait * 2 * np.pi + place * 2
    bob = -0.02 * abs(np.sin(step / 2)) if shape.gait else 0.006 * np.sin(view.time * 1.1)

    def put(points: np.ndarray) -> list[tuple[float, float]]:
        return [view.project(x + face * a * shape.length, ground + b * shape.length, 0.75) for a, b in points]

    body = Mask(view)
    body.polygon(put(np.add(curve(shape.outline), (0, bob))))
    for index, (leg_x, leg_y) in enumerate(shape.legs):
        swing = 0.34 * np.sin(step + (0, 2.6, 3.6, 0.9)[index]) if shape.gait else 0.02 * index
        knee = (leg_x + np.sin(swing) * -leg_y * 0.5, leg_y * 0.5 + bob / 2)
        foot = (knee[0] + np.sin(min(swing, 0) * 1.3) * -leg_y * 0.45, -0.02 * max(0.0, np.sin(step + index)))
        body.line(put(np.array([(leg_x, leg_y + bob), knee])), shape.thick * shape.length * 1.4 * view.scale(0.75))
        body.line(put(np.array([knee, foot])), shape.thick * shape.length * 0.8 * view.scale(0.75))
    if name in ("horse", "wolf"):
        tail_x, tail_y = shape.outline[0]
        wave = 0.05 * np.sin(view.time * 2.2 + place)
        tail = [(tail_x, tail_y + bob), (tail_x - 0.10, tail_y + 0.04 + wave), (tail_x - 0.15, tail_y + 0.22 + wave)]
        body.line(put(np.array(tail)), shape.length * 0.06)
    if name == "horse" and "rider" in stage.things:
        lift = bob * 1.6
        body.polygon(put(np.add(curve(RIDER), (0, lift))))
        body.line(
            put(np.array([(0.02, -0.62 + lift), (0.12, -0.50 + lift), (0.06, -0.28 + lift)])), shape.length * 0.075
        )
        body.line(put(np.array([(0.02, -1.02 + lift), (0.20, -0.88 + lift), (0.34, -0.90 + bob)])), shape.length * 0.05)
        head = put(np.array([(0.02, -1.19 + lift)]))[0]
        body.disc(head[0], head[1], shape.length * 0.062, 1, 1.25)
    if name == "cat":
        wave = 0.06 * np.sin(view.time * 1.4)
        tail = [(0.25, -0.04), (0.45, -0.05), (0.52, -0.16 + wave), (0.48, -0.26 + wave)]
        body.line(put(np.array(tail)), shape.length * 0.07)
    own = stage.things[name] or shape.colour
    cover = body.cover()
    dye = linear(own) * mix(light.shine, WHITE, 0.5) * np.float32(0.35 + 0.9 * light.ambient)
    over(canvas, cover * np.float32(0.97), dye)
    pixels = max(1, view.height // 240)
    rim = np.clip(cover - np.roll(cover, (pixels, -stage.side * pixels), (0, 1)), 0, 1)
    add(canvas, rim * np.float32(0.45 * light.strength + 0.08), mix(light.sun, light.horizon, 0.3))
    if name == "car":
        _paint_car(canvas, stage, put)


def _paint_car(canvas: Canvas, stage: Stage, put: Callable[[np.ndarray], list[tuple[float, float]]]) -> None:
    """Wheels, windows and lamps."""
    dark, glass, lamps = Mask(stage.view), Mask(stage.view), Mask(stage.view)
    for wheel in (-0.30, 0.31):
        where = put(np.array([(wheel, -0.07)]))[0]
        dark.disc(where[0], where[1], 0.026)
    window = np.array([(-0.24, -0.26), (-0.17, -0.345), (-0.01, -0.365), (0.10, -0.345), (0.18, -0.26)])
    glass.polygon(put(window))
    lamps.disc(*put(np.array([(0.49, -0.165)]))[0], 0.009)
    over(canvas, dark.cover(), linear("#0a0a0c"))
    over(canvas, glass.cover() * np.float32(0.85), mix(stage.light.zenith, stage.light.horizon, 0.5) * np.float32(0.6))
    add(canvas, lamps.cover() * 2 + lamps.cover(0.02) * 5, linear("#fff0c0"))


def paint_boat(canvas: Canvas, stage: Stage) -> None:
    """A sailing boat that rocks on the water, with its reflection; "paper" makes it a folded one."""
    view, light, time = stage.view, stage.light, stage.view.time
    half = view.aspect / 2 + 0.2
    x = np.mod(0.18 + 0.15 * np.sin(stage.seed) + time * 0.012 + half, 2 * half) - half
    depth, tilt = 0.45, 0.06 * np.sin(time * 1.1) * (0.6 + view.energy)
    y = stage.horizon + 0.13 + 0.005 * np.sin(time * 1.4)
    size = 0.20
    hull = [(-0.42, -0.14), (0.46, -0.16), (0.32, 0.02), (-0.30, 0.02)]
    sail, jib = [(0.02, -0.18), (0.02, -1.0), (-0.38, -0.20)], [(0.05, -0.20), (0.05, -0.90), (0.38, -0.20)]
    if "paper" in stage.things:
        hull, sail = (
            [(-0.55, -0.30), (-0.2, -0.10), (0.2, -0.10), (0.55, -0.30), (0.30, 0.04), (-0.30, 0.04)],
            [(0, -0.48), (0.26, -0.10), (-0.26, -0.10)],
        )
        jib = []

    def put(points: list[tuple[float, float]], mirrored: bool) -> list[tuple[float, float]]:
        turned = [(a * np.cos(tilt) - b * np.sin(tilt), a * np.sin(tilt) + b * np.cos(tilt)) for a, b in points]
        wave = 0.02 * np.sin(time * 3)
        return [
            view.project(x + (a + (wave if mirrored else 0)) * size, y + (-b * 0.8 if mirrored else b) * size, depth)
            for a, b in turned
        ]

    paper = "paper" in stage.things
    wood = linear("#f4efe2") if paper else linear(stage.things.get("boat") or "#4a2c1c")
    cloth = linear("#f4efe2") * (0.8 if paper else 1.0)
    bright = mix(light.shine, WHITE, 0.2) * np.float32(0.4 + 0.7 * light.ambient)
    for mirrored, strength in ((True, 0.45), (False, 0.97)):
        for outlines, dye in (([sail, jib], cloth), ([hull], wood)):
            mask = Mask(view)
            for outline in outlines:
                if outline:
                    mask.polygon(put(outline, mirrored))
            over(canvas, mask.cover(0.006 if mirrored else 0) * np.float32(strength), dye * bright)


def paint_balloons(canvas: Canvas, stage: Stage) -> None:
    """A balloon on a string that climbs and sways; many in a scene of joy."""
    view, light, time = stage.view, stage.light, stage.view.time
    colour = stage.things.get("balloon") or "#d02030"
    many = "balloons" in stage.things
    palette = ["#e03040", "#f0b030", "#40a8e0", "#e070b0", "#70c060"] if many else [colour]
    half = view.aspect / 2
    for index, (aside, level, size, phase) in enumerate(
        np.random.default_rng(stage.seed + 29).random((14 if many else 1, 4))
    ):
        x = (aside - 0.5) * 2 * half * 0.9 if many else 0.14 * np.sin(stage.seed) + 0.02 * np.sin(time * 0.5)
        y = (
            np.mod(0.2 - level - time * 0.03 * (0.6 + size), 1.3) - 0.65
            if many
            else -0.10 + 0.03 * np.sin(time * 0.4) - 0.06 * np.tanh(time * 0.05)
        )
        x = x + 0.015 * np.sin(time * 0.8 + phase * 6)
        radius, depth = 0.030 + 0.022 * size if many else 0.058, 0.5 + 0.4 * size
        where = view.project(x, y, depth)
        string, ball, shine = Mask(view), Mask(view), Mask(view)
        sway = 0.012 * np.sin(time * 0.9 + phase * 6)
        string.line([(where[0] + sway * s, where[1] + radius + 0.13 * s) for s in np.linspace(0, 1, 6)], 0.0015)
        outline = [
            (0, -1.15),
            (0.7, -0.85),
            (0.96, -0.2),
            (0.7, 0.55),
            (0.1, 1.12),
            (-0.1, 1.12),
            (-0.7, 0.55),
            (-0.96, -0.2),
            (-0.7, -0.85),
        ]
        ball.polygon([(where[0] + a * radius, where[1] + b * radius) for a, b in curve(outline)])
        shine.disc(where[0] + stage.side * 0.35 * radius, where[1] - 0.4 * radius, 0.26 * radius)
        dye = linear(palette[index % len(palette)])
        over(canvas, string.cover() * np.float32(0.7), light.zenith * np.float32(0.3))
        over(
            canvas,
            ball.cover() * np.float32(0.95),
            dye * mix(light.shine, WHITE, 0.5) * np.float32(0.55 + 0.5 * light.ambient),
        )
        add(canvas, shine.cover(0.006) * np.float32(0.5), mix(light.sun, WHITE, 0.4))


def paint_candle(canvas: Canvas, stage: Stage) -> None:
    """A single candle in the foreground, with its breathing flame and the glow around it."""
    view, time = stage.view, stage.view.time
    x, foot = view.project(-0.16 * min(1, view.aspect), 0.47, 0.8)
    wax, flame, core = Mask(view), Mask(view), Mask(view)
    wax.polygon([(x - 0.022, foot), (x - 0.020, foot - 0.14), (x + 0.020, foot - 0.145), (x + 0.022, foot)])
    lean = 0.010 * np.sin(time * 2.3) + 0.005 * np.sin(time * 5.1)
    high = 0.075 + 0.006 * np.sin(time * 6)
    top = foot - 0.150
    outline = [(0, 0.006), (0.014, -0.016), (0.010, -0.042), (lean, -high), (-0.010, -0.042), (-0.014, -0.016)]
    flame.polygon(curve([(x + a, top + b) for a, b in outline]))
    core.polygon(curve([(x + a * 0.5, top + b * 0.6) for a, b in outline]))
    glow = linear("#ffb050")
    add(canvas, flame.cover(0.16) * np.float32(30), glow * 0.55)
    over(canvas, wax.cover(), linear("#e8d8b8") * np.float32(0.55))
    add(canvas, flame.cover(0.003) * np.float32(1.6), glow)
    add(canvas, core.cover(0.002), linear("#fff4d8"))


def paint_house(canvas: Canvas, stage: Stage) -> None:
    """A lone house or barn on the land, a lamp in its window."""
    view, light = stage.view, stage.light
    middle, ground, depth, size = 0.30 * min(1, view.aspect) * -stage.side, stage.horizon + 0.06, 0.32, 0.20

    def put(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [
            view.project(middle - stage.wander * depth * 0.4 + a * size, ground + b * size, depth) for a, b in points
        ]

    front, roof, flank, lamp = Mask(view), Mask(view), Mask(view), Mask(view)
    front.polygon(put((-0.5, 0), (-0.5, -0.5), (-0.25, -0.82), (0, -0.5), (0, 0)))
    flank.polygon(put((0, 0), (0, -0.5), (0.75, -0.5), (0.75, 0)))
    roof.polygon(put((-0.25, -0.86), (0.52, -0.86), (0.80, -0.47), (0.02, -0.47)))
    roof.line(put((-0.55, -0.46), (-0.25, -0.86), (0.02, -0.47)), 0.008)
    for window in (0.16, 0.46):
        lamp.polygon(put((window, -0.20), (window, -0.36), (window + 0.13, -0.36), (window + 0.13, -0.20)))
    lamp.polygon(put((-0.32, -0.45), (-0.32, -0.58), (-0.18, -0.58), (-0.18, -0.45)))
    paint = linear(stage.things.get("house") or "#9a4034")
    for mask, tone in ((flank, 0.55), (front, 1.0), (roof, 0.32)):
        over(
            canvas, mask.cover() * np.float32(0.97), mix(paint * light.shine * np.float32(tone * 1.4), light.air, 0.12)
        )
    glow = linear("#ffc870") * np.float32(0.35 + light.night)
    add(canvas, lamp.cover() + lamp.cover(0.02) * np.float32(1.5), glow)


def paint_palms(canvas: Canvas, stage: Stage) -> None:
    """Palms before the light, their crowns moving in the wind."""
    view, time = stage.view, stage.view.time
    mask = Mask(view)
    for index, (aside, tall, bend, phase) in enumerate(np.random.default_rng(stage.seed + 13).random((6, 4))):
        x = (-0.62 + 0.13 * index + 0.06 * aside if index < 3 else 0.30 + 0.13 * (index - 3) + 0.06 * aside) * min(
            1.0, view.aspect / 1.6
        )
        high, lean = 0.34 + 0.24 * tall, (bend - 0.5) * 0.2
        along = np.linspace(0, 1, 10)
        stem = [view.project(x + lean * s**2, 0.50 - high * s, 0.7) for s in along]
        mask.line(stem, 0.011)
        top = stem[-1]
        for leaf in range(9):
            angle = -np.pi / 2 + (leaf - 4) * 0.52 + 0.07 * np.sin(time * 1.3 + leaf + phase * 6)
            s = np.linspace(0, 1, 9)
            reach = 0.13 + 0.03 * np.sin(leaf * 2.1)
            mid_x, mid_y = top[0] + reach * np.cos(angle) * s, top[1] + reach * (np.sin(angle) * s * 0.7 + 0.75 * s**2)
            width = 0.016 * np.sin(np.pi * s**0.8)
            mask.polygon(
                np.concatenate([np.stack([mid_x, mid_y - width * 0.4], 1), np.stack([mid_x, mid_y + width], 1)[::-1]])
            )
    over(canvas, mask.cover() * np.float32(0.95), stage.light.zenith * np.float32(0.12) + linear("#0c1210"))


def paint_columns(canvas: Canvas, stage: Stage) -> None:
    """Broken columns and a fallen lintel: what is left of a temple."""
    view, light = stage.view, stage.light
    stone = linear("#b8a890")
    for index, (aside, tall, _) in enumerate(np.random.default_rng(stage.seed + 41).random((8, 3))):
        depth = 0.25 + 0.08 * index
        size = 0.10 + 0.035 * index
        x = (-0.72 + 0.20 * index + 0.08 * aside) * min(1.0, view.aspect / 1.6) - stage.wander * depth * 0.5
        ground, high = stage.horizon + 0.03 + 0.035 * index, size * (1.2 + 2.6 * tall)
        shaft, flutes = Mask(view), Mask(view)

        def put(
            *points: tuple[float, float], x: float = x, ground: float = ground, size: float = size, depth: float = depth
        ) -> list[tuple[float, float]]:
            return [view.project(x + a * size, ground - b, depth) for a, b in points]

        shaft.polygon(
            put(
                (-0.34, 0),
                (-0.28, high),
                (-0.05, high + 0.06 * size),
                (0.1, high - 0.09 * size),
                (0.28, high + 0.02),
                (0.34, 0),
            )
        )
        shaft.polygon(put((-0.5, 0), (-0.5, 0.14 * size), (0.5, 0.14 * size), (0.5, 0)))
        if tall > 0.6:
            shaft.polygon(
                put((-0.48, high - 0.02), (-0.48, high + 0.16 * size), (0.48, high + 0.16 * size), (0.48, high - 0.02))
            )
        for flute in (-0.16, 0.0, 0.15):
            flutes.line(put((flute, 0.2 * size), (flute * 0.85, high * 0.97)), 0.05 * size)
        haze = max(0.0, 0.5 - 0.07 * index)
        cover = shaft.cover()
        over(
            canvas,
            cover * np.float32(0.98),
            mix(stone * mix(light.shade, light.air, 0.35) * np.float32(1.3), light.air, haze),
        )
        sun_side = np.clip(cover - np.roll(cover, -stage.side * max(2, round(size * view.height * 0.12)), 1), 0, 1)
        over(canvas, sun_side * np.float32(0.8), mix(stone * light.shine * np.float32(1.8), light.air, haze))
        over(canvas, flutes.cover() * cover * np.float32(0.4), stone * light.shade * np.float32(0.5))

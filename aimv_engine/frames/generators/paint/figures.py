"""People: silhouettes with a coloured garment and a rim of light, standing, walking or dancing.

Lengths inside are shares of the figure's height, y downwards from the hip.
"""

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Mask, add, over
from .colours import linear, mix
from .stage import Stage

HIP = 0.48  # height of the hip above the ground
NECK = 0.335  # of the neck above the hip
COAT = [(0.028, -0.36), (0.085, -0.325), (0.098, -0.24), (0.078, -0.10), (0.086, 0.02), (0.108, 0.17), (0.05, 0.185)]
SHIRT = [(0.028, -0.36), (0.088, -0.325), (0.100, -0.24), (0.080, -0.10), (0.082, 0.0), (0.078, 0.05), (0.04, 0.06)]
DRESS = [(0.024, -0.35), (0.072, -0.315), (0.070, -0.22), (0.050, -0.10), (0.085, 0.03), (0.160, 0.27), (0.06, 0.295)]


@dataclass(frozen=True)
class Person:
    """Who stands there: what is worn, how, and with how long hair."""

    garment: list[tuple[float, float]]
    long_hair: bool
    width: float = 1.0


PEOPLE = {
    "man": Person(COAT, False),
    "woman": Person(DRESS, True, 0.9),
    "child": Person(SHIRT, False, 1.12),
    "dancer": Person(DRESS, True, 0.9),
    "person": Person(COAT, False),
}


@dataclass(frozen=True)
class Pose:
    """Angles of legs, knees, upper and lower arms in radians from straight down, left and right; lean and lift."""

    legs: tuple[float, float]
    knees: tuple[float, float]
    arms: tuple[float, float]
    hands: tuple[float, float]
    lean: float
    lift: float


def standing(time: float) -> Pose:
    breath = 0.02 * np.sin(time * 0.9)
    return Pose((0.05, -0.05), (0.05, -0.05), (0.14 + breath, -0.14 - breath), (0.06, -0.06), 0.0, 0.002 * np.sin(time))


def walking(time: float) -> Pose:
    stride = 2 * np.pi * 0.8 * time
    swing = 0.38 * np.sin(stride)
    bend = (0.5 * max(0.0, np.sin(stride + 1.3)), 0.5 * max(0.0, -np.sin(stride + 1.3)))
    arms = (0.08 - 0.7 * swing, -0.08 + 0.7 * swing)
    return Pose(
        (swing, -swing),
        (swing - bend[0], -swing - bend[1]),
        arms,
        (arms[0] + 0.3, arms[1] + 0.3),
        0.015,
        0.008 * np.cos(2 * stride),
    )


def dancing(time: float, energy: float) -> Pose:
    beat = 2 * np.pi * 0.9 * time
    sway = np.sin(beat / 2)
    arms = (2.3 + 0.4 * np.sin(beat / 2 + 0.9), -2.3 + 0.4 * np.sin(beat / 2 - 0.9))
    hands = (2.9 + 0.35 * np.sin(beat / 2 + 2), -2.9 + 0.35 * np.sin(beat / 2))
    legs = (0.20 + 0.08 * sway, -0.20 + 0.08 * sway)
    return Pose(legs, (0.02, -0.02), arms, hands, 0.07 * sway, -0.03 * abs(sway) * (0.5 + energy))


def curve(points: list[tuple[float, float]], steps: int = 5) -> np.ndarray:
    """A closed Catmull-Rom curve through the points [n * steps, 2]."""
    knots = np.asarray(points, np.float64)
    before, after, later = np.roll(knots, 1, 0), np.roll(knots, -1, 0), np.roll(knots, -2, 0)
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (side[:, None] for side in (before, knots, after, later))
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return np.asarray(curve.reshape(-1, 2))


def _limb(mask: Mask, start: np.ndarray, angle: float, length: float, wide: float, narrow: float) -> np.ndarray:
    """A tapered limb from `start`; gives where it ends."""
    along = np.array([np.sin(angle), np.cos(angle)])
    end = start + along * length
    beside = np.array([along[1], -along[0]])
    mask.polygon([start + beside * wide, end + beside * narrow, end - beside * narrow, start - beside * wide])
    mask.disc(start[0], start[1], wide)
    mask.disc(end[0], end[1], narrow)
    return end


def draw_person(
    body: Mask, cloth: Mask, who: Person, pose: Pose, foot: tuple[float, float], tall: float, time: float
) -> tuple[float, float]:
    """Draws a person into two masks, all of it and the garment alone; gives where one hand is (screen)."""
    hip = np.add(foot, (0, -(HIP - pose.lift) * tall))
    neck = np.add(hip, (pose.lean * tall, -NECK * tall))
    for index, side in enumerate((1, -1)):
        thigh = np.add(hip, (side * 0.034 * tall, 0))
        knee = _limb(body, thigh, pose.legs[index], 0.24 * tall, 0.052 * tall, 0.036 * tall)
        ankle = _limb(body, knee, pose.knees[index], 0.225 * tall, 0.035 * tall, 0.020 * tall)
        _limb(body, ankle, 1.35 if side > 0 else -1.1, 0.030 * tall, 0.015 * tall, 0.010 * tall)
    swing = 0.014 * np.sin(time * 2.1)
    right = [(x * who.width, y) for x, y in who.garment]
    outline = right + [(-x, y) for x, y in reversed(right)]
    worn = [
        (hip[0] + (x + swing * max(0, y) * 4 + pose.lean * -y / NECK * (y < 0)) * tall, hip[1] + y * tall)
        for x, y in outline
    ]
    for mask in (body, cloth):
        mask.polygon(curve(worn))
    hand = hip
    for index, side in enumerate((-1, 1)):
        shoulder = np.add(neck, (-side * 0.074 * who.width * tall, 0.037 * tall))
        sleeve = 0.030 * who.width * tall
        elbow = _limb(body, shoulder, pose.arms[index], 0.165 * tall, sleeve, sleeve * 0.8)
        _limb(cloth, shoulder, pose.arms[index], 0.165 * tall, sleeve, sleeve * 0.8)
        hand = _limb(body, elbow, pose.hands[index], 0.155 * tall, sleeve * 0.75, 0.016 * tall)
    head = np.add(neck, (pose.lean * 0.3 * tall, -0.085 * tall))
    _limb(body, neck, np.pi, 0.05 * tall, 0.030 * tall, 0.026 * tall)
    body.disc(head[0], head[1], 0.046 * tall, 1, 1.3)
    body.disc(head[0], head[1] - 0.012 * tall, 0.053 * tall, 1, 1.1)
    if who.long_hair:
        flow = 0.02 * np.sin(time * 1.1)
        hair = [
            (-0.050, -0.02),
            (0.050, -0.02),
            (0.060, 0.07),
            (0.05 + flow, 0.15),
            (flow, 0.17),
            (flow - 0.05, 0.14),
            (-0.060, 0.06),
        ]
        body.polygon(curve([(head[0] + x * tall, head[1] + y * tall) for x, y in hair]))
    return float(hand[0]), float(hand[1])


def paint_people(canvas: Canvas, stage: Stage) -> None:
    """The people of the scene's sentence, seen from behind or against the light."""
    view, things = stage.view, stage.things
    if "rider" in things:  # sits on the horse, see shapes
        return
    kinds = [kind for kind in PEOPLE if kind in things]
    if "couple" in things:
        kinds = ["man", "woman"]
    elif len(kinds) > 1 and "person" in kinds:
        kinds.remove("person")
    indoors = stage.number("indoors", 0.0) > 0
    tall = stage.number("figure", 0.50 if indoors else 0.30)
    ground = stage.number("stand", 0.46 if indoors else 0.44)
    aside = stage.number("aside", 0.10 if stage.seed % 2 else -0.12) * min(1.0, view.aspect)
    for index, kind in enumerate(kinds[:2]):
        who, cloth = PEOPLE[kind], Mask(view)
        high = tall * {"child": 0.66, "woman": 0.94, "dancer": 0.97}.get(kind, 1.0) * view.scale(0.8)
        foot = view.project(aside + (index - 0.25 * (len(kinds) > 1)) * 0.25 * tall * 1.1, ground + 0.004 * index, 0.8)
        time = view.time + 0.37 * index
        if kind == "dancer" or "dance" in things:
            pose = dancing(time, view.energy)
        elif "walk" in things:
            pose = walking(time)
        else:
            pose = standing(time)
        own = Mask(view)
        hand = draw_person(own, cloth, who, pose, foot, high, time)
        _colour_in(canvas, stage, own, cloth, things.get(kind) or things.get("couple") or "")
        if "lantern" in things and index == 0:
            _lantern(canvas, stage, hand, high)
        if "umbrella" in things and index == 0:
            _umbrella(canvas, stage, foot, high)


def _colour_in(canvas: Canvas, stage: Stage, body: Mask, cloth: Mask, colour: str) -> None:
    """Dark against the light, the garment in its colour, an edge where the light comes from."""
    light, view = stage.light, stage.view
    cover, worn = body.cover(), cloth.cover()
    over(canvas, cover * np.float32(0.97), light.zenith * np.float32(0.05) + linear("#1c1614") * np.float32(0.35))
    dye = linear(colour) if colour else mix(light.zenith, linear("#3a3440"), 0.6) * np.float32(0.4)
    bright = np.float32((0.22 + 0.6 * light.ambient) if colour else (0.15 + 0.3 * light.ambient))
    over(canvas, worn * np.float32(0.95), dye * mix(light.shine, np.ones(3), 0.5) * bright * np.float32(1.5))
    pixels = max(1, round(view.height / 300))
    rim = np.clip(cover - np.roll(cover, (pixels, -stage.side * pixels), (0, 1)), 0, 1)
    add(canvas, rim * np.float32(0.45 * light.strength + 0.05), mix(light.sun, light.horizon, 0.3))
    fold = np.clip(worn - np.roll(worn, -stage.side * 4 * pixels, 1), 0, 1)
    add(canvas, fold * np.float32(0.35), dye * light.sun)


def _lantern(canvas: Canvas, stage: Stage, hand: tuple[float, float], tall: float) -> None:
    lamp, frame = Mask(stage.view), Mask(stage.view)
    x, y = hand[0], hand[1] + 0.07 * tall
    frame.disc(x, y, 0.042 * tall, 1, 1.3)
    lamp.disc(x, y, 0.030 * tall, 1, 1.3)
    over(canvas, frame.cover(), linear("#20140a"))
    glow = linear("#ffb860")
    add(canvas, lamp.cover(), glow * 2.2)
    flicker = np.float32(1.0 + 0.12 * np.sin(stage.view.time * 7) * np.sin(stage.view.time * 3.1))
    add(canvas, lamp.cover(0.05) * 7 * flicker, glow * 0.5)
    add(canvas, lamp.cover(0.012) * 2 * flicker, glow)


def _umbrella(canvas: Canvas, stage: Stage, foot: tuple[float, float], tall: float) -> None:
    mask, stick = Mask(stage.view), Mask(stage.view)
    top = foot[1] - 1.22 * tall
    angle = np.linspace(np.pi, 2 * np.pi, 25)
    dome = [(foot[0] + 0.36 * tall * np.cos(a), top + 0.20 * tall + 0.21 * tall * np.sin(a)) for a in angle]
    hem = [
        (foot[0] + 0.36 * tall * x, top + (0.20 - 0.025 * abs(np.sin(x * 9))) * tall) for x in np.linspace(1, -1, 25)
    ]
    mask.polygon(dome + hem)
    stick.line([(foot[0] + 0.02 * tall, top), (foot[0] + 0.06 * tall, foot[1] - 0.55 * tall)], 0.012 * tall)
    cover = mask.cover()
    over(canvas, stick.cover(), linear("#0c0a0a"))
    dye = linear(stage.things["umbrella"] or "#b02838")
    over(
        canvas,
        cover * np.float32(0.97),
        dye * mix(stage.light.shine, np.ones(3), 0.4) * np.float32(0.5 + 0.4 * stage.light.ambient),
    )
    rim = np.clip(cover - np.roll(cover, max(1, stage.view.height // 240), 0), 0, 1)
    add(canvas, rim * np.float32(0.5), stage.light.sun)

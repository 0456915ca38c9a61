"""Ground as a plane below the horizon: roads, snow, a forest floor, rails, a grid of light."""

import cv2
import numpy as np

from aimv_engine.arrays import F32

from .canvas import Canvas, add, over, ramp
from .colours import WHITE, linear, mix, smooth
from .noise import cloud, sample
from .stage import Stage

EYE = 0.12  # height of the eye over the ground
ROAD = 0.62  # half the width of a road, in the measure of `across`


class Plane:
    """The ground below the horizon, seen from the eye.

    `top` is the first row that shows it; `across` and `ahead` say where on the ground every pixel lies, `below`
    [rows, 1] how far under the horizon it is seen, and `line` how much of `across` one pixel spans there.
    """

    def __init__(self, stage: Stage, speed: float, bends: float = 0.0) -> None:
        view = stage.view
        self.top = int((stage.horizon + 0.5) * view.height) - 1
        x, y = view.screen()
        below = np.maximum(y[self.top :] - stage.horizon, 0.002) / view.scale(0.6)
        self.below = below.astype(np.float32)
        self.distance = (EYE / self.below).astype(np.float32)
        side = x / view.scale(0.6) + view.pan_x * self.below
        bend = bends * np.sin(view.time * 0.15) * np.clip(1 - self.below / 0.44, 0, 1) ** 2 * 0.35
        self.across = ((side - bend) * self.distance / EYE * 0.5).astype(np.float32)
        self.ahead = (np.minimum(self.distance, 40) + view.time * speed).astype(np.float32)
        self.line = (self.distance / view.height / EYE * 0.6).astype(np.float32)
        self.haze = (np.exp(-self.below * 13) * 0.9).astype(np.float32)


def paint_road(canvas: Canvas, stage: Stage) -> None:
    """A road that winds to the horizon; `wet` makes it a dark mirror, `dirt` takes the markings away."""
    light = stage.light
    plane = Plane(stage, stage.number("speed", 0.30), stage.number("bends", 0.25))
    grain = sample(cloud(4, 1.4), plane.across * 0.22, plane.ahead * 0.22)
    patches = sample(cloud(9, 2.2), plane.across * 0.05, plane.ahead * 0.05)
    bright = np.float32(0.25 + 0.9 * light.ambient)
    verge = stage.colour("grass", "#6b7440") * mix(light.shine, WHITE, 0.2) * bright
    asphalt = stage.colour("road", "#4a4a52") * mix(light.shine, WHITE, 0.4) * bright
    tufts = sample(cloud(5, 1.6, 6), plane.across * 0.5, plane.ahead * 0.35)
    tone = 0.45 + 0.9 * (grain - 0.5) + 1.1 * (patches - 0.5) + 0.9 * (tufts - 0.5)
    ground = ramp(np.clip(tone, 0, 1), verge * 0.12, verge * 0.95)
    away = np.abs(plane.across)
    on_road = smooth(0, 1, (ROAD - away) / (2 * plane.line) + 0.5)
    worn = np.clip(0.5 + 1.3 * (grain - 0.5) + 0.5 * (patches - 0.5), 0, 1)
    over(ground, on_road, ramp(worn, asphalt * 0.45, asphalt * 1.1))
    if not stage.number("dirt", 0.0):
        sharp = np.clip(0.03 / plane.line, 0, 1)
        edge = smooth(0.5, -0.5, (np.abs(away - ROAD + 0.06) - 0.022) / plane.line)
        dash = smooth(0.5, -0.5, (away - 0.016) / plane.line) * smooth(0.22, 0.26, np.abs(np.mod(plane.ahead, 1) - 0.5))
        paint = mix(linear("#ffe9a8"), light.sun, 0.3) * np.float32(0.35 + 0.5 * light.ambient)
        over(ground, (np.clip(edge + dash, 0, 1) * on_road * sharp * 0.8).astype(np.float32), paint)
    over(ground, np.broadcast_to(plane.haze, on_road.shape).copy(), light.air)
    wet = stage.number("wet", 0.0)
    if wet or "rain" in stage.things:
        puddles = max(wet, 0.6) * (0.35 + 0.65 * smooth(0.35, 0.6, patches))
        _mirror(canvas, stage, plane, ground, puddles.astype(np.float32), grain - 0.5)
    canvas[plane.top :] = ground


def _mirror(canvas: Canvas, stage: Stage, plane: Plane, ground: Canvas, strength: F32, bumps: F32) -> None:
    """Reflects what stands above the horizon in the ground, blurred downwards as on wet asphalt."""
    height = stage.view.height
    x, y = stage.view.screen()
    rows = (2 * stage.horizon - y[plane.top :] + 0.5) * height + bumps * plane.below * height * 0.5
    columns = (x + stage.view.aspect / 2) * height + bumps * plane.below * height * 0.12
    mirror = cv2.remap(
        canvas, columns.astype(np.float32), np.clip(rows, 0, plane.top - 1).astype(np.float32), cv2.INTER_LINEAR
    )
    mirror = cv2.GaussianBlur(mirror, (0, 0), max(0.4, height / 360), sigmaY=height / 72)
    cv2.multiply(ground, cv2.transform(strength, np.array([[-0.6, 1]] * 3, np.float32)), dst=ground)
    ground += mirror * (strength * np.float32(0.95))[..., None]


def paint_snow_field(canvas: Canvas, stage: Stage) -> None:
    """Drifts of snow: large soft forms, blue in the shade, and a crust that glitters towards the light."""
    light = stage.light
    plane = Plane(stage, stage.number("speed", 0.06))
    far = np.log(plane.distance + 0.2)
    drifts = sample(
        cloud(stage.seed % 499, 2.8), plane.across * 0.035 + stage.wander * 0.05, far * 0.30 + stage.view.time * 0.004
    )
    beside = sample(
        cloud(stage.seed % 499, 2.8),
        plane.across * 0.035 + stage.wander * 0.05 + 0.018 * stage.side,
        far * 0.30 + 0.012 + stage.view.time * 0.004,
    )
    crust = sample(cloud(stage.seed % 499 + 1, 1.7), plane.across * 0.15, plane.ahead * 0.15)
    facing = np.clip(0.55 + 11 * (drifts - beside) + 0.35 * (crust - 0.5), 0, 1)
    bright = np.float32(0.35 + 0.65 * light.ambient)
    shade = mix(mix(light.zenith, light.fog, 0.6), linear("#8fb0e0"), 0.35) * bright
    field = ramp(facing.astype(np.float32), shade * 0.75, mix(light.shine, WHITE, 0.5) * bright * 1.05)
    over(field, np.broadcast_to(plane.haze * 0.9, facing.shape).astype(np.float32), light.air)
    canvas[plane.top :] = field


def paint_floor(canvas: Canvas, stage: Stage) -> None:
    """The floor of a wood, with a path of light down the middle."""
    light = stage.light
    plane = Plane(stage, stage.number("pace", 0.045) * 2)
    far = np.log(plane.distance + 0.2)
    moss = stage.colour("floor", "#6a7a3c")
    large = sample(cloud(stage.seed % 499, 2.4), plane.across * 0.06, far * 0.4)
    litter = sample(cloud(stage.seed % 499 + 1, 1.6), plane.across * 0.12, plane.ahead * 0.14)
    path = np.exp(-((plane.across / 0.8) ** 2)) * 0.35
    lit = np.clip(0.05 + 0.5 * litter + 0.55 * large * path * 2 + 0.3 * path, 0, 1).astype(np.float32)
    dark = moss * mix(light.zenith, light.fog, 0.5) * np.float32(0.35)
    floor = ramp(lit, dark, moss * light.shine * np.float32(1.4))
    over(floor, np.broadcast_to(plane.haze * 0.8, lit.shape).astype(np.float32), light.air)
    canvas[plane.top :] = floor


def paint_rails(canvas: Canvas, stage: Stage) -> None:
    """A railway track to the vanishing point: ballast, sleepers, two shining rails."""
    light = stage.light
    plane = Plane(stage, stage.number("speed", 0.30))
    stones = sample(cloud(4, 1.3), plane.across * 0.4, plane.ahead * 0.4)
    bright = np.float32(0.25 + 0.8 * light.ambient)
    gravel = linear("#8a7f78") * mix(light.shine, WHITE, 0.2) * bright
    bed = ramp(stones, gravel * 0.35, gravel * 1.1)
    away = np.abs(plane.across)
    sleeper = smooth(0.5, -0.5, (away - 0.42) / plane.line - 0.5) * smooth(
        0.24, 0.2, np.abs(np.mod(plane.ahead * 2.2, 1) - 0.5)
    )
    over(bed, (sleeper * np.clip(0.05 / plane.line, 0, 1)).astype(np.float32), gravel * linear("#6a4a38") * 0.7)
    rail = smooth(0.8, -0.8, (np.abs(away - 0.28) - 0.014) / plane.line)
    over(bed, rail.astype(np.float32), mix(light.horizon, light.sun, 0.4) * np.float32(0.35 + 0.65 * light.strength))
    verge = smooth(0.62, 0.82, away + 0.3 * (stones - 0.5))
    grass = stage.colour("grass", "#6b7440") * light.shine * np.float32(1.2)
    over(bed, verge, ramp(stones, grass * 0.2, grass))
    over(bed, np.broadcast_to(plane.haze, verge.shape).copy(), light.air)
    canvas[plane.top :] = bed


def paint_grid(canvas: Canvas, stage: Stage) -> None:
    """A glowing grid that rushes towards the viewer, as in the arcades of the eighties."""
    plane = Plane(stage, stage.number("speed", 0.9))
    glow = np.float32(0.6 + 0.7 * stage.view.energy)
    canvas[plane.top :] = stage.light.zenith * np.float32(0.5)
    for where, spacing in ((plane.across, 0.5), (plane.ahead, 0.5)):
        away = np.abs(np.mod(where / spacing, 1) - 0.5)
        blur = np.clip(plane.line / spacing * (1.0 if where is plane.across else plane.distance * 8), 0.004, 0.6)
        beam = np.exp(-(((0.5 - away) / (0.014 + blur)) ** 2)) * np.clip(0.05 / blur, 0.08, 1)
        halo = 0.25 * np.exp(-(0.5 - away) / 0.07)
        add(
            canvas[plane.top :],
            ((beam + halo) * glow).astype(np.float32),
            mix(stage.light.horizon, stage.light.sun, 0.3),
        )
    over(
        canvas[plane.top :],
        np.broadcast_to(plane.haze**3, (len(plane.below), canvas.shape[1])).copy(),
        stage.light.horizon,
    )


def paint_striped_sun(canvas: Canvas, stage: Stage) -> None:
    """The big sun above the grid, cut by stripes towards its foot."""
    view = stage.view
    x, y = view.plane(0.05)
    radius, middle = 0.27, stage.horizon - 0.17
    disc = smooth(radius + 0.002, radius - 0.002, np.sqrt(x**2 + (y - middle) ** 2))
    down = (y - middle) / radius
    stripe = smooth(-0.05, 0.05, np.sin((down + view.time * 0.03) * 26) + 1.0 - 1.3 * np.clip(down + 0.25, 0, 1.2))
    shine = ramp(np.clip((down + 1) / 2, 0, 1).astype(np.float32) + 0 * x, linear("#ffe070"), linear("#ff2f88"))
    over(canvas, (disc * stripe * (y < stage.horizon)).astype(np.float32), shine * np.float32(1.25))


def paint_terrace(canvas: Canvas, stage: Stage) -> None:
    """A flat roof with a parapet, from which the city is seen."""
    light = stage.light
    plane = Plane(stage, 0.0)
    tar = sample(cloud(4, 1.4), plane.across * 0.3, plane.ahead * 0.3)
    bright = np.float32(0.2 + 0.6 * light.ambient)
    stone = mix(light.zenith, linear("#8a8078"), 0.5) * bright
    roof = ramp(tar, stone * 0.4, mix(stone, light.horizon, 0.25) * 0.9)
    over(canvas[plane.top :], smooth(0.205, 0.21, plane.below) + 0 * tar, roof)
    wall = smooth(0.115, 0.12, plane.below) * smooth(0.22, 0.215, plane.below)
    over(canvas[plane.top :], wall + 0 * tar, stone * 0.5)
    coping = smooth(0.10, 0.105, plane.below) * smooth(0.125, 0.12, plane.below)
    over(canvas[plane.top :], coping + 0 * tar, mix(stone, light.horizon, 0.4))

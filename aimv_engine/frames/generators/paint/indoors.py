"""Indoors: a room with a window, and corridors that never end."""

import numpy as np

from aimv_engine.arrays import F32

from .canvas import Canvas, Mask, add, enlarge, over, ramp
from .colours import WHITE, linear, mix, smooth
from .noise import chance, cloud, sample
from .stage import Stage
from .view import View

# the room, in metres about: half its width, its ceiling, floor and back wall; and the window in the back wall
SIDE, CEILING, FLOOR, BACK = 2.3, -1.15, 1.05, 2.2
LEFT, RIGHT, TOP, SILL = -0.95, 0.75, -0.85, 0.45
EYE = (0.0, 0.1, -1.75)


class _Camera:
    """The room's camera: rays for every point of a grid, and points of the room on the screen."""

    def __init__(self, view: View) -> None:
        self.turn = 0.10 * np.sin(view.time * 0.13) + 0.1 * view.pan_x
        self.eye = (
            EYE[0] + 0.28 * np.sin(view.time * 0.17) + view.pan_x * 0.4,
            EYE[1],
            EYE[2] + 0.12 * np.sin(view.time * 0.11),
        )
        self.focus = 1.12 * view.zoom

    def rays(self, view: View, step: int) -> tuple[F32, F32]:
        x, y = view.screen(step)
        return x + np.float32(self.focus * np.sin(self.turn)), y + 0 * x

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        away = (z - self.eye[2]) / self.focus
        return (x - self.eye[0]) / away - self.focus * np.sin(self.turn), (y - self.eye[1]) / away


def _window(x: F32, y: F32, edge: float) -> F32:
    """How much light comes through the window at points of its wall; it has a cross of bars."""
    wide, high = RIGHT - LEFT, SILL - TOP
    pane = smooth(-edge, edge, x - LEFT) * smooth(-edge, edge, RIGHT - x)
    pane = pane * smooth(-edge, edge, y - TOP) * smooth(-edge, edge, SILL - y)
    upright = np.abs((x - LEFT) / wide - 0.5) * wide
    beam = np.abs((y - TOP) / high - 0.42) * high
    bar = 0.018 - edge * 0.3
    return np.asarray(pane * smooth(bar, bar + edge * 1.3, upright) * smooth(bar, bar + edge * 1.3, beam), np.float32)


def paint_room(canvas: Canvas, stage: Stage) -> None:
    """Wooden floor, walls, a window whose light falls into the dusty air, curtains, a table with a vase."""
    view, light = stage.view, stage.light
    camera = _Camera(view)
    ray_x, ray_y = camera.rays(view, 2)
    eye_x, eye_y, eye_z = camera.eye
    to_side = (np.where(ray_x > 0, SIDE, -SIDE) - eye_x) / np.where(np.abs(ray_x) < 1e-5, 1e-5, ray_x)
    to_level = (np.where(ray_y > 0, FLOOR, CEILING) - eye_y) / np.where(np.abs(ray_y) < 1e-5, 1e-5, ray_y)
    to_back = np.full_like(ray_x, (BACK - eye_z) / camera.focus)
    reach = np.minimum(np.minimum(to_side, to_level), to_back)
    x, y, z = eye_x + ray_x * reach, eye_y + ray_y * reach, eye_z + camera.focus * reach
    back = (to_back <= to_side) & (to_back <= to_level)
    floor = ~back & (to_level < to_side) & (ray_y > 0)

    # sunlight slants down from the window; light in the air is its sum along the ray
    slant_x, slant_y = 0.42 - 0.1 * np.sin(view.time * 0.05), 0.55
    behind = BACK - z
    lit = _window(x - behind * slant_x, y - behind * slant_y, 0.05) * ~back
    air = np.zeros_like(x)
    for part in (np.arange(8) + 0.5) / 8:
        deep = BACK - (eye_z + camera.focus * reach * part)
        air += _window(
            eye_x + ray_x * reach * part - deep * slant_x, eye_y + ray_y * reach * part - deep * slant_y, 0.08
        )
    dust = sample(cloud(stage.seed % 499, 2.2), ray_x * 0.5 + view.time * 0.014, ray_y * 0.5 - view.time * 0.008)
    air = air / 8 * (0.5 + dust)

    corner = np.clip((SIDE - np.abs(x)) * (y - CEILING) * (FLOOR - y + 0.02 + 2 * floor) + 0.05, 0, None) * 0.9
    shade = 0.35 + 0.65 * np.clip(corner, 0, 1) ** 0.4
    glow = np.exp(-np.sqrt((x - 0.1) ** 2 + (y + 0.1) ** 2 + (z - BACK) ** 2) * 0.7)
    plank = x * 3.1
    grain = sample(cloud(3, 1.6, 3), x * 0.04 + np.floor(plank) * 0.37, z * 0.05 + np.floor(plank) * 0.11)
    joint = smooth(0.0, 0.03, np.mod(plank, 1)) * smooth(1.0, 0.97, np.mod(plank, 1))
    plaster = 0.85 + 0.3 * sample(cloud(8, 1.4), x * 0.3 + z * 0.3, y * 0.3)
    wood, wall = stage.colour("floor", "#7a4a2c"), stage.colour("wall", "#8a7466")
    albedo = np.where(floor, (0.45 + 0.9 * grain) * (0.55 + 0.45 * joint), plaster)[..., None] * np.where(
        floor[..., None], wood, wall
    )
    shade_colour = mix(light.zenith, light.fog, 0.6) * np.float32(0.10 + 0.5 * light.ambient)
    sunlight = light.sun * np.float32(max(light.strength, 0.3) * (1 + 0.5 * view.brightness))
    lighting = shade_colour * (0.6 + 2.2 * glow)[..., None] + sunlight * (1.9 * lit)[..., None]
    picture = (albedo * shade[..., None] * lighting + sunlight * (0.42 * air)[..., None]).astype(np.float32)

    across, down = (x - LEFT) / (RIGHT - LEFT), (y - TOP) / (SILL - TOP)
    pane = _window(x, y, 0.012) * back
    over(picture, pane, _outside(stage, across, down))
    if "rain" in stage.things:
        add(picture, pane * _streaks(stage, across, down), mix(light.horizon, WHITE, 0.3) * np.float32(0.5))
    outer = np.maximum(
        np.abs(x - (LEFT + RIGHT) / 2) - (RIGHT - LEFT) / 2, np.abs(y - (TOP + SILL) / 2) - (SILL - TOP) / 2
    )
    frame = smooth(0.10, 0.085, outer) * back * (1 - pane)
    over(picture, frame.astype(np.float32), linear("#d8ccb8") * np.float32(0.10 + 0.35 * light.ambient))
    cloth = stage.colour("curtain", "#8c3a3a")
    for middle in (LEFT - 0.14, RIGHT + 0.14):
        billow = x - middle - 0.03 * np.sin(view.time * 0.7 + y * 2)
        curtain = (
            smooth(0.26, 0.24, np.abs(billow) + 0.05 * np.maximum(y, 0))
            * back
            * smooth(-0.95, -0.93, y)
            * smooth(0.9, 0.87, y)
        )
        fold = 0.5 + 0.5 * np.sin(billow * 38 + 0.6 * np.sin(y * 3 + view.time * 0.6))
        folds = ramp(fold.astype(np.float32), cloth * shade_colour * 0.3, cloth * (shade_colour + sunlight * 0.35))
        over(picture, (curtain * 0.95).astype(np.float32), folds)
    canvas[:] = enlarge(picture, view)
    _paint_table(canvas, stage, camera, shade_colour)


def _outside(stage: Stage, across: F32, down: F32) -> Canvas:
    """What is seen through the window: sky, a cloud, hills."""
    light = stage.light
    sky = ramp(np.clip(down, 0, 1).astype(np.float32), light.zenith * 0.8 + light.middle * 0.4, light.horizon * 1.15)
    clouds = smooth(0.5, 0.8, sample(cloud(5, 2.4), across * 0.3 + stage.view.time * 0.006, down * 0.5))
    over(sky, clouds * np.float32(0.6), mix(light.sun, WHITE, 0.5) * np.float32(0.2 + 0.8 * light.ambient))
    crest = 0.72 + 0.06 * np.sin(across * 5) + 0.10 * (sample(cloud(6, 2.0), across * 0.4, 0.3) - 0.5)
    hills = mix(light.fog, linear("#3a5a3a"), 0.4) * np.float32(0.2 + 0.6 * light.ambient)
    over(sky, smooth(-0.01, 0.01, down - crest) * np.float32(0.9), hills)
    return sky


def _streaks(stage: Stage, across: F32, down: F32) -> F32:
    """Drops that run down the pane."""
    lane = across * 26
    speed = 0.10 + 0.25 * chance(9, lane)
    place = np.mod(down * 0.9 - stage.view.time * speed + chance(11, lane), 1)
    drop = smooth(0.32, 0.12, np.abs(np.mod(lane, 1) - 0.5)) * (
        smooth(0.93, 0.97, place) + 0.25 * smooth(0.4, 0.95, place)
    )
    return np.asarray(drop, np.float32)


def _paint_table(canvas: Canvas, stage: Stage, camera: _Camera, shade: F32) -> None:
    """A table with flowers in a vase, dark against the light; a candle on it when the scene has one."""
    view, mask = stage.view, Mask(stage.view)

    def plate(*points: tuple[float, float, float]) -> None:
        mask.polygon([camera.project(*point) for point in points])

    plate((0.7, 0.42, 0.2), (2.0, 0.42, 0.2), (2.0, 0.42, 1.1), (0.7, 0.42, 1.1))
    plate((0.7, 0.42, 0.2), (2.0, 0.42, 0.2), (2.0, 0.49, 0.2), (0.7, 0.49, 0.2))
    for x, z in ((0.76, 0.22), (1.94, 0.22), (0.8, 1.05)):
        plate((x, 0.45, z), (x + 0.07, 0.45, z), (x + 0.06, 1.05, z), (x + 0.01, 1.05, z))
    vase = ((1.2, 0.42), (1.42, 0.42), (1.46, 0.28), (1.36, 0.16), (1.26, 0.16), (1.16, 0.28))
    plate(*((x, y, 0.6) for x, y in vase))
    heads = Mask(view)
    for index in range(7):
        angle = -np.pi / 2 + (index - 3) * 0.22 + 0.03 * np.sin(view.time + index)
        tip = camera.project(1.31 + 0.34 * np.cos(angle), 0.16 + 0.36 * np.sin(angle), 0.6)
        mask.line([camera.project(1.31, 0.18, 0.6), tip], 0.005)
        heads.disc(*tip, 0.016 + 0.008 * (index % 3))
    over(canvas, mask.cover() * np.float32(0.94), shade * np.float32(0.12) + np.float32(0.006))
    over(canvas, heads.cover() * np.float32(0.9), stage.colour("petals", "#c8485a") * shade * np.float32(1.6))


def paint_corridor(canvas: Canvas, stage: Stage) -> None:
    """A passage that goes on and on: floor, walls with doors, lights along the ceiling and on the walls."""
    view, light = stage.view, stage.light
    ray_x, ray_y = view.plane(0.6, 2)
    sway = 0.05 * np.sin(view.time * 0.5)
    ray_x, ray_y = ray_x + np.float32(0.03 * np.sin(view.time * 0.23)), ray_y - np.float32(stage.horizon * 0.5)
    half, up, down = stage.number("half_width", 0.62), stage.number("ceiling", 0.62), 0.55
    to_wall = (half - np.sign(ray_x) * sway * 0.3) / np.maximum(np.abs(ray_x), 1e-4)
    to_level = np.where(ray_y > 0, down, up) / np.maximum(np.abs(ray_y), 1e-4)
    reach = np.minimum(np.minimum(to_wall, to_level), 60).astype(np.float32)
    wall, floor = to_wall < to_level, (to_wall >= to_level) & (ray_y > 0)
    ahead = reach + view.time * stage.number("speed", 0.55)
    x, y = ray_x * reach, ray_y * reach
    fine = reach * reach * 2.4 / view.height

    edge = np.clip(fine, 0.012, 0.4)
    place = np.mod(ahead * 0.55, 1)
    panel = _band(place, 0.30, 0.70, edge * 0.55) * ~wall * ~floor * smooth(half * 0.42, half * 0.36, np.abs(x))
    strip = wall * _band(y, -0.16, -0.13, edge * 0.5) * stage.number("strips", 0.0)
    doors = (
        wall
        * _band(np.mod(ahead * 0.55 + 0.5 * (ray_x > 0), 1), 0.36, 0.64, edge * 0.55)
        * (y > -0.28)
        * stage.number("doors", 1.0)
    )
    who = chance(stage.seed, ahead * 0.55 + 0.5 * (ray_x > 0), ray_x > 0)
    rack = stage.number("racks", 0.0) * wall * (chance(3, ahead * 14, y * 26, ray_x > 0) > 0.72)
    rack = rack * smooth(9, 3, reach)

    lamp = stage.colour("lamp", "#fff0d0")
    near_lamp = 0.35 + 0.65 * (0.5 + 0.5 * np.cos(2 * np.pi * (place - 0.5)))
    height_light = 0.65 + 0.35 * np.clip(1 - (y + up) / (up + down), 0, 1)
    wear = 0.75 + 0.5 * sample(cloud(stage.seed % 499, 1.6), ahead * 0.35, (np.where(wall, y, x)) * 0.5)
    tiles = np.where(floor, 1 - 0.25 * (chance(1, ahead * 3, x * 3 + 50) > 0.5), np.where(wall, 1.0, 0.75))
    surface = np.where(floor[..., None], stage.colour("floor", "#5a4a44"), stage.colour("wall", "#a89a88"))
    surface = np.where((doors > 0.5)[..., None], stage.colour("door", "#5a3a2c"), surface)
    corner = 0.65 + 0.35 * np.clip(
        np.minimum(half - np.abs(x) + wall * 9, np.minimum(down - y + floor * 9, up + y + (~floor & ~wall) * 9)) * 6,
        0,
        1,
    )
    power = np.float32((0.35 + 0.3 * light.ambient) * (0.8 + 0.5 * view.energy))
    lighting = (near_lamp * height_light * wear * tiles * corner)[..., None] * lamp * power + light.shade * 0.5
    picture = (surface * lighting).astype(np.float32)
    open_door = doors * smooth(0.78, 0.80, who)
    add(picture, (open_door * 0.8).astype(np.float32), mix(light.sun, lamp, 0.5))
    add(picture, (panel * 1.5 + strip * 1.4).astype(np.float32), lamp)
    blink = 0.4 + 0.6 * (
        np.sin(view.time * (1 + 3 * chance(5, ahead * 14, y * 26)) * 2 + 40 * chance(6, ahead * 14, y * 26)) > 0
    )
    add(picture, (rack * blink).astype(np.float32), stage.colour("blink", "#40b0ff") * 1.3)
    shine = (
        stage.number("shine", 0.45) * floor * _band(place, 0.25, 0.75, edge + 0.1) * smooth(half * 0.7, 0.05, np.abs(x))
    )
    add(picture, (shine * near_lamp * 0.5).astype(np.float32), lamp * power)
    far = stage.colour("far", "#f0e8dc") * np.float32(0.35 + 0.5 * light.ambient)
    over(picture, (1 - np.exp(-np.maximum(reach - 1, 0) * 0.13)).astype(np.float32), mix(far, light.air, 0.35))
    canvas[:] = enlarge(picture, view)


def _band(value: F32, low: float, high: float, edge: F32) -> F32:
    """1 between two bounds, with edges as soft as a pixel is wide."""
    return np.asarray(
        np.clip((value - low) / edge + 0.5, 0, 1) * np.clip((high - value) / edge + 0.5, 0, 1), np.float32
    )

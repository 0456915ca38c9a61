"""A keyframe, from its spec to its pixels. Pure: the same spec, choice and size give the same bytes anywhere."""

from collections.abc import Callable

import cv2
import numpy as np

from aimv_engine import looks
from aimv_engine.arrays import F32, Picture
from aimv_engine.frames.plan import KeyframeSpec
from aimv_engine.looks import Look

from . import abstract, deep, figures, ground, hall, indoors, land, shapes, sky, space, street, water, weather
from .canvas import Canvas
from .catalogue import catalogue
from .choose import Choice
from .grade import bloom, develop, on_paper
from .light import Light, rays
from .stage import Stage
from .style import StyleNetwork, brush, flatten, outline, stylise
from .view import View

Painter = Callable[[Canvas, Stage], None]

# What a place's and a thing's steps mean, from back to front: a scene paints those it has in this order.
STEPS: dict[str, Painter] = {
    "sky": sky.paint_sky,
    "aurora": sky.paint_aurora,
    "nebula": space.paint_nebula,
    "planet": space.paint_planet,
    "tunnel": space.paint_tunnel,
    "kaleidoscope": abstract.paint_kaleidoscope,
    "ribbons": abstract.paint_ribbons,
    "bokeh": abstract.paint_bokeh,
    "striped_sun": ground.paint_striped_sun,
    "lightning": weather.paint_lightning,
    "birds": sky.paint_birds,
    "mountains": land.paint_mountains,
    "cloud_sea": land.paint_cloud_sea,
    "hills": land.paint_hills,
    "skyline": land.paint_skyline,
    "smoke": weather.paint_smoke,
    "wheel": abstract.paint_ferris_wheel,
    "treeline": land.paint_treeline,
    "hedge": land.paint_hedge,
    "house": shapes.paint_house,
    "waterfall": water.paint_waterfall,
    "water": water.paint_water,
    "boat": shapes.paint_boat,
    "beach": water.paint_beach,
    "dunes": land.paint_dunes,
    "road": ground.paint_road,
    "rails": ground.paint_rails,
    "grid": ground.paint_grid,
    "lava": weather.paint_lava,
    "bank": land.paint_bank,
    "snow_field": ground.paint_snow_field,
    "floor": ground.paint_floor,
    "terrace": ground.paint_terrace,
    "houses": street.paint_houses,
    "forest": land.paint_forest,
    "columns": shapes.paint_columns,
    "flowers": land.paint_flowers,
    "grass": land.paint_grass,
    "deep": deep.paint_deep,
    "room": indoors.paint_room,
    "corridor": indoors.paint_corridor,
    "hall": hall.paint_hall,
    "beams": abstract.paint_beams,
    "fire": weather.paint_fire,
    "candle": shapes.paint_candle,
    "shapes": shapes.paint_shapes,
    "people": figures.paint_people,
    "crowd": abstract.paint_crowd,
    "palms": shapes.paint_palms,
    "balloons": shapes.paint_balloons,
}
# Painted after the brush strokes: they must stay as crisp as they are
AFTER: dict[str, Painter] = {
    "sparks": weather.paint_sparks,
    "petals": weather.paint_petals,
    "dust": weather.paint_dust,
    "rain": weather.paint_rain,
    "snowfall": weather.paint_snowfall,
}
WANDER = 0.035  # picture heights a second the camera travels sideways past things at depth 1


def render(
    spec: KeyframeSpec, choice: Choice, light: Light, size: tuple[int, int], network: StyleNetwork | None
) -> Picture:
    """The picture of a spec, [height, width, 3] sRGB. `network` may be None for looks without styles."""
    look = looks.load(spec.look)
    stage = set_stage(spec, choice, light, size)
    steps = steps_of(choice)
    canvas = np.zeros((size[1], size[0], 3), np.float32)
    for name, painter in STEPS.items():
        if name in steps:
            painter(canvas, stage)
    if "sky" in steps:
        colour = light.sun * np.float32(0.7 + 0.3 * spec.energy)
        rays(canvas, stage.view, stage.sun, colour, stage.number("rays", 0.35), stage.number("ray_threshold", 0.5))
    bloom(canvas, look.glow * (0.7 + 0.5 * spec.energy))
    style = style_of(spec)
    picture = painted(_rolled(develop(canvas, stage.view, look), spec.camera.roll), look, network, style)
    if steps & set(AFTER):
        picture = picture * picture  # light adds up in linear values
        for name, painter in AFTER.items():
            if name in steps:
                painter(picture, stage)
        picture = np.sqrt(np.maximum(picture, 0))
    if look.paper:
        picture = on_paper(picture, look.paper * style)
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)


def painted(picture: F32, look: Look, network: StyleNetwork | None, style: float = 1.0) -> F32:
    """The look's way of painting: brush, flat tones, the network's strokes, ink.

    `style` is how much of it: 0 leaves the picture plain, above 1 brush, strokes and ink grow.
    """
    plain, more = picture, max(1.0, style)
    if look.brush:
        picture = brush(picture, look.brush * more)
    if look.levels:
        picture = flatten(picture, look.levels)
    if look.styles and network is not None:
        picture = stylise(picture, network, look, look.strength * more)
    if look.lines:
        picture = outline(picture, min(1.0, look.lines * more))
    if style < 1.0:
        picture = plain + np.float32(style) * (picture - plain)
    return picture


def style_of(spec: KeyframeSpec) -> float:
    """How strongly the look is painted: as much as its words weigh."""
    return next((text.weight for text in spec.texts if text.role == "look"), 1.0)


def steps_of(choice: Choice) -> frozenset[str]:
    """All painters that a choice calls for."""
    things = catalogue().things
    named = [step for name, _ in choice.things for step in things[name].steps]
    own = set(catalogue().places[choice.place].steps).difference(choice.without)
    steps = own.union(choice.backgrounds, named)
    if steps & {"people", "shapes"} and steps & {"water", "cloud_sea", "lava"} and "beach" not in steps:
        steps.add("bank")  # something to stand on
    return frozenset(steps)


def set_stage(spec: KeyframeSpec, choice: Choice, light: Light, size: tuple[int, int]) -> Stage:
    """What the painters are told. The composition comes from the spec's seed alone, the moment from its walk."""
    settings = dict(catalogue().places[choice.place].settings)
    for name, _ in choice.things:
        settings.update(catalogue().things[name].settings)
    random = np.random.default_rng(spec.seed)
    sun_x, direction, pace = random.uniform(-0.45, 0.45), random.choice([-1, 1]), random.uniform(0.7, 1.3)
    horizon = float(settings.get("horizon", 0.06))
    view = View(
        width=size[0], height=size[1], time=spec.walk, energy=spec.energy, brightness=spec.brightness, hue=spec.hue,
        zoom=spec.camera.zoom, pan_x=spec.camera.pan_x, pan_y=spec.camera.pan_y, horizon=horizon,
    )  # fmt: skip
    return Stage(
        view=view,
        light=light,
        seed=int(random.integers(1, 1 << 20)),
        settings=settings,
        things=dict(choice.things),
        sun=(float(sun_x) * min(1.0, view.aspect / 1.78), horizon - (0.5 + horizon) * light.height * 0.96),
        wander=float(direction * pace * WANDER * spec.walk),
    )


def _rolled(picture: F32, roll: float) -> F32:
    """The picture turned counter-clockwise, and enlarged just enough that its corners stay filled."""
    if roll == 0:
        return picture
    height, width = picture.shape[:2]
    cosine, sine = np.cos(roll), np.sin(roll)
    scale = cosine + abs(sine) * max(width / height, height / width)
    turn = np.array([[cosine, sine], [-sine, cosine]]) * scale
    middle = np.array([width / 2 - 0.5, height / 2 - 0.5])
    warp = np.hstack([turn, (middle - turn @ middle)[:, None]])
    return np.asarray(
        cv2.warpAffine(picture, warp, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )

"""Landscapes: ridges, hills, dunes, woods, skylines and meadows, layer behind layer with fog between them."""

import numpy as np

from aimv_engine.arrays import F32

from . import city, plants, trees
from .canvas import Canvas, enlarge, over, ramp
from .colours import WHITE, linear, mix, smooth
from .layer import NOTHING, Tint, draw
from .light import fog_bank
from .noise import cloud, sample
from .stage import Stage
from .terrain import terrain


def _lands(stage: Stage, albedo: F32, haze: float, first: F32 | None = None, second: F32 | None = None) -> Tint:
    """The tint of land of a natural colour in the light of the moment."""
    light = stage.light
    return Tint(
        dark=albedo * mix(light.zenith, light.fog, 0.45) * np.float32(0.35 + 0.5 * light.ambient),
        lit=albedo * light.shine * np.float32(2.0),
        first=np.zeros(3, np.float32) if first is None else first,
        second=np.zeros(3, np.float32) if second is None else second,
        haze=min(0.93, haze),
        haze_colour=light.air,
    )


def paint_mountains(canvas: Canvas, stage: Stage) -> None:
    light, haze = stage.light, stage.haze
    rock = stage.colour("rock", "#7d7f8c")
    snow = mix(light.shine, WHITE, 0.45) * np.float32(stage.number("snow_caps", 0.6))
    for index, (relief, far, y) in enumerate(((132, 0.46, 0.0), (92, 0.26, 0.015), (52, 0.10, 0.035))):
        depth = 0.06 + 0.08 * index
        ridge = terrain("mountains", stage.seed + index, relief * stage.number("relief", 1.0), stage.detail, stage.side)
        tint = _lands(stage, rock, far + 0.35 * haze, snow * [1.0, 0.8, 0.3][index], light.air * np.float32(0.45))
        draw(canvas, stage.view, ridge, tint, depth, stage.horizon + y, stage.travel(depth))
        density = 0.18 + 0.45 * haze
        fog_bank(canvas, stage.view, stage.horizon + 0.02 + 0.02 * index, 0.06, density, light.air, stage.seed + index)


def paint_hills(canvas: Canvas, stage: Stage) -> None:
    grass = stage.colour("grass", "#6f8a45")
    for index, (relief, far, y) in enumerate(((40, 0.42, 0.015), (30, 0.2, 0.05))):
        depth = 0.18 + 0.12 * index
        hill = terrain("hills", stage.seed + 20 + index, relief, stage.detail, stage.side)
        tint = _lands(stage, grass, far + 0.3 * stage.haze, second=stage.light.air * np.float32(0.25))
        draw(canvas, stage.view, hill, tint, depth, stage.horizon + y, stage.travel(depth))
        fog_bank(canvas, stage.view, stage.horizon + y, 0.05, 0.5 * stage.haze, stage.light.air, stage.seed + 5 + index)


def paint_dunes(canvas: Canvas, stage: Stage) -> None:
    sand, air = stage.colour("sand", "#e0ac6c"), stage.light.air
    rows = ((34, 0.40, 0.00, 0.15, 0.9), (52, 0.14, 0.06, 0.35, 1.2), (80, 0.0, 0.21, 0.7, 1.9))
    for index, (relief, far, y, depth, scale) in enumerate(rows):
        dune = terrain("dunes", stage.seed + index, relief, stage.detail, stage.side)
        tint = _lands(stage, sand, far + 0.3 * stage.haze)
        draw(canvas, stage.view, dune, tint, depth, stage.horizon + y, stage.travel(depth), scale)
        blown = (0.26, 0.12, 0.05)[index] * (0.4 + stage.view.energy)
        fog_bank(
            canvas, stage.view, stage.horizon + y + 0.02, 0.05, blown, mix(air, sand, 0.3), stage.seed + index, 0.05
        )


def paint_cloud_sea(canvas: Canvas, stage: Stage) -> None:
    """Looking down on a deck of clouds that slides by, with banks that rise out of it."""
    view, light = stage.view, stage.light
    x, y = view.plane(0.4, 2)
    below = np.maximum(y - stage.horizon, 0) + 0.035
    u = (x + stage.wander * 0.6) / below * 0.12 + view.time * 0.012
    v = 0.10 / below - view.time * 0.012
    large, fine = cloud(stage.seed % 499, 2.4, 2), cloud(stage.seed % 499 + 3, 1.9, 4)
    tops = 0.72 * sample(large, u, v) + 0.28 * sample(fine, u * 2.3, v * 2.3)
    beside = 0.72 * sample(large, u + 0.02 * stage.side, v + 0.03) + 0.28 * sample(
        fine, u * 2.3 + 0.02 * stage.side, v * 2.3 + 0.02
    )
    lit = np.clip(0.42 + 3.2 * (tops - beside) + 0.5 * (tops - 0.5), 0, 1)
    white = mix(light.shine, WHITE, 0.35) * np.float32(0.45 + 0.6 * light.ambient)
    shade = mix(mix(light.fog, light.zenith, 0.45), light.middle, 0.35) * np.float32(0.62)
    deck = ramp(lit, shade, mix(white, light.horizon, 0.25))
    over(deck, np.exp(-(below - 0.035) * 7) * 0.75, light.air)
    over(
        canvas, enlarge(smooth(0.0, 0.03, y - stage.horizon + 0.012 * (tops - 0.5)) + 0 * x, view), enlarge(deck, view)
    )
    for index in range(2):
        bank = mix(light.air, white, 0.3)
        fog_bank(
            canvas, view, stage.horizon + 0.01 + 0.08 * index, 0.03 + 0.03 * index, 0.5, bank, stage.seed + index, 0.03
        )


def paint_skyline(canvas: Canvas, stage: Stage) -> None:
    light, haze = stage.light, stage.haze
    on = np.float32(0.15 + 0.85 * min(1.0, light.night + 0.35))
    warm, other = linear("#ffcf80") * on, linear("#ff5fc0" if light.night > 0.7 else "#8fd8ff") * on
    rows = ((70, 72, 0.58, 0.0, 0.08), (46, 96, 0.32, 0.02, 0.18), (24, 112, 0.10, 0.045, 0.3))
    for index, (count, tall, far, y, depth) in enumerate(rows):
        houses = city.skyline(
            stage.seed + index, count, int(tall * stage.number("towers", 1.0)), stage.detail, stage.side
        )
        dim = np.float32((0.9, 0.6, 0.38)[index])
        tint = Tint(
            mix(light.zenith, light.shade, 0.5) * dim,
            mix(light.shine, light.fog, 0.4) * dim * np.float32(0.8),
            warm * np.float32(0.7 + 0.5 * stage.view.energy),
            other * np.float32(0.45 + 0.6 * stage.view.energy),
            min(0.9, far + 0.2 * haze),
            light.air,
        )
        draw(canvas, stage.view, houses, tint, depth, stage.horizon + y, stage.travel(depth))
        density = (0.2 + 0.45 * haze) * (1.0, 0.7, 0.3)[index]
        fog_bank(
            canvas,
            stage.view,
            stage.horizon + 0.01,
            0.07,
            density,
            mix(light.air, light.horizon, 0.3),
            stage.seed + index,
        )


def _wood_tint(stage: Stage, kind: str, haze: float) -> Tint:
    light = stage.light
    leaves = stage.colour(
        "leaves", {"pine": "#5b7a4e", "trunk": "#d8d0c0", "leafy": "#7c8f3f", "bare": "#6e6258"}[kind]
    )
    dark = light.shade * mix(leaves, WHITE, 0.2) * np.float32(0.35)
    accent = leaves * light.sun * np.float32(0.5 * light.strength) if kind in ("leafy", "trunk") else NOTHING
    return Tint(dark, leaves * light.shine * np.float32(1.5), accent, haze=min(0.95, haze), haze_colour=light.air)


def paint_treeline(canvas: Canvas, stage: Stage) -> None:
    """Far trees along the foot of the land."""
    kind = str(stage.settings.get("trees", "pine"))
    kind = "pine" if kind == "trunk" else kind
    for index, (count, tall, far, y) in enumerate(((150, 26, 0.42, 0.012), (74, 46, 0.20, 0.03))):
        depth = 0.2 + 0.08 * index
        wood = trees.row(kind, stage.seed + 40 + index, count, tall, stage.detail, stage.side)
        tint = _wood_tint(stage, kind, far + 0.25 * stage.haze)
        draw(canvas, stage.view, wood, tint, depth, stage.horizon + y, stage.travel(depth))
        fog_bank(
            canvas, stage.view, stage.horizon + y, 0.03, 0.35 * stage.haze, stage.light.air, stage.seed + 60 + index
        )


ROWS = 5  # of trees in a forest
PINES = ((110, 110, 0), (80, 170, 40), (54, 250, 90), (30, 340, 150), (16, 430, 210))
TRUNKS = ((110, 300, 0), (80, 380, 40), (54, 440, 80), (30, 480, 140), (16, 500, 200))


def paint_forest(canvas: Canvas, stage: Stage) -> None:
    """Walking into a wood: rows of trees come nearer, pass by, and new ones rise out of the fog."""
    view, haze = stage.view, stage.haze
    kind = str(stage.settings.get("trees", "pine"))
    rows = TRUNKS if kind == "trunk" else PINES
    walked = view.time * stage.number("pace", 0.045)
    passed, part = int(np.floor(walked)), walked % 1.0
    for step in range(ROWS + 1):
        near = step - 1 + part  # -1 in the fog, ROWS - 1 at the camera
        variety = (step - 1 - passed) % ROWS
        count, tall, clearing = rows[variety]
        far = float(np.clip(1 - (near + 0.9) / ROWS, 0, 1))
        wood = trees.row(
            kind,
            stage.seed + variety,
            count,
            tall,
            stage.detail,
            stage.side,
            clearing,
            0.2 if kind == "trunk" else 0.6,
        )
        wanted = (260 if kind == "trunk" else 100) * 1.45**near
        depth = 0.12 + 0.18 * max(near, 0)
        draw(
            canvas,
            view,
            wood,
            _wood_tint(stage, kind, (0.50 + 0.45 * haze) * far**0.9),
            depth,
            stage.horizon + 0.03 + 0.045 * near + 0.012 * near**2,
            stage.travel(depth),
            wanted / tall,
            float(smooth(-1, -0.1, near) * smooth(ROWS - 1.02, ROWS - 1.55, near)),
            0.005 * np.sin(view.time * 0.8 + variety) * (0.5 + view.energy),
            0.007 * max(0.0, near - 2.6),
        )
        if step < ROWS:
            density = (0.65 * haze + 0.02) * far**0.5
            fog_bank(
                canvas, view, stage.horizon + 0.05 + 0.055 * near, 0.14, density, stage.light.air, stage.seed + variety
            )


def _sway(stage: Stage, amount: float, phase: float) -> float:
    """How far wind leans plants at this moment."""
    time, strength = stage.view.time, amount * (0.6 + 0.9 * stage.view.energy)
    return strength * float(np.sin(time * 1.3 + phase) + 0.5 * np.sin(time * 2.9 + 2 * phase))


def paint_flowers(canvas: Canvas, stage: Stage) -> None:
    """Three beds of flowers, the nearest out of focus."""
    light = stage.light
    green, bright = stage.colour("grass", "#5f8a38"), np.float32(0.35 + 0.65 * light.ambient)
    tone = mix(light.shine, WHITE, 0.35) * bright
    first, second = stage.colour("petals", "#ff4a6a") * tone, stage.colour("petals_2", "#ffd84a") * tone
    beds = ((1900, 900, 0.55, 0.30, 0.09, 0.35), (1200, 420, 1.0, 0.10, 0.22, 0.6), (600, 90, 2.3, 0.0, 0.42, 0.95))
    for index, (blades, count, size, far, y, depth) in enumerate(beds):
        bed = plants.plants(stage.seed + index, blades, count, size, stage.detail)
        tint = Tint(
            green * light.shade * np.float32(1.1),
            green * light.shine * np.float32(2.0),
            first * np.float32(1.5),
            second * np.float32(1.5),
            far,
            light.air,
        )
        draw(
            canvas,
            stage.view,
            bed,
            tint,
            depth,
            stage.horizon + y,
            stage.travel(depth),
            shear=_sway(stage, 0.035, index * 1.2),
            blur=0.0035 if index == 2 else 0.0,
        )


def paint_grass(canvas: Canvas, stage: Stage) -> None:
    """A ground of grass (or corn, where the place says so) from the hills to the viewer."""
    light = stage.light
    ears = stage.number("ears", 0.0) > 0
    green = stage.colour("grass", "#5f8a38")
    ripe = stage.colour("ripe", "#e8b850") * light.shine * np.float32(1.6)
    beds = ((2600, 0.5, 0.26, 0.08, 0.35), (2200, 1.0, 0.08, 0.2, 0.6), (1100, 2.1, 0.0, 0.42, 0.95))
    for index, (blades, size, far, y, depth) in enumerate(beds):
        bed = plants.plants(stage.seed + 9 + index, blades, 0, size, stage.detail, ears)
        tint = Tint(
            green * light.shade * np.float32(1.0),
            green * light.shine * np.float32(1.9),
            ripe,
            haze=far,
            haze_colour=light.air,
        )
        draw(
            canvas,
            stage.view,
            bed,
            tint,
            depth,
            stage.horizon + y,
            stage.travel(depth),
            shear=_sway(stage, 0.045, index * 1.4),
            blur=0.003 if index == 2 else 0.0,
        )


def paint_hedge(canvas: Canvas, stage: Stage) -> None:
    """Trees in bloom close behind a garden, with light between them."""
    for index, (count, tall, far, y) in enumerate(((26, 120, 0.32, 0.03), (15, 200, 0.06, 0.09))):
        depth = 0.25 + 0.15 * index
        wood = trees.row(
            "leafy", stage.seed + 70 + index, count, tall, stage.detail, stage.side, 0 if index == 0 else 190, 0.3
        )
        tint = _wood_tint(stage, "leafy", far + 0.25 * stage.haze)
        sway = _sway(stage, 0.006, index)
        draw(canvas, stage.view, wood, tint, depth, stage.horizon + y, stage.travel(depth), shear=sway)
        fog_bank(
            canvas, stage.view, stage.horizon + y, 0.06, 0.25 + 0.4 * stage.haze, stage.light.air, stage.seed + index
        )


def paint_bank(canvas: Canvas, stage: Stage) -> None:
    """The near shore: a dark strip of grass and stones for whoever stands there."""
    light = stage.light
    ground = stage.colour("bank", "#4a5238")
    bed = plants.plants(stage.seed + 15, 1500, 0, 1.0, stage.detail)
    tint = Tint(ground * light.shade * np.float32(0.7), ground * light.shine * np.float32(1.1))
    slope = 0.012 * np.sin(stage.seed)
    draw(canvas, stage.view, bed, tint, 0.8, 0.40 + slope, stage.travel(0.8) * 0.3, 1.3, shear=_sway(stage, 0.04, 0.7))

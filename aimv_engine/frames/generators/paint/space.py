"""Outer space: nebulae, stars flown through, a planet with or without rings."""

import cv2
import numpy as np

from .canvas import Canvas, add, enlarge, over, ramp
from .colours import linear, mix, smooth
from .noise import cloud, sample
from .sky import starfield
from .stage import Stage


def paint_nebula(canvas: Canvas, stage: Stage) -> None:
    """Two glowing gases and dark dust, folded by domain warping (Quilez 2002), and stars that come nearer."""
    view, time, seed = stage.view, stage.view.time, stage.seed % 499
    x, y = view.plane(0.2, 2)
    turn = time * 0.008
    approach = np.float32(1 / (1 + 0.25 * np.sin(min(time * 0.02, np.pi / 2))))
    x, y = (x * np.cos(turn) - y * np.sin(turn)) * approach, (x * np.sin(turn) + y * np.cos(turn)) * approach
    field, second, dust_field = cloud(seed, 2.3, 2), cloud(seed + 7, 2.1, 2), cloud(seed + 5, 2.1, 3)
    warp_x = sample(field, x * 0.4 + 0.1, y * 0.4 + time * 0.004) - 0.5
    warp_y = sample(field, x * 0.4 + 0.6, y * 0.4 - time * 0.003) - 0.5
    gas = sample(field, x * 0.46 + warp_x * 0.3 + time * 0.003, y * 0.46 + warp_y * 0.3)
    other = sample(second, x * 0.55 + warp_y * 0.34, y * 0.55 + warp_x * 0.34 + time * 0.003)
    dust = sample(dust_field, x * 0.9 + warp_x * 0.4, y * 0.9 - warp_y * 0.4)
    wisps = 0.45 + 1.1 * sample(cloud(seed + 11, 1.8, 4), x * 1.1 + warp_x, y * 1.1 + warp_y)
    band = np.exp(-(((x * 0.45 + y * 0.9 + 0.4 * warp_x) / 0.42) ** 2))  # the galaxy's plane
    cool = smooth(0.25, 1.20, gas) ** 1.3 * (0.16 + band) * wisps
    warm = smooth(0.32, 1.15, other) ** 1.5 * (0.10 + band) * wisps
    clear = 1 - 0.85 * smooth(0.40, 0.85, dust) * (0.3 + 0.7 * band)
    energy = np.float32(0.8 + 0.5 * view.energy)
    sky = np.full((*cool.shape, 3), 0.003, np.float32)
    add(sky, (0.9 * cool * clear).astype(np.float32), stage.colour("gas", "#3f68c8"))
    add(sky, (0.9 * warm * clear * energy).astype(np.float32), stage.colour("gas_2", "#c84a8a"))
    add(sky, ((0.75 * np.sqrt(cool * warm) + 0.10 * band**2 * gas) * clear).astype(np.float32), linear("#ffe0b8"))
    canvas[:] = enlarge(sky, view)
    for index in range(4):
        near = np.mod(time * 0.045 + index / 4, 1)
        scale = 0.5 * 3.2**near * view.height / (360 * stage.detail)
        fade = min(1, near * 4) * min(1, (1 - near) * 4)
        field = starfield(seed + index % 2, detail=stage.detail)
        cosine, sine = np.cos(turn) * scale, np.sin(turn) * scale
        warp = np.array([[cosine, -sine, view.width / 2], [sine, cosine, view.height / 2]])
        warp[:, 2] -= warp[:, :2] @ np.array([768 + 90 * index, 360]) * stage.detail
        stars = cv2.warpAffine(field, warp, (view.width, view.height), borderMode=cv2.BORDER_WRAP)
        add(canvas, stars * np.float32(fade * 1.2), (0.85, 0.92, 1.05))


def paint_planet(canvas: Canvas, stage: Stage) -> None:
    """A lit sphere with bands and air around it; its ring goes behind and before it and throws a shadow."""
    view, time = stage.view, stage.view.time
    x, y = view.screen()
    middle = view.project((0.16 + 0.02 * np.sin(time * 0.1)) * min(1, view.aspect), 0.05, 0.45)
    radius = stage.number("planet", 0.27) * view.scale(0.5) * (1 + 0.05 * np.sin(min(time * 0.05, 1.5)))
    u, v = (x - middle[0]) / radius, (y - middle[1]) / radius
    away = np.sqrt(u**2 + v**2)
    edge = 1.5 / (radius * view.height)
    disc = smooth(1 + edge, 1 - edge, away)
    bulge = np.sqrt(np.maximum(1 - away**2, 0))
    longitude = np.arctan2(u, bulge + 1e-4) / (2 * np.pi) + time * 0.008
    tilt_v = v + 0.25 * u
    swirl = sample(cloud(21, 2.3), longitude + 0.05 * tilt_v, tilt_v * 0.35)
    bands = 0.5 + 0.5 * np.sin(tilt_v * 15 + swirl * 6)
    sunlit = np.clip(-0.70 * u - 0.5 * v + 0.50 * bulge, 0, 1) ** 0.8
    ringed = stage.number("rings", 1.0) > 0
    ring_u, ring_v = u * 0.94 + v * 0.34, (-u * 0.34 + v * 0.94) / 0.24
    ring_away = np.sqrt(ring_u**2 + ring_v**2)
    groove = sample(cloud(33, 1.9), np.clip(ring_away * 0.9, 0, 50), np.full_like(ring_away, 0.4))
    ring = smooth(1.28, 1.40, ring_away) * smooth(2.15, 2.0, ring_away) * (0.25 + 0.75 * groove)
    ring = ring * (1 - 0.8 * smooth(1.66, 1.69, ring_away) * smooth(1.78, 1.74, ring_away))
    ring = ring * (0.75 if ringed else 0.0)
    behind_shadow = smooth(0.9, 1.05, np.sqrt((u * 0.62 - v * 0.78) ** 2)) + (u + v < 0.2)
    ring_light = mix(linear("#e8cfa8"), linear("#c8a8a0"), 0.3) * np.float32(0.9)
    far_half = ring_v < 0
    over(canvas, (ring * far_half * np.clip(behind_shadow, 0.08, 1)).astype(np.float32), ring_light)
    soil = ramp(
        np.clip(swirl * 0.75 + 0.25 * bands, 0, 1).astype(np.float32),
        stage.colour("soil", "#2c4a78"),
        stage.colour("soil_2", "#e0aa80"),
    )
    ring_shadow = 1 - 0.55 * smooth(0.30, 0.22, np.abs(ring_v - 1.15)) * (ring_v > 0) * ringed
    over(canvas, disc, soil * (sunlit * 1.35 * ring_shadow + 0.006)[..., None].astype(np.float32))
    air = np.exp(-np.maximum(away - 1, 0) * 18) * (1 - disc) * np.clip(-0.7 * u - 0.5 * v + 0.35, 0, 1)
    rim = np.clip(1 - bulge, 0, 1) ** 2 * sunlit * disc
    add(canvas, (0.5 * air + 0.6 * rim).astype(np.float32), linear("#8cc0ff"))
    over(canvas, (ring * ~far_half).astype(np.float32), ring_light)


def paint_tunnel(canvas: Canvas, stage: Stage) -> None:
    """A wormhole: threads of light wound round a tube of mist, rings that rush past, a bright end."""
    view, light, time = stage.view, stage.light, stage.view.time
    x, y = view.plane(0.8, 2)
    x = x - np.float32(0.10 * np.sin(time * 0.31))
    y = y - np.float32(0.07 * np.cos(time * 0.23))
    radius = np.sqrt(x**2 + y**2) + 1e-3
    angle = np.arctan2(y, x) / (2 * np.pi) + time * 0.012
    distance = 0.28 / radius
    ahead = np.minimum(distance, 40) + time * stage.number("speed", 0.9)
    twist = angle + 0.045 * distance + 0.05 * np.sin(ahead * 0.7)
    mist = sample(cloud(stage.seed % 499, 2.6, 2), twist, ahead * 0.10)
    fine = sample(cloud(stage.seed % 499 + 1, 2.2, 3), twist * 3, ahead * 0.16)
    blur = np.clip(distance**2 * 5 / view.height, 0.0, 0.5)
    threads = np.zeros_like(radius)
    for count, wind, width in ((7, 0.6, 0.05), (11, -0.4, 0.035), (5, 0.2, 0.025)):
        phase = np.mod(twist * count + wind * np.sin(ahead * 0.35 + count) + 0.5 * mist, 1)
        threads += np.exp(-(((phase - 0.5) / (width + 0.4 * blur)) ** 2)) * (width / (width + 0.4 * blur))
    phase = np.mod(ahead * 0.55, 1)
    rings = np.exp(-(((phase - 0.5) / (0.05 + blur)) ** 2)) * (0.05 / (0.05 + blur)) * (0.3 + fine)
    away = np.exp(-distance * 0.30)
    first = mix(mix(light.horizon, light.sun, 0.35), stage.colour("threads", "#58c8ff"), 0.35)
    second = mix(light.middle * 2.0, stage.colour("threads_2", "#9a50ff"), 0.5)
    tube = ramp((mist * (0.4 + 0.6 * fine) * away).astype(np.float32), light.zenith * 0.5, second * 0.75)
    energy = np.float32(0.55 + 0.7 * view.energy)
    add(tube, (threads * away * (0.35 + fine) * 0.8 * energy).astype(np.float32), second * 1.2)
    add(tube, (rings * away * 1.2 * energy).astype(np.float32), first)
    end = np.exp(-radius * 8.5) * 1.1 + 0.25 * np.exp(-radius * 2.6)
    add(tube, (end * (0.7 + 0.5 * view.energy)).astype(np.float32), mix(first, np.ones(3), 0.4))
    canvas[:] = enlarge(tube, view)

"""Trees as layers: pines, leafy and bare trees, birch trunks, drawn branch by branch and planted in rows."""

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from aimv_engine.arrays import F32

from .colours import smooth
from .layer import WIDTH, Layer, build
from .noise import cloud, profile, sample

Kind = Literal["pine", "leafy", "bare", "trunk"]
VARIETY = 6  # different trees of a kind
LIT, SHADED = 235, 70  # light on branches towards the sun and away from it


class _Sprite:
    """One tree: its cover and its light, drawn at `scale` pixels a line and mixed down by half at the end."""

    def __init__(self, width: int, height: int, scale: int) -> None:
        self.size = (width * scale, height * scale)
        self.unit = 2 * scale
        self.cover = np.zeros((height * self.unit, width * self.unit), np.uint8)
        self.light = np.full_like(self.cover, SHADED)

    def polygon(self, points: np.ndarray, light: float) -> None:
        corners = [np.round(points * self.unit * 16).astype(np.int32)]
        cv2.fillPoly(self.cover, corners, 255, cv2.LINE_AA, 4)
        cv2.fillPoly(self.light, corners, float(light), cv2.LINE_AA, 4)

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float, light: float) -> None:
        ends = [tuple(round(value * self.unit * 16) for value in point) for point in (start, end)]
        thickness = max(1, round(width * self.unit))
        cv2.line(self.cover, ends[0], ends[1], 255, thickness, cv2.LINE_AA, 4)
        cv2.line(self.light, ends[0], ends[1], float(light), thickness, cv2.LINE_AA, 4)

    def leaf(self, x: float, y: float, radius: float, light: float) -> None:
        where = (round(x * self.unit * 16), round(y * self.unit * 16))
        cv2.circle(self.cover, where, round(radius * self.unit * 16), 255, -1, cv2.LINE_AA, 4)
        cv2.circle(self.light, where, round(radius * self.unit * 16), float(light), -1, cv2.LINE_AA, 4)

    def finished(self) -> F32:
        """[height, width, 2]: cover and light, 0..1."""
        both = cv2.resize(np.stack([self.cover, self.light], -1), self.size, interpolation=cv2.INTER_AREA)
        return np.asarray(both, np.float32) / np.float32(255)


def _pine(random: np.random.Generator, scale: int) -> F32:
    width, height = 190, 420
    tree = _Sprite(width, height, scale)
    middle = width / 2
    tree.polygon(np.array([[middle - 3, height], [middle + 3, height], [middle, 5]]), SHADED)
    branches, spread = int(random.integers(60, 85)), random.uniform(0.22, 0.36)
    for index in range(branches):
        down = max((index + random.uniform(-0.6, 0.6)) / branches, 0)
        y = (0.03 + 0.87 * down) * height
        for side in (-1, 1):
            reach = (0.03 + down**0.85 * spread) * width * random.uniform(0.55, 1.12)
            drop = reach * random.uniform(0.18, 0.42)
            light = (LIT if side > 0 else 130) * random.uniform(0.45, 1.0) * (0.75 + 0.25 * (1 - down))
            across = np.array([0, 0.5, 1, 0.6, 0]) * reach * side
            fall = np.array([-2, drop * 0.35, drop, drop * 1.25 + 3, 5])
            tree.polygon(np.stack([middle + across, y + fall], 1), light)
            for _ in range(7):
                along = random.random()
                x, top = middle + side * reach * along, y + drop * along
                tip = (x + side * random.uniform(1, 13), top + random.uniform(1.5, 15))
                tree.line((x, top), tip, random.uniform(0.4, 1.0), light * random.uniform(0.6, 1.0))
    return tree.finished()


def _leafy(random: np.random.Generator, scale: int, bare: bool = False) -> F32:
    width, height = 500, 420
    tree = _Sprite(width, height, scale)
    tips: list[tuple[float, float]] = []

    def grow(x: float, y: float, angle: float, length: float, width_here: float, left: int) -> None:
        if left == 0 or length < 4:
            tips.append((x, y))
            return
        end = (x + np.cos(angle) * length, y - np.sin(angle) * length)
        tree.line((x, y), end, width_here, SHADED * 1.2)
        for _ in range(2 if random.random() < 0.7 else 3):
            bend = random.normal(0, 0.42) + (np.pi / 2 - angle) * 0.06
            grow(*end, angle + bend, length * random.uniform(0.68, 0.86), width_here * 0.68, left - 1)
        if left < 5:
            tips.append(end)

    grow(width / 2, height, np.pi / 2 + random.normal(0, 0.05), height * 0.21, 12, 8)
    if not bare:
        for x, y in sorted(tips, key=lambda tip: -tip[1]):
            for _ in range(4):
                leaf_x, leaf_y = x + random.normal(0, 9), y + random.normal(0, 7)
                sun = 0.55 + 0.45 * (leaf_x / width - leaf_y / height)
                tree.leaf(leaf_x, leaf_y, random.uniform(2, 6), LIT * np.clip(sun, 0.2, 1) * random.uniform(0.6, 1.05))
    return tree.finished()


def _bare(random: np.random.Generator, scale: int) -> F32:
    return _leafy(random, scale, bare=True)


def _trunk(random: np.random.Generator, scale: int) -> F32:
    """A tall stem that leaves the picture upwards, lighter on its sunny side, with the scars of a birch."""
    width, height = 120, 560
    tree = _Sprite(width, height, scale)
    girth, bend = random.uniform(5, 12), random.normal(0, 8)
    y = np.linspace(0, height, 40)
    middle = width / 2 + bend * np.sin(y / height * 2.4 + random.random() * 6) + random.normal(0, 0.8, 40)
    half = girth * (0.55 + 0.45 * y / height) + girth * 0.8 * np.exp(-(height - y) / 18)
    for low, high, light in ((-1.0, 1.0, 60), (-0.35, 1.0, 120), (0.25, 1.0, 190), (0.62, 1.0, 240)):
        edge = [np.stack([middle + half * side, y], 1) for side in (low, high)]
        tree.polygon(np.concatenate([edge[0], edge[1][::-1]]), light)
    for _ in range(int(random.integers(10, 26))):
        at = int(random.integers(1, 38))
        start = middle[at] + half[at] * random.uniform(-0.9, 0.5)
        tree.line((start, y[at]), (start + half[at] * random.uniform(0.2, 0.6), y[at] + 1), 1.2, 30)
    for _ in range(int(random.integers(6, 14))):
        at, side, length = int(random.integers(0, 30)), random.choice([-1, 1]), random.uniform(15, 55)
        end = (middle[at] + side * length, y[at] - length * random.uniform(-0.3, 0.7))
        tree.line((middle[at], y[at]), end, random.uniform(0.8, 2.4), 110)
    return tree.finished()


_KINDS = {"pine": _pine, "leafy": _leafy, "bare": _bare, "trunk": _trunk}


@lru_cache(maxsize=8)
def _sprites(kind: Kind, detail: int) -> list[F32]:
    random = np.random.default_rng(5)
    return [_KINDS[kind](random, detail) for _ in range(VARIETY)]


@lru_cache(maxsize=14)
def row(
    kind: Kind, seed: int, count: int, tall: int, detail: int, side: int = 1, clearing: int = 0, spread: float = 0.5
) -> Layer:
    """`count` trees of about `tall` lines, none within `clearing` lines of the middle, on a strip of ground.

    Lit from the right (`side` 1) or left (-1). First accent: leaves that catch the light (for blossoms, autumn).
    """
    random = np.random.default_rng(seed)
    base, columns = round(tall * 1.4), WIDTH * detail
    rows = (base + 40) * detail
    ground = profile(columns, seed, 2.4, 1, 14) * 5 + profile(columns, seed + 1, 1.2, 20, 300) * 1.5
    places = (np.arange(count) + random.uniform(-0.6, 0.6, count)) * WIDTH / count
    heights = tall * (1 + spread * random.uniform(-0.7, 0.6, count))
    broadest = max(sprite.shape[1] / sprite.shape[0] for sprite in _sprites(kind, detail))
    margin = round((heights.max() * broadest / 2 + WIDTH / count) * detail) + 2  # room for the outermost trees
    cover, light = (
        np.zeros((rows, columns + 2 * margin), np.float32),
        np.zeros((rows, columns + 2 * margin), np.float32),
    )
    for x, height in sorted(zip(random.permutation(places), heights, strict=True), key=lambda tree: -tree[1]):
        if abs(x - WIDTH / 2) < clearing * random.uniform(0.75, 1.2):
            continue
        sprite = _sprites(kind, detail)[int(random.integers(VARIETY))]
        high = max(4, round(height * detail))
        wide = max(3, round(sprite.shape[1] * high / sprite.shape[0]))
        tree = cv2.resize(sprite, (wide, high), interpolation=cv2.INTER_AREA)
        if side < 0:
            tree = tree[:, ::-1]
        foot = round((base + 5) * detail + ground[round(x * detail) % columns] * detail)
        foot += round(0.10 * high) if kind == "pine" else 0
        left, top = margin + round(x * detail - wide / 2), foot - high
        visible = tree[max(0, -top) : rows - top]
        region = (slice(max(0, top), max(0, top) + len(visible)), slice(left, left + wide))
        sheen = random.uniform(0.75, 1.1)
        uncovered = 1 - visible[..., 0]
        light[region] = light[region] * uncovered + visible[..., 1] * visible[..., 0] * sheen
        cover[region] = cover[region] * uncovered + visible[..., 0]
    cover, light = _fold(cover, margin), _fold(light, margin)
    y = np.arange(rows, dtype=np.float32)[:, None]
    soil = smooth(-1, 1, y / detail - base - ground[None])
    if kind == "trunk":  # stems stand on whatever floor was painted before
        soil = np.zeros_like(soil)
    patches = sample(cloud(seed, 1.4), np.arange(columns) / columns * 8, y / (detail * 192))
    drawn = light / np.maximum(cover, 1e-3) * (1 - soil) + soil * (0.05 + 0.8 * patches)
    tone = np.asarray(drawn * (0.55 + 0.45 * smooth(base * detail, (base - tall) * detail, y)), np.float32)
    sunlit = np.asarray(smooth(0.35, 0.75, tone) * (1 - soil), np.float32)
    return build(tone, np.asarray(np.maximum(cover, soil), np.float32), base * detail, detail, sunlit)


def _fold(channel: F32, margin: int) -> F32:
    """What was drawn beyond the sides, put in again on the other side: the strip repeats."""
    inner = channel[:, margin:-margin].copy()
    inner[:, -margin:] = np.maximum(inner[:, -margin:], channel[:, :margin])
    inner[:, :margin] = np.maximum(inner[:, :margin], channel[:, -margin:])
    return inner

"""Layers: wide textures built once for a scene (a ridge, a row of trees, a skyline) and warped into every picture.

A layer knows no colours. Its four channels say how lit each point is, how much of two accents it has (snow and haze,
or two colours of blossoms or of windows), and how much it covers; the light of the moment colours it when it is drawn.
It repeats to the sides, so a camera can travel past it forever.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from aimv_engine.arrays import F32

from .canvas import Canvas, tinted
from .view import View

LINES = 360  # builders think in lines: this many are one picture height, whatever the resolution
WIDTH = 1536  # lines, the length after which a layer repeats
BELOW = 330  # lines kept under a layer's base line
NOTHING = np.zeros(3, np.float32)


def detail_for(height: int) -> int:
    """How many texture pixels a line gets for pictures of that height: 1 for drafts, 2 from 540 rows upwards."""
    return 1 if height < 540 else 2


@dataclass(frozen=True)
class Layer:
    """A texture [rows, WIDTH * detail, 4] of uint8: light, first accent, second accent (all times cover), cover."""

    texture: np.ndarray
    base: float  # the row of texture that is put at a given height in the scene
    detail: int  # texture pixels a line


def build(
    light: F32, cover: F32, base: float, detail: int, first: F32 | None = None, second: F32 | None = None
) -> Layer:
    """A layer of channels [rows, columns] 0..1. Empty rows on top are dropped; the last row is continued downwards.

    It is continued blurred to the sides: copies of it alone would be vertical stripes.
    """
    empty = np.zeros_like(cover)
    channels = [light, empty if first is None else first, empty if second is None else second, np.ones_like(cover)]
    texture = np.clip(np.stack([channel * cover for channel in channels], -1) * 255 + 0.5, 0, 255).astype(np.uint8)
    top = max(0, int(np.argmax(cover.max(1) > 0.01)) - 2)
    missing = max(0, round(base + BELOW * detail) - len(texture))
    last = cv2.GaussianBlur(np.tile(texture[-1:], (1, 3, 1)), (0, 0), 24 * detail)[
        :, texture.shape[1] : -texture.shape[1]
    ]
    texture = np.concatenate([np.zeros_like(last), texture[top:], np.repeat(last, missing, 0)])
    return Layer(np.ascontiguousarray(texture), base - top + 1, detail)


@dataclass(frozen=True)
class Tint:
    """The colours a layer is drawn in, linear light [3], and how much haze lies before it (0..1)."""

    dark: F32
    lit: F32
    first: F32 = field(default_factory=lambda: NOTHING)
    second: F32 = field(default_factory=lambda: NOTHING)
    haze: float = 0.0
    haze_colour: F32 = field(default_factory=lambda: NOTHING)

    def matrix(self) -> F32:
        """Premultiplied light and accents [3] to premultiplied colour, less what the cover itself adds, [3, 4]."""
        lit = (self.lit - self.dark) * (1 - self.haze)
        clear = 1 - 0.7 * self.haze
        columns = [lit, self.first * clear, self.second * clear, np.zeros(3)]
        return np.stack(columns, 1).astype(np.float32) / np.float32(255)

    @property
    def body(self) -> F32:
        """The colour of what is not lit, haze before it."""
        return np.asarray(self.dark + (self.haze_colour - self.dark) * self.haze, np.float32)


def draw(
    canvas: Canvas,
    view: View,
    layer: Layer,
    tint: Tint,
    depth: float,
    y: float,
    x: float = 0.0,
    scale: float = 1.0,
    opacity: float = 1.0,
    shear: float = 0.0,
    blur: float = 0.0,
) -> None:
    """Composites a layer with its base line at scene height `y`, its middle at `x` (picture heights).

    `scale` enlarges it, `shear` leans it (wind), `blur` is a lens blur in picture heights.
    """
    zoom = view.scale(depth)
    factor = scale * zoom * view.height / (LINES * layer.detail)  # texture pixels to screen pixels
    left, top = view.project(x, y, depth)
    shift_x = left * view.height + view.width / 2 - factor * layer.texture.shape[1] / 2
    shift_y = top * view.height + view.height / 2 - factor * layer.base
    first_row = max(0, int(np.ceil(shift_y)))  # the row above would be the wrapped last one
    if first_row >= view.height:
        return
    warp = np.array([[factor, shear * factor, shift_x - shear * factor * layer.base], [0, factor, shift_y - first_row]])
    seen = cv2.warpAffine(
        layer.texture,
        warp,
        (view.width, view.height - first_row),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    bottom = int(shift_y + factor * (len(layer.texture) - 1)) - first_row
    if bottom < len(seen):  # below its last row a layer goes on; wrapped rows would be its top
        seen[max(bottom, 1) :] = seen[max(bottom, 1) - 1]
    if blur:
        seen = cv2.GaussianBlur(seen, (0, 0), max(0.3, blur * view.height))
    cover = cv2.extractChannel(seen, 3).astype(np.float32) * np.float32(opacity / 255)
    lights = cv2.cvtColor(seen, cv2.COLOR_BGRA2BGR).astype(np.float32)  # the first three channels
    uncovered, region = 1 - cover, canvas[first_row:]
    cv2.multiply(region, cv2.merge((uncovered, uncovered, uncovered)), dst=region)
    cv2.add(region, tinted(cover, tint.body), dst=region)
    cv2.add(region, cv2.transform(lights, tint.matrix() * np.float32(opacity)), dst=region)

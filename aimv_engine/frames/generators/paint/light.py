"""The light of a scene: the colours of its sky, sun and haze, and what light does in air."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from aimv_engine.arrays import F32

from .canvas import Canvas, add, enlarge, over
from .colours import mix
from .noise import cloud, sample
from .view import View


@dataclass(frozen=True)
class Light:
    """A time of day or a mood, from presets/paint/lights.toml. Colours are linear light [3]."""

    zenith: F32
    middle: F32
    horizon: F32
    sun: F32
    fog: F32
    height: float  # of sun or moon: 0 at the horizon, 1 at the top of the picture
    strength: float  # of sun or moon
    ambient: float  # how bright the shade is, 0..1
    night: float  # 0 by day, 1 when stars and windows shine
    haze: float  # how thick the air is, 0..1

    def blended(self, other: "Light", amount: float) -> "Light":
        """This light where the amount is 0, the other where it is 1; every value on a straight line between."""
        values = {name: mix(getattr(self, name), getattr(other, name), amount) for name in self.__dataclass_fields__}
        return Light(**{name: value if value.ndim else float(value) for name, value in values.items()})  # type: ignore[arg-type]

    @property
    def shade(self) -> F32:
        """The colour of what lies in shade."""
        return mix(self.zenith, self.fog, 0.35) * np.float32(0.10 + 0.25 * self.ambient)

    @property
    def shine(self) -> F32:
        """The colour of what the sun lights."""
        return mix(self.sun, self.horizon, 0.4) * np.float32(0.25 + 0.75 * self.ambient)

    @property
    def air(self) -> F32:
        """The colour far things fade into."""
        return mix(self.fog, self.horizon, 0.35)


def fog_bank(
    canvas: Canvas,
    view: View,
    y: float,
    thickness: float,
    density: float,
    colour: ArrayLike,
    seed: int,
    wind: float = 0.012,
) -> None:
    """A drifting bank of fog about the scene height `y`: most of a landscape's depth comes from these."""
    if density <= 0:
        return
    across, down = view.plane(0.25, 4)
    large = sample(cloud(seed % 997, 2.4), across * 0.28 + view.time * wind, down * 0.5 + view.time * wind * 0.4)
    fine = sample(cloud(seed % 997 + 4, 2.0), across * 0.6 - view.time * wind * 0.7, down * 1.1 + 0.3)
    bank = np.exp(-(((down - y) / thickness) ** 2)) * density
    cover = bank * np.clip(0.10 + 1.1 * (large * 0.7 + fine * 0.3), 0, 1)
    over(canvas, enlarge(np.clip(cover, 0, 0.97).astype(np.float32), view), colour)


def rays(
    canvas: Canvas, view: View, sun: tuple[float, float], colour: ArrayLike, strength: float, threshold: float
) -> None:
    """Shafts of light: what is bright, smeared away from the sun (radial blur by repeated zooming)."""
    width, height = view.width // 4, view.height // 4
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    bright = np.clip(small.max(2) - threshold, 0, 1.2)
    x, y = view.project(*sun, 0.03)
    centre_x, centre_y = x * height + width / 2, (y + 0.5) * height
    for zoom in (1.08, 1.16, 1.32, 1.64):
        warp = np.array([[zoom, 0, centre_x * (1 - zoom)], [0, zoom, centre_y * (1 - zoom)]])
        bright = 0.5 * (bright + cv2.warpAffine(bright, warp, (width, height), borderMode=cv2.BORDER_CONSTANT))
    add(canvas, enlarge(cv2.GaussianBlur(bright * np.float32(strength), (0, 0), 1.5), view), colour)

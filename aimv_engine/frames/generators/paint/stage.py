"""What the painters of a scene's parts are told: the moment, the light and the scene's own choices."""

from collections.abc import Mapping
from dataclasses import dataclass

from aimv_engine.arrays import F32

from .colours import linear
from .layer import detail_for
from .light import Light
from .view import View

Setting = float | str


@dataclass(frozen=True)
class Stage:
    """One moment of one scene. Every painter is a pure function of it (and of what was painted before)."""

    view: View
    light: Light
    seed: int
    settings: Mapping[str, Setting]  # of the place, see presets/paint/places.toml
    things: Mapping[str, str]  # what else is in the picture: name to colour ("" for its own)
    sun: tuple[float, float]  # where sun or moon stand, in scene coordinates
    wander: float  # how far the camera has travelled sideways, picture heights

    @property
    def horizon(self) -> float:
        return self.view.horizon

    @property
    def detail(self) -> int:
        return detail_for(self.view.height)

    @property
    def side(self) -> int:
        """1 when the light comes from the right, -1 from the left."""
        return 1 if self.sun[0] >= 0 else -1

    @property
    def haze(self) -> float:
        return min(1.0, self.light.haze + self.number("haze", 0.0))

    def number(self, name: str, default: float) -> float:
        return float(self.settings.get(name, default))

    def colour(self, name: str, default: str) -> F32:
        return linear(str(self.settings.get(name, default)))

    def travel(self, depth: float) -> float:
        """The x of a layer at that depth, as the camera wanders by."""
        return -self.wander * depth

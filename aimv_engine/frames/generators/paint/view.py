"""From scene to screen: what the camera sees at one moment.

Lengths are in picture heights. Screen coordinates start at the picture's centre, x to the right and y downwards.
Scene coordinates are the same before the camera moved. How much a thing follows the camera is its depth: 0 at
infinity, 1 in front of the lens; the differences are the parallax.
"""

from dataclasses import dataclass

import numpy as np

from aimv_engine.arrays import F32


@dataclass(frozen=True)
class View:
    """One moment of a scene through one camera."""

    width: int  # pixels
    height: int
    time: float  # seconds on the scene's own clock
    energy: float = 0.5  # 0..1, as in KeyframeSpec
    brightness: float = 0.5
    hue: float = 0.0
    zoom: float = 1.0
    pan_x: float = 0.0
    pan_y: float = 0.0
    horizon: float = 0.06  # screen y of the vanishing point, which zooming leaves in place

    @property
    def aspect(self) -> float:
        return self.width / self.height

    def scale(self, depth: float) -> float:
        """How many times larger the zoom shows what is at that depth: far things grow less."""
        return 1 + (self.zoom - 1) * (0.35 + 0.65 * depth)

    def screen(self, step: int = 1) -> tuple[F32, F32]:
        """Screen x [1, columns] and y [rows, 1] of a grid with one point every `step` pixels."""
        columns, rows = self.width // step, self.height // step
        x = (np.arange(columns, dtype=np.float32) + 0.5) / columns - 0.5
        y = (np.arange(rows, dtype=np.float32) + 0.5) / rows - 0.5
        return (x[None] * self.aspect).astype(np.float32), y[:, None].astype(np.float32)

    def plane(self, depth: float, step: int = 1) -> tuple[F32, F32]:
        """Scene x [1, columns] and y [rows, 1] that the grid's points see at a depth."""
        x, y = self.screen(step)
        scale, horizon = np.float32(self.scale(depth)), np.float32(self.horizon)
        return (
            x / scale + np.float32(self.pan_x * depth),
            (y - horizon) / scale + horizon + np.float32(self.pan_y * depth),
        )

    def project(self, x: float, y: float, depth: float) -> tuple[float, float]:
        """Where on the screen a scene point at that depth is seen."""
        scale = self.scale(depth)
        return (
            (x - self.pan_x * depth) * scale,
            (y - self.pan_y * depth - self.horizon) * scale + self.horizon,
        )

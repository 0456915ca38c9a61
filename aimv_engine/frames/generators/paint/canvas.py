"""Putting paint on a picture: compositing in linear light, and masks drawn with subpixel edges."""

import cv2
import numpy as np
from numpy.typing import ArrayLike

from aimv_engine.arrays import F32

from .view import View

Canvas = F32  # [height, width, 3], linear light, painted in place
FRACTION = 4  # bits after the point in OpenCV's drawing coordinates


def over(canvas: Canvas, cover: ArrayLike, colour: ArrayLike) -> None:
    """Covers the canvas with one colour [3] or a picture, as much as `cover` 0..1 says; it broadcasts."""
    share, paint = _spread(cover, canvas), np.asarray(colour, np.float32)
    uncovered = 1 - share
    cv2.multiply(canvas, cv2.merge((uncovered, uncovered, uncovered)), dst=canvas)
    if paint.ndim == 1:
        cv2.add(canvas, tinted(share, paint), dst=canvas)
    else:
        cv2.add(canvas, cv2.multiply(paint, cv2.merge((share, share, share))), dst=canvas)


def add(canvas: Canvas, amount: ArrayLike, colour: ArrayLike) -> None:
    """Adds light of one colour, as much as `amount` says; it broadcasts."""
    cv2.add(canvas, tinted(_spread(amount, canvas), colour), dst=canvas)


def _spread(amount: ArrayLike, canvas: Canvas) -> F32:
    """An amount for every pixel, [height, width]."""
    return np.ascontiguousarray(np.broadcast_to(np.asarray(amount, np.float32), canvas.shape[:2]))


def tinted(amount: F32, colour: ArrayLike) -> Canvas:
    """A colour times an amount [height, width]. (Merging planes is many times faster than broadcasting.)"""
    red, green, blue = np.asarray(colour, np.float32)
    return np.asarray(cv2.merge((amount * red, amount * green, amount * blue)), np.float32)


def ramp(amount: ArrayLike, dark: ArrayLike, lit: ArrayLike) -> Canvas:
    """A picture that is `dark` where the amount [height, width] is 0 and `lit` where it is 1."""
    share, first = np.asarray(amount, np.float32), np.asarray(dark, np.float32)
    steps = zip(first, np.asarray(lit, np.float32) - first, strict=True)
    return np.asarray(cv2.merge(tuple(share * step + start for start, step in steps)), np.float32)


def enlarge(picture: F32, view: View) -> F32:
    """A picture of coarser grid at the view's full size."""
    return np.asarray(cv2.resize(picture, (view.width, view.height), interpolation=cv2.INTER_LINEAR), np.float32)


class Mask:
    """A cover to draw on with polygons, lines and discs; positions and lengths in screen coordinates."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._cover = np.zeros((view.height, view.width), np.uint8)

    def _pixels(self, points: ArrayLike) -> np.ndarray:
        where = np.asarray(points, np.float64) * self._view.height
        where = where + np.array([self._view.width / 2, self._view.height / 2]) - 0.5
        return np.asarray(np.clip(where * (1 << FRACTION), -(1 << 20), 1 << 20), np.int32)

    def polygon(self, points: ArrayLike, value: float = 1.0) -> None:
        """Fills the polygon through points [n, 2]."""
        cv2.fillPoly(self._cover, [self._pixels(points)], value * 255, cv2.LINE_AA, FRACTION)

    def line(self, points: ArrayLike, width: float, value: float = 1.0) -> None:
        """A line through points [n, 2], at least one pixel wide."""
        thickness = max(1, round(width * self._view.height))
        cv2.polylines(self._cover, [self._pixels(points)], False, value * 255, thickness, cv2.LINE_AA, FRACTION)

    def disc(self, x: float, y: float, radius: float, value: float = 1.0, flat: float = 1.0) -> None:
        """A disc, or an ellipse `flat` times as high as it is wide."""
        (column, row) = self._pixels([x, y])
        size = radius * self._view.height * (1 << FRACTION)
        axes = (max(6, round(size)), max(6, round(size * flat)))
        cv2.ellipse(self._cover, (int(column), int(row)), axes, 0, 0, 360, value * 255, -1, cv2.LINE_AA, FRACTION)

    def cover(self, blur: float = 0.0) -> F32:
        """The mask as [height, width] 0..1; blurred by a Gaussian of that deviation in picture heights."""
        cover = np.asarray(self._cover, np.float32) / np.float32(255)
        if blur:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), max(0.3, blur * self._view.height)), np.float32)
        return cover

"""A scene's strip while its pictures are made: what can be shown at each of its frames by now."""

import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from aimv_engine.edit import cluster_color
from aimv_engine.film import FilmPictures
from aimv_engine.store import Store, name_of

PATIENCE = 0.25  # seconds between two times that somebody is told
DIM, TINT = 0.16, 0.12  # of a placeholder: its grey, and how much of the cluster's colour is mixed in


class Strip:
    """Which picture stands at which frame. A keyframe stands for the frames after it too, until these are there."""

    def __init__(self, pictures: FilmPictures, store: Store, tell: Callable[[int, Sequence[str]], None]) -> None:
        """`pictures` of one scene; `tell` gets the number of a frame, and the names of the pictures from there on."""
        (self._frames,) = pictures.strips
        self._tell = tell
        self._places: dict[str, list[int]] = {}  # where a picture can stand
        self.shown: list[str | None] = [None] * len(self._frames)
        for place, name in enumerate(self._frames):
            held = pictures.inbetweens[name].first if name in pictures.inbetweens else name
            for each in {name, held}:
                self._places.setdefault(each, []).append(place)
        for name in (*pictures.keyframes, *pictures.inbetweens):
            if name in store:
                self._put(name)
        self._changed: list[int] = []
        self._told = time.monotonic()

    def made(self, name: str) -> None:
        """A picture is there now; tells so, unless that was done a moment ago."""
        self._changed += self._put(name)
        if time.monotonic() - self._told >= PATIENCE:
            self.flush()

    def flush(self) -> None:
        """Tells what has changed since the last time: the stretch from the first to the last change."""
        if not self._changed:
            return
        first, last = min(self._changed), max(self._changed)
        self._changed, self._told = [], time.monotonic()
        stretch: list[str] = []
        for place in range(first, last + 2):
            name = self.shown[place] if place <= last else None
            if name is not None:
                stretch.append(name)
            elif stretch:
                self._tell(place - len(stretch), stretch)
                stretch = []

    def _put(self, name: str) -> list[int]:
        places = [place for place in self._places.get(name, ()) if self.shown[place] != self._frames[place]]
        for place in places:
            self.shown[place] = name
        return places


def placeholder(store: Store, size: tuple[int, int], cluster: str) -> str:
    """The name of the picture that stands for a scene before it has any: dark, a little of its cluster's colour."""
    name = name_of("placeholder", size, cluster, DIM, TINT)
    if name not in store:
        width, height = size
        glow = cv2.getGaussianKernel(height, 0.5 * height) @ cv2.getGaussianKernel(width, 0.5 * width).T
        light = (0.6 + 0.4 * glow / glow.max())[..., None]
        picture = light * ((1.0 - TINT) * DIM + TINT * np.array(cluster_color(cluster)))
        store.write(name, np.round(255 * picture).astype(np.uint8))
    return name

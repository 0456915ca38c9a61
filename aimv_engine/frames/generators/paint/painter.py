"""One picture at a time, from a job to its pixels: in this process or in a worker's, which imports no torch."""

import contextlib
import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from aimv_engine.arrays import Picture
from aimv_engine.frames.plan import KeyframeSpec

from .choose import Choice
from .light import Light


@dataclass(frozen=True)
class Job:
    """All that a painter needs for one picture."""

    spec: KeyframeSpec
    choice: Choice
    light: Light
    size: tuple[int, int]  # width, height


class Painter:
    """Paints jobs in this process; the style network is loaded when the first look needs it."""

    def __init__(self) -> None:
        self._network: object = None

    def paint(self, job: Job) -> Picture:
        from aimv_engine import looks

        from .scene import render
        from .style import StyleNetwork

        if looks.load(job.spec.look).styles and self._network is None:
            self._network = StyleNetwork()
        network = self._network if isinstance(self._network, StyleNetwork) else None
        return render(job.spec, job.choice, job.light, job.size, network)


def _reuse_memory() -> None:
    """Lets glibc keep the memory of finished pictures for the next: to map it anew each time takes half of all time."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # other systems have other allocators
        library = ctypes.CDLL(None)
        library.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD, the most it takes
        library.mallopt(-1, 512 << 20)  # M_TRIM_THRESHOLD


def prepare() -> Callable[[Job], Picture]:
    """Makes a worker ready to paint, on one thread: OpenCV and the network gain little by more at these sizes."""
    import cv2

    cv2.setNumThreads(1)
    _reuse_memory()
    return Painter().paint

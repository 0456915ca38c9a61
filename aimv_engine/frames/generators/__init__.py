"""Generators make pictures of keyframe specs. `paint` needs no diffusion weights."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from aimv_engine.arrays import Picture
from aimv_engine.frames.plan import KeyframeSpec
from aimv_engine.heartbeat import Heartbeat, nothing


class Generator(Protocol):
    """The one interface between the plan and whatever makes pictures."""

    @property
    def identity(self) -> str:
        """All that changes its pictures besides spec and size (name, recipe version, weights): part of their names."""

    def pictures(
        self, specs: Sequence[KeyframeSpec], size: tuple[int, int], heartbeat: Heartbeat = nothing
    ) -> Iterator[Picture]:
        """One picture a spec, in order, each as soon as it is there.

        `size` is (width, height). A picture depends on its own spec and the size only, never on its neighbours in
        the sequence, unless the spec says so: that is what lets a video be made in any order and in parts.
        `heartbeat` is called at least four times a second while a picture is waited for; when it raises, helper
        processes end at once.
        """

    def close(self) -> None:
        """Ends helper processes and frees memory. Safe to call twice."""

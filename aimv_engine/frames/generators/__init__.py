"""Generators make pictures of keyframe specs. `paint` needs no diffusion weights."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError
from aimv_engine.frames.plan import KeyframeSpec, Link
from aimv_engine.heartbeat import Heartbeat, nothing

Read = Callable[[str], Picture]  # the picture of that name, which is there by now


def nothing_there(name: str) -> Picture:
    """For keyframes that go on from no other."""
    raise AimvError(f"the picture {name} is missing; run again to make it anew")


class Generator(Protocol):
    """The one interface between the plan and whatever makes pictures."""

    @property
    def identity(self) -> str:
        """All that changes its pictures besides spec and size (name, recipe version, weights): part of their names."""

    @property
    def links(self) -> Collection[Link]:
        """Where in the film a keyframe is, as far as its picture depends on that: the specs are LinkedSpecs then."""

    def pictures(
        self,
        specs: Sequence[KeyframeSpec],
        size: tuple[int, int],
        heartbeat: Heartbeat = nothing,
        read: Read = nothing_there,
    ) -> Iterator[Picture]:
        """One picture a spec, in order, each as soon as it is there.

        `size` is (width, height). A picture depends on its own spec and the size only, never on its neighbours in
        the sequence, unless the spec says so: that is what lets a video be made in any order and in parts.
        `heartbeat` is called at least four times a second while a picture is waited for; when it raises, helper
        processes end at once. `read` gives the pictures that specs name as their predecessors: each picture is kept
        before the next one is asked for.
        """

    def close(self) -> None:
        """Ends helper processes and frees memory. Safe to call twice."""

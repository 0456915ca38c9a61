"""The paint generator: pictures of scenes without diffusion weights."""

import os
from collections.abc import Iterator, Sequence

from aimv_engine import weights
from aimv_engine.arrays import Picture
from aimv_engine.frames.plan import KeyframeSpec

from .catalogue import catalogue, catalogue_hash
from .choose import Chooser
from .workers import Job, Painter, Workers

RECIPE = 2  # raised whenever the same spec gives another picture
FEW = 6  # so many pictures are painted sooner here than by processes that must start first


class Paint:
    """Composes each scene procedurally and paints it by neural style transfer (or a soft brush, as the look says).

    `workers`: how many processes paint; None takes one for each core (up to 8), 0 paints in this process.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._count = min(os.cpu_count() or 1, 8) if workers is None else workers
        self._workers: Workers | None = None
        self._painter: Painter | None = None
        self._chooser: Chooser | None = None

    @property
    def identity(self) -> str:
        """Name, recipe, and the hashes of the catalogue and the network. (A look is the film's to name.)"""
        return f"paint-{RECIPE}-{catalogue_hash()[:12]}-{weights.FILES['style'].sha256[:12]}"

    def pictures(self, specs: Sequence[KeyframeSpec], size: tuple[int, int]) -> Iterator[Picture]:
        """One picture [height, width, 3] a spec, in order; `size` is (width, height). See Generator."""
        jobs = [self._job(spec, size) for spec in specs]
        if self._count == 0 or (len(jobs) <= FEW and self._workers is None):
            self._painter = self._painter or Painter()
            for job in jobs:
                yield self._painter.paint(job)
            return
        self._workers = self._workers or Workers(self._count)
        finished = False
        try:
            yield from self._workers.paint(jobs)
            finished = True
        finally:
            if not finished:  # interrupted, closed or failed: what the workers still do is of no use
                self.close()

    def close(self) -> None:
        """Ends the painting processes. Safe to call twice; painting again starts new ones."""
        workers, self._workers = self._workers, None
        if workers is not None:
            workers.close()

    def _job(self, spec: KeyframeSpec, size: tuple[int, int]) -> Job:
        """What to paint: the choice for the scene's sentence, its light on the way to the next scene's."""
        if self._chooser is None:
            from aimv_engine.text_embedding import TextEmbedder

            self._chooser = Chooser(TextEmbedder())
        tags = tuple((text.text, text.weight) for text in spec.texts if text.role == "tag")
        scenes = [text for text in spec.texts if text.role == "scene"]
        following = [text for text in spec.texts if text.role == "next scene"]
        choice = self._chooser.choose(scenes[0].text, tags)
        light = catalogue().colours[choice.light]
        if following and following[0].weight > 0:
            share = following[0].weight / (following[0].weight + scenes[0].weight)
            light = light.blended(catalogue().colours[self._chooser.choose(following[0].text, tags).light], share)
        return Job(spec, choice, light, size)

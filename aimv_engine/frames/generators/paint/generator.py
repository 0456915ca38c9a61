"""The paint generator: pictures of scenes without diffusion weights."""

import os
from collections.abc import Iterator, Sequence
from functools import partial

from aimv_engine import weights
from aimv_engine.arrays import Picture
from aimv_engine.frames.generators import Read, nothing_there
from aimv_engine.frames.plan import KeyframeSpec, Link
from aimv_engine.heartbeat import Heartbeat, meanwhile, nothing
from aimv_engine.workers import Workers

from .catalogue import catalogue, catalogue_hash
from .choose import Chooser
from .painter import Job, Painter, prepare

RECIPE = 2  # raised whenever the same spec gives another picture
FEW = 6  # so many pictures are painted sooner here than by processes that must start first


class Paint:
    """Composes each scene procedurally and paints it by neural style transfer (or a soft brush, as the look says).

    `workers`: how many processes paint; None takes one for each core (up to 8), 0 paints in this process.
    """

    links: frozenset[Link] = frozenset()

    def __init__(self, workers: int | None = None) -> None:
        count = min(os.cpu_count() or 1, 8) if workers is None else workers
        self._workers: Workers[Job, Picture] | None = Workers("painting", prepare, count, ahead=2) if count else None
        self._painter: Painter | None = None
        self._chooser: Chooser | None = None

    @property
    def identity(self) -> str:
        """Name, recipe, and the hashes of the catalogue and the network. (A look is the film's to name.)"""
        return f"paint-{RECIPE}-{catalogue_hash()[:12]}-{weights.FILES['style'].sha256[:12]}"

    def pictures(
        self,
        specs: Sequence[KeyframeSpec],
        size: tuple[int, int],
        heartbeat: Heartbeat = nothing,
        read: Read = nothing_there,
    ) -> Iterator[Picture]:
        """One picture [height, width, 3] a spec, in order; `size` is (width, height). See Generator."""
        self._chooser = self._chooser or meanwhile(_chooser, heartbeat)
        jobs = []
        for spec in specs:
            heartbeat()
            jobs.append(_job(self._chooser, spec, size))
        if self._workers is None or (len(jobs) <= FEW and not self._workers.awake):
            self._painter = self._painter or Painter()
            for job in jobs:
                yield meanwhile(partial(self._painter.paint, job), heartbeat)
        else:
            yield from self._workers.run(jobs, heartbeat)

    def close(self) -> None:
        """Ends the painting processes. Safe to call twice; painting again starts new ones."""
        if self._workers is not None:
            self._workers.close()


def _chooser() -> Chooser:
    from aimv_engine.text_embedding import TextEmbedder  # here, because it takes seconds to import

    return Chooser(TextEmbedder())


def _job(chooser: Chooser, spec: KeyframeSpec, size: tuple[int, int]) -> Job:
    """What to paint: the choice for the scene's sentence, its light on the way to the next scene's."""
    tags = tuple((text.text, text.weight) for text in spec.texts if text.role == "tag")
    texts = {text.role: text for text in spec.texts}  # one of each but the tags
    scene, following = texts["scene"], texts.get("next scene")
    choice = chooser.choose(scene.text, tags, texts["negative"].text if "negative" in texts else "")
    light = catalogue().colours[choice.light]
    if following and following.weight > 0:
        share = following.weight / (following.weight + scene.weight)
        negative = texts["next negative"].text if "next negative" in texts else ""
        light = light.blended(catalogue().colours[chooser.choose(following.text, tags, negative).light], share)
    return Job(spec, choice, light, size)

"""The diffusion generator: keyframes by a diffusers pipeline on the user's device."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import torch
from torch import Tensor

from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.frames.generators import Generator, Read, nothing_there
from aimv_engine.frames.generators.footage import Footage
from aimv_engine.frames.generators.paint.generator import Paint
from aimv_engine.frames.plan import KeyframeSpec, Link, LinkedSpec
from aimv_engine.heartbeat import Heartbeat, meanwhile, nothing
from aimv_engine.store import name_of

from . import feedback
from .adapter import Adapter, resized
from .encoding import Encoding
from .memory import Memory, is_full
from .noise import noise, walked
from .overlap import ahead

T = TypeVar("T")
Mode = Literal["walk", "feedback", "follow"]

RECIPE = 1  # raised whenever the same spec gives another picture
PAINT = "paint"
FOLLOWED = 0.55  # how much of a followed picture is made anew
PREPARED = 16  # keyframes that are made ready while others are denoised
BLACK = 4  # levels of 255: a picture without a lighter pixel is none


@dataclass(frozen=True)
class Choices:
    """How the pictures are made.

    walk: noise and words move on little by little, at the pace of the scene's clock. feedback: each keyframe goes on
    from the one before it, moved by the camera. follow: other pictures are redrawn: those of paint, or the user's.
    """

    steps: int
    guidance: float
    mode: Mode = "walk"
    follow: str = PAINT  # or the path of a film, a picture or a folder of pictures


@dataclass(frozen=True)
class _Sketch:
    """A keyframe that is ready to be denoised."""

    spec: KeyframeSpec
    text: Encoding
    negative: Encoding
    noise: Tensor  # [C, h, w]
    start: Tensor | None = None  # [C, h, w] latents of the picture that it begins with
    strength: float = 1.0


class Diffusion:
    """Pictures by a pipeline that is loaded. Noise is named, never drawn in turn: a picture is the same in any order and
    batch (but for the rounding of sums, which depends on how many a batch holds).

    Three things go on at once: texts and pictures to begin with are encoded for what comes, a batch is denoised, and
    the one before is decoded (and stored, by who takes the pictures).
    """

    def __init__(self, adapter: Adapter, choices: Choices, identity: str, batch: int | None = None) -> None:
        """`identity` names the model; `batch` is how many pictures at once are tried, None leaves it to the device."""
        self._adapter = adapter
        self._choices = choices
        self._model = identity
        self._followed = _followed(choices)
        self._memory = Memory(adapter.pipeline, adapter.device, batch)
        self._denoising = threading.Lock()  # taken before _beside where both are needed
        self._beside = threading.Lock()  # for encoders and decoders
        self._preparing = threading.Lock()

    @property
    def identity(self) -> str:
        """The model and all that is chosen about it."""
        choices, followed = self._choices, self._followed.identity if self._followed else ""
        made = (self._model, str(self._adapter.pipeline.dtype), choices.steps, choices.guidance, choices.mode, followed)
        return f"diffusion-{RECIPE}-{name_of(*made)}"

    @property
    def links(self) -> frozenset[Link]:
        """What keyframes must know of their place in the film."""
        if self._choices.mode == "feedback":
            return frozenset({"before"})
        return frozenset(self._followed.links if self._followed else ())

    def pictures(
        self,
        specs: Sequence[KeyframeSpec],
        size: tuple[int, int],
        heartbeat: Heartbeat = nothing,
        read: Read = nothing_there,
    ) -> Iterator[Picture]:
        """One picture [height, width, 3] a spec, in order; `size` is (width, height). See Generator."""
        stopped = threading.Event()

        def tick() -> None:
            if stopped.is_set():
                raise Cancelled

        try:
            if self._choices.mode == "feedback":
                for spec in specs:
                    yield meanwhile(partial(self._continued, spec, size, read, tick), heartbeat)
            else:
                sketches = ahead(self._sketches(specs, size, tick), tick, PREPARED)
                batches = ahead(self._denoised(sketches, tick), tick)
                yield from ahead(self._decoded(batches, size, tick), heartbeat)
        finally:
            stopped.set()

    def close(self) -> None:
        """Ends what paints or reads the pictures that are followed. The model is freed with this object."""
        if self._followed is not None:
            self._followed.close()

    # from spec to sketch -----------------------------------------------------------------------------------------

    def _sketches(self, specs: Sequence[KeyframeSpec], size: tuple[int, int], tick: Heartbeat) -> Iterator[_Sketch]:
        """What each keyframe begins with, in walk and follow mode."""
        shape = self._adapter.noise_shape(size)
        with self._preparing:  # a run that was stopped may not have let go of the followed pictures yet
            if self._followed is None:
                for spec in specs:
                    tick()
                    yield _Sketch(spec, *self._words(spec), walked(shape, spec.walk, "scene", spec.seed))
                return
            for spec, picture in zip(specs, self._followed.pictures(specs, size, tick), strict=True):
                # the noise stands still: what moves is what is followed
                still = noise(shape, "scene", spec.seed, 0)
                yield _Sketch(spec, *self._words(spec), still, self._latents(picture), FOLLOWED)

    def _continued(self, spec: KeyframeSpec, size: tuple[int, int], read: Read, tick: Heartbeat) -> Picture:
        """A keyframe in feedback mode; a scene's first is made from noise alone."""
        shape = self._adapter.noise_shape(size)
        before = spec.before if isinstance(spec, LinkedSpec) else None
        if before is None:
            sketch = _Sketch(spec, *self._words(spec), walked(shape, spec.walk, "scene", spec.seed))
        else:
            start = feedback.starting_picture(
                read(before.name), read(before.opening), before.camera, spec.camera, before.name
            )
            fresh = noise(shape, "after", before.name)  # the same noise again and again would burn itself in
            strength = feedback.strength(spec.energy)
            sketch = _Sketch(spec, *self._words(spec), fresh, self._latents(start), strength)
        (picture,) = self._decoded(self._denoised([sketch], tick), size, tick)
        return picture

    def _words(self, spec: KeyframeSpec) -> tuple[Encoding, Encoding]:
        """What is to be seen, and what is not."""
        texts = {text.role: text.text for text in spec.texts}
        return (
            self._beside_denoising(partial(self._adapter.encode, texts["scene"])),
            self._beside_denoising(partial(self._adapter.encode, texts.get("negative", ""))),
        )

    def _latents(self, picture: Picture) -> Tensor:
        return self._beside_denoising(partial(self._adapter.to_latents, picture[None]))[0]

    # from sketch to picture --------------------------------------------------------------------------------------

    def _denoised(self, sketches: Iterable[_Sketch], tick: Heartbeat) -> Iterator[tuple[list[KeyframeSpec], Tensor]]:
        """Latents [B, C, h, w] of as many keyframes at once as the memory holds."""
        waiting: list[_Sketch] = []
        for sketch in sketches:
            waiting.append(sketch)
            if len(waiting) >= self._memory.batch:
                yield from self._emptied(waiting, tick)
        yield from self._emptied(waiting, tick)

    def _emptied(self, waiting: list[_Sketch], tick: Heartbeat) -> Iterator[tuple[list[KeyframeSpec], Tensor]]:
        while waiting:
            batch = waiting[: self._memory.batch]
            latents = self._denoise(batch, tick)
            if latents is None:
                self._shrink()
                continue
            yield [sketch.spec for sketch in batch], latents
            del waiting[: len(batch)]

    def _denoise(self, batch: Sequence[_Sketch], tick: Heartbeat) -> Tensor | None:
        """Latents of a batch; None where memory ran out."""
        starts = [sketch.start for sketch in batch if sketch.start is not None]
        with self._denoising, self._beside if self._memory.one_at_a_time else nullcontext():
            try:
                with self._memory.denoising():
                    return self._adapter.denoise(
                        [sketch.text for sketch in batch],
                        [sketch.negative for sketch in batch],
                        torch.stack([sketch.noise for sketch in batch]),
                        self._choices.steps,
                        self._choices.guidance,
                        start=torch.stack(starts) if starts else None,
                        strength=batch[0].strength,
                        tick=tick,
                    )
            except Exception as error:
                if not is_full(error):
                    raise
        return None

    def _decoded(
        self, batches: Iterable[tuple[list[KeyframeSpec], Tensor]], size: tuple[int, int], tick: Heartbeat
    ) -> Iterator[Picture]:
        """The pictures of latents, one by one: that takes the least memory, and the first is there the soonest."""
        for specs, latents in batches:
            for spec, each in zip(specs, latents, strict=True):
                tick()
                yield resized(self._beside_denoising(partial(self._decode, spec, each[None])), size)

    def _decode(self, spec: KeyframeSpec, latents: Tensor) -> Picture:
        """A picture in the working size. Raises AimvError when there is nothing to be seen, also at the second try.

        Autoencoders in half precision overflow now and then (that of SDXL is known for it) and give black.
        """
        autoencoder = self._adapter.pipeline.vae
        picture: Picture = self._adapter.decode(latents)[0]
        if picture.max() <= BLACK and autoencoder.dtype != torch.float32:
            half = autoencoder.dtype
            try:
                autoencoder.to(torch.float32)
                picture = self._adapter.decode(latents)[0]
            finally:
                autoencoder.to(half)
        if picture.max() <= BLACK:
            raise AimvError(
                f'a keyframe of the scene "{spec.texts[0].text}" (seed {spec.seed}, walk {spec.walk:.2f}) came out '
                "black: the model has failed, or its safety checker refuses the picture; change the sentence or the "
                "seed, or choose another model"
            )
        return picture

    # memory and turns --------------------------------------------------------------------------------------------

    def _beside_denoising(self, work: Callable[[], T]) -> T:
        """What encoders and decoders give, tried again with more memory where there was too little."""
        while True:
            with self._beside:
                try:
                    with self._memory.beside():
                        return work()
                except Exception as error:
                    if not is_full(error):
                        raise
            self._shrink()

    def _shrink(self) -> None:
        with self._denoising, self._beside:
            self._memory.shrink()


def _followed(choices: Choices) -> Generator | None:
    """What gives the pictures to begin with."""
    if choices.mode != "follow":
        return None
    return Paint() if choices.follow == PAINT else Footage(Path(choices.follow))

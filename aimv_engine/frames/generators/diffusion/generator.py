"""The diffusion generator: keyframes by a diffusers pipeline on the user's device."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Literal, TypeVar

import torch
from torch import Tensor

from aimv_engine import looks
from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.frames import generators
from aimv_engine.frames.generators import Read, nothing_there
from aimv_engine.frames.generators.footage import Footage
from aimv_engine.frames.generators.paint.generator import Paint
from aimv_engine.frames.plan import KeyframeSpec, Link, LinkedSpec, WeightedText
from aimv_engine.frames.prompt_mix import DEFAULT, UNMIXED, mix, reader, recipe_for
from aimv_engine.heartbeat import Heartbeat, meanwhile, nothing
from aimv_engine.looks import Look
from aimv_engine.store import name_of

from . import feedback
from .adapter import Adapter, resized
from .encoding import Encoding
from .judge import Judge
from .memory import Memory, is_full
from .noise import noise, walked
from .overlap import ahead
from .wardrobe import Wardrobe

T = TypeVar("T")
Mode = Literal["walk", "feedback", "follow"]
Batch = tuple[list[KeyframeSpec], Tensor]  # and their latents [B, C, h, w]

RECIPE = 1  # raised whenever the same spec gives another picture
PAINT = "paint"
FOLLOWED = 0.55  # how much of a followed picture is made anew
KNOWN = 4  # mixtures that are kept: most keyframes of a scene are told the same
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
    best_of: int = 1  # so many noises are tried for a scene's first keyframe


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
    """Pictures by a pipeline of diffusers. Noise is named, never drawn in turn: a picture is the same in any order
    and batch (but for the rounding of sums, which depends on how many a batch holds).

    Three things go on at once: texts and pictures to begin with are encoded for what comes, a batch is denoised, and
    the one before is decoded (and stored, by who takes the pictures).
    """

    def __init__(
        self,
        load: Callable[[Heartbeat], Adapter],
        choices: Choices,
        identity: str,
        judge: Judge | None = None,
        batch: int | None = None,
    ) -> None:
        """`load` gives the model, and is called when the first picture is asked for; `identity` names the model and the
        type of its numbers; `judge` chooses the best of several, None takes the first; `batch` is how many pictures at
        once are tried, None leaves it to the device."""
        self._load = load
        self._loaded = False
        self._adapter: Adapter  # this and the next three are there while the model is
        self._memory: Memory
        self._wardrobe: Wardrobe
        self._told: Callable[[tuple[WeightedText, ...]], tuple[Encoding, Encoding]]
        self._choices = choices
        self._model = identity
        self._batch = batch
        self._followed = _followed(choices)
        self._judge = judge if choices.best_of > 1 else None
        self._chosen: dict[str, int] = {}  # which of several noises, by the name of a scene's opening
        self._denoising = threading.Lock()  # taken before _beside where both are needed
        self._beside = threading.Lock()  # for encoders and decoders
        self._preparing = threading.Lock()

    @property
    def identity(self) -> str:
        """The model and all that is chosen about it."""
        choices, followed = self._choices, self._followed.identity if self._followed else ""
        drawn = (self._model, DEFAULT, UNMIXED, choices.steps, choices.guidance)
        chosen = (choices.best_of, self._judge.identity) if self._judge else ()
        return f"diffusion-{RECIPE}-{name_of(*drawn, choices.mode, followed, *chosen)}"

    @property
    def links(self) -> frozenset[Link]:
        """What keyframes must know of their place in the film."""
        if self._choices.mode == "feedback":
            return frozenset({"before"})
        links: set[Link] = {"opening"} if self._judge else set()
        return frozenset(links.union(self._followed.links if self._followed else ()))

    def pictures(
        self,
        specs: Sequence[KeyframeSpec],
        size: tuple[int, int],
        heartbeat: Heartbeat = nothing,
        read: Read = nothing_there,
    ) -> Iterator[Picture]:
        """One picture [height, width, 3] a spec, in order; `size` is (width, height). See Generator."""
        for _, alike in groupby(specs, lambda spec: _additions(looks.load(spec.look))):
            together = list(alike)
            self._prepare(looks.load(together[0].look), heartbeat)
            yield from self._pictures(together, size, heartbeat, read)

    def _prepare(self, look: Look, heartbeat: Heartbeat) -> None:
        """Sees that the model is there, and draws with what the look adds to it."""
        if not self._loaded:
            self._adapter = self._load(heartbeat)
            self._memory = Memory(self._adapter.pipeline, self._adapter.device, self._batch)
            self._wardrobe = Wardrobe(self._adapter.pipeline)
            self._told = self._reading()
            self._loaded = True
        meanwhile(partial(self._dress, look), heartbeat)

    def _dress(self, look: Look) -> None:
        with self._denoising, self._beside:
            if self._wardrobe.wear(look):
                self._told = self._reading()  # words mean something else now

    def _reading(self) -> Callable[[tuple[WeightedText, ...]], tuple[Encoding, Encoding]]:
        adapter = self._adapter
        return lru_cache(KNOWN)(partial(mix, read=reader(adapter), recipe=recipe_for(adapter)))

    def _pictures(
        self, specs: Sequence[KeyframeSpec], size: tuple[int, int], heartbeat: Heartbeat, read: Read
    ) -> Iterator[Picture]:
        """Those of specs for which the model is prepared."""
        stopped = threading.Event()

        def tick() -> None:
            if stopped.is_set():
                raise Cancelled

        try:
            if self._choices.mode == "feedback":
                for spec in specs:
                    yield meanwhile(partial(self._continued, spec, size, read, tick), heartbeat)
            else:
                sketches = ahead(self._sketches(specs, size, tick), stopped, count=PREPARED)
                batches = ahead(self._denoised(sketches, tick), stopped)
                yield from ahead(self._decoded(batches, size, tick), stopped, heartbeat)
        finally:
            stopped.set()

    def close(self) -> None:
        """Frees the model, and ends what paints or reads the pictures that are followed."""
        if self._loaded:
            self._loaded = False
            del self._adapter, self._memory, self._wardrobe, self._told
        if self._followed is not None:
            self._followed.close()

    # from spec to sketch -----------------------------------------------------------------------------------------

    def _sketches(
        self, specs: Sequence[KeyframeSpec], size: tuple[int, int], tick: Heartbeat
    ) -> Generator[_Sketch, None, None]:
        """What each keyframe begins with, in walk and follow mode."""
        with self._preparing:  # a run that was stopped may not have let go of the followed pictures yet
            self._choose([spec.opening for spec in specs if isinstance(spec, LinkedSpec) and spec.opening], size, tick)
            for spec, picture in self._with_followed(specs, size, tick):
                opening = spec.opening if isinstance(spec, LinkedSpec) else None
                yield self._sketch(spec, picture, size, self._chosen.get(name_of(opening, size), 0))

    def _with_followed(
        self, specs: Sequence[KeyframeSpec], size: tuple[int, int], tick: Heartbeat
    ) -> Iterator[tuple[KeyframeSpec, Picture | None]]:
        if self._followed is not None:
            yield from zip(specs, self._followed.pictures(specs, size, tick), strict=True)
            return
        for spec in specs:
            tick()
            yield spec, None

    def _sketch(self, spec: KeyframeSpec, followed: Picture | None, size: tuple[int, int], variant: int = 0) -> _Sketch:
        """A keyframe from noise; from noise that stands still and a picture where one is followed: that moves."""
        shape, name = self._adapter.noise_shape(size), ("scene", spec.seed, variant)
        if followed is None:
            return _Sketch(spec, *self._words(spec), walked(shape, spec.walk, *name))
        return _Sketch(spec, *self._words(spec), noise(shape, *name, 0), self._latents(followed), FOLLOWED)

    def _choose(self, openings: Sequence[KeyframeSpec], size: tuple[int, int], tick: Heartbeat) -> None:
        """Finds out which of several noises suits the scenes best that open so."""
        if self._judge is None:
            return
        unknown = {name: each for each in openings if (name := name_of(each, size)) not in self._chosen}
        followed = self._with_followed(list(unknown.values()), size, tick)
        for name, (spec, picture) in zip(unknown, followed, strict=True):
            variants = [self._sketch(spec, picture, size, variant) for variant in range(self._choices.best_of)]
            candidates = list(self._decoded(self._denoised(variants, tick), size, tick))
            scores = self._beside_denoising(partial(self._judge, candidates, spec.texts[0].text))
            self._chosen[name] = int(scores.argmax())

    def _continued(self, spec: KeyframeSpec, size: tuple[int, int], read: Read, tick: Heartbeat) -> Picture:
        """A keyframe in feedback mode; a scene's first is made from noise alone."""
        before = spec.before if isinstance(spec, LinkedSpec) else None
        if before is not None:
            start = feedback.starting_picture(
                read(before.name), read(before.opening), before.camera, spec.camera, before.name
            )
            # fresh noise: the same again and again would burn itself in
            fresh = noise(self._adapter.noise_shape(size), "after", before.name)
            strength = feedback.strength(spec.energy)
            sketch = _Sketch(spec, *self._words(spec), fresh, self._latents(start), strength)
        else:
            self._choose([spec], size, tick)
            sketch = self._sketch(spec, None, size, self._chosen.get(name_of(spec, size), 0))
        (picture,) = self._decoded(self._denoised([sketch], tick), size, tick)
        return picture

    def _words(self, spec: KeyframeSpec) -> tuple[Encoding, Encoding]:
        """What is to be seen, and what is not."""
        return self._beside_denoising(partial(self._told, spec.texts))

    def _latents(self, picture: Picture) -> Tensor:
        return self._beside_denoising(partial(self._adapter.to_latents, picture[None]))[0]

    # from sketch to picture --------------------------------------------------------------------------------------

    def _denoised(self, sketches: Iterable[_Sketch], tick: Heartbeat) -> Generator[Batch, None, None]:
        """Latents [B, C, h, w] of as many keyframes at once as the memory holds."""
        waiting: list[_Sketch] = []
        for sketch in sketches:
            waiting.append(sketch)
            if len(waiting) >= self._memory.batch:
                yield from self._emptied(waiting, tick)
        yield from self._emptied(waiting, tick)

    def _emptied(self, waiting: list[_Sketch], tick: Heartbeat) -> Generator[Batch, None, None]:
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
        self, batches: Iterable[Batch], size: tuple[int, int], tick: Heartbeat
    ) -> Generator[Picture, None, None]:
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


def _additions(look: Look) -> tuple[object, ...]:
    return look.lora, look.embeddings


def _followed(choices: Choices) -> generators.Generator | None:
    """What gives the pictures to begin with."""
    if choices.mode != "follow":
        return None
    return Paint() if choices.follow == PAINT else Footage(Path(choices.follow))

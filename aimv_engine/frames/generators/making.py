"""The generator that the settings ask for. What only diffusion needs is imported for it alone: it takes seconds."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from aimv_engine.frames.generators import Generator
from aimv_engine.frames.generators.paint.generator import Paint
from aimv_engine.heartbeat import meanwhile
from aimv_engine.progress import Progress
from aimv_engine.settings import AUTOMATIC, Settings

if TYPE_CHECKING:
    from aimv_engine.frames.generators.diffusion.adapter import Adapter
    from aimv_engine.frames.generators.diffusion.loading import Source


class Pipelines:
    """The diffusion model that was used last, for the next generator that wants the same."""

    def __init__(self) -> None:
        self._adapters: dict[str, Adapter] = {}  # at most one

    def adapter(self, source: "Source", identity: str, progress: Progress) -> "Adapter":
        """The model of that identity, on the best device. Raises AimvError when it can't be loaded."""
        if identity not in self._adapters:
            self._adapters.clear()  # before another one takes its place in memory
            self._adapters[identity] = _load(source, progress)
        return self._adapters[identity]

    def close(self) -> None:
        """Frees its memory."""
        self._adapters.clear()


def have(settings: Settings, allow_download: bool, progress: Progress) -> None:
    """Sees to it that the model is here which the settings ask for; `allow_download` lets it come from the hub.

    Raises AimvError when it isn't, and says what to do.
    """
    if settings.diffusion:
        from aimv_engine.frames.generators.diffusion import loading

        loading.find(settings.diffusion_model, allow_download, progress)


def make(settings: Settings, pipelines: Pipelines, progress: Progress, tell: Callable[[str], None]) -> Generator:
    """The generator. `tell` gets a line about what is left out.

    Raises AimvError when the model isn't here, or nothing to follow.
    """
    if not settings.diffusion:
        return Paint()
    from aimv_engine.frames.generators.diffusion import judge, loading
    from aimv_engine.frames.generators.diffusion.generator import Choices, Diffusion, Mode

    source = loading.find(settings.diffusion_model)
    identity = meanwhile(partial(loading.identity, source), lambda: progress("reading the model", 0, 1))
    progress("reading the model", 1, 1)
    choices = Choices(
        steps=settings.steps or source.card.steps,
        guidance=source.card.guidance if settings.guidance < 0 else settings.guidance,
        mode="walk" if settings.mode == AUTOMATIC else cast(Mode, settings.mode),
        follow=settings.follow,
        best_of=settings.best_of,
    )
    clip = None if settings.clip == AUTOMATIC else Path(settings.clip)
    chooser = judge.find(clip, tell) if settings.best_of > 1 else None
    return Diffusion(pipelines.adapter(source, identity, progress), choices, identity, chooser)


def _load(source: "Source", progress: Progress) -> "Adapter":
    import torch

    from aimv_engine.device import best_device
    from aimv_engine.frames.generators.diffusion import loading
    from aimv_engine.frames.generators.diffusion.adapters import adapter_for

    device = best_device()
    # transformers overflow in float16 where they were trained in bfloat16; a U-Net has more digits in float16
    half = torch.float16 if source.family in ("sd", "sdxl") else torch.bfloat16
    pipeline = loading.load(source, device, torch.float32 if device == "cpu" else half, progress)
    if device == "cuda" and source.family in ("sd", "sdxl"):  # convolutions are faster with the channels last
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    return adapter_for(pipeline)

"""The generator that the settings ask for. What only diffusion needs is imported for it alone: it takes seconds."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from aimv_engine.frames.generators import Generator
from aimv_engine.frames.generators.paint.generator import Paint
from aimv_engine.heartbeat import Heartbeat, meanwhile
from aimv_engine.progress import Progress
from aimv_engine.settings import AUTOMATIC, Settings

if TYPE_CHECKING:
    import torch

    from aimv_engine.frames.generators.diffusion.adapter import Adapter
    from aimv_engine.frames.generators.diffusion.loading import Source

UNETS = ("sd", "sdxl")  # families; the others' networks are transformers


def have(settings: Settings, allow_download: bool, progress: Progress) -> None:
    """Sees to it that the model is here which the settings ask for; `allow_download` lets it come from the hub.

    Raises AimvError when it isn't, and says what to do.
    """
    if settings.diffusion:
        from aimv_engine.frames.generators.diffusion import loading

        loading.find(settings.diffusion_model, allow_download, progress)


def make(settings: Settings, progress: Progress, tell: Callable[[str], None]) -> Generator:
    """The generator; a model is loaded when the first picture is asked for. `tell` gets a line about what is left out.

    Raises AimvError when the model isn't here, or nothing to follow.
    """
    if not settings.diffusion:
        return Paint()
    from aimv_engine.frames.generators.diffusion import judge, loading
    from aimv_engine.frames.generators.diffusion.generator import Choices, Diffusion, Mode

    source = loading.find(settings.diffusion_model)
    identity = meanwhile(partial(loading.identity, source), lambda: progress("reading the model", 0, 1))
    progress("reading the model", 1, 1)
    device, dtype = _place(source)
    choices = Choices(
        steps=settings.steps or source.card.steps,
        guidance=source.card.guidance if settings.guidance < 0 else settings.guidance,
        mode="walk" if settings.mode == AUTOMATIC else cast(Mode, settings.mode),
        follow=settings.follow,
        best_of=settings.best_of,
    )
    clip = None if settings.clip == AUTOMATIC else Path(settings.clip)
    chooser = judge.find(clip, tell) if settings.best_of > 1 else None
    return Diffusion(partial(_load, source, device, dtype), choices, f"{identity}-{dtype}", chooser)


def _place(source: "Source") -> "tuple[str, torch.dtype]":
    """What the model computes on, and with which type of numbers."""
    import torch

    from aimv_engine.device import best_device

    device = best_device()
    if device == "cpu":
        return device, torch.float32
    # transformers overflow in float16 where they were trained in bfloat16; for U-Nets float16 is the finer one
    return device, torch.float16 if source.family in UNETS else torch.bfloat16


def _load(source: "Source", device: str, dtype: "torch.dtype", heartbeat: Heartbeat) -> "Adapter":
    import torch

    from aimv_engine.frames.generators.diffusion import loading
    from aimv_engine.frames.generators.diffusion.adapters import adapter_for

    pipeline = loading.load(source, device, dtype, lambda stage, done, total: heartbeat())
    if device == "cuda" and source.family in UNETS:  # whose convolutions are faster with the channels last
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    return adapter_for(pipeline)

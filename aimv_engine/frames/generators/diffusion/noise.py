"""The noise that pictures grow from: named, so that it depends on no batch, order or device."""

import math

import torch
from torch import Tensor

from aimv_engine.store import name_of

STRIDE = 6.0  # seconds of the scene's clock from one noise to the next: at 6 keyframes a second 2.5 to 7.5 degrees each


def seed_of(*name: object) -> int:
    """A seed of 63 bits for what `name` says (see store.name_of: BLAKE2b)."""
    return int(name_of("noise", *name)[:16], 16) >> 1


def noise(shape: tuple[int, ...], *name: object) -> Tensor:
    """Standard normal noise of that name, drawn on the CPU in float32: the same for every device."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed_of(*name)))


def walked(shape: tuple[int, ...], walk: float, *name: object) -> Tensor:
    """The noise at `walk` seconds: on the great circle between two noises, a new one every STRIDE seconds.

    Straight lines between noises lead through weak noise, of which models make grey mush; on the sphere every point is
    as strong as the noises themselves (White 2016, "Sampling Generative Networks").
    """
    step = math.floor(walk / STRIDE)
    one, other = noise(shape, *name, step), noise(shape, *name, step + 1)
    return slerp(one, other, walk / STRIDE - step)


def slerp(one: Tensor, other: Tensor, t: float) -> Tensor:
    """From `one` (t = 0) to `other` (t = 1) at an even pace on the arc between them (Shoemake 1985)."""
    cosine = torch.sum(one * other) / (one.norm() * other.norm())
    angle = math.acos(float(cosine))  # two noises of a thousand numbers and more are never parallel
    return (math.sin((1 - t) * angle) * one + math.sin(t * angle) * other) / math.sin(angle)

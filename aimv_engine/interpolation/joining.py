"""How two neighbouring keyframes are joined: moved into each other, dissolved, or cut.

RIFE is at its best where both pictures show the same things, and tears them to pieces where they do not. Whether they
do is seen after the motion is found: brought to the midpoint, both pictures must show the same *structure*, and not be
far apart in colour. Where they do not, light dissolves into light; pictures without even a colour in common are cut.

Measured on 166 pairs with known in-betweens (three films with 3 and 11 frames left out, painted scenes under a moving
camera, painted scenes turning into others), mean PSNR: always dissolve 26.63 dB, always morph 31.98, by this rule
32.39, the better of both in every single pair 32.49. Structure is 0.9 or more in calm motion, 0.75 in wild, and 0.1 to
0.4 at a cut.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aimv_engine.arrays import F64, Picture
from aimv_engine.interpolation.rife import PairMotion, Rife

Joint = Literal["morph", "dissolve", "cut"]

SAME_STRUCTURE = 0.65  # at least this much, and
SAME_COLOUR = 0.1  # at most this far apart: a morph
STRANGERS = 0.1  # colours shared by pictures that dissolve at least

WINDOW = 8  # pixels of the small pictures a side
FAINT = 4e-4  # variance (of luma, 0 to 1) that counts as no structure: two empty skies are alike
COLOUR_BINS = 8  # a channel


def join(rife: Rife, first: Picture, second: Picture, times: Sequence[float]) -> list[Picture]:
    """The pictures at `times` (0 to 1) between two neighbours, joined as suits them."""
    if np.array_equal(first, second):
        return [first.copy() for _ in times]
    motion = rife.motion(first, second)
    match joint(motion):
        case "morph":
            return rife.morph(motion, times)
        case "dissolve":
            return [dissolve(first, second, time) for time in times]
        case "cut":
            return [(first if time < 0.5 else second).copy() for time in times]


@torch.inference_mode()
def joint(motion: PairMotion) -> Joint:
    """How the pair is to be joined."""
    first, second = motion.first_warped, motion.second_warped
    apart = float((first - second).abs().mean())
    if apart <= SAME_COLOUR and structure(first, second) >= SAME_STRUCTURE:
        return "morph"
    return "dissolve" if shared_colour(motion.first, motion.second) >= STRANGERS else "cut"


def structure(first: Tensor, second: Tensor) -> float:
    """How alike the structure of two pictures [1, 3, H, W] is, up to 1.

    It is the mean over windows of SSIM's contrast and structure terms (Wang et al. 2004).
    """
    one, two = first.mean(dim=1, keepdim=True), second.mean(dim=1, keepdim=True)
    mean_one, mean_two, square_one, square_two, product = (
        functional.avg_pool2d(values, WINDOW, ceil_mode=True) for values in (one, two, one * one, two * two, one * two)
    )
    variance = square_one - mean_one**2 + square_two - mean_two**2
    covariance = product - mean_one * mean_two
    return float(((2 * covariance + FAINT) / (variance + FAINT)).mean())


def shared_colour(first: Tensor, second: Tensor) -> float:
    """How much of their colours two pictures [1, 3, H, W] share, 0 to 1: the overlap of their histograms."""
    return float(torch.minimum(_histogram(first), _histogram(second)).sum())


def _histogram(picture: Tensor) -> Tensor:
    red, green, blue = (picture[0] * (COLOUR_BINS - 0.001)).long().flatten(1).cpu()
    counts = torch.bincount((red * COLOUR_BINS + green) * COLOUR_BINS + blue, minlength=COLOUR_BINS**3)
    return counts / counts.sum()


# dissolve --------------------------------------------------------------------------------------------------------


def _linear(srgb: F64) -> F64:
    """sRGB to linear light (IEC 61966-2-1), both 0 to 1."""
    return np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)


def _encoded(light: F64) -> F64:
    """Linear light to sRGB, both 0 to 1."""
    return np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, light * 12.92)


LINEAR = _linear(np.linspace(0, 1, 256)).astype(np.float32)  # of each level
ENCODED = np.round(_encoded(np.linspace(0, 1, 65536)) * 255).astype(np.uint8)  # the level of each light


def dissolve(first: Picture, second: Picture, time: float) -> Picture:
    """One picture's light fading into the other's: mixed in linear light, so that it does not darken on the way."""
    light = LINEAR[first] * np.float32(1 - time) + LINEAR[second] * np.float32(time)
    dissolved: Picture = ENCODED[(light * np.float32(len(ENCODED) - 1) + np.float32(0.5)).astype(np.uint16)]
    return dissolved

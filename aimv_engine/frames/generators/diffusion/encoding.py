"""What a text is to a diffusion model, and how long texts are told in parts."""

from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

MARKS = ",.;:!?、。，； \n"  # after these a text may be parted


@dataclass(frozen=True)
class Encoding:
    """A text as a model reads it: on the CPU in float32, whatever the model's device and type.

    So mixtures are exact and the same everywhere, and a cache of them costs no memory of the GPU.
    """

    tokens: torch.Tensor  # [L, D]
    pooled: torch.Tensor | None = None  # [P], the text as a whole, for models that want it too


def parts(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """The text in pieces that fit, together the whole text; parted after a mark or a space where there is one.

    `fits` must hold for a single character, and for a shorter text where it holds for a longer one.
    """
    while not fits(text):
        most = bisect(range(1, len(text)), False, key=lambda length: not fits(text[:length]))
        end = next((end for end in range(most, most // 2, -1) if text[end - 1] in MARKS), most)
        yield text[:end]
        text = text[end:]
    yield text

"""The musicnn network (Pons and Serra 2019, "musicnn: pre-trained convolutional neural networks for music audio
tagging"; its front end is from Pons et al. 2018, "End-to-end learning for music audio tagging at scale").

A front end hears timbre (kernels as high as 38 or 67 of the 96 mel bands and 7 frames long) and rhythm (one band high,
32 to 128 frames long) and keeps the extreme answer over all bands. Three layers, two of them residual, follow in
time. All that is pooled over the patch, by maximum and by mean, and two dense layers make tags of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv1d, conv2d, pad, relu

from aimv_engine.arrays import F32

PATCH = 187  # frames: the three seconds that the network was trained on
REACH = 3  # frames that a kernel of 7 sees on either side
EPSILON = 1e-3  # of TensorFlow's batch normalisation
AT_ONCE = 8  # patches: their rhythm layers just fit a processor's cache


@dataclass(frozen=True)
class Layer:
    """A layer's kernel and bias, then ReLU, then batch normalisation with its statistics folded into a line."""

    kernel: Tensor
    bias: Tensor
    scale: Tensor
    shift: Tensor

    def over_bands(self, mel: Tensor) -> Tensor:
        """[P, frames, 96] to [P, channels, frames - kernel's length + 1]: the maximum over where in pitch it lies."""
        # ReLU and the scale keep the order, so they can wait until after the maximum; a negative scale turns it round,
        # and the kernel with it
        sign = torch.sign(self.scale)
        extreme = conv2d(mel[:, None], self.kernel * sign[:, None, None, None], self.bias * sign).amax(dim=3)
        return self._finish(extreme * sign[:, None])

    def over_time(self, features: Tensor) -> Tensor:
        """[P, channels, frames] to as many frames."""
        return self._finish(conv1d(features, self.kernel, self.bias, padding=REACH))

    def dense(self, features: Tensor) -> Tensor:
        return relu(features @ self.kernel + self.bias) * self.scale + self.shift

    def _finish(self, features: Tensor) -> Tensor:
        return relu(features) * self.scale[:, None] + self.shift[:, None]


class Musicnn:
    """The network with the weights of a checkpoint."""

    def __init__(self, variables: Mapping[str, F32]) -> None:
        """`variables` by the names TensorFlow gave them, which number the layers from the front to the end."""
        weights = {name: torch.from_numpy(value.copy()) for name, value in variables.items()}

        def normalisation(number: int) -> tuple[Tensor, Tensor]:
            name = f"batch_normalization_{number}" if number else "batch_normalization"
            scale = weights[f"{name}/gamma"] / torch.sqrt(weights[f"{name}/moving_variance"] + EPSILON)
            return scale, weights[f"{name}/beta"] - weights[f"{name}/moving_mean"] * scale

        def convolution(number: int) -> Layer:
            name = f"conv2d_{number}" if number else "conv2d"
            kernel = weights[f"{name}/kernel"].permute(3, 2, 0, 1).contiguous()  # to [out, 1, frames, bands]
            return Layer(kernel, weights[f"{name}/bias"], *normalisation(number + 1))

        def sequence(number: int) -> Layer:
            layer = convolution(number)
            kernel = layer.kernel[:, 0].transpose(1, 2).contiguous()  # to [out, in, frames]
            return Layer(kernel, layer.bias, layer.scale, layer.shift)

        self._input = normalisation(0)
        self._timbral = [convolution(number) for number in (0, 1)]
        self._temporal = [convolution(number) for number in (2, 3, 4)]
        self._sequence = [sequence(number) for number in (5, 6, 7)]
        self._pooled = normalisation(9)
        self._dense = Layer(weights["dense/kernel"], weights["dense/bias"], *normalisation(10))
        self._tags = weights["dense_1/kernel"], weights["dense_1/bias"]

    @torch.inference_mode()
    def __call__(self, mel: Tensor, starts: Sequence[int]) -> Tensor:
        """The likelihoods [P, 50] of the tags in patches of 187 frames, which begin at the frames `starts` of the
        spectrogram [frames, 96]. The more they overlap, the more of the work they share."""
        scale, shift = self._input
        mel = mel * scale + shift
        patches = torch.stack([mel[start : start + PATCH] for start in starts])
        timbre = torch.cat([_shared(layer, mel, patches, starts) for layer in self._timbral], dim=1)
        rows = [
            self._tag(*few) for few in zip(torch.split(timbre, AT_ONCE), torch.split(patches, AT_ONCE), strict=True)
        ]
        return torch.cat(rows)

    def _tag(self, timbre: Tensor, patches: Tensor) -> Tensor:
        """Likelihoods [P, 50] from timbre [P, channels, 187] and patches [P, 187, 96]."""
        rhythm = [layer.over_bands(_pad(patches, layer.kernel.shape[2])) for layer in self._temporal]
        front = torch.cat([timbre, *rhythm], dim=1)
        first, second, third = self._sequence
        one = first.over_time(front)
        two = second.over_time(one) + one
        three = third.over_time(two) + two
        features = torch.cat([front, one, two, three], dim=1)
        scale, shift = self._pooled
        pooled = torch.stack([features.amax(dim=2), features.mean(dim=2)], dim=2).flatten(1) * scale + shift
        kernel, bias = self._tags
        return torch.sigmoid(self._dense.dense(pooled) @ kernel + bias)


def _pad(patches: Tensor, length: int) -> Tensor:
    """Silence around patches [P, frames, 96], so that a kernel of that length answers at every frame."""
    return pad(patches, (0, 0, (length - 1) // 2, length // 2))


def _shared(layer: Layer, mel: Tensor, patches: Tensor, starts: Sequence[int]) -> Tensor:
    """What a timbral layer hears in each patch [P, channels, 187], each frame of the song heard only once.

    Only the three frames at either end of a patch differ from patch to patch, for there the kernel sees silence.
    """
    once = layer.over_bands(mel[None])[0]  # frame n of it is centred on frame n + 3
    middle = torch.stack([once[:, start : start + PATCH - 2 * REACH] for start in starts])
    begin = layer.over_bands(pad(patches[:, : 2 * REACH], (0, 0, REACH, 0)))
    end = layer.over_bands(pad(patches[:, -2 * REACH :], (0, 0, 0, REACH)))
    return torch.cat([begin, middle, end], dim=2)

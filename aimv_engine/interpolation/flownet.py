"""IFNet, the flow network of RIFE ("Real-Time Intermediate Flow Estimation", Huang et al. 2022, arXiv 2011.06294).

This is the HDv3 variant: three blocks refine, from coarse to fine, the motion from the midpoint of two pictures to each
of them and a mask that says which of the two to believe. It knows no time; `rife.py` brings it to other times.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

SCALES = (4, 2, 1)  # each block sees the pictures this many times smaller
MULTIPLE = 32  # height and width must be multiples of it
WIDTH = 90  # channels inside a block
HEAD = ("0.weight", "0.bias", "1.weight", "2.weight", "2.bias")  # the tensors of one head of a checkpoint's block


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """`picture` [B, C, H, W] looked up at each pixel's place plus `flow` [B, 2, H, W] (x, y in pixels).

    Bilinear; the border goes on outside the picture.
    """
    height, width = picture.shape[-2:]
    x = torch.linspace(-1, 1, width, device=flow.device, dtype=flow.dtype)
    y = torch.linspace(-1, 1, height, device=flow.device, dtype=flow.dtype)[:, None]
    grid = torch.stack((x + flow[:, 0] * (2 / (width - 1)), y + flow[:, 1] * (2 / (height - 1))), dim=-1)
    # clamping replaces padding_mode="border", which not every device has
    return functional.grid_sample(picture, grid.clamp_(-1, 1), mode="bilinear", align_corners=True)


def resize(picture: Tensor, factor: float) -> Tensor:
    """`picture` [B, C, H, W] made `factor` times as large, bilinear."""
    if factor == 1:
        return picture
    return functional.interpolate(picture, scale_factor=factor, mode="bilinear", align_corners=False)


class Doubling(nn.Module):
    """A transposed convolution (kernel 4, stride 2, padding 1) as a convolution whose outputs are shuffled into place.

    Every output pixel of the transposed convolution sees 2 x 2 input pixels, so a 2 x 2 convolution with four times the
    channels holds all of them; on a CPU that is several times faster.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.phases = nn.Conv2d(inputs, 4 * outputs, kernel_size=2, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        return functional.pixel_shuffle(self.phases(features), 2)[..., 1:-1, 1:-1]

    @staticmethod
    def weights(transposed: Tensor) -> Tensor:
        """The weights [4 * outputs, inputs, 2, 2] for those of a transposed convolution, [inputs, outputs, 4, 4].

        Tap k of an axis reaches from input i to output 2 i + k - 1: phase k % 2, from the later input pixel for k < 2.
        """
        inputs, outputs = transposed.shape[:2]
        taps = transposed.reshape(inputs, outputs, 2, 2, 2, 2).flip(2, 4)  # inputs, outputs, (pixel, phase) of y and x
        return taps.permute(1, 3, 5, 0, 2, 4).reshape(4 * outputs, inputs, 2, 2)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1), nn.PReLU(outputs))


class Block(nn.Module):
    """One refinement: 11 channels (two warped pictures, mask, flow) in, the change of flow (4) and mask (1) out."""

    def __init__(self) -> None:
        super().__init__()
        self.shrink = nn.Sequential(_convolution(11, WIDTH // 2, 2), _convolution(WIDTH // 2, WIDTH, 2))
        self.refine = nn.ModuleList(
            nn.Sequential(_convolution(WIDTH, WIDTH), _convolution(WIDTH, WIDTH)) for _ in range(4)
        )
        self.grow = nn.Sequential(Doubling(WIDTH, WIDTH), nn.PReLU(WIDTH), Doubling(WIDTH, 5))

    def forward(self, features: Tensor) -> Tensor:
        features = self.shrink(features)
        for step in self.refine:
            features = step(features) + features
        grown: Tensor = self.grow(features)
        return grown


class Motion(NamedTuple):
    """What the network finds."""

    flow: Tensor  # [B, 4, H, W]: in pixels, from the midpoint to the first picture (x, y) and to the second (x, y)
    mask: Tensor  # [B, 1, H, W]: a logit, large where the first picture is to be believed
    first: Tensor  # [B, 3, H, W]: the first picture warped to the midpoint
    second: Tensor  # [B, 3, H, W]: the second


class FlowNet(nn.Module):
    """The network; `load` gives it its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in SCALES)

    def forward(self, first: Tensor, second: Tensor) -> Motion:
        """The motion between two pictures [B, 3, H, W], 0 to 1, H and W multiples of MULTIPLE."""
        count, _, height, width = first.shape
        flow = first.new_zeros((count, 4, height, width))
        mask = first.new_zeros((count, 1, height, width))
        first_warped, second_warped = first, second
        for scale, block in zip(SCALES, self.blocks, strict=True):
            pair = resize(torch.cat((first_warped, second_warped, mask, flow / scale), dim=1), 1 / scale)
            # Each block also sees the pair with its pictures exchanged; the mean of both answers treats them alike.
            seen = torch.cat((pair, _exchange(pair))).contiguous(memory_format=torch.channels_last)
            change = resize(block(seen).contiguous(), scale)
            ahead, back = change[:count], change[count:]
            flow = flow + scale * (ahead[:, :4] + back[:, [2, 3, 0, 1]]) / 2
            mask = mask + (ahead[:, 4:] - back[:, 4:]) / 2
            first_warped, second_warped = warp(first, flow[:, :2]), warp(second, flow[:, 2:])
        return Motion(flow, mask, first_warped, second_warped)


def _exchange(pair: Tensor) -> Tensor:
    first, second, mask, to_first, to_second = pair[:, :3], pair[:, 3:6], pair[:, 6:7], pair[:, 7:9], pair[:, 9:]
    return torch.cat((second, first, -mask, to_second, to_first), dim=1)


def load(path: Path) -> FlowNet:
    """The network with the weights of an HDv3 checkpoint, on the CPU, ready for inference."""
    state: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    network = FlowNet()
    for index, block in enumerate(network.blocks):
        prefix = f"module.block{index}."
        own = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        block.load_state_dict(_translated(own))
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.contiguous(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False)


def _translated(block: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A block of the checkpoint by this module's names; its two heads (flow and mask) become one."""
    translated = {}
    for name, tensor in block.items():
        if name.startswith("conv0."):
            translated[name.replace("conv0.", "shrink.", 1)] = tensor
        elif name.startswith("convblock"):
            translated[name.replace("convblock", "refine.", 1)] = tensor
    flow, mask = ({name: block[f"{head}.{name}"] for name in HEAD} for head in ("conv1", "conv2"))
    inner = torch.cat((flow["0.weight"], mask["0.weight"]), dim=1)
    outer = torch.zeros(WIDTH, 5, 4, 4)  # each head goes on seeing its own half of the channels only
    outer[: WIDTH // 2, :4], outer[WIDTH // 2 :, 4:] = flow["2.weight"], mask["2.weight"]
    return translated | {
        "grow.0.phases.weight": Doubling.weights(inner),
        "grow.0.phases.bias": torch.cat((flow["0.bias"], mask["0.bias"])).repeat_interleave(4),
        "grow.1.weight": torch.cat((flow["1.weight"], mask["1.weight"])),
        "grow.2.phases.weight": Doubling.weights(outer),
        "grow.2.phases.bias": torch.cat((flow["2.bias"], mask["2.bias"])).repeat_interleave(4),
    }

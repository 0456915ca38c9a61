"""Whether two pipelines are the same model."""

from typing import Any

import torch


def weights_of(pipeline: Any) -> dict[str, torch.Tensor]:
    """All tensors of all parts, by part and name."""
    parts = {name: part for name, part in pipeline.components.items() if isinstance(part, torch.nn.Module)}
    return {f"{name}.{key}": tensor for name, part in parts.items() for key, tensor in part.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """The same tensors under the same names, to the last bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)

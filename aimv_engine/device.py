"""What torch computes on."""

import os

import torch

from aimv_engine.errors import AimvError

CHOICES = ("auto", "cuda", "rocm", "mps", "cpu")  # of the environment variable AIMV_COMPUTE


def best_device() -> str:
    """torch's name ("cuda", "mps" or "cpu") for what AIMV_COMPUTE asks for; without it, for the fastest there is.

    Raises AimvError when torch can't compute on what was asked for. To torch, ROCm is a kind of "cuda".
    """
    there = {"cpu": "cpu"}
    if torch.backends.mps.is_available():
        there["mps"] = "mps"
    if torch.cuda.is_available():
        there["rocm" if torch.version.hip else "cuda"] = "cuda"
    wish = os.environ.get("AIMV_COMPUTE") or "auto"
    if wish not in CHOICES:
        raise AimvError(f"AIMV_COMPUTE is '{wish}': choose one of {', '.join(CHOICES)}")
    if wish != "auto" and wish not in there:
        raise AimvError(
            f"torch {torch.__version__} can't compute on '{wish}' here: choose {' or '.join(there)} or auto, "
            "or install a build of torch for it (docs/compute.md)"
        )
    return there[wish] if wish != "auto" else list(there.values())[-1]

"""What torch computes on: pretended machines, because no machine has everything."""

import pytest
import torch

from aimv_engine.device import best_device
from aimv_engine.errors import AimvError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One without a GPU and without a wish."""
    monkeypatch.delenv("AIMV_COMPUTE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "hip", None)
    return monkeypatch


def test_the_fastest_there_is_is_chosen_without_a_wish(machine: pytest.MonkeyPatch) -> None:
    assert best_device() == "cpu"
    machine.setattr(torch.backends.mps, "is_available", lambda: True)
    assert best_device() == "mps"
    machine.setattr(torch.cuda, "is_available", lambda: True)
    assert best_device() == "cuda"
    machine.setenv("AIMV_COMPUTE", "auto")
    assert best_device() == "cuda"


def test_a_wish_is_followed(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(torch.cuda, "is_available", lambda: True)
    for wish, device in (("cpu", "cpu"), ("cuda", "cuda")):
        machine.setenv("AIMV_COMPUTE", wish)
        assert best_device() == device
    machine.setattr(torch.version, "hip", "7.0")
    machine.setenv("AIMV_COMPUTE", "rocm")
    assert best_device() == "cuda"


@pytest.mark.parametrize("wish", ["cuda", "rocm", "mps"])
def test_what_this_build_can_not_do_is_refused_with_advice(wish: str, machine: pytest.MonkeyPatch) -> None:
    machine.setenv("AIMV_COMPUTE", wish)
    with pytest.raises(AimvError, match=rf"can't compute on '{wish}' here: choose cpu or auto, .*compute\.md"):
        best_device()


def test_rocm_is_not_cuda(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(torch.cuda, "is_available", lambda: True)
    machine.setattr(torch.version, "hip", "7.0")
    machine.setenv("AIMV_COMPUTE", "cuda")
    with pytest.raises(AimvError, match="choose cpu or rocm or auto"):
        best_device()


def test_an_unknown_wish_is_refused(machine: pytest.MonkeyPatch) -> None:
    machine.setenv("AIMV_COMPUTE", "abacus")
    with pytest.raises(AimvError, match="choose one of auto, cuda"):
        best_device()

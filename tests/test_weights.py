"""Weights are what they were when AIMV was made with them."""

import hashlib
import os
from pathlib import Path

import pytest

from aimv_engine import weights
from aimv_engine.errors import AimvError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights file of our own, named "own" in FILES, with receipts in a folder of our own."""
    path = tmp_path / "own.bin"
    path.write_bytes(b"weights")
    pinned = weights.PackagedFile("own-package", str(path), hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setattr(weights, "FILES", {"own": pinned})
    monkeypatch.setenv("AIMV_CACHE", str(tmp_path / "cache"))
    return path


@pytest.mark.parametrize("name", weights.FILES)
def test_every_carrier_holds_the_pinned_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMV_CACHE", str(tmp_path))  # no receipt: the hash is really taken
    assert weights.packaged(name).is_file()


def test_a_changed_file_is_refused_even_after_a_check(file: Path) -> None:
    assert weights.packaged("own") == file
    before = file.stat()
    file.write_bytes(b"Weights")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(AimvError, match="not the weights file that AIMV was made with"):
        weights.packaged("own")


def test_a_missing_file_names_its_package(file: Path) -> None:
    file.unlink()
    with pytest.raises(AimvError, match=r"own-package.* not installed"):
        weights.packaged("own")

"""doctor, for real: in the environment that runs the tests."""

import json
import os
from pathlib import Path

import pytest

from aimv_engine import doctor, weights


def test_what_is_there_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMV_HOME", os.environ.get("AIMV_HOME", str(tmp_path)))  # as the launcher does
    checks = {check.name: check for check in doctor.report()}
    for name in (
        "Python",
        "torch",
        "diffusion",
        "device",
        "ffmpeg",
        "disk space",
        *(f"weights {name}" for name in weights.FILES),
    ):
        assert checks[name].ok, checks[name]
    assert checks["torch"].found.startswith("2.13.0")
    assert checks["diffusion"].found.startswith("diffusers 0.42.1; presets that are here: ")
    assert "Blender" in checks


def test_what_is_missing_is_said_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = weights.PackagedFile("absent-package", "absent/file.bin", "0" * 64)
    monkeypatch.setattr(weights, "FILES", {**weights.FILES, "absent": absent})
    assert doctor.main(json=True) == 1
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert not checks["weights absent"]["ok"]
    assert "absent-package" in checks["weights absent"]["found"]
    assert "run again" in checks["weights absent"]["remedy"]


def test_a_person_reads_one_line_a_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = [doctor.Check("torch", True, "2.13.0"), doctor.Check("Blender", False, "none", "install one")]
    monkeypatch.setattr(doctor, "report", lambda: found)
    assert doctor.main(json=False) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "torch", "2.13.0"]
    assert lines[1].split() == ["MISSING", "Blender", "none"]
    assert lines[2].strip() == "install one"

"""The add-on in real Blenders: every script tests/blender/cases_*.py runs once in each, and says what went wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parent / "blender").glob("cases_*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem.removeprefix("cases_") for script in SCRIPTS])
def test_in_blender(blender: list[str], script: Path) -> None:
    separator = ["--"] if "--python" in blender else []
    # the engine that the add-on starts is this very Python's
    line = [*blender, str(script), *separator, f"--engine={sys.executable}"]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", errors="replace", check=False)
    assert done.returncode == 0, done.stdout + done.stderr

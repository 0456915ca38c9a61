"""Finds Pythons on this machine that really run. Standard library only, for Python 3.9 or newer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


def find_python(versions: Sequence[str]) -> Path | None:
    """A Python of one of `versions` ("3.11", best first) that can make environments; the running one before others."""
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for version in sorted(versions, key=lambda version: version != running):  # stable: the others stay in order
        if version == running:
            path = _probe([sys.executable], version)
            if path:
                return path
        for command in _candidates(version):
            path = _probe(command, version)
            if path:
                return path
    return None


def _candidates(version: str) -> Iterator[list[str]]:
    """Commands that may start Python `version`.

    Every folder of PATH counts, not only the first that has it: a pyenv shim is there for each version that pyenv
    knows, and fails for those that are not chosen just now. The interpreters behind the shims are candidates too.
    """
    if sys.platform == "win32":
        yield ["py", f"-{version}"]
    for folder in os.get_exec_path():
        path = Path(folder, f"python{version}")
        if path.is_file():
            yield [str(path)]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True):
        yield [str(path)]


def _probe(command: list[str], version: str) -> Path | None:
    """The path of the Python behind `command`, if it is of `version`, 64-bit, and has what makes environments."""
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2], sys.maxsize > 2**32, sys.executable)"
    isolated = [*command, "-I", "-X", "utf8", "-c", code]
    try:
        said = subprocess.run(isolated, capture_output=True, encoding="utf-8", timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found, wide, path = said.strip().split(" ", 2)
    return Path(path) if (found, wide) == (version, "True") else None

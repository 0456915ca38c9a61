"""A virtual environment on disk: made, filled by pip, and mended. Standard library only, for Python 3.9 or newer.

What pip prints goes to a log, and a person is told how far it is. Whatever pip was doing when it was interrupted, and
whatever was deleted since, is found by the RECORD that pip writes last for each package, and installed again.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import AimvError  # relative, here and in environment.py: in Blender the package has another name

Report = Callable[[str, int, int], None]  # stage, done, total (0: unknown). What it raises stops the work

POLL = 0.2  # seconds between two looks at what pip does

# what pip's log says
COLLECTING = re.compile(r"^Collecting ([\w.-]+)", re.MULTILINE)
FETCHING = re.compile(
    r"^ *(?:Downloading|Using cached|Processing) (?:.*/)?"
    r"(?P<name>[\w.]+)-(?P<version>\d[^-\s]*?)(?:-\S*)?\.(?:whl|tar\.gz|zip)(?: \((?:(?P<size>[\d.]+ \w?B)|.*)\))?$",
    re.MULTILINE,
)
UNPACKING = re.compile(r"^Installing collected packages: (.*)$", re.MULTILINE)
COMPLAINT = re.compile(r"^ *(?:ERROR|Error|\w+Error): *(.*\S)", re.MULTILINE)


def python_path(folder: Path) -> Path:
    """The Python of the environment in `folder`, there or not."""
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"


def site_packages(folder: Path) -> Path:
    """Where the environment's packages lie. Raises AimvError when there is none."""
    for pattern in ("lib/python3*/site-packages", "Lib/site-packages"):
        for path in folder.glob(pattern):
            return path
    raise AimvError(f"{folder} is no virtual environment; remove it and run again")


def has_python(folder: Path) -> bool:
    """Whether the environment has a Python, and the Python that it was made from is still there. Runs nothing."""
    base = _setting(folder, "home")
    return base is not None and Path(base).is_dir() and python_path(folder).exists()


def made_from(folder: Path) -> str | None:
    """The version, as "3.11", of the Python that the environment was made from; None where there is none."""
    version = _setting(folder, "version")
    return ".".join(version.split(".")[:2]) if version else None


def _setting(folder: Path, name: str) -> str | None:
    try:
        settings = (folder / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(rf"^{name} *= *(.*\S)", settings, re.MULTILINE)
    return found[1] if found else None


def python_version(folder: Path) -> str | None:
    """ "3.11" for an environment whose Python runs, None otherwise."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run([str(python_path(folder)), "-I", "-c", code], capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.decode().strip()


def discard_damaged(folder: Path) -> list[str]:
    """Forgets the packages of which a file is missing, so that pip installs them again; their names."""
    site = site_packages(folder)
    damaged = [path for path in site.glob("*.dist-info") if not _is_complete(path)]
    for path in damaged:
        shutil.rmtree(path)
    return [path.name for path in damaged]


def _is_complete(dist_info: Path) -> bool:
    try:
        with (dist_info / "RECORD").open(encoding="utf-8", newline="") as record:
            files = [row[0] for row in csv.reader(record) if row]
    except OSError:
        return False  # pip writes it last
    return all((dist_info.parent / file).exists() for file in files if not file.endswith(".pyc"))


@dataclass(frozen=True)
class Workshop:
    """How the commands run that make one environment."""

    folder: Path
    title: str  # before every stage
    log: Path
    variables: dict[str, str]
    lock: int  # a file descriptor that children hold too: an orphaned pip keeps the lock
    report: Report

    def create(self, python: Path) -> None:
        """Makes the environment from `python`; of one that exists only the Python is made anew."""
        for stale in python_path(self.folder).parent.glob("python*"):
            stale.unlink()
        command = [str(python), "-m", "venv", "--without-pip", str(self.folder)]
        self._run(command, self.folder.parent, lambda text: ("preparing", 0, 0))

    def add_pip(self) -> None:
        """Installs the pip that comes with Python."""
        command = [str(python_path(self.folder)), "-m", "ensurepip", "--default-pip"]
        self._run(command, self.folder, lambda text: ("preparing", 0, 0))

    def install(self, requirements: Path, arguments: Sequence[str]) -> None:
        """Has pip install `arguments`, whose files lie in the folder `requirements`."""
        site = site_packages(self.folder)
        before = _count(site)
        command = [str(python_path(self.folder)), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        self._run(
            [*command, "--no-color", "--progress-bar=off", *arguments],
            requirements,
            lambda text: _stage(text, _pinned(requirements, arguments), _count(site) - before),
        )

    def remove(self, requirements: Path, arguments: Sequence[str]) -> None:
        """Has pip uninstall `arguments`, as far as they are there."""
        command = [str(python_path(self.folder)), "-m", "pip", "uninstall", "--yes", "--disable-pip-version-check"]
        self._run([*command, *arguments], requirements, lambda text: ("removing another build", 0, 0))

    def check(self, code: str) -> None:
        """Runs a line of Python in the environment. Raises AimvError with its complaint."""
        self._run([str(python_path(self.folder)), "-c", code], self.folder, lambda text: ("trying it", 0, 0))

    def _run(self, command: list[str], cwd: Path, describe: Callable[[str], tuple[str, int, int]]) -> None:
        with self.log.open("ab") as log:
            start = log.seek(0, os.SEEK_END)
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=() if sys.platform == "win32" else (self.lock,),
            )
            try:
                while process.poll() is None:
                    stage, done, total = describe(self._said(start))
                    self.report(f"{self.title}: {stage}", done, total)
                    time.sleep(POLL)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if process.returncode != 0:
            raise AimvError(f"{self.title}: {_complaint(self._said(start))} (more in {self.log})")

    def _said(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode("utf-8", "replace").replace("\r\n", "\n")


def _count(site: Path) -> int:
    return sum(1 for _ in site.glob("*.dist-info/RECORD"))


def _pinned(requirements: Path, arguments: Sequence[str]) -> int:
    """How many packages the files after -r name, those for every platform and Python."""
    files = [value for option, value in zip(arguments, arguments[1:]) if option == "-r"]
    lines = [line for file in files for line in (requirements / file).read_text(encoding="utf-8").splitlines()]
    return sum("==" in line and ";" not in line and not line.startswith("#") for line in lines)


def _stage(text: str, pinned: int, unpacked: int) -> tuple[str, int, int]:
    """What pip is doing by its log: it looks packages up, fetches, and unpacks them all at the end."""
    unpacking = UNPACKING.search(text)
    if unpacking:
        names = unpacking[1].split(", ")
        return "unpacking packages", min(max(unpacked, 0), len(names)), len(names)
    fetched = list(FETCHING.finditer(text))
    looked_up = list(COLLECTING.finditer(text))
    total = max(pinned, len(looked_up), len(fetched))
    latest = max([*fetched, *looked_up], key=lambda match: match.start(), default=None)
    if latest is None:
        return "looking at what is there", 0, 0
    if latest.re is COLLECTING:
        return f"looking up {latest[1]}", len(looked_up), total
    size = f" ({latest['size']})" if latest["size"] else ""
    return f"fetching {latest['name']} {latest['version']}{size}", len(fetched), total


def _complaint(text: str) -> str:
    """The one line of a log that tells a person why."""
    if "No space left on device" in text:
        return "the disk is full; make room and run again"
    if re.search(r"connection broken by|Network is unreachable|Read timed out|ConnectionError", text):
        return "the package registry can't be reached; look at the network and run again"
    complaints = COMPLAINT.findall(text)
    return complaints[-1] if complaints else (text.strip().splitlines() or ["it ended without a word"])[-1]

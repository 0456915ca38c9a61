"""A copy of the launcher that sets up tiny packages instead of torch: no network, a folder with a space and umlauts."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from aimv_engine import environment

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("__init__", "errors", "pythons", "virtual_environment", "environment")
LAUNCHER = ("aimv.py", *(f"aimv_engine/{name}.py" for name in MODULES))
CLI = """
import json, os, sys
import carrier, needed, aimv_engine
from aimv_engine import environment

host = environment.blender_host()
facts = {"arguments": sys.argv[1:], "folder": os.getcwd(), "engine": aimv_engine.__file__, "needed": needed.VERSION}
facts["blender"] = {"version": host.version, "reason": host.reason}
facts["variables"] = dict(os.environ)
print(json.dumps(facts))
sys.exit(7)
"""
SLOW_BACKEND = """
import os, pathlib, time, zipfile

def build_wheel(folder, settings=None, metadata=None):
    while pathlib.Path(os.environ["WAIT_WHILE"]).exists():
        time.sleep(0.05)
    name = "slow-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("slow.py", "")
        wheel.writestr("slow-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1.0\\n")
        wheel.writestr("slow-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("slow-1.0.dist-info/RECORD", "slow.py,,\\nslow-1.0.dist-info/RECORD,,\\n")
    return name
"""


def write_wheel(folder: Path, name: str, version: str) -> str:
    """A wheel of one package with VERSION in it and a second module; its sha256."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"VERSION = '{version}'\n",
        f"{name}/part.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"]))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Checkout:
    """A copy of the launcher with requirements of its own, and a home directory that should stay empty."""

    folder: Path
    python: str = sys.executable  # what the launcher is started with

    @property
    def home(self) -> Path:
        return self.folder / ".aimv"

    @property
    def log(self) -> str:
        return (self.home / "setup.log").read_text(encoding="utf-8")

    @property
    def packages(self) -> Path:
        return next((self.home / "engine").glob("[lL]ib*/**/site-packages"))

    def require(self, file: str, *lines: str) -> None:
        (self.folder / "requirements" / file).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def variables(self, **changed: str) -> dict[str, str]:
        """The environment variables for a child, with no way to anything but its own wheels."""
        user = self.folder.parent / "user"
        user.mkdir(exist_ok=True)
        there = Path.home()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIMV", "PIP_", "XDG_"))}
        own = {
            "HOME": str(user),
            "PYENV_ROOT": os.environ.get("PYENV_ROOT", str(there / ".pyenv")),
            "RUSTUP_HOME": str(there / ".rustup"),  # pip asks rustc for its version, which would make one
            "PYTHONPATH": str(self.folder / "astray"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": (self.folder / "wheels").as_uri(),
            "PIP_CONFIG_FILE": os.devnull,
        }
        return {**kept, **own, **changed}

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, str(self.folder / "aimv.py"), *arguments],
            env=self.variables(**variables),
            cwd=self.folder.parent / "user",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """Exit status, stdout, stderr."""
        process = self.start(*arguments, **variables)
        out, complaints = process.communicate(timeout=120)
        return process.returncode, out, complaints

    def facts(self, *arguments: str) -> dict[str, object]:
        """What the engine saw when it was started with success."""
        status, out, complaints = self.run(*arguments)
        assert status == 7, complaints
        return dict(json.loads(out))


def processes_in_group(group: int) -> list[str]:
    """The processes of a group that still run, as `ps` shows them; POSIX only."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pgid=,stat=,args="], encoding="utf-8").splitlines()
    return [line for line in listed if line.split()[0] == str(group) and not line.split()[1].startswith("Z")]


def copy_launcher(folder: Path) -> Checkout:
    """A checkout below `folder` whose engine is not made yet."""
    checkout = Checkout(folder / "Grüße an Zoë")
    for name in ("aimv_engine", "requirements", "wheels", "astray"):
        (checkout.folder / name).mkdir(parents=True)
    for name in LAUNCHER:
        shutil.copy(ROOT / name, checkout.folder / name)
    (checkout.folder / "aimv_engine" / "cli.py").write_text(CLI)
    (checkout.folder / "astray" / "needed.py").write_text("VERSION = 'not from the environment'\n")
    wheels = checkout.folder / "wheels"
    write_wheel(wheels, "needed", "1.0")
    write_wheel(wheels, "needed", "2.0")
    write_wheel(wheels, "bpy", "1.0")
    checkout.require("engine.txt", "needed==1.0")
    checkout.require("cuda.txt")
    checkout.require("weights.txt", f"carrier==1.0 --hash=sha256:{write_wheel(wheels, 'carrier', '1.0')}")
    for version in environment.BLENDERS:
        checkout.require(f"blender-{version}.txt", "bpy==1.0")
    return checkout


def add_slow_package(checkout: Checkout) -> Path:
    """Requires a package that is built until the file that this returns is gone, or WAIT_WHILE isn't its path."""
    checkout.require("engine.txt", "needed==1.0", "slow==1.0")
    with zipfile.ZipFile(checkout.folder / "wheels" / "slow-1.0.zip", "w") as archive:
        project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        archive.writestr("slow-1.0/pyproject.toml", project)
        archive.writestr("slow-1.0/backend.py", SLOW_BACKEND)
    flag = checkout.folder / "wait"
    flag.touch()
    return flag

"""Says what is installed, what is missing and what to do about it."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from json import dumps

from aimv_engine import environment, weights
from aimv_engine.errors import AimvError

ROOM = 2.0  # gigabytes that should be free: a song's film and its frames


@dataclass(frozen=True)
class Check:
    """One thing that AIMV needs: what was found, and for a missing one what to do."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def main(json: bool) -> int:
    """Prints the report, as lines or as JSON. The exit status: 0 if nothing is missing, otherwise 1."""
    checks = report()
    if json:
        print(dumps([asdict(check) for check in checks], ensure_ascii=False, indent=2))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            print(f"{'ok     ' if check.ok else 'MISSING'}  {check.name:<{width}}  {check.found}")
            if not check.ok:
                print(f"{'':9}{'':{width}}  {check.remedy}")
    return 0 if all(check.ok for check in checks) else 1


def report() -> list[Check]:
    """Looks at everything once; takes some seconds, because torch and Blender are really started."""
    anew = f"remove {environment.default_home() / 'engine'} and run again: it is made anew"
    return [
        Check("Python", True, f"{platform.python_version()} in {sys.prefix}"),
        _look("torch", _torch, anew),
        _look("diffusion", _diffusion, anew),
        _look("device", _device, "docs/compute.md tells of AIMV_COMPUTE and of other builds of torch"),
        _look("ffmpeg", _ffmpeg, anew),
        _look("Blender", _blender, "run `aimv.py make` to try again; without Blender it makes the video all the same"),
        *(_look(f"weights {name}", partial(_weights, name), anew) for name in weights.FILES),
        _look("disk space", _disk, "make room"),
    ]


def _look(name: str, find: Callable[[], str], remedy: str) -> Check:
    """What `find` finds; whatever keeps it from that (a missing library, a damaged file) is the finding."""
    try:
        return Check(name, True, find())
    except Exception as error:
        return Check(name, False, str(error) or type(error).__name__, remedy)


def _torch() -> str:
    import torch

    return torch.__version__


def _diffusion() -> str:
    from aimv_engine.frames.generators.diffusion import cards, loading

    def here(name: str) -> bool:
        try:
            loading.find(name)
        except AimvError:
            return False
        return True

    found = ", ".join(filter(here, cards.names())) or "none: docs/models.md tells how to get one, if you want one"
    return f"diffusers {loading.quiet_diffusers().__version__}; presets that are here: {found}"


def _device() -> str:
    import torch

    from aimv_engine.device import best_device

    names = {"cpu": "cpu", "mps": "mps: Apple GPU"}
    device = best_device()
    if device == "cuda":
        names[device] = f"{'rocm' if torch.version.hip else 'cuda'}: {torch.cuda.get_device_name()}"
    return names[device]


def _ffmpeg() -> str:
    from imageio_ffmpeg import get_ffmpeg_exe

    return _said([get_ffmpeg_exe(), "-version"]).split(" Copyright")[0].removeprefix("ffmpeg version ")


def _blender() -> str:
    host = environment.blender_host()
    if host.command is None:
        raise AimvError(host.reason)
    start = [*host.command[:-1], "--python-expr"] if host.command[-1] == "--python" else [*host.command, "-c"]
    lines = _said([*start, "import bpy; print('\\nBlender', bpy.app.version_string)"]).splitlines()
    return f"{next(line for line in lines if line.startswith('Blender '))} by {host.command[0]}"


def _said(command: list[str]) -> str:
    """The command's output. Raises AimvError with its last words if it fails."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=120, check=False)
    if done.returncode != 0:
        raise AimvError((done.stderr.strip().splitlines() or [f"it ends with status {done.returncode}"])[-1])
    return done.stdout


def _weights(name: str) -> str:
    return f"{weights.packaged(name).stat().st_size / 1e6:.1f} MB, as pinned"


def _disk() -> str:
    home = environment.default_home()
    environment.check_disk(home, ROOM)
    return f"{shutil.disk_usage(home).free / 1e9:.0f} GB free in {home}"

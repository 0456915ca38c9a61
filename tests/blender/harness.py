"""Runs the cases of a script inside Blender: each in a fresh file, with the extension as it is after installing.

    cases_x.py [--engine=PYTHON] [case_name ...]

A script of cases ends with `harness.main(globals())`: every function case_...(folder) is run, or those that are named,
with an empty folder of its own. The exit status is 0 when all went well.
"""

import os
import runpy
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

ROOT = Path(__file__).resolve().parents[2]


def load() -> None:
    """Registers the extension as the package `aimv`, as Blender does for an installed one."""
    runpy.run_path(str(ROOT / "blender_addon" / "headless.py"))["load_extension"]()


def use_engine(python: str) -> None:
    """Chooses the Python that the engine runs in, as a person does in the preferences."""
    bpy.context.preferences.addons["aimv"].preferences.engine_python = python


def main(names: dict[str, Any]) -> None:
    """Runs the cases among a script's `names` and ends the process."""
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    engine = next((word.removeprefix("--engine=") for word in words if word.startswith("--engine=")), sys.executable)
    wanted = [word for word in words if not word.startswith("--")] or list(names)
    cases = {name: case for name, case in names.items() if name.startswith("case_") and name in wanted}
    load()
    use_engine(engine)
    failed = [name for name, case in cases.items() if not _run(name, case)]
    print(f"{len(cases) - len(failed)} of {len(cases)} cases went well", *failed, sep="\n")
    sys.stdout.flush()
    os._exit(1 if failed or not cases else 0)  # leaving the ordinary way, bpy 4.5 can hang and 4.2 can crash


def _run(name: str, case: Callable[[Path], None]) -> bool:
    """Runs one case with an empty folder of its own."""
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
    with tempfile.TemporaryDirectory(prefix="aimv ü ", ignore_cleanup_errors=True) as folder:
        try:
            case(Path(folder))
        except Exception:
            print(f"--- {name}")
            traceback.print_exc(file=sys.stdout)
            return False
    return True

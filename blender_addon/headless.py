"""Makes a Blender project of an edit.json, and renders it, without a window. Two ways to run it:

    python headless.py edit.json [--render]                                    where that Python has the bpy module
    blender --background --factory-startup --python headless.py -- edit.json [--render]

stdout carries one JSON object a line: {"stage", "done", "total"} while it works, at the end {"blend", "output",
"sound", "blender"}. Blender's own chatter goes to stderr; when something goes wrong, the last line there says what,
and the exit status is not zero.
"""

import argparse
import dataclasses
import importlib
import importlib.util
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TextIO

PACKAGE = "aimv"
CACHE_MEGABYTES = 256


def load_extension() -> None:
    """Makes the repository importable as the package `aimv`, whatever its folder is called, and registers it.

    Blender does the same for an installed extension; a script has to do it for itself.
    """
    import bpy

    root = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)])
    extension = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = extension
    spec.loader.exec_module(extension)
    if PACKAGE not in bpy.context.preferences.addons:
        bpy.context.preferences.addons.new().module = PACKAGE  # the place of its preferences
    extension.register()


def main() -> int:
    """Runs the command line and returns the exit status."""
    arguments = _parse(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:])
    messages = _take_stdout()
    load_extension()
    _limit_cache()
    edit = importlib.import_module(f"{PACKAGE}.blender_addon.edit")
    film = importlib.import_module(f"{PACKAGE}.blender_addon.film")
    try:
        made = film.make(edit.read(arguments.edit), arguments.render, Reporter(messages))
    except edit.EditError as error:
        print(f"aimv: {error}", file=sys.stderr)
        return 1
    _send(messages, dataclasses.asdict(made))
    return 0


def _limit_cache() -> None:
    """Keeps memory flat over a film's length: rendering looks at each picture once.

    The limit is this process's own; an editor's Blender keeps its 4 GB for playing.
    """
    import bpy

    bpy.context.preferences.system.memory_cache_limit = CACHE_MEGABYTES


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="headless.py", description="Makes a Blender project of an edit.json.")
    parser.add_argument("edit", type=Path, help="the edit.json that the engine wrote")
    parser.add_argument("--render", action="store_true", help="render the film too")
    return parser.parse_args(words)


def _take_stdout() -> TextIO:
    """Keeps stdout for messages: whatever else prints, in C too, goes to stderr from here on."""
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return messages


def _send(messages: TextIO, message: dict[str, object]) -> None:
    try:
        print(json.dumps(message), file=messages, flush=True)
    except BrokenPipeError:  # whoever asked for the film is gone: end as if stopped, and leave no part of it
        os.kill(os.getpid(), signal.SIGTERM)


class Reporter:
    """Sends progress, at most ten times a second."""

    def __init__(self, messages: TextIO) -> None:
        self.messages = messages
        self.sent = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done in (0, total) or now - self.sent >= 0.1:
            self.sent = now
            _send(self.messages, {"stage": stage, "done": done, "total": total})


if __name__ == "__main__":
    # in this folder lies a requests.py that is not the library which Blender means
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent]
    try:
        status = main()
    except SystemExit as exit_request:  # of argparse
        status = exit_request.code
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # leaving the ordinary way, bpy 4.5 can hang and 4.2 can crash

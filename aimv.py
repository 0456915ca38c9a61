"""Turns a song into a music video and an editable Blender project: python3 aimv.py make SONG

This is the launcher. It needs nothing but Python: the first use makes the environment that the engine runs in
(in .aimv beside this file, or in the folder that the environment variable AIMV_HOME names), every other use goes
straight on to it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

WITH_BLENDER = ("make", "render")  # commands that write a .blend


def main(arguments: list[str]) -> int:
    """Runs one command. The exit status is the command's; 1 if something is to be mended, 130 after Ctrl-C."""
    if sys.version_info < (3, 9):
        return fail("this Python is too old; run aimv.py with Python 3.11, 3.12 or 3.13")
    from aimv_engine.errors import AimvError

    try:
        return launch(arguments)
    except AimvError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("stopped; run the same command to go on", status=130)


def launch(arguments: list[str]) -> int:
    """Makes what the command needs and becomes the engine's Python."""
    from aimv_engine import environment

    command = arguments[0] if arguments else "--help"
    if command in ("build", "setup", "test"):
        return {"build": build, "setup": setup, "test": test}[command](arguments[1:])
    asks_for_help = bool({"-h", "--help"} & {command, *arguments})
    if asks_for_help and sys.version_info >= (3, 11):  # at once, before anything is set up
        from aimv_engine import cli

        return cli.main(["--help"] if command == "--help" else arguments)
    home = environment.default_home()
    with Progress() as progress:
        python = environment.ensure_engine(home, progress, thorough=command == "doctor")
        if command in WITH_BLENDER and not asks_for_help and "--no-blender" not in arguments:
            environment.ensure_blender(home, progress)  # without one the engine says why, and goes on
    return become([str(python), "-P", "-m", "aimv_engine.cli", *arguments], environment.clean_variables(home))


def setup(arguments: list[str]) -> int:
    """Makes or mends the engine's environment and does nothing else; Blender's add-on runs this too."""
    import argparse

    from aimv_engine import environment

    text = "Makes or mends the engine's environment. Every other command does that too, on its first use."
    parser = argparse.ArgumentParser(prog="aimv.py setup", description=text)
    text = "where another build of torch lies (docs/compute.md); remembered, and '' is the registry's build again"
    parser.add_argument("--index", metavar="ADDRESS", help=text)
    parser.add_argument("--json", action="store_true", help="JSON lines, for programs; ends when its stdin closes")
    options = parser.parse_args(arguments)
    home = environment.default_home()
    if options.json:
        return setup_for_program(home, options.index)
    with Progress() as progress:
        python = environment.ensure_engine(home, progress, thorough=True, index=options.index)
    tell(f"the engine is ready: {python}")
    return 0


def setup_for_program(home: Path, index: str | None) -> int:
    """The same with progress, result and error as JSON lines. Ends when the program that reads them does."""
    import json
    import threading
    from _thread import interrupt_main

    from aimv_engine import environment
    from aimv_engine.errors import AimvError

    def wait_for_end_of_input() -> None:
        while os.read(0, 4096):  # sys.stdin would be locked when Python ends
            pass
        interrupt_main()

    def say(**message: object) -> None:
        print(json.dumps(message), flush=True)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a program in the background may have it ignored
    threading.Thread(target=wait_for_end_of_input, daemon=True).start()
    try:
        python = environment.ensure_engine(
            home,
            lambda stage, done, total: say(progress={"stage": stage, "done": done, "total": total}),
            thorough=True,
            index=index,
        )
    except AimvError as error:
        say(error=str(error))
        return 1
    except KeyboardInterrupt:
        if sys.platform != "win32" and os.getpgrp() == os.getpid():  # with all that pip has started
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.killpg(0, signal.SIGTERM)
        raise
    say(result={"python": str(python)})
    return 0


def test(arguments: list[str]) -> int:
    """Runs the test-suite in the engine's environment, against one Blender or more."""
    import argparse
    import json

    from aimv_engine import environment

    parser = argparse.ArgumentParser(
        prog="aimv.py test",
        description="Runs AIMV's own tests.",
        epilog="All other arguments go to pytest.",
        allow_abbrev=False,
    )
    text = f"newest (of those that a Python here fits), all, or one of {', '.join(environment.BLENDERS)}"
    parser.add_argument("--blender", metavar="WHICH", default="newest", help=text)
    text = "only the windowed test: in a blender on a display, or in what the variable AIMV_UI_BLENDER runs"
    parser.add_argument("--ui", action="store_true", help=text)
    options, for_pytest = parser.parse_known_args(arguments)
    home = environment.default_home()
    with Progress() as progress:
        python = environment.ensure_engine(home, progress, tests=True)
        hosts = environment.ensure_blenders(home, progress, options.blender)
    tell("testing with Blender " + (", ".join(host.version for host in hosts) or "left out: there is none"))
    commands = {host.version: host.command for host in hosts}
    variables = {**environment.clean_variables(home), "AIMV_TEST_BLENDERS": json.dumps(commands)}
    if options.ui:
        variables["AIMV_TEST_UI"] = "1"
        for_pytest.append("tests/ui")
    os.chdir(environment.CHECKOUT)
    return become([str(python), "-m", "pytest", *for_pytest], variables)


def build(arguments: list[str]) -> int:
    """Builds the extension's zip and the index of a repository around it, by Blender's own tool."""
    import argparse

    from aimv_engine import environment
    from aimv_engine.errors import AimvError

    text = "Builds the Blender extension's zip, and the index of a self-hosted extension repository."
    parser = argparse.ArgumentParser(prog="aimv.py build", description=text)
    parser.add_argument("folder", nargs="?", default="dist", help="where to (default: dist)")
    options = parser.parse_args(arguments)
    home = environment.default_home()
    with Progress() as progress:
        host = environment.ensure_blender(home, progress)
    if host.command is None:
        raise AimvError(host.reason)
    script = environment.CHECKOUT / "scripts" / "build_extension.py"
    separator = ["--"] if host.command[-1] == "--python" else []
    return become([*host.command, str(script), *separator, options.folder], environment.clean_variables(home))


def become(command: list[str], variables: dict[str, str]) -> int:
    """Replaces this process by the command where the system can, or waits for it and hands on its exit status."""
    if sys.platform != "win32":
        os.execve(command[0], command, variables)
    import subprocess

    child = subprocess.Popen(command, env=variables)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the child has heard it too, and says what there is to say
            continue


def tell(line: str) -> None:
    """One line for a person; stdout belongs to results."""
    print(f"aimv: {line}", file=sys.stderr, flush=True)


def fail(line: str, status: int = 1) -> int:
    """Says what is wrong in one line; the exit status."""
    tell(line)
    return status


class Progress:
    """Shows how far the setup is: one line that changes in a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self.started = 0.0
        self.told = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """A Report of environment.py."""
        import shutil

        now = time.monotonic()
        if not self.started:
            self.started = now
            tell("setting up what is missing: minutes the first time, and Ctrl-C does no harm")
        line = f"{stage}, {done} of {total}" if total else stage
        if sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1
            print("\r" + f"aimv: {line}"[:width].ljust(width), end="", file=sys.stderr, flush=True)
        elif now - self.told > 10:
            self.told = now
            tell(line)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self.started and sys.stderr.isatty():
            print(file=sys.stderr)
        if self.started and kind is None:
            tell(f"set up in {time.monotonic() - self.started:.0f} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

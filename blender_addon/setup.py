"""Sets the engine up: the launcher's `setup` as a child process. No bpy in here, and nothing that waits.

A Blender that ends closes the child's input, and with that the child ends. What was fetched until then is kept.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

GRACE = 0.5  # seconds between asking to end and killing


class SetUp:
    """One set-up of the engine, begun at once. Its attributes say how far it is."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        self.state: Literal["RUNNING", "DONE", "FAILED", "CANCELLED"] = "RUNNING"
        self.stage, self.done, self.total = "Starting", 0, 0  # a total of 0: nobody knows
        self.error = ""  # one line for the person when it failed
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        arguments = (list(command), dict(variables))
        threading.Thread(target=self._live, args=arguments, name="AIMV set-up", daemon=True).start()

    @property
    def fraction(self) -> float:
        """How much of its stage is done, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total > 0 else 0.0

    def cancel(self) -> None:
        """Has it end, within a second; the state says when it did."""
        self._cancelled.set()
        if self._process is not None and not self._ended.is_set():
            # not a daemon: a Blender that quits waits for this thread
            threading.Thread(target=self._see_it_end, args=(self._process,), name="AIMV set-up's end").start()

    def _live(self, command: list[str], variables: dict[str, str]) -> None:
        try:
            process = self._spawn(command, variables)
        except OSError as error:
            self._end("FAILED", f"The set-up can't be started: {error}")
            return
        self._process = process
        if self._cancelled.is_set():
            self._kill(process)
        result = False
        for line in process.stdout:
            result |= self._receive(line)
        status = process.wait()
        if result and status == 0:
            self._end("DONE")
        elif self._cancelled.is_set():
            self._end("CANCELLED")
        else:
            self._end("FAILED", self.error or f"The set-up ended with status {status}")

    def _spawn(self, command: list[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                env=variables,
                cwd=self._log.parent,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )

    def _receive(self, line: bytes) -> bool:
        """Takes one line in. Returns whether it is the result."""
        with contextlib.suppress(ValueError):  # what is no JSON isn't for us
            match json.loads(line):
                case {"progress": {"stage": str(stage), "done": int(done), "total": int(total)}}:
                    self.stage, self.done, self.total = stage, done, total
                case {"error": str(error)}:
                    self.error = error
                case {"result": _}:
                    return True
        return False

    def _end(self, state: Literal["DONE", "FAILED", "CANCELLED"], error: str = "") -> None:
        self.error = error if not error or str(self._log) in error else f"{error} (log: {self._log})"
        self.state = state
        self._ended.set()

    def _see_it_end(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError):
            process.stdin.close()
        if not self._ended.wait(GRACE):
            self._kill(process)

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        """Ends the child and all that it has started; on Windows the latter end by themselves."""
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()

"""The engine's other end: AIMV's engine as a process of its own, spoken to in JSON-RPC 2.0, one message a line.

No bpy in here, and nothing that waits: `poll` hands over what has come meanwhile. Nothing that the engine does or fails
to do raises an error; the last message of one that ended by itself is Ended, which says why in one line. When this
process dies by any means the engine's input closes, and with that the engine ends.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

PROTOCOL = 1
CANCELLED = -32800  # the code of a Failure that somebody asked for
TOO_LONG = -32600  # of one whose request the engine would not read
LONGEST_LINE = 16 * 2**20  # bytes; a longer one is no message, neither for the engine nor for us
MOST_GARBAGE = 1000  # lines in a row
MOST_WAITING = 10_000  # messages that nobody polled; then the engine has to wait
LONGEST_LOG = 4 * 2**20  # bytes; then it begins anew

# seconds
PATIENCE_AT_START = 60.0  # a first import from a cold disk takes its time
PATIENCE = 15.0  # the engine tells every two seconds that it is alive
CANCEL_PATIENCE = 10.0
GRACE = 1.0  # between asking to end, ending and killing
TICK = 0.25


@dataclass(frozen=True)
class Ready:
    """The engine is there and speaks our protocol."""

    version: str
    python: str
    device: str


@dataclass(frozen=True)
class Progress:
    """How far a request is; `eta` in seconds where that can be told."""

    id: int
    stage: str
    done: float
    total: float
    eta: float | None


@dataclass(frozen=True)
class Notice:
    """Something that a request has made on its way."""

    id: int
    method: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A request is done."""

    id: int
    result: Any


@dataclass(frozen=True)
class Failure:
    """A request failed, or was cancelled (its code is CANCELLED); `text` is for the person."""

    id: int
    code: int
    text: str


@dataclass(frozen=True)
class Ended:
    """The engine has ended by itself, or had to be ended; nothing comes after this. `text` is for the person."""

    text: str


Message = Ready | Progress | Notice | Answer | Failure | Ended


class Engine:
    """One engine process. All methods are for one thread, Blender's main one, and return at once."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], cwd: Path, log: Path) -> None:
        self._command, self._variables, self._cwd, self._log = list(command), dict(variables), cwd, log
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._ids = count(1)
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()  # None closes the engine's input
        self._inbox: deque[Message] = deque()
        self._changed = threading.Condition()  # guards the inbox, and what follows
        self._open: dict[int, float | None] = {}  # requests without an answer, oldest first: seconds since its cancel
        self._quiet = 0.0  # seconds without a sign of life
        self._verdict = ""  # why it had to be ended
        self._ready = threading.Event()
        self._stopped = threading.Event()
        self._ended = threading.Event()
        self.reason = ""  # why it ended, once it did
        self.dropped = 0  # lines that were no messages

    @property
    def dead(self) -> bool:
        """Whether it ended or was stopped. There may still be messages to poll, Ended the last of them."""
        return self._ended.is_set() or self._stopped.is_set()

    def start(self) -> None:
        """Starts the process; Ready comes by `poll`. What is requested before that is sent then."""
        threading.Thread(target=self._live, name="AIMV engine", daemon=True).start()

    def request(self, method: str, params: Mapping[str, Any]) -> int:
        """Asks for something; the id that the messages about it will have."""
        request = next(self._ids)
        line = _line({"id": request, "method": method, "params": params})
        with self._changed:
            if len(line) > LONGEST_LINE:
                text = "This asks too much of AIMV's engine at once; save the file, open it again, and try once more"
                self._inbox.append(Failure(request, TOO_LONG, text))
                return request
            self._open[request] = None
        self._outbox.put(line)
        return request

    def cancel(self, request: int) -> None:
        """Asks to give up a request, which then fails with CANCELLED, unless it is done first."""
        with self._changed:
            if request not in self._open or self._open[request] is not None:
                return
            self._open[request] = 0.0
        self._outbox.put(_line({"method": "cancel", "params": {"id": request}}))

    def poll(self, most: int = 200) -> list[Message]:
        """What has come since the last call, oldest first and `most` messages at a time."""
        with self._changed:
            messages = [self._inbox.popleft() for _ in range(min(most, len(self._inbox)))]
            self._changed.notify_all()
        return messages

    def stop(self) -> None:
        """Asks the engine to end, and sees to it that it does. No message comes after this."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._outbox.put(_line({"id": next(self._ids), "method": "shutdown", "params": {}}))
        self._outbox.put(None)
        self._ready.set()
        with self._changed:
            self._inbox.clear()
            self._changed.notify_all()
        if not self._ended.is_set():
            # not a daemon: a Blender that quits waits for this thread, two seconds at most
            threading.Thread(target=self._see_it_end, name="AIMV engine's end").start()

    # the process --------------------------------------------------------------------------------------------------

    def _live(self) -> None:
        """The engine's whole life."""
        try:
            process = self._spawn()
        except OSError as error:
            self._end(f"AIMV's engine can't be started: {error}")
            return
        self._process = process
        if self._stopped.is_set():
            self._send(signal.SIGTERM)
        for loop in (self._write, self._watch):
            threading.Thread(target=loop, args=(process,), name="AIMV engine", daemon=True).start()
        self._read(process.stdout)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)  # it may close its output and live on
        alive = process.poll() is None
        self._kill()
        status = process.wait()
        process.stdout.close()
        self._end(self._verdict or ("AIMV's engine fell silent and was ended" if alive else self._describe(status)))

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            if log.tell() > LONGEST_LOG:
                log.seek(log.truncate(0))
            self._log_start = log.tell()
            # A session of its own: what the engine has started ends with it, and Ctrl-C in Blender's terminal is
            # Blender's affair.
            return subprocess.Popen(
                self._command,
                env=self._variables,
                cwd=self._cwd,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )

    def _end(self, text: str) -> None:
        self.reason = f"{text} (log: {self._log})"
        self._ended.set()
        self._ready.set()
        self._outbox.put(None)
        with self._changed:
            if not self._stopped.is_set():
                self._inbox.append(Ended(self.reason))

    def _describe(self, status: int) -> str:
        """Why the process may have ended, by its exit status and its last words."""
        if os.name == "posix" and status == -signal.SIGKILL:
            return "AIMV's engine was killed, perhaps for want of memory; close other programs or choose a smaller size"
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - 2000))
            words = log.read().decode("utf-8", "replace").strip().splitlines()
            if words:
                return f"AIMV's engine ended with status {status}: {words[-1][:200]}"
        return f"AIMV's engine ended with status {status}"

    def _see_it_end(self) -> None:
        for end in (signal.SIGTERM, None):
            if self._ended.wait(GRACE):
                return
            self._send(end) if end else self._kill()

    def _give_up(self, text: str) -> None:
        self._verdict = self._verdict or text
        self._kill()

    def _kill(self) -> None:
        self._send(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _send(self, number: int) -> None:
        """Sends a signal to the engine and all that it has started; on Windows it ends at once, whatever the signal."""
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, number)
            else:
                self._process.kill()

    # threads ------------------------------------------------------------------------------------------------------

    def _write(self, process: subprocess.Popen[bytes]) -> None:
        """Sends what is in the outbox: first the handshake, and when that went well all else."""
        with contextlib.suppress(OSError), process.stdin as pipe:
            pipe.write(_line({"id": 0, "method": "initialize", "params": {}}))
            pipe.flush()
            self._ready.wait()
            while line := self._outbox.get():
                pipe.write(line)
                pipe.flush()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Ends an engine that hangs.

        Time is counted in ticks and not by a clock: a machine that slept for an hour has not waited for an hour.
        """
        while not self._ended.wait(TICK):
            with self._changed:
                waits_for_us = len(self._inbox) >= MOST_WAITING
                self._quiet = 0.0 if waits_for_us else self._quiet + TICK
                oldest = next(iter(self._open), None)  # the only one that is at work: there is one after another
                cancelled = self._open.get(oldest) if oldest is not None else None
                if cancelled is not None and not waits_for_us:
                    cancelled = self._open[oldest] = cancelled + TICK
            if self._quiet > (PATIENCE if self._ready.is_set() else PATIENCE_AT_START):
                self._give_up(f"AIMV's engine hangs: no sign of life for {self._quiet:.0f} s, so it was ended")
            elif cancelled is not None and cancelled > CANCEL_PATIENCE:
                self._give_up("AIMV's engine did not heed Cancel, so it was ended")
            elif process.poll() is not None:
                time.sleep(GRACE)  # for the reader to get the last messages
                if not self._ended.is_set():
                    self._kill()  # something that it started holds its output open

    def _read(self, pipe: IO[bytes]) -> None:
        garbage = 0
        while line := pipe.readline(LONGEST_LINE):
            good = line.endswith(b"\n") and self._receive(line)
            while line and not line.endswith(b"\n"):  # too long, or cut short: skip the rest of it
                line = pipe.readline(LONGEST_LINE)
            if good:
                garbage = 0
                self._quiet = 0.0
            else:
                garbage += 1
                self.dropped += 1
            if garbage > MOST_GARBAGE:
                self._give_up("AIMV's engine talks nonsense, so it was ended")
            if self._verdict or self._stopped.is_set():
                return

    def _receive(self, line: bytes) -> bool:
        """Takes one line in. Returns whether it was a message."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return False
        match message:
            case {"id": 0, "result": {"protocol": protocol, "version": str(version), **rest}} if protocol == PROTOCOL:
                self._put(Ready(version, str(rest.get("python", "")), str(rest.get("device", ""))))
                self._ready.set()
            case {"id": 0} if not self._ready.is_set():
                self._give_up(
                    "AIMV's engine is of another version than this add-on; set up the engine again in the preferences"
                )
            case {"method": "progress", "params": {"id": int(request), "stage": str(stage), **rest}}:
                done, total, eta = (_number(rest.get(name)) for name in ("done", "total", "eta"))
                return done is not None and total is not None and self._tell(Progress(request, stage, done, total, eta))
            case {"method": "progress"}:
                return False
            case {"method": str(method), "params": {"id": int(request)} as params}:
                return self._tell(Notice(request, method, params))
            case {"method": str()}:
                pass  # "alive", or something that a later engine tells to whom it may concern
            case {"id": int(request), "result": result}:
                return self._tell(Answer(request, result))
            case {"id": int(request), "error": {"code": int(code), "message": str(text)}}:
                return self._tell(Failure(request, code, text))
            case _:
                return False
        return True

    def _tell(self, message: Progress | Notice | Answer | Failure) -> bool:
        """Puts a message in the inbox if it is about an open request. Returns whether it is."""
        with self._changed:
            if message.id not in self._open:
                return False
            if isinstance(message, Answer | Failure):
                del self._open[message.id]
        self._put(message)
        return True

    def _put(self, message: Message) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._inbox) < MOST_WAITING or self._stopped.is_set())
            if self._stopped.is_set():
                return
            last = self._inbox[-1] if self._inbox else None
            if isinstance(last, Progress) and isinstance(message, Progress) and last.id == message.id:
                self._inbox.pop()  # news replaces what is not yet read
            self._inbox.append(message)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None

"""The second door: JSON-RPC 2.0 on stdin and stdout, one message a line, for the add-on in Blender.

A request is answered by its result or an error. Long ones ("jobs") run one after another on a worker thread, and send
notifications meanwhile:

    progress {id, stage, done, total, eta}     eta in seconds, or null
    alive {}                                   every two seconds, so that a hanging engine is told from a busy one

`cancel {id}` makes a job answer with the error CANCELLED within a second; what it finished is kept. stdout belongs to
the protocol: whatever else prints goes to stderr, which is the log. When stdin closes the engine ends, and all of its
processes with it, so that a Blender that dies leaves no orphan.

What the methods do is service.py's. Nothing heavy is imported here: the engine answers at once.
"""

import json
import logging
import os
import platform
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from importlib.metadata import version
from multiprocessing import active_children
from typing import Any, BinaryIO, NoReturn, Protocol

from aimv_engine import __version__
from aimv_engine.errors import AimvError, Cancelled, mendable
from aimv_engine.logs import log_file, log_to
from aimv_engine.progress import Pace

log = logging.getLogger(__name__)

PROTOCOL = 1
LONGEST_LINE = 16 * 2**20  # bytes; a longer one is no message of ours
HEARTBEAT = 2.0  # seconds
GRACE = 0.5  # seconds; a cancelled job that has not stopped by then is answered all the same
IDLE = 300.0  # seconds without a job after which memory is freed

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
CANCELLED = -32800  # as in the Language Server Protocol
MENDABLE = -32000  # an AimvError: its message is for the person

Id = int | str
Handler = Callable[[dict[str, Any], "Job"], Any]


class BadParams(Exception):  # noqa: N818  (a kind of answer)
    """The parameters of a request aren't what its method takes: a mistake of the program that asks."""


class Job:
    """A request that is waiting or running."""

    def __init__(self, server: "Server", request: Id, method: str, params: dict[str, Any]) -> None:
        self.id, self.method, self.params = request, method, params
        self.at_end = ExitStack()  # what is to be let go of when the job is over, before it is answered
        self._server = server
        self._cancelled = threading.Event()
        self._answering = threading.Lock()
        self._answered = False
        self._pace: Pace | None = None
        self._stage, self._told = "", 0.0

    def progress(self, stage: str, done: int, total: int) -> None:
        """A Progress: tells the add-on ten times a second at most. Raises Cancelled."""
        if self._cancelled.is_set():
            raise Cancelled
        now = time.monotonic()
        self._pace = self._pace or Pace(now)
        eta = self._pace.eta(stage, done, total, now)
        eta = None if eta is None else round(eta, 1)
        if stage == self._stage and now - self._told < 0.1 and done < total:
            return
        self._stage, self._told = stage, now
        self.notify("progress", stage=stage, done=done, total=total, eta=eta)

    def notify(self, method: str, **params: Any) -> None:
        """A notification about this job; nobody hears of one that is cancelled any more."""
        if not self._cancelled.is_set():
            self._server.send({"method": method, "params": {"id": self.id, **params}})

    def cancel(self) -> None:
        """Has the job stop. Where it can't be stopped soon (a library is loading, or another job runs before it) it
        is answered already, and ends on its own later."""
        self._cancelled.set()
        timer = threading.Timer(GRACE, self.answer, [failure(CANCELLED, "cancelled")])
        timer.daemon = True
        timer.start()

    def run(self, load: Callable[[], Mapping[str, Handler]]) -> dict[str, Any]:
        """Does the work; the answer."""
        with self.at_end:
            try:
                self.progress("starting", 0, 0)  # one that was cancelled while it waited ends here
                handler = load().get(self.method)
                if handler is None:
                    return failure(METHOD_NOT_FOUND, f"there is no method '{self.method}'")
                return {"result": handler(self.params, self)}
            except Cancelled:
                return failure(CANCELLED, "cancelled")
            except BadParams as error:
                return failure(INVALID_PARAMS, f"{self.method}: {error}")
            except AimvError as error:
                log.error("%s: %s", self.method, error)
                return failure(MENDABLE, str(error))
            except Exception as error:
                log.exception("%s", self.method)
                if (line := mendable(error)) is not None:
                    return failure(MENDABLE, line)
                where = log_file() or "the engine's log"
                text = f"AIMV did not expect this: {type(error).__name__}: {error} (details in {where})"
                return failure(INTERNAL_ERROR, text)

    def answer(self, content: dict[str, Any]) -> None:
        """Answers the request, once: what comes later is of no use to anybody."""
        with self._answering:
            if not self._answered:
                self._answered = True
                self._server.send({"id": self.id, **content})


class Service(Protocol):
    """What a server does for those who ask: service.Service."""

    def methods(self) -> Mapping[str, Handler]:
        """The jobs, by their names."""

    def release(self) -> None:
        """Frees what memory can be freed. Called when there have been no jobs for long."""


class Server:
    """Reads requests until the input ends. `load` gets the service when the first job comes: that takes seconds."""

    def __init__(self, load: Callable[[], Service], source: BinaryIO, target: BinaryIO) -> None:
        self._load = load
        self._service: Service | None = None
        self._source, self._target = source, target
        self._writing = threading.Lock()
        self._waiting: queue.Queue[Job] = queue.Queue()
        self._jobs: dict[Id, Job] = {}

    def run(self) -> None:
        """Serves until the input ends or `shutdown` comes, whatever is running then."""
        for loop in (self._work, self._beat):
            threading.Thread(target=_or_end, args=(loop,), daemon=True).start()
        while line := self._source.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                while line and not line.endswith(b"\n"):  # skip the rest of it
                    line = self._source.readline(LONGEST_LINE)
                self._refuse(None, PARSE_ERROR, "the line is too long")
            elif line.strip() and not self._receive(line):
                return

    def send(self, message: dict[str, Any]) -> None:
        """Writes one message."""
        # ASCII, because UTF-8 can't say the names of files that aren't UTF-8 themselves
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        with self._writing:
            try:
                self._target.write(line)
                self._target.flush()
            except OSError:  # nobody listens any more
                end()

    def _receive(self, line: bytes) -> bool:
        """Handles one message; False when it asks the engine to end."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._refuse(None, PARSE_ERROR, "not JSON")
            return True
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            self._refuse(None, INVALID_REQUEST, "not a request")
            return True
        method, params, request = message["method"], message.get("params", {}), message.get("id")
        if not isinstance(params, dict) or not isinstance(request, int | str | None) or isinstance(request, bool):
            self._refuse(None, INVALID_REQUEST, "params are an object, and an id is a number or a text")
        elif method == "cancel":
            if isinstance(name := params.get("id"), int | str) and (job := self._jobs.get(name)):
                job.cancel()
        elif request is None:
            pass  # a notification that we don't know: to be ignored
        elif method == "shutdown":
            self.send({"id": request, "result": None})
            return False
        elif method == "initialize":
            self.send({"id": request, "result": about()})
        elif request in self._jobs:
            self._refuse(request, INVALID_REQUEST, f"the id {request} is in use")
        else:
            job = self._jobs[request] = Job(self, request, method, params)
            self._waiting.put(job)
        return True

    def _work(self) -> None:
        """The worker thread: one job after another."""
        idle = True
        while True:
            try:
                job = self._waiting.get(timeout=None if idle else IDLE)
            except queue.Empty:
                idle = True
                if self._service is not None:
                    self._service.release()
                continue
            idle = False
            answer = job.run(self._methods)
            del self._jobs[job.id]
            job.answer(answer)

    def _methods(self) -> Mapping[str, Handler]:
        self._service = self._service or self._load()
        return self._service.methods()

    def _beat(self) -> None:
        while True:
            time.sleep(HEARTBEAT)
            self.send({"method": "alive", "params": {}})

    def _refuse(self, request: Id | None, code: int, text: str) -> None:
        self.send({"id": request, **failure(code, text)})


def failure(code: int, text: str) -> dict[str, Any]:
    """The error part of an answer."""
    return {"error": {"code": code, "message": text}}


def about() -> dict[str, Any]:
    """What the add-on wants to know before it works with this engine."""
    return {
        "protocol": PROTOCOL,
        "version": __version__,
        "python": platform.python_version(),
        "device": f"torch {version('torch')}",  # which names what it was built for; to import it takes seconds
    }


def serve() -> NoReturn:
    """Serves on this process's stdin and stdout until stdin closes. Ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the Blender that was started in the terminal
    log_to(logging.StreamHandler(sys.stderr))
    # The pipes are ours alone. Whatever prints, in C too, prints to the log; and on Windows a library that is loaded
    # looks at stdin, which would block it while we wait there for a message
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    _or_end(Server(_load, source, target).run)
    end()


def _or_end(loop: Callable[[], None]) -> None:
    """Runs a thread of the engine. One that fails ends the engine: the others would live on, and whoever waits for an
    answer would wait for ever."""
    try:
        loop()
    except Exception:
        log.exception("the engine can't go on")
        end(1)


def _load() -> Service:
    from aimv_engine.service import Service

    return Service()


def end(status: int = 0) -> NoReturn:
    """Ends this process and its helpers, whatever they are at: finished pictures are on disk, the rest is of no use."""
    for child in active_children():
        with suppress(OSError, ValueError):  # it has just ended, or is being closed
            child.kill()
    os._exit(status)

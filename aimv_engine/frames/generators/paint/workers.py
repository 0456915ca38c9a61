"""Worker processes that paint: each with one thread, so that two cores paint two pictures at a time.

Threads inside OpenCV and the network gain little at these sizes; whole processes scale. They are spawned (not forked: a
fork would copy locks of libraries that are in use), import no torch, and end as soon as their pipe closes.
"""

import contextlib
import ctypes
import multiprocessing
import signal
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import numpy as np

from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError
from aimv_engine.frames.plan import KeyframeSpec
from aimv_engine.heartbeat import SECONDS, Heartbeat, nothing

from .choose import Choice
from .light import Light

AHEAD = 2  # jobs a worker has at a time: one under its brush, one waiting, so that it never idles


@dataclass(frozen=True)
class Job:
    """All that a worker needs for one picture."""

    spec: KeyframeSpec
    choice: Choice
    light: Light
    size: tuple[int, int]  # width, height


class Painter:
    """Paints jobs in this process; the style network is loaded when the first look needs it."""

    def __init__(self) -> None:
        self._network: object = None

    def paint(self, job: Job) -> Picture:
        from aimv_engine import looks

        from .scene import render
        from .style import StyleNetwork

        if looks.load(job.spec.look).styles and self._network is None:
            self._network = StyleNetwork()
        network = self._network if isinstance(self._network, StyleNetwork) else None
        return render(job.spec, job.choice, job.light, job.size, network)


def _reuse_memory() -> None:
    """Lets glibc keep the memory of finished pictures for the next: to map it anew each time takes half of all time."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # other systems have other allocators
        library = ctypes.CDLL(None)
        library.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD, the most it takes
        library.mallopt(-1, 512 << 20)  # M_TRIM_THRESHOLD


def _work(pipe: Connection) -> None:
    """A worker's life: jobs in, pictures out (or the words of an error), until the pipe closes."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    cv2.setNumThreads(1)
    _reuse_memory()
    painter = Painter()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            job = pipe.recv()
            try:
                picture = painter.paint(job)
            except AimvError as error:
                pipe.send(error)
            except Exception as error:
                failure = RuntimeError(f"painting failed: {error}")
                failure.add_note(traceback.format_exc())  # for the log
                pipe.send(failure)
            else:
                pipe.send(None)
                pipe.send_bytes(picture.tobytes())


class Workers:
    """A few painting processes; `paint` may be called again and again, `close` ends them."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []
        for number in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs,), name=f"aimv-paint-{number}", daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def paint(self, jobs: Sequence[Job], heartbeat: Heartbeat = nothing) -> Iterator[Picture]:
        """Pictures in the order of the jobs. At most a few are held at a time, however many there are."""
        waiting: dict[Connection, list[int]] = {pipe: [] for pipe in self._pipes}
        finished: dict[int, Picture] = {}
        given = 0
        for wanted in range(len(jobs)):
            while wanted not in finished:
                for pipe in sorted(self._pipes, key=lambda pipe: len(waiting[pipe])):
                    room = given < min(len(jobs), wanted + 2 * AHEAD * len(self._pipes))
                    while room and len(waiting[pipe]) < AHEAD:
                        self._send(pipe, jobs[given])
                        waiting[pipe].append(given)
                        given += 1
                        room = given < min(len(jobs), wanted + 2 * AHEAD * len(self._pipes))
                heartbeat()
                for ready in wait([pipe for pipe in self._pipes if waiting[pipe]], SECONDS):
                    assert isinstance(ready, Connection)
                    number = waiting[ready].pop(0)
                    finished[number] = self._receive(ready, jobs[number].size)
            yield finished.pop(wanted)

    def _send(self, pipe: Connection, job: Job) -> None:
        try:
            pipe.send(job)
        except OSError:
            raise self._died(pipe) from None

    def _receive(self, pipe: Connection, size: tuple[int, int]) -> Picture:
        try:
            error = pipe.recv()
            if error is not None:
                raise error
            data = pipe.recv_bytes()
        except (EOFError, OSError):
            raise self._died(pipe) from None
        return np.frombuffer(data, np.uint8).reshape(size[1], size[0], 3)

    def _died(self, pipe: Connection) -> AimvError:
        process = self._processes[self._pipes.index(pipe)]
        process.join(1.0)
        return AimvError(
            f"a painting process ended (exit code {process.exitcode}), perhaps for want of memory; "
            "run again to go on where it stopped, with a smaller --size if it happens again"
        )

    def close(self) -> None:
        """Ends the processes at once, whatever they are at."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(2.0)
            if process.is_alive():
                process.kill()
                process.join()
        self._pipes, self._processes = [], []

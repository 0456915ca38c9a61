"""In-betweens by several processes: on a CPU, networks with a core each are faster than one with all cores."""

import multiprocessing
import os
import signal
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import cast

from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError
from aimv_engine.heartbeat import SECONDS, Heartbeat, nothing
from aimv_engine.interpolation.recipe import IDENTITY

Job = tuple[Picture, Picture, Sequence[float]]  # first, second, times
Pictures = Generator[list[Picture], None, None]  # those of each job

MOST_WORKERS = 6  # each takes about half a gigabyte
DIED = (
    "a process that makes in-betweens has ended unexpectedly, perhaps for lack of memory; "
    "close other programs or choose a smaller --size, and run again: what is finished is kept"
)


@dataclass
class Worker:
    """A process and what it is at."""

    process: BaseProcess
    connection: Connection
    ready: bool = False  # has greeted and answered: nothing is sent before, it would block
    job: int | None = None  # the number of the job that it works on; None while it loads its network


class InbetweenPool:
    """Worker processes that join neighbouring keyframes. They start with the first job and end with `close`.

    Every worker computes on one thread, so their number does not change a byte.
    """

    identity = IDENTITY

    def __init__(self, workers: int | None = None) -> None:
        """`workers` when it is None: one a core on a CPU, a single one on a GPU."""
        self._count = workers
        self._workers: list[Worker] = []

    def run(self, jobs: Iterable[Job], heartbeat: Heartbeat = nothing) -> Pictures:
        """The pictures of each job (first, second, times; see `joining.join`), in the order of the jobs.

        Jobs are taken only as they are needed, so a film of any length takes the same memory. `heartbeat` is called at
        least four times a second while there is nothing to hand out. When it raises, or this generator is closed before
        its end, the workers end at once. Raises AimvError when a worker dies.
        """
        try:
            yield from self._run(iter(jobs), heartbeat)
        except BaseException:  # also GeneratorExit: nobody wants what the workers are still at
            self.close()
            raise

    def close(self) -> None:
        """Ends the workers at once. Safe to call twice; a later run starts new ones."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.connection.close()
            worker.process.kill()
        for worker in workers:
            worker.process.join()
            worker.process.close()

    def _run(self, jobs: Iterator[Job], heartbeat: Heartbeat) -> Pictures:
        job = next(jobs, None)
        if job is None:
            return
        self._workers = self._workers or _start(self._count or default_workers())
        made: dict[int, list[Picture]] = {}
        given = taken = 0  # jobs given to workers, results handed out
        while job is not None or taken < given:
            # Workers get their next job before anybody looks at the last result, but never run far ahead of a slow one.
            for worker in self._workers:
                if job is not None and worker.ready and given - taken < 2 * len(self._workers):
                    _send(worker.connection, job)
                    worker.ready, worker.job = False, given
                    given += 1
                    job = next(jobs, None)
            if taken in made:
                yield made.pop(taken)
                taken += 1
                continue
            heartbeat()
            busy = {worker.connection: worker for worker in self._workers if not worker.ready}
            for connection in wait(list(busy), SECONDS):
                worker = busy[cast(Connection, connection)]
                pictures = _receive(worker.connection)
                if worker.job is not None:
                    made[worker.job] = pictures
                worker.ready, worker.job = True, None


def _start(count: int) -> list[Worker]:
    context = multiprocessing.get_context("spawn")
    workers = []
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs,), name="aimv in-betweens", daemon=True)
        process.start()
        theirs.close()  # the worker holds the only one now: either side sees when the other is gone
        workers.append(Worker(process, ours))
    return workers


def default_workers() -> int:
    """One a core that this process may use, at most MOST_WORKERS; a single one where there is a GPU."""
    from aimv_engine.device import best_device  # here, because torch takes seconds to import

    if best_device() != "cpu":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def _send(connection: Connection, job: Job) -> None:
    try:
        connection.send(job)
    except OSError:
        raise AimvError(DIED) from None


def _receive(connection: Connection) -> list[Picture]:
    try:
        message: list[Picture] | AimvError = connection.recv()
    except (EOFError, OSError):
        raise AimvError(DIED) from None
    if isinstance(message, AimvError):
        raise message
    return message


def _work(connection: Connection) -> None:
    """A worker's life: a greeting (an empty list), then an answer to each job, until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C too, and ends its workers

    import torch

    from aimv_engine.interpolation.joining import join
    from aimv_engine.interpolation.rife import Rife

    torch.set_num_threads(1)
    try:
        try:
            rife = Rife()
            connection.send([])
            while True:
                first, second, times = connection.recv()
                connection.send(join(rife, first, second, times))
        except AimvError as error:
            connection.send(error)
    except (EOFError, OSError):
        return

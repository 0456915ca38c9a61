"""Processes that work beside each other: on a CPU, workers with a core each are faster than one with all cores.

They are spawned (a fork would copy the locks of libraries that are in use), and end as soon as their pipe closes: a
parent that dies leaves none behind.
"""

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from aimv_engine.errors import AimvError
from aimv_engine.heartbeat import SECONDS, Heartbeat, nothing

Job = TypeVar("Job")
Result = TypeVar("Result")
Prepare = Callable[[], Callable[[Job], Result]]  # a worker calls it once, and what it gives for every job

GONE = (EOFError, BrokenPipeError, ConnectionResetError)


@dataclass
class _Worker:
    """A process and what it is at."""

    process: BaseProcess
    connection: Connection
    ready: bool = False  # has greeted: before that nothing is sent, a large job would block until it reads
    jobs: list[int] = field(default_factory=list)  # the numbers of those that it has, the current one first


class Workers(Generic[Job, Result]):
    """A few processes that do jobs of one kind. They start with the first job and end with `close`."""

    def __init__(self, name: str, prepare: Prepare[Job, Result], count: int, ahead: int = 1) -> None:
        """`name` says in errors what they do; `prepare` is a function of a module, which the workers import.

        With `ahead` 2 a worker has its next job before it is done with one, so that it never idles. That is for small
        jobs: to send more than some kilobytes to a busy worker is to wait for it.
        """
        self._name = name
        self._prepare = prepare
        self._count = count
        self._ahead = ahead
        self._workers: list[_Worker] = []

    @property
    def awake(self) -> bool:
        """Whether the processes are there."""
        return bool(self._workers)

    def run(self, jobs: Iterable[Job], heartbeat: Heartbeat = nothing) -> Generator[Result, None, None]:
        """The result of each job, in the order of the jobs.

        Jobs are taken only as they are needed, so any number of them takes the same memory. `heartbeat` is called at
        least four times a second while there is nothing to hand out. When it raises, or this generator is closed before
        its end, the workers end at once. Raises AimvError when a worker dies, and what a job raises.
        """
        try:
            yield from self._run(iter(jobs), heartbeat)
        except BaseException:  # also GeneratorExit: nobody wants what the workers are still at
            self.close()
            raise

    def close(self) -> None:
        """Ends the workers at once, whatever they are at. Safe to call twice; a later run starts new ones."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.connection.close()
            worker.process.kill()
        for worker in workers:
            worker.process.join()
            worker.process.close()

    def _run(self, jobs: Iterator[Job], heartbeat: Heartbeat) -> Generator[Result, None, None]:
        job = next(jobs, None)
        if job is None:
            return
        self._workers = self._workers or self._start()
        made: dict[int, Result] = {}
        given = taken = 0  # jobs given to workers, results handed out
        while job is not None or taken < given:
            # Workers get their next job before anybody looks at the last result, but never run far ahead of a slow one.
            while job is not None and given - taken < 2 * self._ahead * self._count and (worker := self._free()):
                self._send(worker, job)
                worker.jobs.append(given)
                given += 1
                job = next(jobs, None)
            if taken in made:
                yield made.pop(taken)
                taken += 1
                continue
            heartbeat()
            busy = {worker.connection: worker for worker in self._workers if worker.jobs or not worker.ready}
            for connection in wait(list(busy), SECONDS):
                worker = busy[connection]  # type: ignore[index]  # wait gives back what it was given
                result = self._receive(worker)
                if worker.ready:
                    made[worker.jobs.pop(0)] = result
                worker.ready = True

    def _free(self) -> _Worker | None:
        """The worker with the fewest jobs, where one may have another."""
        free = [worker for worker in self._workers if worker.ready and len(worker.jobs) < self._ahead]
        return min(free, key=lambda worker: len(worker.jobs), default=None)

    def _start(self) -> list[_Worker]:
        context = multiprocessing.get_context("spawn")
        workers = []
        for _ in range(self._count):
            ours, theirs = context.Pipe()
            arguments = (theirs, self._prepare, self._name)
            process = context.Process(target=_work, args=arguments, name=f"aimv {self._name}", daemon=True)
            process.start()
            theirs.close()  # the worker holds the only one now: either side sees when the other is gone
            workers.append(_Worker(process, ours))
        return workers

    def _send(self, worker: _Worker, job: Job) -> None:
        try:
            worker.connection.send(job)
        except OSError:
            raise self._died(worker) from None

    def _receive(self, worker: _Worker) -> Result:
        try:
            message: Result | Exception = worker.connection.recv()
        except (EOFError, OSError):
            raise self._died(worker) from None
        if isinstance(message, Exception):
            raise message
        return message

    def _died(self, worker: _Worker) -> AimvError:
        worker.process.join(1.0)
        return AimvError(
            f"a process for {self._name} has ended unexpectedly (exit code {worker.process.exitcode}), perhaps for "
            "lack of memory; close other programs or choose a smaller size, and run again: what is finished is kept"
        )


def _work(connection: Connection, prepare: Prepare[Job, Result], name: str) -> None:
    """A worker's life: a greeting, then an answer to each job, until the parent is gone or something fails."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C too, and ends its workers
    try:
        do = prepare()
        connection.send(None)
        while True:
            job = connection.recv()
            connection.send(do(job))
    except GONE:
        return
    except AimvError as error:
        connection.send(error)
    except Exception as error:
        failure = RuntimeError(f"{name} failed: {traceback.format_exception_only(error)[-1].strip()}")
        failure.add_note(traceback.format_exc())  # for the log
        connection.send(failure)

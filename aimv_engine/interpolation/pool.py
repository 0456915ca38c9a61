"""In-betweens by several processes."""

import os
from collections.abc import Callable, Generator, Iterable, Sequence

from aimv_engine.arrays import Picture
from aimv_engine.heartbeat import Heartbeat, meanwhile, nothing
from aimv_engine.interpolation.recipe import IDENTITY
from aimv_engine.workers import Workers

Job = tuple[Picture, Picture, Sequence[float]]  # first, second, times

MOST_WORKERS = 6  # each takes about half a gigabyte


class InbetweenPool:
    """Worker processes that join neighbouring keyframes. They start with the first job and end with `close`.

    Every worker computes on one thread, so their number does not change a byte.
    """

    identity = IDENTITY

    def __init__(self, workers: int | None = None) -> None:
        """`workers` when it is None: one a core on a CPU, a single one on a GPU."""
        self._count = workers
        self._workers: Workers[Job, list[Picture]] | None = None

    def run(self, jobs: Iterable[Job], heartbeat: Heartbeat = nothing) -> Generator[list[Picture], None, None]:
        """The pictures of each job (first, second, times; see `joining.join`), in the order of the jobs.

        Jobs are taken as they are needed; for `heartbeat` and what is raised see `Workers.run`.
        """
        if self._workers is None:
            self._workers = Workers("in-betweens", _prepare, self._count or meanwhile(default_workers, heartbeat))
        yield from self._workers.run(jobs, heartbeat)

    def close(self) -> None:
        """Ends the workers at once. Safe to call twice; a later run starts new ones."""
        if self._workers is not None:
            self._workers.close()


def default_workers() -> int:
    """One a core that this process may use, at most MOST_WORKERS; a single one where there is a GPU."""
    from aimv_engine.device import best_device  # here, because torch takes seconds to import

    if best_device() != "cpu":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def _prepare() -> Callable[[Job], list[Picture]]:
    import torch

    from aimv_engine.interpolation.joining import join
    from aimv_engine.interpolation.rife import Rife

    torch.set_num_threads(1)
    rife = Rife()
    return lambda job: join(rife, *job)

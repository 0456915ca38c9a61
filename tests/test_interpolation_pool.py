"""The pool's pictures are those of one process, in order; it holds few jobs, and leaves no process behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.interpolation import InbetweenPool
from aimv_engine.interpolation.joining import join
from aimv_engine.interpolation.pool import Job
from aimv_engine.interpolation.rife import Rife
from aimv_engine.storyboard.language_model import fixed_threads
from tests.films import moved, texture


def jobs(count: int) -> list[Job]:
    """Different pairs with 0, 1, 2 or 3 in-betweens."""
    return [(moved(texture(seed), 0), moved(texture(seed), 8), [0.2, 0.5, 0.8][: seed % 4]) for seed in range(count)]


@pytest.fixture
def pool() -> Iterator[InbetweenPool]:
    with closing(InbetweenPool(workers=1)) as pool:
        yield pool


def test_same_pictures_as_in_one_process_in_order() -> None:
    rife = Rife("cpu")
    with closing(InbetweenPool(workers=2)) as pool, fixed_threads(1):
        for count in (1, 0, 7):  # the workers of one run serve the next
            results = list(pool.run(jobs(count)))
            assert len(results) == count
            for made, job in zip(results, jobs(count), strict=True):
                expected = join(rife, *job)
                assert len(made) == len(expected)
                for one, other in zip(made, expected, strict=True):
                    np.testing.assert_array_equal(one, other)
    assert not multiprocessing.active_children()


def test_takes_jobs_only_as_needed(pool: InbetweenPool) -> None:
    taken = 0

    def counted() -> Iterator[Job]:
        nonlocal taken
        for job in jobs(12):
            taken += 1
            yield job

    for handed_out, _ in enumerate(pool.run(counted()), 1):
        assert taken <= handed_out + 2 + 1  # two a worker, and the next one
    assert taken == 12


def test_a_heartbeat_cancels_at_once(pool: InbetweenPool) -> None:
    begin = time.monotonic()

    def heartbeat() -> None:
        if time.monotonic() - begin > 0.1:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(pool.run(jobs(3), heartbeat))
    assert not multiprocessing.active_children()


def test_leaving_in_the_middle_ends_the_workers(pool: InbetweenPool) -> None:
    with closing(pool.run(jobs(8))) as results:
        next(results)
    assert not multiprocessing.active_children()


def test_a_dead_worker_is_an_error_that_says_what_to_do(pool: InbetweenPool) -> None:
    results = pool.run(jobs(12))
    next(results)
    multiprocessing.active_children()[0].kill()
    with pytest.raises(AimvError, match="run again"):
        list(results)
    assert not multiprocessing.active_children()


PARENT = """
import multiprocessing, time
import numpy as np
from aimv_engine.interpolation import InbetweenPool
if __name__ == "__main__":
    picture = np.zeros((64, 64, 3), np.uint8)
    for _ in InbetweenPool(workers=1).run((picture, picture, [0.5]) for _ in range(2)):
        print(multiprocessing.active_children()[0].pid, flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills as POSIX does")
def test_a_killed_parent_leaves_no_worker(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    for _ in range(200):
        if not alive(worker):
            return
        time.sleep(0.05)
    pytest.fail("the worker lives on")


def alive(process: int) -> bool:
    """Whether a process is there and not just waiting to be reaped."""
    try:
        os.kill(process, 0)
        status = Path(f"/proc/{process}/stat")
        return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
    except (ProcessLookupError, FileNotFoundError):
        return False

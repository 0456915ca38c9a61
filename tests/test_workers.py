"""Processes that work beside each other: in order, as many as asked for, and with words for what goes wrong."""

import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.workers import Workers


def slower_first() -> Callable[[int], tuple[int, int]]:
    def work(number: int) -> tuple[int, int]:
        time.sleep(0.05 * (number % 3 == 0))
        return number, os.getpid()

    return work


def failing() -> Callable[[int], int]:
    def work(number: int) -> int:
        if number == 3:
            raise AimvError("three is too many")
        return 100 // (number - 1)

    return work


def never_ready() -> Callable[[int], int]:
    raise AimvError("it is not installed")


def endless() -> Callable[[int], None]:
    return lambda number: time.sleep(600)


@pytest.mark.parametrize("ahead", [1, 2])
def test_results_come_in_the_order_of_the_jobs_from_all_workers(ahead: int) -> None:
    with closing(Workers("counting", slower_first, 2, ahead)) as workers:
        assert not workers.awake
        results = list(workers.run(range(20)))
        assert workers.awake
        again = list(workers.run(range(3)))
    assert [number for number, _ in results] == list(range(20))
    assert len({process for _, process in results}) == 2
    assert {process for _, process in again} <= {process for _, process in results}
    assert not multiprocessing.active_children()


def test_what_a_worker_raises_is_raised_here() -> None:
    with closing(Workers("dividing", failing, 1)) as workers:
        with pytest.raises(RuntimeError, match="dividing failed: ZeroDivisionError") as caught:
            list(workers.run([5, 1]))
        assert "line" in caught.value.__notes__[0]  # where it happened
        with pytest.raises(AimvError, match="three is too many"):
            list(workers.run([2, 3]))
        assert list(workers.run([2])) == [100]


def test_a_worker_that_can_not_begin_says_why() -> None:
    with closing(Workers("waiting", never_ready, 1)) as workers, pytest.raises(AimvError, match="not installed"):
        list(workers.run([1]))


def test_the_heart_beats_while_they_are_busy_and_its_stop_ends_them() -> None:
    beats: list[float] = []

    def beat() -> None:
        beats.append(time.monotonic())
        if len(beats) == 8:
            raise Cancelled

    with closing(Workers("sleeping", endless, 2, ahead=2)) as workers, pytest.raises(Cancelled):
        list(workers.run(range(9), beat))
    assert not multiprocessing.active_children()

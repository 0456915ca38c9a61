"""What waits hears that it should stop, and gets what it waited for."""

import threading

import pytest

from aimv_engine.errors import Cancelled
from aimv_engine.heartbeat import meanwhile, nothing


def test_the_result_comes_and_the_heart_beats_meanwhile() -> None:
    beaten = threading.Event()

    def work() -> str:
        assert beaten.wait(30.0)
        return "done"

    assert meanwhile(work, beaten.set) == "done"


def test_an_error_of_the_work_is_raised_here() -> None:
    with pytest.raises(TimeoutError, match="of its own"):
        meanwhile(lambda: (_ for _ in ()).throw(TimeoutError("of its own")), nothing)


def test_who_cancels_does_not_wait_for_the_end() -> None:
    go_on = threading.Event()

    def cancel() -> None:
        raise Cancelled

    try:
        with pytest.raises(Cancelled):
            meanwhile(lambda: go_on.wait(30.0), cancel)
    finally:
        go_on.set()


def test_what_was_cancelled_ends_before_the_next_begins() -> None:
    """transformers fails where two threads load it at once."""
    done: list[str] = []
    go_on = threading.Event()

    def first() -> None:
        assert go_on.wait(30.0)
        done.append("first")

    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        meanwhile(first, cancel)
    meanwhile(lambda: done.append("second"), go_on.set)
    assert done == ["first", "second"]

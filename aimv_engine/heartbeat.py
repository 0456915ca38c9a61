"""A heartbeat while something takes long: what waits calls it, so that work can be told of, and cancelled."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
Heartbeat = Callable[[], None]  # raises errors.Cancelled when the work should stop

SECONDS = 0.25  # between two calls


def nothing() -> None:
    """A heartbeat for those who have nothing to do meanwhile."""


_turn = threading.Lock()


def meanwhile(work: Callable[[], T], heartbeat: Heartbeat) -> T:
    """The result of `work`, which runs in a thread of its own while `heartbeat` is called here.

    For what can't be interrupted, such as an import or one pass of a network. When the heartbeat raises, the work goes
    on to its end and nobody heeds its result; a process that ends waits for it, and so does the next `meanwhile`: not
    all libraries bear to be loaded twice at once. So work must not call `meanwhile` itself.
    """
    while not _turn.acquire(timeout=SECONDS):
        heartbeat()

    def do() -> T:
        try:
            return work()
        finally:
            _turn.release()

    executor = ThreadPoolExecutor(1, "aimv meanwhile")
    try:
        future = executor.submit(do)
        while not wait([future], SECONDS).done:
            heartbeat()
        return future.result()
    finally:
        executor.shutdown(wait=False)

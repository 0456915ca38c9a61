"""Work beside work: what a stage makes is made by a thread of its own while the next stage is at what came before."""

import queue
import threading
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from aimv_engine.heartbeat import SECONDS, Heartbeat

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


def ahead(items: Iterable[T], heartbeat: Heartbeat, count: int = 1) -> Generator[T, None, None]:
    """The same items, in order, made by a thread up to `count` before they are asked for.

    `heartbeat` is called at least four times a second while one is waited for. Whoever stops in between (by a heartbeat
    that raises, or by closing this generator) does not wait for the thread, which ends after the item that it is at: it
    must be told to hurry by what makes the items.
    """
    made: queue.Queue[T | _End] = queue.Queue(count)
    stopped = threading.Event()

    def put(item: T | _End) -> bool:
        while not stopped.is_set():
            try:
                made.put(item, timeout=SECONDS)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            with closing(_generator(items)) as source:
                for item in source:
                    if not put(item):
                        return
            put(_End())
        except BaseException as error:  # whatever it is belongs to who waits
            put(_End(error))

    threading.Thread(target=make, name="aimv ahead").start()
    try:
        while True:
            try:
                item = made.get(timeout=SECONDS)
            except queue.Empty:
                heartbeat()
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()


def _generator(items: Iterable[T]) -> Generator[T, None, None]:
    yield from items

"""Work beside work: what a stage makes is made by a thread of its own while the next stage is at what came before."""

import queue
import threading
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from aimv_engine.errors import Cancelled
from aimv_engine.heartbeat import SECONDS, Heartbeat, nothing

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


def ahead(
    items: Generator[T, None, None], stopped: threading.Event, heartbeat: Heartbeat = nothing, count: int = 1
) -> Generator[T, None, None]:
    """The same items, in order, made by a thread up to `count` before they are asked for.

    `heartbeat` is called at least four times a second while one is waited for. Whoever doesn't want the rest sets
    `stopped`, which stages that follow one another share: the threads end, each after the item that it is at.
    """
    made: queue.Queue[T | _End] = queue.Queue(count)

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
            with closing(items):
                for item in items:
                    if not put(item):
                        return
            put(_End())
        except BaseException as error:  # whatever it is belongs to who waits
            put(_End(error))

    threading.Thread(target=make, name="aimv ahead").start()
    while True:
        try:
            item = made.get(timeout=SECONDS)
        except queue.Empty:
            if stopped.is_set():
                raise Cancelled from None
            heartbeat()
            continue
        if not isinstance(item, _End):
            yield item
        elif item.error is not None:
            raise item.error
        else:
            return

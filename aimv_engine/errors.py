"""What can go wrong in a way that a person can mend."""

from __future__ import annotations

import errno
import re

# how numpy, torch, OpenCV and the processes that paint say that there is no memory left, where it isn't a MemoryError
NO_MEMORY = re.compile(r"out of memory|can't allocate|unable to allocate|insufficient memory", re.IGNORECASE)


class AimvError(Exception):
    """One clear line: what is wrong and what to do. Both doors show it without a traceback."""


class Cancelled(Exception):  # noqa: N818  (not an error: somebody asked for it)
    """The person who started the work wants it to stop. What is finished stays."""


def mendable(error: BaseException) -> str | None:
    """What an error means to a person, where it is one that they can do something about; else None."""
    if isinstance(error, AimvError):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; make room and start again: what is finished is kept"
    if isinstance(error, MemoryError) or NO_MEMORY.search(str(error)):
        return "the memory is full; close other programs or choose a smaller size: what is finished is kept"
    return None

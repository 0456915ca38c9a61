"""How long work tells what it has done, and hears that it should stop."""

from collections.abc import Callable

# progress(stage, done, total): called at least once a second by anything slow.
# It raises errors.Cancelled when the work should stop; nobody catches that on the way out.
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """Progress for those who do not look."""

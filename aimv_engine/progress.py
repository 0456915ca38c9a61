"""How long work tells what it has done, hears that it should stop, and guesses how long it will take."""

from collections.abc import Callable
from dataclasses import dataclass

# progress(stage, done, total): called at least once a second by anything slow.
# It raises errors.Cancelled when the work should stop; nobody catches that on the way out.
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """Progress for those who do not look."""


@dataclass
class _Stage:
    first: int  # how much of it was done when it was heard of: that took no time of ours
    done: int
    total: int
    seconds: float = 0.0


class Pace:
    """How long the rest takes, at the pace that each stage has had so far. Stages may take turns."""

    def __init__(self, now: float) -> None:
        """`now` and all other times are a clock's seconds."""
        self._stages: dict[str, _Stage] = {}
        self._then = now

    def eta(self, stage: str, done: int, total: int, now: float) -> float | None:
        """Takes a Progress in; the seconds until all stages that were heard of are done, None while nobody can tell.

        A stage that has not moved yet is taken to be as fast, item by item, as the others are on the whole.
        """
        if stage in self._stages:
            at = self._stages[stage]
            at.seconds += now - self._then  # since somebody last told of any stage, this one has been at work
            at.done, at.total = done, total
        else:
            self._stages[stage] = _Stage(done, done, total)
        self._then = now
        moved = [each for each in self._stages.values() if each.done > each.first]
        if all(each.done >= each.total for each in self._stages.values()):
            return 0.0
        if not moved:
            return None
        usual = sum(each.seconds for each in moved) / sum(each.done - each.first for each in moved)
        return sum(
            (each.total - each.done) * (each.seconds / (each.done - each.first) if each in moved else usual)
            for each in self._stages.values()
        )

"""Designed endings: a clause of light or weather, where the language model has written none.

Long sentences are where a small model loses its way; a short one with such a clause is as vivid and stays sensible.
"""

from collections.abc import Collection, Sequence

import numpy as np

from aimv_engine.storyboard.filters import contradicts, split
from aimv_engine.storyboard.openings import OPEN_AIR, Mood, Opening
from aimv_engine.storyboard.ranking import Ranker
from aimv_engine.storyboard.vocabulary import vocabulary, words

LONGEST = 20  # words of a sentence that bears an ending
CLAUSE = frozenset(("as", "while", "under"))  # it has one already
LIKENESS = 0.5  # to the sentence, beside the likeness to the mood


def endings(sentence: str, setting: str, pace: float, used: Collection[str]) -> list[str]:
    """The clauses that can end a sentence there: not used yet, repeating no word of it and contradicting none."""
    table = vocabulary().endings
    names = ["open", setting] if setting in OPEN_AIR else [setting]
    rows = [row for name in names for row in table[name]["fast" if pace > 0 else "slow"]]
    said = set(split(sentence)) - words().function
    return [
        row for row in rows if row not in used and said.isdisjoint(split(row)) and not contradicts(said, split(row))
    ]


def endings_in(sentences: Sequence[str]) -> set[str]:
    """The clauses that these sentences end with."""
    rows = (row for paces in vocabulary().endings.values() for rows in paces.values() for row in rows)
    return {row for row in rows if any(sentence.endswith(f" {row}.") for sentence in sentences)}


def finish(sentence: str, opening: Opening, mood: Mood, used: Collection[str], ranker: Ranker) -> tuple[str, str]:
    """The sentence with the ending that is nearest to the mood, and that ending (empty where none was needed)."""
    said = split(sentence)
    possible = endings(sentence, opening.place.setting, mood.pace, used)
    if len(said) > LONGEST or not CLAUSE.isdisjoint(split(sentence.removeprefix(opening.text))) or not possible:
        return sentence, ""
    aims = ranker([", ".join(mood.adjectives), sentence])
    likeness = ranker(possible) @ (aims[0] + LIKENESS * aims[1])
    ending = possible[int(np.argmax(likeness))]
    return f"{sentence.removesuffix('.')} {ending}.", ending

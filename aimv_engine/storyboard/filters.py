"""What a sentence must not be: unfinished, unfilmable, about music, in two places, a cliché, or said before."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from aimv_engine.storyboard.vocabulary import vocabulary, words

LENGTH = range(9, 27)  # words
OWN_LENGTH = 2  # words that the model must have written itself
VISUAL_WORDS = 3  # things to be seen
LIKELIHOOD = -2.0  # mean log-likelihood below which a small model talks nonsense

SIGNS = re.compile(r"[^A-Za-z ,.'-]|\B'")  # no quotation either
WOMEN = re.compile(r"\b(woman|girl|bride|sisters|queen|mother|sister)\b", re.I)
MEN = re.compile(r"\b(man|boy|boys|boxer|fisherman|knight|swordsman|king|father|brother)\b", re.I)
SHE = re.compile(r"\b(she|her|hers|herself)\b", re.I)
HE = re.compile(r"\b(he|his|him|himself)\b", re.I)


def fault(text: str, opening: str, likelihood: float, setting: str | None, said: Sequence[str]) -> str:
    """Why a sentence can't be used; empty when it can.

    `opening` is the part of `text` that the model was given, `setting` that of the place in it (None when the model
    chose the place), `said` the sentences that the film has already.
    """
    tables = words()
    all_words = split(text)
    own_words = split(text[len(opening) :])
    own = set(own_words)
    if not text.endswith(".") or text.count(".") != 1:
        return "unfinished"
    if len(all_words) not in LENGTH or len(own_words) < OWN_LENGTH:
        return "length"
    if SIGNS.search(text) or text[len(opening) :].count(",") > 2:
        return "sign"
    if tables.banned & own:
        return "banned word"
    if not tables.verbs & set(all_words):
        return "no verb"
    if all_words[-1] in tables.unended or all_words[-1] in _mood_words():
        return "dangling"
    if _repeats(all_words):
        return "repeats"
    if setting is not None and _elsewhere(setting) & own:
        return "second place"
    if setting in ("hall", "room") and tables.outdoors & own:
        return "sky in a room"
    if contradicts(all_words, all_words):
        return "contradiction"
    if any(re.search(cliche, text) for cliche in tables.cliches):
        return "cliche"
    if _wrong_gender(text):
        return "pronoun"
    if len(tables.visual & set(all_words)) < VISUAL_WORDS:
        return "vague"
    if any(_runs(all_words, 4) & _runs(split(shot), 4) for _, shot in vocabulary().shots):
        return "copied"
    if any(_runs(own_words, 3) & _runs(split(sentence), 3) for sentence in said):
        return "said before"
    if likelihood < LIKELIHOOD:
        return "unlikely"
    return ""


def split(text: str) -> list[str]:
    """The words of a text in lower case."""
    return re.findall(r"[a-z'-]+", text.lower())


def subject_part(text: str) -> str:
    """A sentence up to its first verb: where it is and whom it is about."""
    verbs = words().verbs
    for match in re.finditer(r"[A-Za-z'-]+", text):
        if match.start() and match.group().lower() in verbs:
            return text[: match.start()].strip()
    return text.split(",")[0]


def _mood_words() -> set[str]:
    """Adjectives of moods, which are no things to end with (a few are: light, silver, velvet)."""
    return {word for meaning in vocabulary().tags.values() for word in meaning.adjectives} - words().visual - {"velvet"}


def contradicts(some: Collection[str], others: Collection[str]) -> bool:
    """Whether one has words of the day (or of heat) and the other words of the night (or of cold)."""
    return any(
        not (one.isdisjoint(some) or other.isdisjoint(others)) or not (other.isdisjoint(some) or one.isdisjoint(others))
        for one, other in words().opposites
    )


def _elsewhere(setting: str) -> frozenset[str]:
    """Words for places that can't be seen from this setting."""
    tables = words()
    indoors = setting in ("hall", "room", "seat")
    return (
        tables.rooms
        | (tables.buildings if indoors else frozenset())
        | (tables.landscape if indoors or setting == "street" else frozenset())
    )


def _repeats(all_words: Sequence[str]) -> bool:
    long = [word for word in all_words if len(word) > 3]
    return len(set(long)) < len(long) or any(a == b for a, b in pairwise(all_words))


def _wrong_gender(text: str) -> bool:
    """A 'his' without a man in sight, where there is a woman, and the other way round."""
    women, men = bool(WOMEN.search(text)), bool(MEN.search(text))
    return (women and not men and bool(HE.search(text))) or (men and not women and bool(SHE.search(text)))


def _runs(row: Sequence[str], length: int) -> set[tuple[str, ...]]:
    """All runs of `length` words that are not mere grammar."""
    function = words().function
    runs = {tuple(row[i : i + length]) for i in range(len(row) - length + 1)}
    return {run for run in runs if sum(word not in function for word in run) > 1}

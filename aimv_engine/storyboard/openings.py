"""Designed openings: the first words of a sentence, from what the tags say about mood, place, subject and pace.

A small language model rambles when it is asked for a scene, and writes a vivid one when place, subject and the
beginning of an action are there already. No word about music ever reaches it.
"""

import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aimv_engine.storyboard.scene import Tags
from aimv_engine.storyboard.vocabulary import Action, Place, Subject, vocabulary

MOOD_TAGS = 6  # tags that are heard for the mood
ADJECTIVES = 5
FAINT = 0.001  # tags below this weight are not heard
PLACE_FIRST = 0.65  # share of sentences that begin with the place
OPEN_AIR = ("wild", "shore", "street")  # settings under the sky
HOUR = re.compile(
    r"dawn|dusk|night|noon|sunset|sunrise|sun\b|sunlit|sunny|moon|rain|storm|lamp|lit by|midnight|thunder"
)

T = TypeVar("T")
Weighted = list[tuple[Subject, float]]


@dataclass(frozen=True)
class Mood:
    """What a cluster of music is like, in words for pictures."""

    adjectives: tuple[str, ...]  # the strongest first
    places: dict[str, float]  # kind of place -> weight
    who: dict[str, float]  # kind of subject -> weight
    pace: float  # above 0: wild


@dataclass(frozen=True)
class Opening:
    """The first words of a sentence, and what they are made of."""

    text: str  # "In a snowy field, a white horse walks through"
    place: Place
    subject: Subject


def mood(tags: Tags, energy: float) -> Mood:
    """What tags (heaviest first, weights 0 to 1) and energy (0 to 1) say about a picture."""
    table = vocabulary().tags
    meanings = [
        (table[tag.lower()], weight) for tag, weight in tags[:MOOD_TAGS] if weight > FAINT and tag.lower() in table
    ]
    longest = max((len(meaning.adjectives) for meaning, _ in meanings), default=0)
    adjectives = [m.adjectives[i] for i in range(longest) for m, _ in meanings if i < len(m.adjectives)]
    places: dict[str, float] = {}
    who: dict[str, float] = {}
    for meaning, weight in meanings:
        for kind in meaning.places:
            places[kind] = places.get(kind, 0) + weight * meaning.voice
        for kind in meaning.who:
            who[kind] = who.get(kind, 0) + weight * meaning.voice
    total = sum(weight for _, weight in meanings) or 1.0
    pace = sum(meaning.pace * weight for meaning, weight in meanings) / total
    return Mood(
        adjectives=tuple(dict.fromkeys(adjectives))[:ADJECTIVES] or ("quiet", "still"),
        places=places or {"calm": 1.0},
        who=who or {"nature": 1.0, "people": 1.0},
        pace=pace + 0.5 * (energy - 0.5),
    )


def openings(
    mood: Mood, count: int, chance: random.Random, used_places: Collection[str], used_subjects: Collection[str]
) -> list[Opening]:
    """`count` openings that fit the mood, with none of the places and subjects that the film has already.

    Only where all are used they come again. A used subject that is not a person rules out its whole kind: a second
    horse would be taken for the first.
    """
    tables = vocabulary()

    def used(subject: Subject) -> bool:
        return identity(subject) in used_subjects

    places = _weighted(mood.places, tables.places, lambda place: place.words in used_places)
    fitting = _weighted(mood.who, tables.subjects, used)
    others = _weighted(dict.fromkeys(tables.subjects, 1.0), tables.subjects, used)
    everybody = _weighted(dict.fromkeys(tables.subjects, 1.0), tables.subjects, lambda _: False)
    made: list[Opening] = []
    while len(made) < count:
        place = _draw(places, chance)
        subject = _draw(_able(fitting, place) or _able(others, place) or _able(everybody, place), chance)
        made.append(opening(place, subject, mood.pace, chance))
    return made


def _able(subjects: Weighted, place: Place) -> Weighted:
    """The subjects that can act in such a place."""
    actions = vocabulary().actions
    return [(subject, weight) for subject, weight in subjects if place.setting in actions[subject.acts].where]


def opening(place: Place, subject: Subject, pace: float, chance: random.Random, variation: str = "") -> Opening:
    """One opening with that place and subject; the action and the order of words are drawn."""
    action = _action(vocabulary().actions[subject.acts], place, pace, chance)
    if variation:
        text = f"{variation}, {place.words}, {subject.words} {action}"
    elif chance.random() < PLACE_FIRST:
        text = f"{_capital(place.words)}, {subject.words} {action}"
    else:
        text = f"{_capital(subject.words)} {place.words} {action}"
    return Opening(text, place, subject)


def variations(first: Opening, pace: float, count: int, tries: int, chance: random.Random) -> list[list[Opening]]:
    """For each of `count` returns of a scene, `tries` openings with its place and subject, seen in another way."""
    return [
        [opening(first.place, first.subject, pace, chance, way) for _ in range(tries)]
        for way in _ways(first.place, count, chance)
    ]


def seen_again(start: str, count: int, chance: random.Random) -> list[str]:
    """`count` openings for returns of a scene that begins with `start` and that nobody designed."""
    return [f"{way}, {start[0].lower()}{start[1:]}" for way in _ways(None, count, chance)]


def _ways(place: Place | None, count: int, chance: random.Random) -> list[str]:
    """Views from near, and others where the place has room for them, or lies outdoors and has no hour of its own."""
    table = vocabulary().variations
    ways = list(table["near"])
    if place and place.setting not in ("room", "seat"):
        ways += table["far"]
    if place and place.setting in OPEN_AIR and not HOUR.search(place.words):
        ways += table["light"]
    chance.shuffle(ways)
    return [ways[i % len(ways)] for i in range(count)]


def places_in(sentences: Sequence[str]) -> set[str]:
    """The places that these sentences play in, in their own words."""
    text = "\n".join(sentences).lower()
    return {place.words for rows in vocabulary().places.values() for place in rows if place.words.lower() in text}


def subjects_in(sentences: Sequence[str]) -> set[str]:
    """The identities of the subjects that these sentences are about."""
    text = "\n".join(sentences).lower()
    subjects = (subject for rows in vocabulary().subjects.values() for subject in rows)
    return {identity(subject) for subject in subjects if subject.words.lower() in text}


def identity(subject: Subject) -> str:
    """What must not come twice in a film."""
    return subject.words if subject.acts in ("person", "pair") else subject.acts


def examples(shots: int, chance: random.Random) -> str:
    """What the model reads first: `shots` examples of a mood and a sentence."""
    tables = vocabulary()
    lines = [f"{mood}: {sentence}" for mood, sentence in chance.sample(tables.shots, shots)]
    return "\n".join([tables.heading, "", *lines, ""])


def request(adjectives: Sequence[str]) -> str:
    """What it reads between the examples and an opening."""
    return ", ".join(adjectives) + ":"


def _action(action: Action, place: Place, pace: float, chance: random.Random) -> str:
    if place.setting == "seat":
        return chance.choice(action.seat)
    return chance.choice(action.fast if pace > 0 else action.slow)


def _weighted(
    kinds: dict[str, float], table: dict[str, tuple[T, ...]], used: Callable[[T], bool]
) -> list[tuple[T, float]]:
    """The rows of these kinds that are not used yet, each with its share of the kind's weight."""
    rows = [(row, weight / len(table[kind])) for kind, weight in kinds.items() for row in table[kind] if not used(row)]
    everything = [(row, 1.0) for kind in table for row in table[kind]]
    return rows or [pair for pair in everything if not used(pair[0])] or everything


def _draw(rows: Sequence[tuple[T, float]], chance: random.Random) -> T:
    return chance.choices([row for row, _ in rows], [weight for _, weight in rows])[0]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]

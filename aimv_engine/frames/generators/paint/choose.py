"""From a sentence to a scene: which place, which light and which things of the catalogue it speaks of.

Meaning is compared by sentence embeddings, against phrases that describe the entries; a literal word outweighs it; the
music's tags lean the choice where the sentence leaves it open.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aimv_engine.arrays import F32

from .catalogue import Catalogue, Entry, catalogue

Embed = Callable[[Sequence[str]], F32]

WHOLE = 0.55  # how much the whole sentence counts against its best part
NAMED = 1.8  # what a literal word adds, in deviations of the similarity to neutral sentences
PLACED = 0.7  # what it adds more in the part of the sentence that says where ("in a forest")
LEANING = 1.3  # what the heaviest tag of the music adds
OWN_LIGHT = 0.6  # what a place's own light has in advance
PRESENT = 4.6  # a thing that is not named must be this near in meaning
CLOSE_SECOND = 0.9  # a second place this near behind the first lends it its background
MOST_THINGS = 6

# What neutral sentences have in common with a phrase is not what the phrase is about.
NEUTRAL = (
    "a man walks along", "the music is loud and fast", "a beautiful scene", "love and loss", "an old photograph",
    "the end of the world", "a slow quiet moment", "bright colours everywhere", "she remembers her childhood",
    "a machine is working", "a dream about flying", "people are talking", "the animal runs", "a sad song",
    "happy children", "time passes", "food on the table", "the light changes", "a large building", "a view from above",
)  # fmt: skip
PARTS = re.compile(r",|\b(?:and|with|in|under|on|of|through|over|beside|at)\b")
WHERE = re.compile(
    r"\b(?:in|on|at|under|beside|above|among|behind|between|outside|through|across|along|by|over|into)\s+([^,]+)"
)
COLOURS = {
    "red": "#c41c2c", "yellow": "#f0c020", "white": "#f0ece4", "black": "#100c0e", "green": "#2f8a48",
    "blue": "#2858b8", "pink": "#f07aa8", "orange": "#f07a1c", "purple": "#7a3aa8", "grey": "#80848c",
    "gray": "#80848c", "golden": "#e0a83c", "brown": "#6a4428", "silver": "#c0c8d0", "violet": "#8048c0",
    "turquoise": "#30b8b0", "crimson": "#b01030",
}  # fmt: skip
NEEDS = {
    "boat": "water",
    "birds": "sky",
    "aurora": "sky",
    "lightning": "sky",
    "house": "sky",
    "smoke": "sky",
    "fire": "sky",
}


@dataclass(frozen=True)
class Choice:
    """What to paint: names from the catalogue, and the colour the sentence gives to each thing ("" for its own)."""

    place: str
    light: str
    things: tuple[tuple[str, str], ...] = ()
    backgrounds: tuple[str, ...] = ()  # steps lent by a second place


class Chooser:
    """Chooses for sentences; remembers what it chose."""

    def __init__(self, embed: Embed, entries: Catalogue | None = None) -> None:
        self._embed = embed
        self._entries = entries or catalogue()
        self._index: list[tuple[str, str]] = []
        phrases: list[str] = []
        for kind, table in self._tables().items():
            for name, entry in table.items():
                self._index += [(kind, name)] * len(entry.phrases)
                phrases += entry.phrases
        self._phrases = embed(phrases)
        neutral = embed(NEUTRAL) @ self._phrases.T
        self._mean, self._deviation = neutral.mean(0), neutral.std(0) * 0.5 + 0.04
        self._chosen: dict[tuple[str, tuple[tuple[str, float], ...]], Choice] = {}

    def _tables(self) -> dict[str, Mapping[str, Entry]]:
        return {"places": self._entries.places, "lights": self._entries.lights, "things": self._entries.things}

    def choose(self, sentence: str, tags: Iterable[tuple[str, float]] = ()) -> Choice:
        """The choice for a scene's sentence in music of these tags (name, weight)."""
        key = (sentence, tuple(tags))
        if key not in self._chosen:
            self._chosen[key] = self._choose(*key)
        return self._chosen[key]

    def _choose(self, sentence: str, tags: tuple[tuple[str, float], ...]) -> Choice:
        near = self._nearness(sentence)
        words = re.findall(r"[a-z]+", sentence.lower())
        where = set(re.findall(r"[a-z]+", " ".join(WHERE.findall(sentence.lower()))))
        heaviest = max((weight for _, weight in tags), default=0.0)
        lean = {tag: weight / heaviest for tag, weight in tags} if heaviest > 0 else {}

        def score(kind: str, entry: Entry) -> float:
            value = near.get((kind, entry.name), 0.0)
            value += NAMED * bool(entry.words & set(words)) + PLACED * bool(entry.words & where)
            return value + LEANING * max((lean.get(tag, 0.0) for tag in entry.tags), default=0.0)

        places = sorted(self._entries.places.values(), key=lambda entry: -score("places", entry))
        place, second = places[0], places[1]

        def light_score(entry: Entry) -> float:
            return max(score("lights", entry), 0.0) + OWN_LIGHT * (entry.name == place.light)

        light = max(self._entries.lights.values(), key=light_score)
        things = self._things(near, words, place)
        close = score("places", second) > score("places", place) - CLOSE_SECOND and score("places", second) > 2.5
        lent = second.lends if close and "sky" in place.steps and second.lends not in place.steps else ""
        return Choice(place.name, light.name, things, (lent,) if lent else ())

    def _nearness(self, sentence: str) -> dict[tuple[str, str], float]:
        """How near the sentence and its best part are to each entry's best phrase, in deviations from neutral."""
        parts = [part.strip() for part in PARTS.split(sentence) if len(part.strip()) > 2]
        similarity = (self._embed([sentence, *parts]) @ self._phrases.T - self._mean) / self._deviation
        marks = WHOLE * similarity[0] + (1 - WHOLE) * similarity.max(0)
        best: dict[tuple[str, str], float] = {}
        for key, mark in zip(self._index, marks, strict=True):
            best[key] = max(best.get(key, -9.0), float(mark))
        return best

    def _things(
        self, near: dict[tuple[str, str], float], words: list[str], place: Entry
    ) -> tuple[tuple[str, str], ...]:
        found: list[tuple[float, str, str]] = []
        for name, entry in self._entries.things.items():
            named = [index for index, word in enumerate(words) if word in entry.words]
            mark = near.get(("things", name), 0.0)
            if not named and mark < PRESENT:
                continue
            if NEEDS.get(name, place.steps[0]) not in place.steps or set(entry.steps) & set(place.steps):
                continue
            found.append((-mark - 9 * bool(named), name, _colour_near(words, named)))
        return tuple((name, colour) for _, name, colour in sorted(found)[:MOST_THINGS])


def _colour_near(words: list[str], named: list[int]) -> str:
    """The colour word nearest to where a thing is named, before it or in what it wears ("a girl in a red coat")."""
    best = ""
    nearest = 5
    for at in named:
        for index, word in enumerate(words):
            if word in COLOURS and -2 <= index - at <= 4 and abs(index - at) < nearest:
                best, nearest = COLOURS[word], abs(index - at)
    return best

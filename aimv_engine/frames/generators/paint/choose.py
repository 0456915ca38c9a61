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
PLACED = 0.7  # what each adds more among the words that say where ("in a forest")
NOUN = 3.0  # and still more as the noun of those words: "in a corridor of red light" is a corridor
ASIDE = 0.5  # what is left of a literal word elsewhere, once it is said where
ONWARDS = 6  # so many words from the preposition tell the place, where no comma ends it
THERE = 0.8  # how much the part that says where counts for the place, against all the rest
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
WHERE = {
    "in", "on", "at", "under", "beside", "above", "among", "behind", "between", "outside", "inside", "through",
    "across", "along", "by", "over", "into",
}  # fmt: skip
PHRASE_ENDS = WHERE | {
    ",", "full", "lit", "with", "where", "filled", "covered", "from", "and", "as", "while", "to", "that", "which",
    "who", "after", "below", "streaked",
}  # fmt: skip
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

PEOPLE = ("woman", "man", "child", "person", "couple", "dancer", "crowd")
COLLECTIVE = {  # what a negative prompt may call things: names of the catalogue
    "people": PEOPLE,
    "persons": PEOPLE,
    "humans": PEOPLE,
    "women": ("woman",),
    "men": ("man",),
    "animals": ("birds", "horse", "rider", "wolf", "cat", "heron", "whale"),
}


@dataclass(frozen=True)
class Choice:
    """What to paint: names from the catalogue, and the colour the sentence gives to each thing ("" for its own)."""

    place: str
    light: str
    things: tuple[tuple[str, str], ...] = ()
    backgrounds: tuple[str, ...] = ()  # steps lent by a second place
    without: tuple[str, ...] = ()  # steps that the place must do without


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
        self._chosen: dict[tuple[str, tuple[tuple[str, float], ...], str], Choice] = {}

    def _tables(self) -> dict[str, Mapping[str, Entry]]:
        return {"places": self._entries.places, "lights": self._entries.lights, "things": self._entries.things}

    def choose(self, sentence: str, tags: Iterable[tuple[str, float]] = (), negative: str = "") -> Choice:
        """The choice for a scene's sentence in music of these tags (name, weight), with nothing that `negative` names.

        Where nothing else is left to choose, or a place can't do without, what is named comes nevertheless.
        """
        key = (sentence, tuple(tags), negative)
        if key not in self._chosen:
            self._chosen[key] = self._choose(*key)
        return self._chosen[key]

    def _choose(self, sentence: str, tags: tuple[tuple[str, float], ...], negative: str) -> Choice:
        words = re.findall(r"[a-z]+", sentence.lower())
        noun, where, there = self._said_where(sentence)
        near = self._nearness(sentence)
        near_there = self._nearness(there) if there != sentence else near
        heaviest = max((weight for _, weight in tags), default=0.0)
        lean = {tag: weight / heaviest for tag, weight in tags} if heaviest > 0 else {}
        avoided = self._avoided(negative, words)

        def leaning(entry: Entry) -> float:
            return LEANING * max((lean.get(tag, 0.0) for tag in entry.tags), default=0.0)

        def place_score(entry: Entry) -> float:
            key = ("places", entry.name)
            value = THERE * near_there[key] + (1 - THERE) * near[key] + leaning(entry)
            value += NOUN * (noun in entry.words) + PLACED * len(entry.words & where)
            named = NAMED if not noun or entry.words & where else ASIDE
            return value + named * bool(entry.words & set(words))

        def light_score(entry: Entry) -> float:
            value = near.get(("lights", entry.name), 0.0) + NAMED * bool(entry.words & set(words))
            return max(value + leaning(entry), 0.0) + OWN_LIGHT * (entry.name == place.light)

        def allowed(kind: str) -> list[Entry]:
            entries = self._tables()[kind]
            return [entry for name, entry in entries.items() if (kind, name) not in avoided] or [*entries.values()]

        places = sorted(allowed("places"), key=lambda entry: -place_score(entry))
        place, second = places[0], places[-1 if len(places) == 1 else 1]

        light = max(allowed("lights"), key=light_score)
        things = [thing for thing in self._things(near, words, place) if ("things", thing[0]) not in avoided]
        close = place_score(second) > max(place_score(place) - CLOSE_SECOND, 2.5)
        lent = second.lends if close and "sky" in place.steps and second.lends not in place.steps else ""
        steps = {step for kind, name in avoided if kind == "things" for step in self._entries.things[name].steps}
        without = tuple(step for step in place.steps if step in steps)
        return Choice(place.name, light.name, tuple(things[:MOST_THINGS]), (lent,) if lent else (), without)

    def _avoided(self, negative: str, said: list[str]) -> set[tuple[str, str]]:
        """What of the catalogue a negative prompt names (kind, name).

        A place that the sentence calls for by another word stays: a street without cars is a street.
        """
        words = re.findall(r"[a-z]+", negative.lower())
        unwanted, called = _singular(words), _singular(said)
        avoided = {("things", name) for word in words for name in COLLECTIVE.get(word, ())}
        for kind, table in self._tables().items():
            for name, entry in table.items():
                known = _singular(entry.words)
                asked = kind == "places" and (known - unwanted) & called
                if known & unwanted and not asked:
                    avoided.add((kind, name))
        return avoided

    def _said_where(self, sentence: str) -> tuple[str, set[str], str]:
        """What says where: the noun (a word of the catalogue), all words of its phrase, and the part of the sentence.

        Without such a noun the first two are empty; without such a part it is the whole sentence.
        """
        known = frozenset().union(*(entry.words for entry in self._entries.places.values()))
        leading = _leading(sentence)
        for noun_phrase, onwards in _phrases_of_place(leading or sentence):
            for phrase in " ".join(noun_phrase).split(" of "):  # "at the foot of a lighthouse": the first that is known
                words = phrase.split()
                noun = next((word for word in reversed(words) if word in known), "")
                if noun:
                    return noun, set(words), leading or onwards
        return "", set(), leading or sentence

    def _nearness(self, sentence: str) -> dict[tuple[str, str], float]:
        """How near the sentence and its best part are to each entry's best phrase, in deviations from neutral."""
        parts = [part.strip() for part in PARTS.split(sentence) if len(part.strip()) > 2]
        similarity = (self._embed([sentence, *parts]) @ self._phrases.T - self._mean) / self._deviation
        marks = WHOLE * similarity[0] + (1 - WHOLE) * similarity.max(0)
        best: dict[tuple[str, str], float] = {}
        for key, mark in zip(self._index, marks, strict=True):
            best[key] = max(best.get(key, -9.0), float(mark))
        return best

    def _things(self, near: dict[tuple[str, str], float], words: list[str], place: Entry) -> list[tuple[str, str]]:
        """The things that are there (name, colour), those that are named first."""
        found: list[tuple[float, str, str]] = []
        for name, entry in self._entries.things.items():
            named = [index for index, word in enumerate(words) if word in entry.words]
            mark = near.get(("things", name), 0.0)
            if not named and mark < PRESENT:
                continue
            if NEEDS.get(name, place.steps[0]) not in place.steps or set(entry.steps) & set(place.steps):
                continue
            found.append((-mark - 9 * bool(named), name, _colour_near(words, named)))
        return [(name, colour) for _, name, colour in sorted(found)]


def _singular(words: Iterable[str]) -> set[str]:
    return {word.removesuffix("s") for word in words}


def _leading(sentence: str) -> str:
    """The part in front that says where ("Seen from behind, in a forest, a man waits": in a forest), or ""."""
    parts = [part.strip() for part in sentence.split(",")]
    return next((part for part in reversed(parts[:-1]) if part.lower().split(" ")[0] in WHERE), "")


def _phrases_of_place(text: str) -> list[tuple[list[str], str]]:
    """After each preposition of place: its phrase ("an old barn of oak"), and the next few words of the sentence."""
    words = re.findall(r"[a-z]+|,", text.lower())
    phrases = []
    for start, word in enumerate(words):
        if word in WHERE:
            following = words[start + 1 :]
            ends = (index for index, other in enumerate(following) if other in PHRASE_ENDS)
            phrases.append((following[: next(ends, len(following))], " ".join(words[start : start + ONWARDS])))
    return phrases


def _colour_near(words: list[str], named: list[int]) -> str:
    """The colour word nearest to where a thing is named, before it or in what it wears ("a girl in a red coat")."""
    best = ""
    nearest = 5
    for at in named:
        for index, word in enumerate(words):
            if word in COLOURS and -2 <= index - at <= 4 and abs(index - at) < nearest:
                best, nearest = COLOURS[word], abs(index - at)
    return best

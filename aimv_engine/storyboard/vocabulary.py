"""The word tables in presets/words, which say what tags mean for pictures. Made to be read and changed by hand."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aimv_engine.errors import AimvError

FOLDER = Path(__file__).resolve().parent.parent.parent / "presets" / "words"


@dataclass(frozen=True)
class TagMeaning:
    """What a tag says about a picture; `presets/words/tags.toml` explains each."""

    adjectives: tuple[str, ...]
    places: tuple[str, ...]
    who: tuple[str, ...]
    pace: float
    voice: float


@dataclass(frozen=True)
class Place:
    """A place, with its preposition, and what can happen there."""

    words: str
    setting: str


@dataclass(frozen=True)
class Action:
    """How a kind of subject acts."""

    where: tuple[str, ...]  # settings
    plural: bool
    slow: tuple[str, ...]
    fast: tuple[str, ...]
    seat: tuple[str, ...]  # instead of both, of one who sits


@dataclass(frozen=True)
class Subject:
    """Who or what is in the picture, and how it acts (a name in `actions`)."""

    words: str
    acts: str


@dataclass(frozen=True)
class Vocabulary:
    """All tables but the language model's unwanted words."""

    tags: dict[str, TagMeaning]
    places: dict[str, tuple[Place, ...]]
    subjects: dict[str, tuple[Subject, ...]]
    actions: dict[str, Action]
    heading: str
    shots: tuple[tuple[str, str], ...]  # mood, sentence
    variations: dict[str, tuple[str, ...]]
    endings: dict[str, dict[str, tuple[str, ...]]]  # setting -> "slow" or "fast" -> clauses


@dataclass(frozen=True)
class Words:
    """Words that filters look for."""

    music: frozenset[str]
    banned: frozenset[str]  # music, and what no camera sees
    verbs: frozenset[str]
    visual: frozenset[str]
    rooms: frozenset[str]
    buildings: frozenset[str]
    landscape: frozenset[str]
    outdoors: frozenset[str]
    function: frozenset[str]
    unended: frozenset[str]  # no sentence ends with these
    opposites: tuple[tuple[frozenset[str], frozenset[str]], ...]  # day and night, hot and cold, wet and dry
    cliches: tuple[str, ...]


@cache
def vocabulary() -> Vocabulary:
    """The tables, read once. Raises AimvError naming the file that can't be read."""
    tags = {
        name: TagMeaning(
            tuple(row.get("adjectives", ())),
            tuple(row.get("places", ())),
            tuple(row.get("who", ())),
            float(row.get("pace", 0)),
            float(row.get("voice", 1)),
        )
        for name, row in _table("tags").items()
    }
    places = {
        kind: tuple(Place(words, setting) for setting, rows in settings.items() for words in rows)
        for kind, settings in _table("places").items()
    }
    subjects = {
        kind: tuple(Subject(words, acts) for acts, rows in groups.items() for words in rows)
        for kind, groups in _table("subjects").items()
    }
    actions = {
        name: Action(
            tuple(row["where"]),
            row.get("plural", False),
            tuple(row["slow"]),
            tuple(row["fast"]),
            tuple(row.get("seat", ())),
        )
        for name, row in _table("actions").items()
    }
    examples = _table("shots")
    return Vocabulary(
        tags,
        places,
        subjects,
        actions,
        examples["heading"],
        tuple((mood, sentence) for mood, sentence in examples["shots"]),
        {name: tuple(rows) for name, rows in _table("variations").items()},
        {setting: {pace: tuple(rows) for pace, rows in paces.items()} for setting, paces in _table("endings").items()},
    )


@cache
def words() -> Words:
    """The filters' words, read once. Raises AimvError when the file can't be read."""
    rows = _table("filters")

    def flat(name: str) -> frozenset[str]:
        return frozenset(word for line in rows[name] for word in line.split())

    return Words(
        music=flat("music"),
        banned=flat("music") | flat("unseen"),
        verbs=flat("verbs"),
        visual=flat("visual"),
        rooms=flat("rooms"),
        buildings=flat("buildings"),
        landscape=flat("landscape"),
        outdoors=flat("outdoors"),
        function=flat("function"),
        unended=flat("function") | flat("unended"),
        opposites=((flat("day"), flat("night")), (flat("hot"), flat("cold")), (flat("wet"), flat("dry"))),
        cliches=tuple(rows["cliches"]),
    )


def artists() -> dict[str, str]:
    """The painters and photographers that a film may be made in the manner of: name -> what their pictures are like."""
    return {name: str(words) for name, words in _table("artists").items()}


def _table(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise AimvError(f"the word table {path} can't be read: {error}") from error

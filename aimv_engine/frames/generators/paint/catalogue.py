"""What the paint generator can paint, read from presets/paint: places, lights and things."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aimv_engine.errors import AimvError

from .colours import linear
from .light import Light
from .stage import Setting

FOLDER = Path(__file__).resolve().parents[4] / "presets" / "paint"


@dataclass(frozen=True)
class Entry:
    """One entry of the catalogue and what calls for it."""

    name: str
    phrases: tuple[str, ...]  # compared by meaning
    words: frozenset[str]  # these very words decide
    tags: frozenset[str]  # of the music, that lean this way
    steps: tuple[str, ...]  # painters, see scene.py
    settings: Mapping[str, Setting]
    light: str = ""  # a place's own light
    lends: str = ""  # the step a place gives to another as background


@dataclass(frozen=True)
class Catalogue:
    places: Mapping[str, Entry]
    lights: Mapping[str, Entry]
    things: Mapping[str, Entry]
    colours: Mapping[str, Light]  # of each of the lights


_ENTRY = ("phrases", "words", "tags", "steps", "light", "lends")


def catalogue_hash() -> str:
    """The sha256 of what the catalogue's files say, comments and order of entries aside."""
    return hashlib.sha256(json.dumps(_tables(), sort_keys=True).encode()).hexdigest()


@cache
def _tables() -> dict[str, dict[str, Any]]:
    read = {}
    for kind in ("places", "lights", "things"):
        path = FOLDER / f"{kind}.toml"
        try:
            read[kind] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise AimvError(f"{path} can't be read: {error}") from error
    return read


@cache
def catalogue() -> Catalogue:
    """The catalogue. Raises AimvError for a file that can't be read."""
    read = _tables()
    try:
        lights = {name: _light(data) for name, data in read["lights"].items()}
        entries = {kind: {name: _entry(name, data) for name, data in table.items()} for kind, table in read.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AimvError(f"the catalogue in {FOLDER} has an entry that can't be read: {error}") from error
    return Catalogue(entries["places"], entries["lights"], entries["things"], lights)


def _entry(name: str, data: Mapping[str, Any]) -> Entry:
    settings = data.get("settings") or {key: value for key, value in data.items() if key not in _ENTRY}
    return Entry(
        name=name,
        phrases=tuple(data.get("phrases", ())),
        words=frozenset(data.get("words", "").split()),
        tags=frozenset(data.get("tags", ())),
        steps=tuple(data.get("steps", "").split()),
        settings=settings,
        light=data.get("light", ""),
        lends=data.get("lends", ""),
    )


def _light(data: Mapping[str, Any]) -> Light:
    colours = {name: linear(data[name]) for name in ("zenith", "middle", "horizon", "sun", "fog")}
    numbers = {name: float(data[name]) for name in ("height", "strength", "ambient", "night", "haze")}
    return Light(**colours, **numbers)  # type: ignore[arg-type]

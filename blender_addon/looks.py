"""The looks that there are: one for each file in presets/looks."""

import tomllib
import zlib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "presets" / "looks"
Item = tuple[str, str, str, int]  # identifier, name, description, the number that a .blend keeps
AUTOMATIC = ("auto", "Automatic", "Suggested by what the song was tagged with", 0)


@cache
def _found() -> list[Item]:
    """Kept, because Blender does not keep the texts of dynamic items alive.

    A look's number comes from its name, so that a new look in the folder changes none of the others.
    """
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found.append((path.stem, data["title"], data["words"], number(path.stem)))
    return found


def number(name: str) -> int:
    """What a .blend keeps for a look."""
    return zlib.crc32(name.encode()) >> 1


def items(_owner: Any, _context: Any) -> list[Item]:
    """The looks as the items of an EnumProperty."""
    return _found()


@cache
def _with_automatic() -> list[Item]:
    return [AUTOMATIC, *_found()]


def items_with_automatic(_owner: Any, _context: Any) -> list[Item]:
    """The looks, after the choice to leave it to the music."""
    return _with_automatic()

"""What a film shows: scenes, and their form as JSON that a person reads and edits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aimv_engine.errors import AimvError

Tags = tuple[tuple[str, float], ...]  # the heaviest first, weights 0 to 1
T = TypeVar("T")


@dataclass(frozen=True)
class Candidate:
    """A sentence that a scene could show, and how well it is thought to fit (higher is better)."""

    sentence: str
    score: float


@dataclass(frozen=True)
class Scene:
    """What a segment of the song shows."""

    start: float  # seconds
    end: float
    cluster: str
    sentence: str
    candidates: tuple[Candidate, ...]  # the best first; the sentence is one of them until somebody writes another
    tags: Tags
    seed: int  # the same for all scenes of a cluster, so that the composition recurs
    look: str


@dataclass(frozen=True)
class Storyboard:
    """The whole film."""

    main_tags: Tags
    artist: str  # "by Albert Bierstadt"
    look: str
    scenes: tuple[Scene, ...]


def to_dict(storyboard: Storyboard) -> dict[str, Any]:
    """The storyboard as what JSON can say. `from_dict` takes it back unchanged."""
    return {
        "artist": storyboard.artist,
        "look": storyboard.look,
        "main_tags": [list(tag) for tag in storyboard.main_tags],
        "scenes": [
            {
                "start": scene.start,
                "end": scene.end,
                "cluster": scene.cluster,
                "sentence": scene.sentence,
                "look": scene.look,
                "seed": scene.seed,
                "tags": [list(tag) for tag in scene.tags],
                "candidates": [
                    {"sentence": candidate.sentence, "score": candidate.score} for candidate in scene.candidates
                ],
            }
            for scene in storyboard.scenes
        ],
    }


def from_dict(data: Any) -> Storyboard:
    """The storyboard that `to_dict` wrote, after edits by hand too. Raises AimvError naming the field that is wrong."""
    top = _mapping(data, "the storyboard")
    scenes = tuple(_scene(item, f"scenes[{i}]") for i, item in enumerate(_field(top, "scenes", "", _list)))
    return Storyboard(
        main_tags=_field(top, "main_tags", "", _tags),
        artist=_field(top, "artist", "", _text),
        look=_field(top, "look", "", _text),
        scenes=scenes,
    )


def _scene(data: Any, where: str) -> Scene:
    item = _mapping(data, where)
    scene = Scene(
        start=_field(item, "start", where, _number),
        end=_field(item, "end", where, _number),
        cluster=_field(item, "cluster", where, _text),
        sentence=_field(item, "sentence", where, _text),
        candidates=tuple(
            Candidate(
                sentence=_field(
                    _mapping(entry, f"{where}.candidates[{i}]"), "sentence", f"{where}.candidates[{i}]", _text
                ),
                score=_field(entry, "score", f"{where}.candidates[{i}]", _number),
            )
            for i, entry in enumerate(_field(item, "candidates", where, _list))
        ),
        tags=_field(item, "tags", where, _tags),
        seed=_field(item, "seed", where, _seed),
        look=_field(item, "look", where, _text),
    )
    if scene.end <= scene.start:
        raise AimvError(f"storyboard: {where}.end ({scene.end:g} s) must be later than its start ({scene.start:g} s)")
    return scene


def _field(data: Mapping[str, Any], name: str, where: str, read: Callable[[Any, str], T]) -> T:
    path = f"{where}.{name}" if where else name
    if name not in data:
        raise AimvError(f"storyboard: {path} is missing")
    return read(data[name], path)


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise AimvError(f"storyboard: {path} must be an object in braces, not {value!r}")
    return value


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise AimvError(f"storyboard: {path} must be a list in brackets, not {value!r}")
    return value


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise AimvError(f"storyboard: {path} must be a text, not {value!r}")
    return value


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise AimvError(f"storyboard: {path} must be a number, not {value!r}")
    return float(value)


def _seed(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:  # as Blender keeps it
        raise AimvError(f"storyboard: {path} must be a whole number from 0 to {2**31 - 1}, not {value!r}")
    return value


def _tags(value: Any, path: str) -> Tags:
    tags = []
    for i, item in enumerate(_list(value, path)):
        pair = _list(item, f"{path}[{i}]")
        if len(pair) != 2:
            raise AimvError(f"storyboard: {path}[{i}] must be a tag and its weight, not {item!r}")
        tags.append((_text(pair[0], f"{path}[{i}][0]"), _number(pair[1], f"{path}[{i}][1]")))
    return tuple(tags)

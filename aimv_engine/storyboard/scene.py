"""What a film shows: scenes, and their form as JSON that a person reads and edits."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aimv_engine.errors import AimvError

Tags = tuple[tuple[str, float], ...]  # the heaviest first, weights 0 to 1
T = TypeVar("T")

CAMERAS = ("auto", "still", "push in", "pull out", "pan left", "pan right", "rise", "sink")
STRONGEST = 2.0  # of intensity and style


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
    negative: str = ""  # what is not to be seen
    camera: str = "auto"  # one of CAMERAS
    intensity: float = 1.0  # how much the music moves the picture: 1 as the look says, 0 not at all
    style: float = 1.0  # how strong the look's brush is: 1 as the look says, 0 not at all


@dataclass(frozen=True)
class Storyboard:
    """The whole film."""

    main_tags: Tags
    artist: str  # "by Albert Bierstadt", or nobody
    look: str
    scenes: tuple[Scene, ...]


DIRECTION = {"negative": "", "camera": "auto", "intensity": 1.0, "style": 1.0}  # fields of a scene, as nobody chose


def cluster_seed(seed: int, cluster: str) -> int:
    """The seed of a cluster's scenes, 0 to 2**31 - 1."""
    return int.from_bytes(hashlib.sha256(f"{seed} {cluster}".encode()).digest()[:4], "big") >> 1


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
                **{name: getattr(scene, name) for name, usual in DIRECTION.items() if getattr(scene, name) != usual},
                "tags": [list(tag) for tag in scene.tags],
                "candidates": [
                    {"sentence": candidate.sentence, "score": candidate.score} for candidate in scene.candidates
                ],
            }
            for scene in storyboard.scenes
        ],
    }


def from_dict(data: Any, song_end: float | None = None) -> Storyboard:
    """The storyboard that `to_dict` wrote, after edits by hand too. Raises AimvError naming the field that is wrong.

    A scene that was added by hand needs a start and a sentence. It ends where the next one begins (the last one at
    `song_end`, in seconds), is of the cluster of the scene before, has the seed and the tags of its cluster's other
    scenes (where there are none: a seed of the cluster's own, the main tags) and the look of the storyboard.
    """
    top = _mapping(data, "it")
    look, main_tags = _field(top, "look", "", _text), _field(top, "main_tags", "", _tags)
    items = [_mapping(item, f"scene {i}") for i, item in enumerate(_field(top, "scenes", "", _list), 1)]
    starts = [_field(item, "start", f"scene {i}: ", _number) for i, item in enumerate(items, 1)]
    ends = [*starts[1:], song_end]
    items = _with_clusters(items)
    scenes = []
    for i, item in enumerate(items):
        kin = [other for other in items if other["cluster"] == item["cluster"]]
        usual: dict[str, Any] = {
            **DIRECTION,
            "candidates": [],
            "look": look,
            "seed": next((one["seed"] for one in kin if "seed" in one), cluster_seed(0, item["cluster"])),
            "tags": next((one["tags"] for one in kin if "tags" in one), [list(tag) for tag in main_tags]),
        }
        if ends[i] is not None:
            usual["end"] = ends[i]
        scenes.append(_scene({**usual, **item}, f"scene {i + 1}"))
    return Storyboard(main_tags, artist=_field(top, "artist", "", _words), look=look, scenes=tuple(scenes))


def _with_clusters(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    cluster = "A"
    filled: list[Mapping[str, Any]] = []
    for number, item in enumerate(items, 1):
        cluster = _text(item.get("cluster", cluster), f"scene {number}: cluster")
        filled.append({**item, "cluster": cluster})
    return filled


def _scene(item: Mapping[str, Any], where: str) -> Scene:
    place = f"{where}: "
    scene = Scene(
        start=_field(item, "start", place, _number),
        end=_field(item, "end", place, _number),
        cluster=_field(item, "cluster", place, _text),
        sentence=_field(item, "sentence", place, _text),
        candidates=tuple(
            _candidate(entry, f"{where}, candidate {i}")
            for i, entry in enumerate(_field(item, "candidates", place, _list), 1)
        ),
        tags=_field(item, "tags", place, _tags),
        seed=_field(item, "seed", place, _seed),
        look=_field(item, "look", place, _text),
        negative=_field(item, "negative", place, _words),
        camera=_field(item, "camera", place, _camera),
        intensity=_field(item, "intensity", place, _share),
        style=_field(item, "style", place, _share),
    )
    if scene.end <= scene.start:
        raise AimvError(f"{place}end ({scene.end:g} s) must be later than its start ({scene.start:g} s)")
    return scene


def _candidate(entry: Any, where: str) -> Candidate:
    item, place = _mapping(entry, where), f"{where}: "
    return Candidate(_field(item, "sentence", place, _text), _field(item, "score", place, _number))


def _field(data: Mapping[str, Any], name: str, place: str, read: Callable[[Any, str], T]) -> T:
    path = f"{place}{name}"
    if name not in data:
        raise AimvError(f"{path} is missing")
    return read(data[name], path)


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise AimvError(f"{path} must be an object in braces, not {value!r}")
    return value


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise AimvError(f"{path} must be a list in brackets, not {value!r}")
    return value


def _words(value: Any, path: str) -> str:
    """A text that may be empty."""
    if not isinstance(value, str):
        raise AimvError(f"{path} must be a text, not {value!r}")
    return value


def _text(value: Any, path: str) -> str:
    if not _words(value, path).strip():
        raise AimvError(f"{path} must be a text, not {value!r}")
    return str(value)


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise AimvError(f"{path} must be a number, not {value!r}")
    return float(value)


def _share(value: Any, path: str) -> float:
    number = _number(value, path)
    if not 0.0 <= number <= STRONGEST:
        raise AimvError(f"{path} must be a number from 0 to {STRONGEST:g}, not {value!r}")
    return number


def _camera(value: Any, path: str) -> str:
    if value not in CAMERAS:
        raise AimvError(f"{path} must be one of {', '.join(CAMERAS)}, not {value!r}")
    return str(value)


def _seed(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:  # as Blender keeps it
        raise AimvError(f"{path} must be a whole number from 0 to {2**31 - 1}, not {value!r}")
    return value


def _tags(value: Any, path: str) -> Tags:
    tags = []
    for i, item in enumerate(_list(value, path), 1):
        if not isinstance(item, list) or len(item) != 2:
            raise AimvError(f'{path}, number {i}, must be a tag and its weight, ["slow", 0.5], not {item!r}')
        tags.append(
            (_text(item[0], f"{path}, number {i}, the tag"), _number(item[1], f"{path}, number {i}, the weight"))
        )
    return tuple(tags)

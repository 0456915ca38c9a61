"""What the engine hands over: edit.json, the film as pictures in time. No bpy."""

import json
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

VERSION = 1


class EditError(Exception):
    """One clear line: what is wrong with the edit, or with what was made of it."""


@dataclass(frozen=True)
class Shot:
    """A segment of the song and its pictures. Frames count from 0, the film's first.

    The segment is first_frame up to but without last_frame. The pictures, one a frame, begin at strip_first_frame and
    reach beyond the segment wherever they share a cross-fade with a neighbour.
    """

    name: str
    cluster: str
    color: tuple[float, float, float]  # sRGB, 0 to 1
    first_frame: int
    last_frame: int
    strip_first_frame: int
    frames: tuple[str, ...]  # paths relative to the edit's folder
    sentence: str
    negative: str
    tags: tuple[tuple[str, float], ...]  # heaviest first, weights 0 to 1
    seed: int
    look: str
    camera: str
    intensity: float
    style: float

    @property
    def strip_last_frame(self) -> int:
        return self.strip_first_frame + len(self.frames)


@dataclass(frozen=True)
class Effects:
    """Keys joined by straight lines: at film frame frames[i] the whole picture is scaled and brightened so much."""

    frames: tuple[int, ...]
    scale: tuple[float, ...]
    brightness: tuple[float, ...]


@dataclass(frozen=True)
class Edit:
    """The whole film: what edit.json says, with absolute paths."""

    folder: Path  # where edit.json lies: the project's folder
    song: Path
    song_start: float  # seconds into the song at the film's first frame
    fps: Fraction
    size: tuple[int, int]
    frame_count: int
    keyframe_rate: float  # a second
    artist: str
    main_tags: tuple[tuple[str, float], ...]
    shots: tuple[Shot, ...]
    effects: Effects
    output: Path
    blend: Path


def read(path: Path) -> Edit:
    """The edit in that file. Raises EditError when it can't be read, or can't be laid out on a timeline."""
    path = path.absolute()
    try:
        edit = _edit(path.parent, json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise EditError(f"{path} can't be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise EditError(f"{path} is not an edit this add-on understands ({error!r})") from error
    _check(edit)
    return edit


def _edit(folder: Path, data: dict[str, Any]) -> Edit:
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']} instead of {VERSION}")
    width, height = data["size"]
    return Edit(
        folder=folder,
        song=folder / data["song"],
        song_start=float(data["song_start"]),
        fps=Fraction(*data["fps"]),
        size=(int(width), int(height)),
        frame_count=int(data["frame_count"]),
        keyframe_rate=float(data["keyframe_rate"]),
        artist=data["artist"],
        main_tags=_tags(data["main_tags"]),
        shots=tuple(_shot(shot) for shot in data["scenes"]),
        effects=Effects(**{curve: tuple(keys) for curve, keys in data["effects"].items()}),
        output=folder / data["output"],
        blend=folder / data["blend"],
    )


def _shot(data: dict[str, Any]) -> Shot:
    lists = {
        "color": tuple(data["color"]),
        "frames": tuple(data["frames"]),
        "tags": _tags(data["tags"]),
    }
    return Shot(**{**data, **lists})


def _tags(data: list[list[Any]]) -> tuple[tuple[str, float], ...]:
    return tuple((tag, float(weight)) for tag, weight in data)


def _check(edit: Edit) -> None:
    """Shots follow each other without gaps, each picture is there, and no more than two are seen at a time."""
    shots = edit.shots
    if not shots or shots[0].first_frame != 0 or shots[-1].last_frame != edit.frame_count:
        raise EditError(f"the edit's scenes don't cover its {edit.frame_count} frames")
    for shot, following in pairwise(shots):
        if shot.last_frame != following.first_frame:
            raise EditError(f"scene {following.name} doesn't begin where {shot.name} ends")
    for shot in shots:
        if not (shot.strip_first_frame <= shot.first_frame < shot.last_frame <= shot.strip_last_frame):
            raise EditError(f"the pictures of scene {shot.name} don't cover it")
        if missing := next((name for name in shot.frames if not (edit.folder / name).is_file()), None):
            raise EditError(f"{edit.folder / missing} is missing: a picture of scene {shot.name}")
    for shot, after_next in zip(shots, shots[2:], strict=False):
        if shot.strip_last_frame > after_next.strip_first_frame:
            raise EditError(f"the pictures of scenes {shot.name} and {after_next.name} overlap across a third scene")

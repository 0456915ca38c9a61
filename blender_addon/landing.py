"""What the engine's results change in a scene. Nothing here keeps what belongs to Blender: everything is found anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from bpy.types import Scene

from . import disk, files, jobs, segments, strips

Result = Mapping[str, Any]


def analysis(scene: Scene, result: Result, fit: bool) -> None:
    """What was heard, and a marker for each part of the song unless there are scenes already.

    With `fit` Blender's scene ends where the song does.
    """
    own = scene.aimv
    own.duration, own.tempo, own.key = result["duration"], result["tempo"], result["key"]
    _main_tags(scene, result["main_tags"])
    if fit:
        scene.frame_end = max(scene.frame_start, last_frame(scene))
    if not segments.markers(scene):
        _write_scenes(scene, result["segments"])


def last_frame(scene: Scene) -> int:
    """The last frame in which the song is heard."""
    return ceil(scene.aimv.song_frame + scene.aimv.duration * float(segments.fps(scene))) - 1


def storyboard(scene: Scene, result: Result, replace: bool) -> None:
    """The scenes that the language model wrote. Those that have a prompt stay, unless they are to be replaced."""
    if not replace and any(marker.aimv.sentence for marker in segments.markers(scene)):
        return
    if replace or not scene.aimv.artist:
        scene.aimv.artist = result["artist"]
    _main_tags(scene, result["main_tags"])
    _write_scenes(scene, result["scenes"])


def _main_tags(scene: Scene, tags: Sequence[Sequence[Any]]) -> None:
    scene.aimv.main_tags.clear()
    for name, weight in tags:
        tag = scene.aimv.main_tags.add()
        tag.name, tag.weight = name, weight


def _write_scenes(scene: Scene, scenes: Sequence[dict[str, Any]]) -> None:
    jobs.state.error = "; ".join(segments.write_scenes(scene, scenes))
    for marker in segments.markers(scene):
        marker.select = False  # new ones are selected: a stray key would move them all
    segments.follow_playhead(scene)


@dataclass
class Shot:
    """What is known so far of one scene's pictures."""

    uid: str  # of the marker
    first: int  # Blender's frame of the first picture
    size: tuple[int, int]
    placeholder: str
    files: list[str]  # one a frame; the placeholder stands for those that are not there
    there: set[str] = field(default_factory=set)  # different pictures
    made: bool = False


class Shooting:
    """The landing of one request to generate. It remembers what has come, so that undo can't lose it."""

    def __init__(self, origin: int, folder: Path, uids: Sequence[str], making: Mapping[str, tuple[str, str]]) -> None:
        """`origin` is Blender's frame of the film's frame 0 when it was asked for, `folder` the project's. `uids` are
        the markers of all scenes of the film; `making` says of those to make the fingerprint and the size."""
        self.origin, self.folder = origin, folder
        self.uids, self.making = list(uids), dict(making)
        self.shots: dict[int, Shot] = {}

    def land(self, _scene: Scene, _result: Any) -> None:
        """Everything has landed by then, and takes room."""
        disk.learn(self.folder, None)

    def notice(self, scene: Scene, job: jobs.Job, method: str, params: Result) -> None:
        """Pictures that are there now."""
        if method not in ("strip", "frames", "made"):
            return  # something that a later engine tells
        index = params["scene"]
        if method == "strip":
            self._begin(index, params)
            self._show(scene, self.shots[index])
            strips.cross_fades(scene)
        elif method == "frames":
            shot = self.shots[index]
            self._learn(shot, params["index"], params["frames"])
            strips.set_frames(scene, shot.uid, params["index"], params["frames"])
        else:
            self.shots[index].made = True
        shot = self.shots[index]
        self._mark(scene, shot)
        job.fractions[shot.uid] = 1.0 if shot.made else min(0.99, len(shot.there) / len(shot.files))

    def restore(self, scene: Scene) -> None:
        """Puts all that has come so far into the scene."""
        for shot in self.shots.values():
            self._show(scene, shot)
            self._mark(scene, shot)
        strips.cross_fades(scene)

    def _begin(self, index: int, params: Result) -> None:
        blank = params["placeholder"]
        self.shots[index] = Shot(
            uid=self.uids[index],
            first=self.origin + params["first_frame"],
            size=tuple(params["size"]),
            placeholder=blank,
            files=[blank] * len(params["frames"]),
        )
        self._learn(self.shots[index], 0, params["frames"])

    def _learn(self, shot: Shot, index: int, files: Sequence[str | None]) -> None:
        shot.files[index : index + len(files)] = [name or shot.placeholder for name in files]
        names = {name for name in files if name}
        shot.there |= names
        disk.remember(self.folder, names)  # an undo may bring back what is replaced later

    def _show(self, scene: Scene, shot: Shot) -> None:
        marker = segments.by_uid(scene, shot.uid)
        if marker is not None:  # nobody misses the pictures of a scene that was deleted meanwhile
            strips.remove_leftovers(scene, marker)
            strips.ensure(scene, marker, shot.first, shot.size, shot.files, shot.placeholder, self.folder)
            disk.remember(self.folder, shot.there)

    def _mark(self, scene: Scene, shot: Shot) -> None:
        """What was there before is replaced from the first picture on: it must not pass for what it was, whatever
        comes in between."""
        marker = segments.by_uid(scene, shot.uid)
        if marker is not None:
            unfinished = segments.UNFINISHED if shot.there else "", ""
            marker.aimv.made, marker.aimv.made_size = self.making[shot.uid] if shot.made else unfinished
            if shot.made:
                files.made(scene, marker)

"""Markers are scenes: a marker says where one begins and what it shows, the next one ends it.

Only markers with `marker.aimv.is_scene` are ours; all others are left alone and end nothing. Frames are Blender's, and
the end of a scene is the frame after its last. Two of our markers on one frame: the one that was made first lasts no
frame at all. The last scene lasts to the end of Blender's scene; one that begins behind that lasts no frame either.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import bpy
from bpy.types import Context, Scene, TimelineMarker

from . import looks, models, plain
from .edit import Shot
from .errors import AddonError

FIRST_FRAME = 1  # Blender's number for the film's frame 0

EMPTY, STALE, READY = "EMPTY", "STALE", "READY"
UNFINISHED = "unfinished"  # instead of a fingerprint: some of the pictures are not there


@dataclass(frozen=True)
class Segment:
    """A marker of ours and how far its scene lasts. Not to be kept: the marker is Blender's."""

    marker: TimelineMarker
    first: int
    last: int  # excluded

    @property
    def name(self) -> str:
        return self.marker.name


# Finding scenes


def own_scenes() -> list[Scene]:
    """Blender's scenes that are this file's own, the older ones first, whatever their names. Those linked from other
    files are these files' affair, and can't be changed."""
    return sorted((scene for scene in bpy.data.scenes if scene.library is None), key=lambda scene: scene.session_uid)


def markers(scene: Scene) -> list[TimelineMarker]:
    """The markers at which scenes of ours begin, in time (Blender keeps them in the order they were made)."""
    ours = (marker for marker in scene.timeline_markers if marker.aimv.is_scene)
    return sorted(ours, key=lambda marker: marker.frame)


def read(scene: Scene) -> list[Segment]:
    """The scenes in time, each with its end."""
    ours = markers(scene)
    ends = [marker.frame for marker in ours[1:]] + [scene.frame_end + 1]
    return [Segment(marker, marker.frame, max(marker.frame, last)) for marker, last in zip(ours, ends, strict=False)]


def bounds(scene: Scene, marker: TimelineMarker) -> tuple[int, int]:
    """The scene's first frame and the one after its last."""
    segment = _segment(scene, marker)
    return segment.first, segment.last


def _segment(scene: Scene, marker: TimelineMarker) -> Segment:
    ours = markers(scene)
    following = ours.index(marker) + 1
    last = ours[following].frame if following < len(ours) else scene.frame_end + 1
    return Segment(marker, marker.frame, max(marker.frame, last))


def at(scene: Scene, frame: float) -> TimelineMarker | None:
    """The scene at a frame: the last one that began by then. None before the first."""
    return max(
        (marker for marker in reversed(scene.timeline_markers) if marker.aimv.is_scene and marker.frame <= frame),
        key=lambda marker: marker.frame,
        default=None,
    )


def current(scene: Scene) -> TimelineMarker | None:
    """The scene that a person works on: the one under the playhead; of two that begin there, the one chosen."""
    here = at(scene, scene.frame_current)
    chosen = active(scene)
    return chosen if here and chosen and chosen.frame == here.frame else here


def active(scene: Scene) -> TimelineMarker | None:
    """The scene chosen in the list."""
    index = scene.aimv.active
    marker = scene.timeline_markers[index] if 0 <= index < len(scene.timeline_markers) else None
    return marker if marker and marker.aimv.is_scene else None


def by_uid(scene: Scene, uid: str) -> TimelineMarker | None:
    """The marker of ours with that identity."""
    return next((marker for marker in scene.timeline_markers if marker.aimv.is_scene and marker.aimv.uid == uid), None)


def new_uid() -> str:
    """An identity for a marker or a scene."""
    return uuid.uuid4().hex


# The playhead and the list


def go_to_active(properties: Any, _context: Context) -> None:
    """Brings the playhead to the scene that was chosen in the list, unless it is in that scene already."""
    scene = properties.id_data
    marker = active(scene)
    if marker and marker != current(scene):
        scene.frame_current = marker.frame


def follow_playhead(scene: Scene) -> None:
    """Chooses the scene under the playhead in the list. While a film is rendered, nothing may change."""
    marker = current(scene)
    if marker is None or marker == active(scene) or bpy.app.is_job_running("RENDER"):
        return
    scene.aimv.active = next(index for index, other in enumerate(scene.timeline_markers) if other == marker)


# What is stale


def fps(scene: Scene) -> Fraction:
    """The frame rate as it is meant: 24 over 1.001 is 24000/1001."""
    return _rate(scene.render.fps, scene.render.fps_base)


@cache  # panels ask for it at every redraw, several times for each scene
def _rate(frames: int, base: float) -> Fraction:
    return frames / Fraction(str(round(base, 6)))


def seconds(scene: Scene, frame: float) -> float:
    """The song's time at a frame, to a millionth of a second; negative before the song."""
    return round((frame - scene.aimv.song_frame) / float(fps(scene)), 6)


def fingerprint(scene: Scene, marker: TimelineMarker) -> str:
    """Stands for all that decides the scene's pictures, but for their size. The same again when a change is undone."""
    return _fingerprint(scene, _segment(scene, marker))


def _fingerprint(scene: Scene, segment: Segment) -> str:
    own = segment.marker.aimv
    rate = fps(scene)
    data = [
        own.sentence,
        own.negative,
        [(tag.name, tag.weight) for tag in own.tags],
        own.look,
        own.seed,
        own.camera,
        own.intensity,
        own.style,
        scene.aimv.artist,
        seconds(scene, segment.first),
        seconds(scene, segment.last),
        (rate.numerator, rate.denominator),
        scene.aimv.keyframe_rate,
    ]
    if chosen := models.choices(scene.aimv):  # only then, so that what paint made stays up to date
        data.append(chosen)
    return hashlib.blake2b(json.dumps(data).encode(), digest_size=16).hexdigest()


def state(scene: Scene, marker: TimelineMarker) -> str:
    """EMPTY without pictures (a scene that lasts no frame has none to show), STALE with those of before, or READY."""
    return _state(scene, _segment(scene, marker))


def states(scene: Scene) -> dict[str, str]:
    """The state of every scene by its uid, in time: for a whole list quicker than one by one."""
    return {segment.marker.aimv.uid: _state(scene, segment) for segment in read(scene)}


def _state(scene: Scene, segment: Segment) -> str:
    made = segment.marker.aimv.made
    if not made or segment.first == segment.last:
        return EMPTY
    return READY if made == _fingerprint(scene, segment) else STALE


# Changing scenes


def add(scene: Scene, name: str, frame: int) -> TimelineMarker:
    """A new scene without anything in it."""
    marker = scene.timeline_markers.new(name, frame=frame)
    marker.select = False  # as Blender makes it, a stray key would move it
    marker.aimv.is_scene = True
    marker.aimv.uid = new_uid()
    return marker


def adopt(scene: Scene, marker: TimelineMarker) -> None:
    """Makes an ordinary marker a scene that shows what the scene it lies in shows. Raises AddonError."""
    around = at(scene, marker.frame)
    if around and around.frame == marker.frame:
        raise AddonError(f"Scene {around.name} begins at this very frame")
    data = plain.read(around.aimv) if around else {"is_scene": True}
    plain.write(marker.aimv, data | {"uid": new_uid()})


def split(scene: Scene, frame: int) -> TimelineMarker:
    """Ends the scene at that frame and begins another one that shows the same, seed and all. Returns the new marker.

    The second half remembers what the pictures were made of, so that both halves are stale, not empty. Raises
    AddonError where nothing can be split.
    """
    whole = at(scene, frame)
    if whole is None:
        raise AddonError("There is no scene here to split")
    check_split(scene, whole, frame)
    half = scene.timeline_markers.new(free_name(scene, whole), frame=frame)
    half.select = False
    adopt(scene, half)
    return half


def check_split(scene: Scene, marker: TimelineMarker, frame: int) -> None:
    """Raises AddonError when a scene can't be split at that frame."""
    first, last = bounds(scene, marker)
    if not first < frame < last:
        raise AddonError(f"Scene {marker.name} can be split only between its first frame and its last")


def free_name(scene: Scene, marker: TimelineMarker) -> str:
    """A name for one more scene of the marker's cluster: A3 after A1 and A2."""
    letter = marker.aimv.cluster or marker.name
    taken = {other.name for other in scene.timeline_markers}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{letter}{number}") not in taken)


def remove(scene: Scene, marker: TimelineMarker) -> None:
    """Takes a scene away: the one before it lasts as long as both did."""
    scene.timeline_markers.remove(marker)


def clear(scene: Scene) -> None:
    """Takes all scenes away."""
    for marker in markers(scene):
        remove(scene, marker)


# What the engine wrote


def write_scenes(scene: Scene, scenes: Sequence[dict[str, Any]]) -> list[str]:
    """Writes the scenes of an analysis or a storyboard (as the engine says them) to markers. Returns remarks.

    Where there are scenes already, in the same order of clusters, these are filled in and stay where somebody moved
    them. Otherwise the new ones come, those that begin on the same frame keep their identity, and the rest goes. A
    locked scene always stays as it is.
    """
    there = markers(scene)
    if [marker.aimv.cluster for marker in there] == [data["cluster"] for data in scenes]:
        ours = there
    else:
        ours = _place(scene, there, [_frame(scene, data["start"]) for data in scenes])
    remarks = []
    for marker, data in zip(ours, scenes, strict=True):
        if not marker.aimv.locked:
            remarks += _fill(marker, data, _known_look(scenes))
    return remarks


def _frame(scene: Scene, time: float) -> int:
    """The frame that is nearest to that second of the song."""
    return round(scene.aimv.song_frame + time * float(fps(scene)))


def _place(scene: Scene, there: list[TimelineMarker], frames: list[int]) -> list[TimelineMarker]:
    """One marker for each frame: one that is there, or a new one. Others go, unless they are locked."""
    by_frame = {marker.frame: marker for marker in there}
    for marker in there:
        stays = marker.frame in frames and by_frame[marker.frame] == marker
        if not stays and not marker.aimv.locked:
            remove(scene, marker)
    return [by_frame.get(frame) or add(scene, "", frame) for frame in frames]


def _fill(marker: TimelineMarker, data: dict[str, Any], known_look: str) -> list[str]:
    """Takes over what is said; what is not said stays. Returns remarks about what can't be taken as it is."""
    own = marker.aimv
    marker.name = data["name"]
    for field in ("cluster", "color", "energy", "sentence", "negative", "seed", "intensity", "style"):
        if field in data:
            setattr(own, field, data[field])
    if "tags" in data:
        _list(own.tags, "weight", data["tags"])
    if "candidates" in data:
        offer(marker, data["candidates"])
    remarks = []
    for field, instead in (("look", known_look), ("camera", "auto")):
        if field in data:
            try:
                setattr(own, field, data[field])
            except TypeError:  # what Blender raises for a choice that there is not
                setattr(own, field, instead)
                remarks.append(f'Scene {marker.name}: there is no {field} "{data[field]}" here, {instead} is taken')
    return remarks


def offer(marker: TimelineMarker, candidates: Iterable[dict[str, Any]]) -> None:
    """Keeps the engine's candidates for a prompt, the best first."""
    pairs = [(candidate["sentence"], candidate["score"]) for candidate in candidates]
    _list(marker.aimv.candidates, "score", pairs)


def _list(collection: Any, field: str, pairs: Iterable[tuple[str, float]]) -> None:
    collection.clear()
    for name, value in pairs:
        item = collection.add()
        item.name = name
        setattr(item, field, value)


def _known_look(scenes: Sequence[dict[str, Any]]) -> str:
    """What stands in for a look that there is not: the first of the scenes' looks that there is."""
    known = [name for name, *_ in looks.items(None, None)]
    return next((data["look"] for data in scenes if data.get("look") in known), known[0])


def write(scene: Scene, shots: Iterable[Shot]) -> None:
    """One marker a shot, in a scene that has none."""
    for shot in shots:
        marker = add(scene, shot.name, FIRST_FRAME + shot.first_frame)
        own = marker.aimv
        for field in (
            "cluster",
            "color",
            "sentence",
            "negative",
            "look",
            "seed",
            "camera",
            "intensity",
            "style",
        ):
            setattr(own, field, getattr(shot, field))
        _list(own.tags, "weight", shot.tags)

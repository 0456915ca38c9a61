"""Markers are segments: a marker says where a scene begins and what it shows, the next one ends it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bpy.types import Context, Scene, TimelineMarker

from .edit import Shot

FIRST_FRAME = 1  # Blender's number for the film's frame 0


@dataclass(frozen=True)
class Segment:
    """A stretch of the timeline in Blender's frames, `last` excluded."""

    name: str
    first: int
    last: int


def write(scene: Scene, shots: Iterable[Shot]) -> None:
    """One marker a shot."""
    for shot in shots:
        marker = scene.timeline_markers.new(shot.name, frame=FIRST_FRAME + shot.first_frame)
        properties = marker.aimv
        properties.is_scene = True
        for field in ("cluster", "sentence", "negative", "look", "seed"):
            setattr(properties, field, getattr(shot, field))
        for name, weight in shot.tags:
            tag = properties.tags.add()
            tag.name, tag.weight = name, weight


def markers(scene: Scene) -> list[TimelineMarker]:
    """The markers at which scenes of ours begin, in time (Blender keeps them in the order they were made)."""
    ours = (marker for marker in scene.timeline_markers if marker.aimv.is_scene)
    return sorted(ours, key=lambda marker: marker.frame)


def read(scene: Scene) -> list[Segment]:
    """The segments that the markers make; the last one ends with the scene."""
    ours = markers(scene)
    ends = [marker.frame for marker in ours[1:]] + [scene.frame_end + 1]
    return [Segment(marker.name, marker.frame, last) for marker, last in zip(ours, ends, strict=False)]


def go_to_active(properties: Any, context: Context) -> None:
    """Brings the playhead to the scene that was chosen in the list, unless it is in that scene already."""

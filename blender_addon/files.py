"""What is known of a scene's files on disk: whether its song is there, and which of its pictures are not.

Panels ask for it at every redraw. So pictures are looked for only when a file is opened and when somebody asks for it.
"""

import os
import time
from pathlib import Path

from bpy.types import Scene, TimelineMarker

from . import requests, strips

REMEDY = "generate Stale Scenes to make them again"
SONG_SECONDS = 5.0  # between two looks at a song's file

_songs: dict[Path, tuple[float, bool]] = {}  # when each was looked for, and whether it was there
_incomplete: dict[tuple[str, str], int] = {}  # uids of a scene and of a marker: how many of its pictures are missing


def song_is_missing(scene: Scene) -> bool:
    """Whether the scene's song has gone from where it was."""
    if not scene.aimv.song:
        return False
    path = requests.absolute(scene.aimv.song)
    looked, there = _songs.get(path, (float("-inf"), True))
    if time.monotonic() > looked + SONG_SECONDS:
        there = path.is_file()
        _songs[path] = time.monotonic(), there
    return not there


def look_for_pictures(scene: Scene) -> int:
    """Finds out which pictures of strips of ours are missing. Returns how many they are."""
    forget(scene)
    if not scene.aimv.project:
        return 0
    folder = requests.project(scene)
    missing: dict[str, set[str]] = {}
    for strip in strips.pictures(scene):
        names = {element.filename for element in strip.elements}
        lost = {name for name in names if not os.path.isfile(f"{folder}/{name}")}  # noqa: PTH113 (thousands)
        if lost:
            missing.setdefault(strips.scene_of(strip), set()).update(lost)
    _incomplete.update({(scene.aimv.uid, uid): len(lost) for uid, lost in missing.items()})
    return len(set().union(*missing.values()))


def are_missing(scene: Scene, marker: TimelineMarker) -> bool:
    """Whether pictures of a scene of the video were missing when it was looked for them."""
    return bool(_incomplete) and (scene.aimv.uid, marker.aimv.uid) in _incomplete


def made(scene: Scene, marker: TimelineMarker) -> None:
    """All pictures of the marker's scene are there again."""
    _incomplete.pop((scene.aimv.uid, marker.aimv.uid), None)


def forget(scene: Scene) -> None:
    """What was known of a scene's pictures holds no more."""
    for key in [key for key in _incomplete if key[0] == scene.aimv.uid]:
        del _incomplete[key]

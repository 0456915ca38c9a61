"""Mends what copying in Blender leaves behind: shared memory, and identities that are there twice.

Marker > Copy Markers to Scene copies a marker's structure but not its properties: both markers then point to the same
memory, edits of one show in the other, and the first time that Blender frees both (undo, loading a file, deleting a
scene) it crashes. So it is in Blender 4.2 to 5.2. Copies of scenes and markers have the identities of the originals.

Nothing tells add-ons of such a copy. So a look is taken often, and always before Blender frees anything.
"""

from collections import defaultdict

import bpy
from bpy.types import Scene, TimelineMarker

from . import plain, segments

SECONDS = 0.5  # between two looks


def before() -> None:
    """To be called before undo, redo, loading and saving: they free or keep what is wrong."""
    mend_shared()
    mend_scenes()


def mend() -> None:
    """All that there is to mend."""
    before()
    for scene in _scenes():
        if any(marker.aimv.is_scene for marker in scene.timeline_markers):
            segments.mend(scene)


def _scenes() -> list[Scene]:
    """The scenes of this file, the older ones first, whatever their names."""
    return sorted((scene for scene in bpy.data.scenes if scene.library is None), key=lambda scene: scene.session_uid)


def mend_shared() -> None:
    """Gives every marker memory of its own. A copied scene of the video gets its own identity, and has no pictures."""
    groups: dict[int, list[tuple[Scene, TimelineMarker]]] = defaultdict(list)
    for scene in _scenes():
        for marker in scene.timeline_markers:
            if marker.is_property_set("aimv"):
                groups[marker.aimv.as_pointer()].append((scene, marker))
    shared = [group for group in groups.values() if len(group) > 1]
    originals = [min(group, key=_is_copy) for group in shared]
    copies = [sharer for group in shared for sharer in group if sharer not in originals]
    for scene, marker in copies:
        _create_again(scene, marker)


def _is_copy(sharer: tuple[Scene, TimelineMarker]) -> tuple[bool, bool]:
    """Sorts originals first: they have strips, or at least a song. Else the scene that is older is the original."""
    scene, marker = sharer
    return not segments.has_strips(scene, marker), not scene.aimv.uid


def _create_again(scene: Scene, marker: TimelineMarker) -> None:
    """Puts a marker with the same data in its place. Removing one leaves its properties in memory, in all versions:
    what the original holds stays valid."""
    data = plain.read(marker)
    scene.timeline_markers.remove(marker)
    copy = scene.timeline_markers.new(data["name"], frame=data["frame"])
    plain.write(copy, data)
    if copy.aimv.is_scene:
        segments.make_own(scene, copy)


def mend_scenes() -> None:
    """Gives a copied scene an identity of its own. Its markers and strips keep theirs: they are tied within a scene."""
    taken: set[str] = set()
    for scene in _scenes():
        uid = scene.aimv.uid
        if uid in taken:
            uid = scene.aimv.uid = segments.derived_uid(uid, scene.session_uid)
        if uid:
            taken.add(uid)


def _look() -> float:
    if not bpy.app.is_job_running("RENDER"):
        mend()
    return SECONDS


def register() -> None:
    bpy.app.timers.register(_look, first_interval=SECONDS, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)

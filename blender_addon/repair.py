"""Mends what copying in Blender leaves behind: shared memory, and identities that are there twice.

Marker > Copy Markers to Scene copies a marker's structure but not its properties: both markers then point to the same
memory, edits of one show in the other, and the first time that Blender frees both (undo, loading a file, deleting a
scene) it crashes. So it is in Blender 4.2 to 5.2. Copies of scenes and markers have the identities of the originals.

Nothing tells add-ons of such a copy. So a look is taken often, and always before Blender frees anything.
"""

import hashlib
import traceback
import uuid
from collections import defaultdict
from collections.abc import Container

import bpy
from bpy.types import Scene, TimelineMarker

from . import compat, plain, segments, strips

SECONDS = 0.5  # between two looks

_SESSION = uuid.uuid4().hex


def before() -> None:
    """To be called before undo, redo, loading and saving: they free or keep what is wrong."""
    mend_shared()
    mend_scenes()


def mend() -> None:
    """All that there is to mend."""
    before()
    for scene in segments.own_scenes():
        if any(marker.aimv.is_scene for marker in scene.timeline_markers):
            mend_markers(scene)


def mend_shared() -> None:
    """Gives every marker memory of its own. A copied scene of the video gets its own identity, and has no pictures."""
    groups: dict[int, list[tuple[Scene, TimelineMarker]]] = defaultdict(list)
    for scene in segments.own_scenes():
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
    return not _has_strips(scene, marker), not scene.aimv.uid


def _create_again(scene: Scene, marker: TimelineMarker) -> None:
    """Puts a marker with the same data in its place. Removing one leaves its properties in memory, in all versions:
    what the original holds stays valid."""
    data = plain.read(marker)
    scene.timeline_markers.remove(marker)
    copy = scene.timeline_markers.new(data["name"], frame=data["frame"])
    plain.write(copy, data)
    if copy.aimv.is_scene:
        _make_own(scene, copy)


def mend_scenes() -> None:
    """Gives a copied scene an identity of its own. Its markers and strips keep theirs: they are tied within a scene."""
    taken: set[str] = set()
    for scene in segments.own_scenes():
        uid = scene.aimv.uid
        if uid in taken:
            uid = scene.aimv.uid = _derived_uid(uid, scene.session_uid)
        if uid:
            taken.add(uid)


def mend_markers(scene: Scene) -> None:
    """Makes identities right again after copying and deleting in Blender. Costs next to nothing when they are.

    A scene without an identity gets one, and a duplicate a new one: its marker was copied, its pictures were not. The
    marker that keeps the identity is the one whose strip lies there, the older one where there is no strip. Where
    pictures were made but none lie any more, the scene is empty.
    """
    spans = _strip_spans(scene)
    owners: dict[str, TimelineMarker] = {}
    for marker in [marker for marker in scene.timeline_markers if marker.aimv.is_scene]:
        uid = marker.aimv.uid = marker.aimv.uid or segments.new_uid()
        owner = owners.setdefault(uid, marker)
        if owner != marker:
            near = {
                twin: min((abs(first - twin.frame) for first, _ in spans[uid]), default=0) for twin in (owner, marker)
            }
            owners[uid], copy = sorted(near, key=near.get)
            _make_own(scene, copy, owners)
            owners[copy.aimv.uid] = copy
    for segment in segments.read(scene):
        own, middle = segment.marker.aimv, (segment.first + segment.last) // 2
        if own.made and own.uid not in spans and not any(a <= middle < b for ab in spans.values() for a, b in ab):
            own.made = own.made_size = ""


def _strip_spans(scene: Scene) -> defaultdict[str, list[tuple[int, int]]]:
    """From where to where the image strips of each scene reach."""
    spans = defaultdict(list)
    for strip in strips.pictures(scene):
        spans[strips.scene_of(strip)].append((compat.start(strip), compat.end(strip)))
    return spans


def _has_strips(scene: Scene, marker: TimelineMarker) -> bool:
    """Whether pictures of the scene lie on its timeline."""
    return marker.aimv.uid in _strip_spans(scene)


def _make_own(scene: Scene, copy: TimelineMarker, taken: Container[str] = ()) -> None:
    """Gives a copied marker an identity of its own, and takes away that it has pictures."""
    uid = _derived_uid(copy.aimv.uid, scene.session_uid, copy.frame)
    while uid in taken:
        uid = _derived_uid(uid)
    copy.aimv.uid = uid
    copy.aimv.made = copy.aimv.made_size = ""


def _derived_uid(*parts: object) -> str:
    """An identity that, in this session, is the same for the same parts: a copy that undo brings back is mended anew,
    and what was asked for it still finds it."""
    return hashlib.blake2b(repr((_SESSION, *parts)).encode(), digest_size=16).hexdigest()


def _look() -> float:
    try:
        if not bpy.app.is_job_running("RENDER"):
            mend()
    except Exception:  # a timer that raises is never called again
        traceback.print_exc()
    return SECONDS


def register() -> None:
    bpy.app.timers.register(_look, first_interval=SECONDS, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)

"""What must happen when Blender undoes, loads, saves or moves the playhead."""

from pathlib import Path

import bpy
from bpy.app.handlers import persistent
from bpy.types import Scene

from . import disk, jobs, repair, requests, segments

_before_saving: dict[str, tuple[str, str]] = {}  # uid of scene: its project and song as they were written


@persistent
def before_change(*_: object) -> None:
    """Undo and loading free what markers may share since Blender copied them: they are parted first."""
    repair.before()


@persistent
def after_change(*_: object) -> None:
    """What jobs have put into a scene is not lost by undo, redo, or by loading a file that does not have it."""
    repair.mend()
    jobs.again()


@persistent
def before_saving(path: str, *_: object) -> None:
    """Paths are kept as seen from where the .blend will be."""
    repair.before()
    old, new = Path(bpy.data.filepath).parent, Path(path).parent
    _before_saving.clear()
    for scene in bpy.data.scenes:
        own = scene.aimv
        if not own.uid or not own.project:
            continue
        _before_saving[own.uid] = own.project, own.song
        if not bpy.data.filepath or old != new:
            own.project = requests.kept(requests.absolute(own.project), new)
            own.song = requests.kept(requests.absolute(own.song), new)


@persistent
def after_saving(path: str, *_: object) -> None:
    """Tells each project which of its pictures this file shows, so that cleaning up keeps them."""
    if path and Path(path) != Path(bpy.data.filepath):  # a copy: the file that is open stays where it is
        _restore()
    for scene in bpy.data.scenes:
        if scene.aimv.project:
            disk.record_uses(scene, path)


@persistent
def after_failing_to_save(*_: object) -> None:
    """The file is where it was, and so are the paths."""
    _restore()


def _restore() -> None:
    for scene in bpy.data.scenes:
        if scene.aimv.uid in _before_saving:
            scene.aimv.project, scene.aimv.song = _before_saving[scene.aimv.uid]


@persistent
def playhead_moved(scene: Scene, *_: object) -> None:
    """The list follows the playhead."""
    if scene.aimv.uid:
        segments.follow_playhead(scene)


HANDLERS = (
    ("undo_pre", before_change),
    ("redo_pre", before_change),
    ("load_pre", before_change),
    ("undo_post", after_change),
    ("redo_post", after_change),
    ("load_post", after_change),
    ("save_pre", before_saving),
    ("save_post", after_saving),
    ("save_post_fail", after_failing_to_save),
    ("frame_change_post", playhead_moved),
)


def register() -> None:
    for event, handler in HANDLERS:
        getattr(bpy.app.handlers, event).append(handler)


def unregister() -> None:
    for event, handler in HANDLERS:
        getattr(bpy.app.handlers, event).remove(handler)

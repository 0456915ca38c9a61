"""What must happen when Blender undoes, loads, saves or moves the playhead."""

from pathlib import Path

import bpy
from bpy.app.handlers import persistent
from bpy.types import Scene

from . import disk, files, jobs, paths, repair, segments


@persistent
def before_change(*_: object) -> None:
    """Undo and loading free what markers may share since Blender copied them: they are parted first."""
    repair.before()


@persistent
def after_change(*_: object) -> None:
    """What jobs have put into a scene is not lost by undo, redo, or by loading a file that does not have it."""
    repair.mend()
    jobs.restore_all()


@persistent
def file_opened(*_: object) -> None:
    """As after a change; strips are named as they are while one works; and it is told what is missing."""
    paths.name_from_project()
    after_change()
    for scene in segments.own_scenes():
        if missing := files.look_for_pictures(scene):
            jobs.state.error = f"{missing} pictures of {scene.name} are missing on disk: {files.REMEDY}"


@persistent
def before_saving(path: str, *_: object) -> None:
    """What is wrong would be written too, and paths must fit the place."""
    repair.before()
    paths.before_saving(path)


@persistent
def after_saving(path: str, *_: object) -> None:
    """Tells each project which of its pictures this file shows, so that cleaning up keeps them."""
    paths.after_saving(stays=Path(path) != Path(bpy.data.filepath))
    for scene in segments.own_scenes():
        if scene.aimv.project:
            disk.record_uses(scene, path)


@persistent
def saving_failed(*_: object) -> None:
    """The file is where it was."""
    paths.after_saving(stays=True)


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
    ("load_post", file_opened),
    ("save_pre", before_saving),
    ("save_post", after_saving),
    ("save_post_fail", saving_failed),
    ("frame_change_post", playhead_moved),
)


def register() -> None:
    for event, handler in HANDLERS:
        getattr(bpy.app.handlers, event).append(handler)


def unregister() -> None:
    for event, handler in HANDLERS:
        getattr(bpy.app.handlers, event).remove(handler)

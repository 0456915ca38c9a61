"""From an edit to files: a .blend that an editor can go on with, and the film as Blender renders it.

Nothing unfinished ever lies under a final name.
"""

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import bpy
from bpy.types import Scene

from . import compat, segments, sequencer
from .edit import Edit, EditError

Progress = Callable[[str, int, int], None]  # (stage, done, total)


@dataclass(frozen=True)
class Made:
    """What came of an edit. Without sound (this Blender has none) the film wants its song from elsewhere."""

    blend: str
    output: str | None
    sound: bool
    blender: str


def make(edit: Edit, render: bool, progress: Progress) -> Made:
    """Lays the edit out in a new file, saves that and, if asked, renders it. Raises EditError."""
    progress("timeline", 0, 1)
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
    scene = bpy.context.scene
    sound = lay_out(scene, edit)
    progress("timeline", 1, 1)
    save(edit.blend)
    if render:
        render_film(scene, edit, progress)
    return Made(str(edit.blend), str(edit.output) if render else None, sound, bpy.app.version_string)


def lay_out(scene: Scene, edit: Edit) -> bool:
    """Writes the edit into an empty scene. Returns whether it has its sound."""
    scene.name = edit.blend.stem
    sequencer.set_format(scene, edit)
    sequencer.remember(scene, edit)
    segments.write(scene, edit.shots)
    sound = sequencer.add_song(scene, edit)
    sequencer.add_pictures(scene, edit)
    sequencer.add_effects(scene, edit)
    sequencer.make_paths_relative(scene, edit)
    sequencer.deselect(scene)
    compat.show_in_every_workspace(scene)
    return sound


def save(path: Path) -> None:
    """Saves the .blend: Blender writes it beside, renames it when it is whole, and keeps the one before as .blend1."""
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False, relative_remap=False)
    except RuntimeError as error:
        raise EditError(f"{path} can't be saved: {_last_line(error)}") from error


def render_film(scene: Scene, edit: Edit, progress: Progress) -> None:
    """Renders the animation into a file beside the output, which takes the output's name when it is finished."""
    partial = edit.output.with_name(f".{edit.output.stem}.part.mp4")
    total = edit.frame_count

    def frame_written(*_: object) -> None:
        progress("render", scene.frame_current - scene.frame_start + 1, total)

    _discard_when_cancelled(partial)
    final = scene.render.filepath
    scene.render.filepath = compat.as_output_path(str(partial))
    bpy.app.handlers.render_write.append(frame_written)
    try:
        progress("render", 0, total)
        bpy.ops.render.render(animation=True, scene=scene.name)
        partial.replace(edit.output)
    except (RuntimeError, OSError) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise EditError(f"{edit.output} can't be rendered: {_last_line(error)}") from error
    finally:
        bpy.app.handlers.render_write.remove(frame_written)
        scene.render.filepath = final


def _discard_when_cancelled(partial: Path) -> None:
    """On SIGINT and SIGTERM ends the process, within a frame: no exception gets out of Blender's render loop."""

    def cancel(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        os._exit(128 + number)

    signal.signal(signal.SIGINT, cancel)
    signal.signal(signal.SIGTERM, cancel)


def _last_line(error: Exception) -> str:
    """Blender's reports come as "Error: ..." lines."""
    return str(error).strip().splitlines()[-1].removeprefix("Error: ")

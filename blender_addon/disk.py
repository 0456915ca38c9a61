"""Which of a project's pictures are needed: what the open file shows, what its undo history may show again, and what
each .blend shows, noted in the project's folder whenever one is saved."""

import contextlib
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent
from bpy.types import Scene

from . import compat, jobs, requests, segments

_shown: dict[Path, set[str]] = defaultdict(set)  # project: pictures that were shown since the file was opened
_usage: dict[Path, dict[str, Any]] = {}  # project: what the engine said that its pictures take
_complained: set[Path] = set()  # projects that can't be written to, and it was said


def remember(project: Path, names: Iterable[str]) -> None:
    """Tells of pictures (relative to the project's folder) that a strip shows from now on: undo may bring them back
    when the strip has long got others."""
    _shown[project].update(names)


def learn(project: Path, usage: dict[str, Any] | None) -> None:
    """What the project's pictures take on the disk, as the engine says it; None when that holds no more."""
    _usage[project] = usage or {}


def known(project: Path) -> dict[str, Any]:
    """The same, as far as it is known: of the protocol's `usage`. Empty when nobody asked for it yet."""
    return _usage.get(project, {})


def shown(project: Path) -> set[str]:
    """The pictures of the project in the strips of the open file, whoever made these: relative paths, with /."""
    names = set()
    for scene in segments.own_scenes():
        for strip in compat.all_strips(scene):
            if strip.type == "IMAGE":
                inside = _inside(requests.absolute(strip.directory), project)
                if inside is not None:
                    names.update(inside + element.filename for element in strip.elements)
    return {name.replace("\\", "/") for name in names}


def _inside(folder: Path, project: Path) -> str | None:
    """What leads from the project to a folder in it, with / at the end; None when it lies elsewhere."""
    with contextlib.suppress(ValueError):
        path = folder.relative_to(project).as_posix()
        return "" if path == "." else f"{path}/"
    return None


def keep(scene: Scene) -> list[str]:
    """What cleaning up must not take from the open file: what its strips show, and what they have shown."""
    project = requests.project(scene)
    remember(project, shown(project))
    return sorted(_shown[project])


def record_uses(scene: Scene, blend: str = "") -> None:
    """Notes in the project's folder what a .blend shows: the file that is open, or a copy of it saved elsewhere.

    A project that can't be written to is left as it is: the panel says so, once.
    """
    project = requests.project(scene)
    blend = os.path.abspath(blend or bpy.data.filepath)  # noqa: PTH100 (resolve() would follow links)
    pictures = shown(project)
    remember(project, pictures)
    name = hashlib.blake2b(os.path.normcase(blend).encode(), digest_size=16).hexdigest()
    path = project / "uses" / f"{name}.json"
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps({"blend": blend, "frames": sorted(pictures)}), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if project not in _complained:
            _complained.add(project)
            jobs.state.error = f"{project} can't be written to ({error.strerror}): cleaning up won't know of this file"


@persistent
def _file_opened(*_: object) -> None:
    """The undo history begins anew, with what the file shows."""
    _shown.clear()
    for scene in segments.own_scenes():
        if scene.aimv.project:
            keep(scene)


def register() -> None:
    bpy.app.handlers.load_post.append(_file_opened)


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_file_opened)
    _shown.clear()
    _complained.clear()

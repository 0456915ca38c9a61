"""Where a .blend says that its project, song and pictures lie, and what keeps that right when it is saved.

Blender rewrites the paths in a file that it saves at another place. It knows nothing of the properties of add-ons, and
of an image strip it takes the folder and the first picture for one path: after that the folder is the first picture's
own, and all other pictures, which are named from the project's folder on, are lost. So for saving strips are written
differently: named from the folder of the first picture on, in which Blender finds nothing to change.
"""

from pathlib import Path

import bpy
from bpy.types import Scene

from . import requests, segments, strips
from .compat import Strip

STORE = "store/"  # with which the names of all pictures begin

_as_they_were: dict[str, tuple[str, str]] = {}  # uid of a scene: its project and its song before saving


def before_saving(path: str) -> None:
    """Makes paths ready for a .blend at that place."""
    folder = Path(path).parent
    _as_they_were.clear()
    for scene in _scenes():
        own = scene.aimv
        _as_they_were[own.uid] = own.project, own.song
        if not bpy.data.filepath or Path(bpy.data.filepath).parent != folder:
            own.project = requests.kept(requests.absolute(own.project), folder)
            own.song = requests.kept(requests.absolute(own.song), folder) if own.song else ""
        for strip in strips.pictures(scene):
            _name_from_first(strip)


def after_saving(stays: bool) -> None:
    """Makes strips as they are while one works. When the open file `stays` where it was (a copy was saved, or saving
    failed) its paths are what they were."""
    for scene in _scenes():
        if stays and scene.aimv.uid in _as_they_were:
            scene.aimv.project, scene.aimv.song = _as_they_were[scene.aimv.uid]
    name_from_project()


def name_from_project() -> None:
    """Names pictures from their projects' folders on, in all strips of ours: as they are while one works."""
    for scene in _scenes():
        for strip in strips.pictures(scene):
            _name_from_project(strip)


def _scenes() -> list[Scene]:
    return [scene for scene in segments.own_scenes() if scene.aimv.project]


def _name_from_first(strip: Strip) -> None:
    folder, _, first = strip.elements[0].filename.rpartition("/")
    if not folder.startswith(STORE):
        return
    back = "../" * (folder.count("/") + 1)
    strip.directory += f"{folder}/"
    for element in strip.elements:
        element.filename = back + element.filename
    strip.elements[0].filename = first


def _name_from_project(strip: Strip) -> None:
    """Understands too what Blender made of a strip that nobody had made ready."""
    project, store, rest = strip.directory.replace("\\", "/").rpartition(f"/{STORE}")
    if not store or "/" in strip.elements[0].filename:
        return
    back = "../" * (STORE + rest).count("/")
    for element in strip.elements:
        element.filename = element.filename.removeprefix(back)
    strip.elements[0].filename = f"{STORE}{rest}{strip.elements[0].filename}"
    strip.directory = f"{project}/"

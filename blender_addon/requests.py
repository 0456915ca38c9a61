"""What is asked of the engine: the scene's choices and its markers, as the parameters of the protocol."""

import os
from collections.abc import Iterable
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import bpy
from bpy.types import Scene

from . import models, segments, sequencer
from .errors import AddonError
from .segments import Segment

AUTOMATIC, PAINT = "auto", "paint"
DRAFT_WIDTH = 640
NARROWEST, WIDEST = 64, 4096  # pixels that the engine makes

Params = dict[str, Any]


# Where things lie ----------------------------------------------------------------------------------------------------


def project(scene: Scene) -> Path:
    """The folder of the scene's song and pictures. Raises AddonError when there is none yet."""
    if not scene.aimv.project:
        raise AddonError("This scene has no song yet: import one")
    return absolute(scene.aimv.project)


def song(scene: Scene) -> Path:
    """The scene's song file. Raises AddonError when it is not there."""
    if not scene.aimv.song:
        raise AddonError("This scene has no song yet: import one")
    path = absolute(scene.aimv.song)
    if not path.is_file():
        raise AddonError(f"The song is missing: {path}. Put it back, or say where it is now with Find Song")
    return path


def absolute(path: str) -> Path:
    """A path as Blender keeps it, maybe relative to the .blend, as the engine wants it."""
    return Path(os.path.abspath(bpy.path.abspath(path)))  # noqa: PTH100 (resolve() would follow links)


def kept(path: Path, folder: Path | None = None) -> str:
    """A path as the scene remembers it: as seen from the .blend's folder (another one may be given), so that both can
    be moved together. In full while the .blend lies nowhere."""
    if folder is None and bpy.data.filepath:
        folder = Path(bpy.data.filepath).parent
    return sequencer.relative(path, folder) if folder else str(path)


def give_uid(scene: Scene) -> None:
    """Makes a scene one that jobs can find again."""
    scene.aimv.uid = scene.aimv.uid or segments.new_uid()


# Numbers -------------------------------------------------------------------------------------------------------------


def song_seconds(scene: Scene, frame: int) -> Fraction:
    """What second of the song a frame shows."""
    return (frame - Fraction(scene.aimv.song_frame).limit_denominator(10000)) / segments.fps(scene)


def size(scene: Scene, quality: str) -> tuple[int, int]:
    """The width and height of pictures in a quality: that of the output, or a draft of it. Raises AddonError."""
    render = scene.render
    width = render.resolution_x * render.resolution_percentage / 100
    height = render.resolution_y * render.resolution_percentage / 100
    scale = min(1.0, DRAFT_WIDTH / width) if quality == "draft" else 1.0
    wide, high = _even(width * scale), _even(height * scale)
    if min(wide, high) < NARROWEST or max(wide, high) > WIDEST:
        raise AddonError(
            f"Pictures of {wide} x {high} can't be made: from {NARROWEST} to {WIDEST} pixels; change the resolution"
        )
    return wide, high


def size_text(width_height: tuple[int, int]) -> str:
    """A size as markers remember it."""
    return f"{width_height[0]}x{width_height[1]}"


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


# Requests ------------------------------------------------------------------------------------------------------------


def common(scene: Scene) -> Params:
    """What every request says: whose song, and how it is asked. Raises AddonError."""
    return {"project": str(project(scene)), "song": str(song(scene)), "settings": settings(scene)}


def settings(scene: Scene) -> Params:
    """The scene's choices under the engine's names for them."""
    chosen = scene.aimv
    return {
        "tagger": chosen.tagger,
        "hop": round(chosen.hop, 4),  # as it was typed, not as a float of Blender's keeps it
        "clusters": chosen.clusters,
        "seed": chosen.seed,
        "preset": chosen.look,
        "writer": _path_or_name(chosen.writer) or AUTOMATIC,
        "clip": str(absolute(chosen.clip)) if chosen.clip else AUTOMATIC,
        "generator": chosen.generator if chosen.diffusion_model or chosen.generator == PAINT else AUTOMATIC,
        "diffusion_model": _model(chosen.diffusion_model),
        "mode": chosen.mode,
        "follow": str(absolute(chosen.follow)) if chosen.follow else PAINT,
        "steps": chosen.steps,
        "guidance": round(chosen.guidance, 4),
        "best_of": chosen.best_of,
        "keyframe_rate": min(round(chosen.keyframe_rate, 4), floor(10_000 * segments.fps(scene)) / 10_000),
    }


def generate(scene: Scene, make: Iterable[str], width_height: tuple[int, int]) -> Params:
    """The whole film's plan, and which of its scenes (by the uids of their markers) are to be made, in that order.
    Raises AddonError."""
    if models.is_diffusion(scene.aimv) and not scene.aimv.diffusion_model:
        raise AddonError("Diffusion needs a model: choose one under Generate > Generator")
    film = shown(scene)
    uids = [segment.marker.aimv.uid for segment in film]
    first = film[0].first
    start, fps = song_seconds(scene, first), segments.fps(scene)
    return {
        **common(scene),
        "size": list(width_height),
        "fps": [fps.numerator, fps.denominator],
        "start": [start.numerator, start.denominator],
        "frame_count": film[-1].last - first,
        "artist": scene.aimv.artist,
        "main_tags": _tags(scene.aimv.main_tags),
        "scenes": [_scene(segment, first) for segment in film],
        "make": [uids.index(uid) for uid in make],
    }


def shown(scene: Scene) -> list[Segment]:
    """The scenes that last at least a frame."""
    return [segment for segment in segments.read(scene) if segment.first < segment.last]


def _scene(segment: Segment, origin: int) -> Params:
    own = segment.marker.aimv
    return {
        "first_frame": segment.first - origin,
        "cluster": own.cluster or "A",
        "tags": _tags(own.tags),
        "intensity": round(own.intensity, 4),
        "style": round(own.style, 4),
        **{name: getattr(own, name) for name in ("sentence", "negative", "look", "seed", "camera")},
    }


def _tags(tags: Any) -> list[list[Any]]:
    return [[tag.name, round(tag.weight, 4)] for tag in tags]


def _model(name: str) -> str:
    """A preset's name goes before a folder that happens to be called so."""
    return name if models.card(name) else _path_or_name(name)


def _path_or_name(model: str) -> str:
    """A model's folder or file in full; the name of one on a model hub as it is."""
    path = absolute(model)
    return str(path) if model and path.exists() else model

"""edit.json: the film as a cut list, for Blender (blender_addon/headless.py reads it) and for the video writer."""

import colorsys
import os
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from aimv_engine.film import FilmPictures
from aimv_engine.frames.effects import Effects
from aimv_engine.frames.plan import FilmPlan
from aimv_engine.store import Store
from aimv_engine.storyboard.scene import Storyboard

VERSION = 1


@dataclass(frozen=True)
class Outputs:
    """Where the finished things go."""

    video: Path
    blend: Path


def cluster_color(cluster: str) -> tuple[float, float, float]:
    """A colour (sRGB, 0 to 1) for a cluster's letter: golden-ratio steps round the hue circle keep neighbours apart."""
    hue = (0.58 + 0.61803 * (ord(cluster[0]) - ord("A"))) % 1.0
    return colorsys.hsv_to_rgb(hue, 0.55, 0.85)


def scene_names(clusters: Iterable[str]) -> list[str]:
    """A1, B1, A2 ...: the cluster of each scene, and how many times it has come."""
    count: dict[str, int] = {}
    names = []
    for cluster in clusters:
        count[cluster] = count.get(cluster, 0) + 1
        names.append(f"{cluster}{count[cluster]}")
    return names


def make_edit(
    song: Path,
    size: tuple[int, int],
    plan: FilmPlan,
    storyboard: Storyboard,
    pictures: FilmPictures,
    effects: Effects,
    store: Store,
    outputs: Outputs,
) -> dict[str, Any]:
    """The document. Frames are 0-based film frames, last ones exclusive; picture paths are relative to its folder."""
    scenes = []
    names = scene_names(scene.cluster for scene in storyboard.scenes)
    for part, strip in zip(plan.scenes, pictures.strips, strict=True):
        scene = storyboard.scenes[part.index]
        scenes.append(
            {
                "name": names[part.index],
                "cluster": scene.cluster,
                "color": [round(value, 4) for value in cluster_color(scene.cluster)],
                "first_frame": part.first_frame,
                "last_frame": part.last_frame,
                "strip_first_frame": part.strip_first,
                "sentence": scene.sentence,
                "negative": scene.negative,
                "tags": [list(pair) for pair in scene.tags],
                "seed": scene.seed,
                "look": scene.look,
                "camera": scene.camera,
                "intensity": scene.intensity,
                "style": scene.style,
                "frames": [store.path(name).relative_to(store.folder.parent).as_posix() for name in strip],
            }
        )
    return {
        "version": VERSION,
        "song": os.path.relpath(song, store.folder.parent) if _same_drive(song, store.folder) else str(song),
        "song_start": float(plan.start),
        "fps": [plan.fps.numerator, plan.fps.denominator],
        "size": list(size),
        "frame_count": plan.frame_count,
        "keyframe_rate": float(plan.keyframe_rate),
        "artist": storyboard.artist,
        "main_tags": [list(pair) for pair in storyboard.main_tags],
        "scenes": scenes,
        "effects": {
            "frames": list(effects.frames),
            "scale": list(effects.scale),
            "brightness": list(effects.brightness),
        },
        "output": str(outputs.video),
        "blend": str(outputs.blend),
    }


def frame_rate(edit: dict[str, Any]) -> Fraction:
    """Film frames a second of an edit."""
    numerator, denominator = edit["fps"]
    return Fraction(numerator, denominator)


def _same_drive(one: Path, other: Path) -> bool:
    return one.drive == other.drive  # Windows has no relative path from one drive to another

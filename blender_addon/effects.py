"""What the music does to the whole picture: ordinary keys on one adjustment strip of ours, above the pictures.

Applying effects again replaces our keys alone. The strip stays as the editor left it: moved to another channel,
renamed, trimmed, cut or with modifiers of its own.
"""

from collections.abc import Iterable, Mapping, Sequence

import bpy
from bpy.types import Scene

from . import compat, strips
from .compat import Strip

NAME = "AIMV Beats"
USUAL_CHANNEL = 5  # below it lie the song, pictures on two channels and cross-fades, or will lie; titles are above it
PROPERTIES = {  # of a strip, for each curve of the engine's; all of them are 1 where nothing happens
    "scale": ("transform.scale_x", "transform.scale_y"),
    "brightness": ("color_multiply",),
    "saturation": ("color_saturation",),
}

Curves = Mapping[str, Mapping[str, Sequence[float]]]  # name: {"frames": of the film, "values": one for each}


def of(scene: Scene) -> list[Strip]:
    """Our adjustment strip; more than one where the editor cut it."""
    return [strip for strip in compat.all_strips(scene) if strip.aimv.role == "BEATS"]


def apply(scene: Scene, curves: Curves, first: int, last: int) -> None:
    """Writes the curves as keys for a film from Blender's frame `first` up to `last`. Without curves nothing is left
    but what the editor made of the strip."""
    ours = of(scene) or ([_new(scene, first, last)] if curves else [])
    for strip in ours:
        _follow(strip, first, last)
        _clear(scene, strip)
        taken = {curve.data_path for curve in compat.curves_of(scene, strip)}  # by the editor's own keys, which stay
        written = []
        for name, keys in curves.items():
            for setting in PROPERTIES[name]:
                path = f"{strip.path_from_id()}.{setting}"
                if path not in taken:
                    _key(scene, path, [first + frame for frame in keys["frames"]], keys["values"])
                    written.append(setting)
        strip.aimv.curves = " ".join(written)


def remove(scene: Scene) -> None:
    """Takes the strip away, and its keys."""
    for strip in of(scene):
        curves = compat.fcurves(scene)
        for curve in compat.curves_of(scene, strip):
            curves.remove(curve)
        compat.siblings(scene, strip).remove(strip)


def _new(scene: Scene, first: int, last: int) -> Strip:
    others = list(compat.strips(scene))
    highest = max((strip.channel for strip in others if strip.aimv.role in {"SCENE", "FADE"}), default=0)
    channel = strips.channel_above(max(highest, USUAL_CHANNEL - 1), others, first, last)
    strip = compat.new_effect(scene, NAME, "ADJUSTMENT", channel, first, last)
    tie = strip.aimv
    tie.role, tie.first, tie.last = "BEATS", first, last
    return strip


def _follow(strip: Strip, first: int, last: int) -> None:
    """Handles that nobody touched go where the film begins and ends now."""
    tie = strip.aimv
    if compat.end(strip) == tie.last:
        compat.set_end(strip, max(last, compat.start(strip) + 1))
        tie.last = last
    if compat.start(strip) == tie.first:
        compat.set_start(strip, first)
        tie.first = first


def _clear(scene: Scene, strip: Strip) -> None:
    """Removes the keys that we wrote; what the editor keyed besides stays."""
    settings = strip.aimv.curves.split()
    paths = {f"{strip.path_from_id()}.{setting}" for setting in settings}
    for curve in compat.curves_of(scene, strip):
        if curve.data_path in paths:
            compat.fcurves(scene).remove(curve)
    for setting in settings:
        owner, _, name = setting.rpartition(".")
        setattr(strip.path_resolve(owner) if owner else strip, name, 1.0)
    strip.aimv.curves = ""


def _key(scene: Scene, path: str, frames: Iterable[int], values: Sequence[float]) -> None:
    """Sets all keys at once: one by one, thousands of them would take seconds."""
    curve = compat.new_fcurve(scene, path)
    curve.keyframe_points.add(len(values))
    points = [number for key in zip(frames, values, strict=True) for number in key]
    curve.keyframe_points.foreach_set("co", points)
    linear = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
    curve.keyframe_points.foreach_set("interpolation", [linear] * len(values))
    curve.update()

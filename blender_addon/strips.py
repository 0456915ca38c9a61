"""Image strips that live: each is tied to a marker of ours and shows what there is of that scene's pictures.

What an editor did to a strip stays: everything is changed in place, and what it shows is told by the tie alone.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import bpy
from bpy.props import EnumProperty, FloatVectorProperty, IntProperty, IntVectorProperty, StringProperty
from bpy.types import FCurve, PropertyGroup, Scene, TimelineMarker

from . import compat, segments
from .compat import Strip

CHANNELS = 128  # that Blender has
COLORS = (5, 3, 7, 4, 2, 6, 8, 1, 9)  # of strips, for clusters A, B, C ...: near to the colours in the overview
SAME_SHAPE = 0.01  # pictures of nearly the output's shape are stretched to it: sizes are whole pixels


class AIMV_Strip(PropertyGroup):
    """What ties a strip to us, and how it was when we last wrote it: what differs since then is the editor's."""

    role: EnumProperty(
        name="Role",
        items=(
            ("NONE", "None", "Not ours"),
            ("SCENE", "Scene", "The pictures of a scene"),
            ("FADE", "Fade", "From one scene to the next"),
            ("BEATS", "Beats", "What the music does to the whole picture"),
        ),
    )
    scene: StringProperty(name="Scene", description="The identity of the marker whose pictures these are")
    faded_in: StringProperty(name="Faded In", description="The scene that a cross-fade led from, even if it is gone")
    faded_out: StringProperty(name="Faded Out", description="The scene that a cross-fade led to, even if it is gone")
    first: IntProperty(name="First Frame", description="At which the content began when it was written")
    last: IntProperty(name="Last Frame", description="Excluded: where the strip of the beats ended when it was written")
    curves: StringProperty(name="Curves", description="Which of its properties the music moves")
    size: IntVectorProperty(name="Size", description="Of the pictures, in pixels", size=2)
    fit: FloatVectorProperty(name="Fit", description="The scale at which they fill the output", size=2, default=(1, 1))


# Finding strips


def scene_of(strip: Strip) -> str:
    """The identity of the marker whose pictures the strip shows; empty when it is not ours."""
    return strip.aimv.scene


def of(scene: Scene, marker_uid: str) -> list[Strip]:
    """The image strips of a scene of ours, in time: none, one, or more where the editor cut or copied it."""
    ours = [strip for strip in pictures(scene) if strip.aimv.scene == marker_uid]
    return sorted(ours, key=compat.start)


def pictures(scene: Scene) -> list[Strip]:
    """All image strips of ours."""
    return [strip for strip in compat.all_strips(scene) if strip.type == "IMAGE" and strip.aimv.scene]


def color_tag(marker: TimelineMarker) -> str:
    """The strip colour that stands for a marker's cluster."""
    letter = marker.aimv.cluster[:1].upper() or "A"
    return f"COLOR_{COLORS[(ord(letter) - ord('A')) % len(COLORS)]:02d}"


# Writing pictures


def ensure(
    scene: Scene,
    marker: TimelineMarker,
    first: int,
    size: tuple[int, int],
    files: Sequence[str | None],
    placeholder: str,
    folder: Path,
) -> Strip:
    """Makes the strip of a marker's scene, or brings up to date those that there are. Returns the first of them.

    `files` are the pictures, one a frame, from Blender's frame `first` on; where one is not there yet, the placeholder
    is shown. Names are relative to `folder`, the project's, and `size` is theirs in pixels.
    """
    names = [name or placeholder for name in files]
    strips = of(scene, marker.aimv.uid) or [_new(scene, marker, first, first + len(names), folder / names[0])]
    for strip in strips:
        _update(scene, strip, first, names, folder)
        _fit(scene, strip, size)
    return strips[0]


def set_frames(scene: Scene, marker_uid: str, index: int, files: Sequence[str]) -> None:
    """Shows those pictures from the scene's index-th on, in all its strips."""
    for strip in of(scene, marker_uid):
        _write(strip, index, files)


def _new(scene: Scene, marker: TimelineMarker, first: int, last: int, picture: Path) -> Strip:
    channel = _channel(list(compat.strips(scene)), first, last)
    strip = compat.strips(scene).new_image(marker.name, str(picture), channel, first, fit_method="ORIGINAL")
    strip.color_tag = color_tag(marker)
    tie = strip.aimv
    tie.role, tie.scene, tie.first = "SCENE", marker.aimv.uid, first
    return strip


def _update(scene: Scene, strip: Strip, first: int, names: Sequence[str], folder: Path) -> None:
    """New content. A handle at the content's old edge goes to the new one; one that was trimmed or pulled out stays."""
    begin, end = compat.content(strip)
    left, right = compat.start(strip), compat.end(strip)
    if len(strip.elements) != len(names):
        compat.replace_elements(scene, strip, names)
    strip.directory = _directory(folder)
    _write(strip, 0, names)

    length = compat.content(strip)[1] - begin  # more or less than one frame a picture where the editor retimed it
    new_begin = begin + first - strip.aimv.first  # wherever the editor slid it
    new_end = new_begin + length
    new_left = new_begin if left == begin else min(max(left, new_begin), new_end - 1) if left > begin else left
    new_right = new_end if right == end else max(min(right, new_end), new_begin + 1) if right < end else right
    _place(scene, strip, new_begin, new_left, max(new_right, new_left + 1))
    _move_last_keys(scene, strip, (left, right), (new_begin - begin, compat.end(strip) - right))
    strip.aimv.first = first


def _directory(folder: Path) -> str:
    """The project's folder as strips name it: as seen from the .blend, so that both can be moved together."""
    path = str(folder)
    if bpy.data.filepath:
        with contextlib.suppress(ValueError):  # on another of Windows' drives
            path = bpy.path.relpath(path)
    return f"{path.rstrip('/')}/"


def _write(strip: Strip, index: int, names: Sequence[str]) -> None:
    for element, name in zip(strip.elements[index : index + len(names)], names, strict=False):
        if element.filename != name:
            element.filename = name
    strip.invalidate_cache("RAW")  # a picture that was missing, or is another one now, would not be read again


def _place(scene: Scene, strip: Strip, begin: int, left: int, right: int) -> None:
    """Puts the content's beginning and both handles where they belong, on the strip's own channel if that is free.

    Blender moves a strip aside that touches another one, be it in passing. So it goes over a channel where none is.
    """
    others = [other for other in compat.siblings(scene, strip) if other != strip]
    channel = strip.channel
    if not _free(others, channel, left, right):
        channel = _channel(others, left, right)
    elif (compat.content(strip)[0], compat.start(strip), compat.end(strip)) == (begin, left, right):
        return
    strip.channel = min(CHANNELS, max((other.channel for other in others), default=0) + 1)
    compat.move_content(strip, begin)
    compat.set_end(strip, max(right, compat.end(strip)))  # first longer, then shorter: never without a frame
    compat.set_start(strip, left)
    compat.set_end(strip, right)
    strip.channel = channel


def _move_last_keys(scene: Scene, strip: Strip, span: tuple[int, int], moved: tuple[int, int]) -> None:
    """Keys nearer to the end than to the beginning go with the end: a fade-out stays one.

    `span` is where the strip was seen, `moved` how far its content (and with that, by Blender, every key) and its end
    have moved.
    """
    by = moved[1] - moved[0]
    if by == 0:
        return
    middle = sum(span) / 2 + moved[0]
    for curve in compat.curves_of(scene, strip):
        for point in curve.keyframe_points:
            if point.co.x > middle:
                point.co_ui.x += by
        curve.update()


def remove_leftovers(scene: Scene, marker: TimelineMarker) -> None:
    """Takes away the pictures of scenes whose markers were deleted, where the marker's scene is seen instead.

    What the editor has moved, or has pasted from another of Blender's scenes, stays.
    """
    first, last = segments.bounds(scene, marker)
    known = {other.aimv.uid for every in bpy.data.scenes for other in every.timeline_markers}
    for strip in pictures(scene):
        middle = (compat.start(strip) + compat.end(strip)) / 2
        lies = first <= middle < last and compat.content(strip)[0] == strip.aimv.first
        if lies and strip.aimv.scene not in known:
            compat.siblings(scene, strip).remove(strip)


# Size


def _fit(scene: Scene, strip: Strip, size: tuple[int, int]) -> None:
    """Shows pictures of another size, or in another output, as large as those before: the editor's own zoom stays."""
    tie = strip.aimv
    fit = _filling(scene, size)
    by = [new / old for new, old in zip(fit, tie.fit, strict=True)]
    if any(abs(factor - 1) > 1e-6 for factor in by):
        for name, factor in zip(("scale_x", "scale_y"), by, strict=True):
            setattr(strip.transform, name, getattr(strip.transform, name) * factor)
            path = f"{strip.path_from_id('transform')}.{name}"
            for curve in compat.curves_of(scene, strip):
                if curve.data_path == path:
                    _multiply(curve, factor)
    for axis, edges in enumerate((("min_x", "max_x"), ("min_y", "max_y"))):
        for edge in edges:  # what is cropped counts in pixels of the pictures
            if cropped := getattr(strip.crop, edge):
                setattr(strip.crop, edge, round(cropped * size[axis] / tie.size[axis]))
    tie.fit, tie.size = fit, size


def _filling(scene: Scene, size: tuple[int, int]) -> tuple[float, float]:
    """The scales at which pictures fill the output, or fit into it when they have another shape."""
    across = scene.render.resolution_x / size[0]
    down = scene.render.resolution_y / size[1]
    if abs(across / down - 1) < SAME_SHAPE:
        return across, down
    return min(across, down), min(across, down)


def _multiply(curve: FCurve, factor: float) -> None:
    for point in curve.keyframe_points:
        point.handle_left.y *= factor
        point.handle_right.y *= factor
        point.co.y *= factor
    curve.update()


# Channels


def _channel(others: Sequence[Strip], left: int, right: int) -> int:
    """A channel for pictures from frame `left` up to `right` that none of the other strips uses there.

    Ours lie on two channels in turn, so that neighbours can overlap: the two on which most of them are, or the lowest
    two above the song that nobody else uses.
    """
    ours = [strip for strip in others if strip.type == "IMAGE" and strip.aimv.scene]
    pair = _pair(others, ours)
    before = max((strip for strip in ours if compat.start(strip) < left), key=compat.start, default=None)
    if before is not None:
        pair.sort(key=lambda channel: channel == before.channel)
    channels = [*pair, *range(max(pair) + 1, CHANNELS + 1)]
    return next((channel for channel in channels if _free(others, channel, left, right)), CHANNELS)


def _pair(others: Iterable[Strip], ours: Sequence[Strip]) -> list[int]:
    used = [channel for channel, _ in Counter(strip.channel for strip in ours).most_common(2)]
    if len(used) == 2:
        return sorted(used)
    taken = {strip.channel for strip in others if strip.aimv.role not in {"SCENE", "FADE"}}
    lowest = 1 + min((strip.channel for strip in others if strip.type == "SOUND"), default=1)
    free = (low for low in range(lowest, CHANNELS) if not {low, low + 1} & taken and {low, low + 1} >= set(used))
    return next(([low, low + 1] for low in free), [CHANNELS - 1, CHANNELS])


def channel_above(channel: int, others: Sequence[Strip], left: int, right: int) -> int:
    """The lowest channel above one that no other strip uses from frame `left` up to `right`."""
    above = range(channel + 1, CHANNELS)
    return next((number for number in above if _free(others, number, left, right)), CHANNELS)


def _free(others: Iterable[Strip], channel: int, left: int, right: int) -> bool:
    return not any(
        strip.channel == channel and compat.start(strip) < right and left < compat.end(strip) for strip in others
    )


# Cross-fades


def cross_fades(scene: Scene, again: bool = False) -> int:
    """A cross-fade wherever the pictures of two neighbouring scenes overlap and nothing has joined them yet. Returns
    how many were made.

    Ours go where nothing overlaps any more. All others are the editor's, and ours stay as the editor changed them: one
    that was deleted comes back only when it is asked for `again`.

    CROSS mixes the pictures as they are stored, as a video tool's dissolve does; GAMMA_CROSS lets the brighter one win
    early, and a light scene seems to burst into a dark one.
    """
    _remove_idle_fades(scene)
    strips = list(compat.strips(scene))
    joined = {frozenset(strip.name for strip in compat.inputs(strip)) for strip in strips}
    made = 0
    for left, right in _overlaps(scene):
        is_joined = frozenset((left.name, right.name)) in joined
        was_joined = left.aimv.faded_out == right.aimv.scene and right.aimv.faded_in == left.aimv.scene
        left.aimv.faded_out, right.aimv.faded_in = right.aimv.scene, left.aimv.scene
        if not is_joined and (again or not was_joined):
            span = compat.start(right), compat.end(left)
            channel = channel_above(max(left.channel, right.channel), strips, *span)
            name = f"{left.name} to {right.name}"
            fade = compat.new_effect(scene, name, "CROSS", channel, *span, inputs=(left, right))
            fade.aimv.role = "FADE"
            strips.append(fade)
            made += 1
    return made


def _remove_idle_fades(scene: Scene) -> None:
    strips = list(compat.strips(scene))
    used = {strip.name for effect in strips for strip in compat.inputs(effect)}
    idle = [strip.name for strip in strips if strip.aimv.role == "FADE" and strip.name not in used and _idle(strip)]
    for name in idle:
        left, right = sorted(compat.inputs(compat.strips(scene)[name]), key=compat.start)
        left.aimv.faded_out = right.aimv.faded_in = ""  # when they overlap again, it comes back
        compat.strips(scene).remove(compat.strips(scene)[name])


def _idle(fade: Strip) -> bool:
    left, right = compat.inputs(fade)
    return max(compat.start(left), compat.start(right)) >= min(compat.end(left), compat.end(right))


def _overlaps(scene: Scene) -> list[tuple[Strip, Strip]]:
    """Strips of neighbouring scenes of which the first goes over into the second."""
    lying: dict[str, list[Strip]] = {}
    for strip in compat.strips(scene):
        if strip.type == "IMAGE" and strip.aimv.scene:
            lying.setdefault(strip.aimv.scene, []).append(strip)
    neighbours = pairwise(marker.aimv.uid for marker in segments.markers(scene))
    return [
        (left, right)
        for one, other in neighbours
        for left in lying.get(one, ())
        for right in lying.get(other, ())
        if compat.start(left) < compat.start(right) < compat.end(left) < compat.end(right)
    ]


def register() -> None:
    bpy.utils.register_class(AIMV_Strip)
    compat.Strip.aimv = bpy.props.PointerProperty(type=AIMV_Strip)


def unregister() -> None:
    del compat.Strip.aimv
    bpy.utils.unregister_class(AIMV_Strip)

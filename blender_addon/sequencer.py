"""Writes an edit to the timeline: song, pictures, cross-fades, beat effects, and how the scene is rendered.

From below: the song, two channels on which image strips alternate so that neighbours can overlap, the cross-fades,
and one adjustment strip whose keys scale and brighten what is below it.
"""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import bpy
from bpy.types import Scene

from . import compat
from .compat import Strip
from .edit import Edit, Shot
from .segments import FIRST_FRAME

SONG_CHANNEL = 1
IMAGE_CHANNELS = (2, 3)
FADE_CHANNEL = 4
EFFECTS_CHANNEL = 5


def set_format(scene: Scene, edit: Edit) -> None:
    """Frame rate, size, range, colours, and a movie of H.264 and AAC."""
    render = scene.render
    render.fps, render.fps_base = _fps_and_base(edit.fps)
    render.resolution_x, render.resolution_y = edit.size
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    scene.frame_start = scene.frame_current = FIRST_FRAME
    scene.frame_end = FIRST_FRAME + edit.frame_count - 1
    scene.sync_mode = "AUDIO_SYNC"  # playback keeps to the song, dropping frames on a slow machine

    scene.view_settings.view_transform = "Standard"  # pictures are finished: AgX would change their colours
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0

    compat.use_movie_format(scene)
    render.image_settings.color_mode = "RGB"
    render.use_sequencer = True
    render.use_compositing = False
    render.use_file_extension = True
    movie = render.ffmpeg
    movie.format, movie.codec = "MPEG4", "H264"
    movie.constant_rate_factor = "HIGH"
    movie.ffmpeg_preset = "REALTIME"  # GOOD takes twice the time for a third the size
    movie.gopsize = round(edit.fps)  # a key frame a second: players can jump
    movie.audio_codec, movie.audio_bitrate = "AAC", 192
    movie.audio_mixrate, movie.audio_channels = 48000, "STEREO"


def _fps_and_base(fps: Fraction) -> tuple[int, float]:
    """24000/1001 as Blender says it: 24 over 1.001."""
    scale = 1000 if fps.denominator == 1001 else 1
    return fps.numerator // scale, fps.denominator / scale


def add_song(scene: Scene, edit: Edit) -> bool:
    """The song as a sound strip, trimmed to the film. False when this Blender can't play it.

    The frame rate must have been set: the strip's length follows it.
    """
    if not compat.has_sound():
        return False
    strip = compat.strips(scene).new_sound(edit.song.stem, str(edit.song), SONG_CHANNEL, FIRST_FRAME)
    if strip.sound is None or strip.sound.samplerate == 0:  # Blender raises nothing for a file it can't decode
        compat.strips(scene).remove(strip)
        return False
    fps = float(edit.fps)
    compat.set_sound_start(strip, FIRST_FRAME - edit.song_start * fps, fps)
    compat.set_start(strip, FIRST_FRAME)
    compat.set_end(strip, min(compat.end(strip), FIRST_FRAME + edit.frame_count))
    strip.show_waveform = True
    return True


def add_pictures(scene: Scene, edit: Edit) -> None:
    """One image strip a shot, in the colour of its cluster, and a cross-fade wherever two overlap.

    CROSS mixes the pictures as they are stored, as a video tool's dissolve does; GAMMA_CROSS lets the brighter one win
    early, and a light scene seems to burst into a dark one.
    """
    colors = color_tags(edit.shots)
    images = []
    for index, shot in enumerate(edit.shots):
        strip = _add_image_strip(scene, edit, shot, IMAGE_CHANNELS[index % 2])
        strip.color_tag = colors[shot.cluster]
        images.append(strip)
    for left, right in pairwise(images):
        if compat.start(right) < compat.end(left):
            name = f"{left.name} to {right.name}"
            overlap = compat.start(right), compat.end(left)
            compat.new_effect(scene, name, "CROSS", FADE_CHANNEL, *overlap, inputs=(left, right))


def _add_image_strip(scene: Scene, edit: Edit, shot: Shot, channel: int) -> Strip:
    first, *others = shot.frames
    strip = compat.strips(scene).new_image(
        shot.name, str(edit.folder / first), channel, FIRST_FRAME + shot.strip_first_frame, fit_method="FIT"
    )
    # all names are relative to the project's folder, whichever folder of the store a picture lies in
    strip.directory = f"{edit.folder}/"
    strip.elements[0].filename = first
    for picture in others:
        strip.elements.append(picture)
    compat.set_end(strip, FIRST_FRAME + shot.strip_last_frame)
    return strip


def color_tags(shots: tuple[Shot, ...]) -> dict[str, str]:
    """For each cluster the theme's strip colour that is nearest to its own, each taken once while there are any."""
    theme = [tuple(color.color) for color in bpy.context.preferences.themes[0].strip_color]
    tags: dict[str, int] = {}
    for shot in shots:
        if shot.cluster not in tags:
            free = set(range(len(theme))) - set(tags.values()) or range(len(theme))
            tags[shot.cluster] = min(free, key=lambda index: _distance(theme[index], shot.color))
    return {cluster: f"COLOR_{index + 1:02d}" for cluster, index in tags.items()}


def _distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def add_effects(scene: Scene, edit: Edit) -> None:
    """One adjustment strip over the film, with the beats as ordinary keys."""
    effects = edit.effects
    if not effects.frames:
        return
    span = FIRST_FRAME, FIRST_FRAME + edit.frame_count
    strip = compat.new_effect(scene, "Beats", "ADJUSTMENT", EFFECTS_CHANNEL, *span)
    curves = {
        "transform.scale_x": effects.scale,
        "transform.scale_y": effects.scale,
        "color_multiply": effects.brightness,
    }
    for setting, values in curves.items():
        _key(scene, f"{strip.path_from_id()}.{setting}", effects.frames, values)


def _key(scene: Scene, path: str, frames: tuple[int, ...], values: tuple[float, ...]) -> None:
    """Sets all keys at once: one by one, thousands of them would take seconds."""
    curve = compat.new_fcurve(scene, path)
    curve.keyframe_points.add(len(frames))
    points = [x for frame, value in zip(frames, values, strict=True) for x in (FIRST_FRAME + frame, value)]
    curve.keyframe_points.foreach_set("co", points)
    linear = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
    curve.keyframe_points.foreach_set("interpolation", [linear] * len(frames))
    curve.update()


def deselect(scene: Scene) -> None:
    """Leaves nothing selected that a stray key press could delete or move."""
    for strip in compat.strips(scene):
        strip.select = False
    for marker in scene.timeline_markers:
        marker.select = False


def make_paths_relative(scene: Scene, edit: Edit) -> None:
    """Says where song, pictures and film lie as seen from the .blend, so that all can be moved together."""
    for strip in compat.strips(scene):
        if strip.type == "IMAGE":
            strip.directory = f"{relative(edit.folder, edit.blend.parent)}/"
        elif strip.type == "SOUND":
            strip.sound.filepath = relative(edit.song, edit.blend.parent)
    scene.render.filepath = compat.as_output_path(relative(edit.output, edit.blend.parent))


def relative(path: Path, folder: Path) -> str:
    """Blender's relative path (//...) of a path as seen from a folder; absolute on another Windows drive."""
    try:
        return bpy.path.relpath(str(path), start=str(folder))
    except ValueError:
        return str(path)

"""Writes an edit to the timeline: song, pictures, cross-fades, beat effects, and how the scene is rendered.

From below: the song, two channels on which image strips alternate so that neighbours can overlap, the cross-fades,
and one adjustment strip whose keys scale and brighten what is below it.
"""

from fractions import Fraction
from pathlib import Path

import bpy
from bpy.types import Scene

from . import compat, effects, segments, strips
from .compat import Strip
from .edit import Edit
from .segments import FIRST_FRAME

SONG_CHANNEL = 1


def set_format(scene: Scene, edit: Edit) -> None:
    """Frame rate, size and range of the film, its colours, and a movie of H.264 and AAC."""
    render = scene.render
    render.fps, render.fps_base = _fps_and_base(edit.fps)
    render.resolution_x, render.resolution_y = edit.size
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    scene.frame_start = scene.frame_current = FIRST_FRAME
    scene.frame_end = FIRST_FRAME + edit.frame_count - 1
    scene.sync_mode = "AUDIO_SYNC"  # playback keeps to the song, dropping frames on a slow machine

    use_movie_output(scene)
    use_plain_colors(scene)


def use_movie_output(scene: Scene) -> None:
    """What is rendered is the sequencer's picture, as a movie of H.264 and AAC. Size, range and frame rate stay."""
    render = scene.render
    compat.use_movie_format(scene)
    render.image_settings.color_mode = "RGB"
    render.use_sequencer = True
    render.use_compositing = False
    render.use_file_extension = True
    movie = render.ffmpeg
    movie.format, movie.codec = "MPEG4", "H264"
    movie.constant_rate_factor = "HIGH"
    movie.ffmpeg_preset = "REALTIME"  # GOOD takes twice the time for a third the size
    movie.gopsize = max(1, round(render.fps / render.fps_base))  # a key frame a second: players can jump
    movie.audio_codec, movie.audio_bitrate = "AAC", 192
    movie.audio_mixrate, movie.audio_channels = 48000, "STEREO"


def use_plain_colors(scene: Scene) -> None:
    """Shows pictures as they are: they are finished, and AgX would change their colours."""
    view = scene.view_settings
    view.view_transform, view.look = "Standard", "None"
    view.exposure, view.gamma = 0.0, 1.0


def _fps_and_base(fps: Fraction) -> tuple[int, float]:
    """24000/1001 as Blender says it: 24 over 1.001."""
    scale = 1000 if fps.denominator == 1001 else 1
    return fps.numerator // scale, fps.denominator / scale


def remember(scene: Scene, edit: Edit) -> None:
    """Where the film comes from and how it was made, so that the add-on can go on from there."""
    own = scene.aimv
    own.uid = segments.new_uid()
    own.project, own.song = str(edit.folder), str(edit.song)  # seen from the .blend once it is saved
    own.song_frame = FIRST_FRAME - edit.song_start * float(edit.fps)
    own.keyframe_rate, own.artist, own.quality = edit.keyframe_rate, edit.artist, "final"
    for name, weight in edit.main_tags:
        tag = own.main_tags.add()
        tag.name, tag.weight = name, weight


def add_song(scene: Scene, edit: Edit) -> bool:
    """The song as a sound strip, trimmed to the film. False when this Blender can't play it."""
    strip = lay_song(scene, edit.song, FIRST_FRAME - edit.song_start * float(edit.fps))
    if strip is None:
        return False
    compat.set_start(strip, FIRST_FRAME)
    compat.set_end(strip, min(compat.end(strip), FIRST_FRAME + edit.frame_count))
    return True


def lay_song(scene: Scene, song: Path, frame: float) -> Strip | None:
    """A song as a sound strip, its first sample at that frame. None when this Blender can't play it.

    The frame rate must have been set: the strip's length follows it.
    """
    if not compat.has_sound():
        return None
    taken = {strip.channel for strip in compat.strips(scene)}
    channel = SONG_CHANNEL if SONG_CHANNEL not in taken else max(taken) + 1
    strip = compat.strips(scene).new_sound(song.stem, str(song), channel, round(frame))
    if strip.sound is None or strip.sound.samplerate == 0:  # Blender raises nothing for a file it can't decode
        compat.strips(scene).remove(strip)
        return None
    compat.set_sound_start(strip, frame, scene.render.fps / scene.render.fps_base)
    strip.show_waveform = True
    if bpy.data.filepath:  # as seen from the .blend, so that both can be moved together
        strip.sound.filepath = relative(song, Path(bpy.data.filepath).parent)
    return strip


def add_pictures(scene: Scene, edit: Edit) -> None:
    """The pictures of every shot, tied to its marker, which remembers what they were made of; and the cross-fades."""
    for marker, shot in zip(segments.markers(scene), edit.shots, strict=True):
        first = FIRST_FRAME + shot.strip_first_frame
        strips.ensure(scene, marker, first, edit.size, shot.frames, shot.frames[0], edit.folder)
        marker.aimv.made = segments.fingerprint(scene, marker)
        marker.aimv.made_size = "{}x{}".format(*edit.size)
    strips.cross_fades(scene)


def add_effects(scene: Scene, edit: Edit) -> None:
    """The beats, as keys on a strip over the film."""
    curves = {
        name: {"frames": edit.effects.frames, "values": getattr(edit.effects, name)} for name in ("scale", "brightness")
    }
    if edit.effects.frames:
        effects.apply(scene, curves, FIRST_FRAME, FIRST_FRAME + edit.frame_count)


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

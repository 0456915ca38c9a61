"""What belongs to a scene's song: where its project is kept, what is asked about it, and taking it away again."""

import tempfile
from functools import partial
from pathlib import Path

from bpy.types import Scene

from . import compat, effects, jobs, landing, requests, segments, strips
from .errors import AddonError

SUFFIX = ".aimv"


def project_beside(song: Path) -> Path:
    """Where the project of a song is kept unless somebody chooses another place: SONG.aimv."""
    return song.with_suffix(SUFFIX)


def can_keep(folder: Path) -> bool:
    """Whether a project can be kept in that folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def check_place(song: Path, project: Path) -> None:
    """Raises AddonError when the song can't be read, or its project can't be kept."""
    if not song.is_file():
        raise AddonError(f"The song is missing: {song}")
    if not can_keep(project):
        raise AddonError(f"The project can't be kept in {project}: choose another folder for it")


def choose(scene: Scene, song: Path, project: Path, song_frame: float) -> None:
    """Makes this the scene's song. Raises AddonError when it can't be read, or its project can't be kept."""
    check_place(song, project)
    own = scene.aimv
    requests.give_uid(scene)
    own.song, own.project = requests.kept(song), requests.kept(project)
    own.song_frame = song_frame
    own.show_overlay = True


def to_replace(scene: Scene, song: Path) -> str:
    """The name of the song that has to go for another one. Empty when it is the same, or there is none."""
    there = requests.absolute(scene.aimv.song) if scene.aimv.song else song
    return "" if there == song else there.name


def check_song(scene: Scene, song: Path, replace: bool) -> None:
    """Raises AddonError when there is another song that is not to be replaced."""
    if (name := to_replace(scene, song)) and not replace:
        raise AddonError(
            f"This scene has the song {name} already: replace it, or add a Blender scene for another video"
        )


def take_away(scene: Scene) -> None:
    """Takes the song and all that was made for it off the timeline. What jobs still make for it finds no scene any
    more, unless undo brings that back. Nothing is deleted from the disk."""
    for job in jobs.of(scene):
        jobs.cancel(job)
    effects.remove(scene)
    old = requests.absolute(scene.aimv.song)
    for strip in [*strips.pictures(scene), *_strips_of(scene, old)]:
        compat.siblings(scene, strip).remove(strip)  # fades go with what they join
    segments.clear(scene)
    own = scene.aimv
    own.uid = segments.new_uid()
    for name in ("song", "project", "duration", "tempo", "key", "artist", "main_tags"):
        own.property_unset(name)


def ends_with_song(scene: Scene) -> bool:
    """Whether Blender's scene ends where the song does."""
    return bool(scene.aimv.duration) and scene.frame_end == landing.last_frame(scene)


def has_strip(scene: Scene, song: Path) -> bool:
    """Whether the song lies on the timeline."""
    return bool(_strips_of(scene, song))


def _strips_of(scene: Scene, song: Path) -> list[compat.Strip]:
    sounds = [strip for strip in compat.all_strips(scene) if strip.type == "SOUND" and strip.sound]
    return [strip for strip in sounds if requests.absolute(strip.sound.filepath) == song]


def listen(scene: Scene, fit: bool, replace: bool) -> list[jobs.Job]:
    """Asks for the analysis and then for the storyboard. Raises AddonError when the song is missing."""
    asked = requests.common(scene)
    heard = jobs.submit(scene, "analyze", "Analyze Song", asked, partial(landing.analysis, fit=fit))
    write = partial(landing.storyboard, replace=replace)
    return [heard, jobs.submit(scene, "storyboard", "Write Storyboard", asked, write, needs=heard)]


def is_empty(scene: Scene) -> bool:
    """Whether there is nothing on the timeline."""
    return not compat.strips(scene)

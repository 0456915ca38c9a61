"""The stages from a song to a film. Each is skipped when its result is there. Both doors use them."""

from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aimv_engine import blender, looks, segmentation, video
from aimv_engine.edit import Outputs, make_edit
from aimv_engine.errors import AimvError
from aimv_engine.film import (
    FilmPictures,
    amount,
    bytes_needed,
    check_disk,
    list_pictures,
    make_inbetweens,
    make_keyframes,
)
from aimv_engine.frames.effects import beat_effects
from aimv_engine.frames.generators.making import make
from aimv_engine.frames.motion import key_hue, make_motion
from aimv_engine.frames.plan import FilmPlan
from aimv_engine.frames.planner import plan_film
from aimv_engine.frames.tag_curves import tag_curves
from aimv_engine.heartbeat import meanwhile
from aimv_engine.interpolation import InbetweenPool
from aimv_engine.models import Models
from aimv_engine.pictures import contact_sheet, overview
from aimv_engine.progress import Progress
from aimv_engine.project import Analysis, Project
from aimv_engine.settings import AUTOMATIC, Settings
from aimv_engine.song.audio import Song, decode, file_hash
from aimv_engine.song.energy import analyse_energy
from aimv_engine.song.rhythm import analyse_rhythm
from aimv_engine.song.tonality import analyse_tonality
from aimv_engine.store import name_of
from aimv_engine.storyboard import writer
from aimv_engine.storyboard.scene import Storyboard
from aimv_engine.tagging.taggram import tag

ANALYSIS_VERSION = 1  # a change here makes old analyses stale
STORYBOARD_VERSION = 1

T = TypeVar("T")


# analysis --------------------------------------------------------------------------------------------------------


def analyze(project: Project, song_path: Path, settings: Settings, progress: Progress) -> Analysis:
    """What the engine hears in the song: song.json, taggram.npz, curves.npz and overview.png."""
    song_hash = file_hash(song_path)
    made_from = {
        "version": ANALYSIS_VERSION,
        "song": song_hash,
        "tagger": settings.tagger,
        "hop": settings.hop,
        "clusters": settings.clusters,
    }
    analysis = project.analysis()
    if analysis is None or analysis.made_from != made_from:
        song = meanwhile(partial(decode, song_path), lambda: progress("decoding", 0, 1))
        progress("decoding", 1, 1)
        (project.folder / "overview.png").unlink(missing_ok=True)
        project.write_analysis(_listen(song, settings, made_from, progress))
        analysis = project.analysis()
        assert analysis is not None
    if not (project.folder / "overview.png").is_file():
        picture = meanwhile(partial(overview, analysis, song_path.stem), lambda: progress("drawing", 0, 1))
        project.write("overview.png", picture)
        progress("drawing", 1, 1)
    return analysis


def _listen(song: Song, settings: Settings, made_from: dict[str, Any], progress: Progress) -> Analysis:
    taggram = tag(song, f"{settings.tagger}_musicnn", settings.hop, progress)
    done = 0

    def listen(work: Callable[[], T]) -> T:
        nonlocal done
        heard = meanwhile(work, lambda: progress("listening", done, 4))
        done += 1
        progress("listening", done, 4)
        return heard

    rhythm = listen(partial(analyse_rhythm, song))
    energy = listen(partial(analyse_energy, song))
    tonality = listen(partial(analyse_tonality, song))
    clusters = settings.clusters or None
    segments = listen(partial(segmentation.segment, song, taggram, rhythm, tonality, energy, clusters))
    return Analysis(
        made_from=made_from,
        duration=song.duration,
        rhythm=rhythm,
        energy=energy,
        tonality=tonality,
        taggram=taggram,
        key=tonality.key_between(0.0, song.duration).name,
        main_tags=() if song.silent else segmentation.main_tags(taggram),
        segments=tuple(segments),
        silent=song.silent,
    )


# storyboard ------------------------------------------------------------------------------------------------------


def write_storyboard(
    project: Project,
    analysis: Analysis,
    settings: Settings,
    models: Models,
    progress: Progress,
    tell: Callable[[str], None],
) -> Storyboard:
    """What the film shows: storyboard.json. One that is there and was made from the same is kept, hand edits and all;
    one made from something else is kept beside the new one."""
    made_from = {
        "version": STORYBOARD_VERSION,
        "analysis": analysis.made_from,
        "seed": settings.seed,
        "preset": settings.preset,
        "writer": settings.writer,
        "clip": settings.clip,
    }
    there = project.storyboard(analysis.duration)
    if there is not None and there[0] == made_from:
        return there[1]
    storyboard = writer.write_storyboard(
        analysis.segments,
        analysis.main_tags,
        seed=settings.seed,
        look=None if settings.preset == AUTOMATIC else settings.preset,
        model=models.writer(settings.writer, progress),
        ranker=models.ranker(settings.clip, progress),
        progress=progress,
    )
    if (aside := project.write_storyboard(made_from, storyboard)) is not None:
        tell(f"the storyboard that was there is of other settings or another song: it is kept as {aside.name}")
    written = project.storyboard(analysis.duration)
    assert written is not None
    return written[1]


# film ------------------------------------------------------------------------------------------------------------


def plan(analysis: Analysis, storyboard: Storyboard, settings: Settings, start: Fraction, end: Fraction) -> FilmPlan:
    """The frame plan of the film from `start` to `end` (seconds of the song, which may lie outside of it)."""
    motion = make_motion(analysis.rhythm, analysis.energy)
    hues = [key_hue(analysis.tonality.key_between(scene.start, scene.end)) for scene in storyboard.scenes]
    rate = Fraction(str(settings.keyframe_rate))
    curves = tag_curves(analysis.taggram) if settings.diffusion else None
    return plan_film(storyboard, motion, hues, settings.frame_rate, rate, start, end, curves)


def window(analysis: Analysis, settings: Settings) -> tuple[Fraction, Fraction]:
    """The part of the song that the settings ask for, in seconds."""
    start = Fraction(str(settings.start))
    end = min(Fraction(str(settings.end or analysis.duration)), Fraction(str(analysis.duration)))
    if end <= start:
        raise AimvError(f"--start {settings.start:g} lies behind the song's end ({analysis.duration:.1f} s)")
    return start, end


def make_pictures(
    project: Project, film_plan: FilmPlan, settings: Settings, progress: Progress, tell: Callable[[str], None]
) -> FilmPictures:
    """Makes the keyframes and in-betweens that are missing. `tell` gets a line about the disk space, and about what of
    the settings can't be heeded."""
    size, store = settings.width_height, project.store
    with closing(make(settings, progress, tell)) as generator:
        pictures = list_pictures(film_plan, size, generator.identity, InbetweenPool.identity, generator.links)
        needed = bytes_needed(pictures, store, size)
        check_disk(needed, store)
        if needed:
            tell(f"the pictures will take about {amount(needed)}")
        make_keyframes(pictures, store, generator, size, progress)
    with closing(InbetweenPool()) as pool:  # the generator's memory is free by now
        make_inbetweens(pictures, store, pool, progress)
    return pictures


def render(
    project: Project,
    song_path: Path,
    analysis: Analysis,
    storyboard: Storyboard,
    settings: Settings,
    outputs: Outputs,
    host: Sequence[str] | None,
    progress: Progress,
    tell: Callable[[str], None],
) -> None:
    """The film: pictures, edit.json, storyboard.png, and the video (and .blend where there is a Blender `host`)."""
    film_plan = plan(analysis, storyboard, settings, *window(analysis, settings))
    pictures = make_pictures(project, film_plan, settings, progress, tell)
    effects = beat_effects(
        analysis.rhythm,
        analysis.energy,
        looks.load(storyboard.look),
        film_plan.fps,
        film_plan.start,
        film_plan.frame_count,
    )
    edit = make_edit(song_path, settings.width_height, film_plan, storyboard, pictures, effects, project.store, outputs)
    project.write_json("edit.json", edit)
    project.write("storyboard.png", contact_sheet(edit, project.folder, storyboard))
    receipt = {"edit": name_of(edit), "host": list(host or [])}
    before = project.read_made("film.json") or {}
    ours = before.get("files", {})
    if receipt.items() <= before.items() and all(_as_left(path, ours) for path in _written(outputs, host)):
        return  # nothing has changed since the film was written
    put_aside(project, outputs, host, tell)
    finished = False
    try:
        if host:
            blender.build(host, project, edit, progress)
        else:
            video.write_video(edit, project.folder, progress)
        finished = True
    finally:  # the .blend of a stopped render is AIMV's own too
        files = {**ours, **describe(outputs, host)}
        project.write_json("film.json", {**(receipt if finished else {}), "files": files})


def describe(outputs: Outputs, host: Sequence[str] | None) -> dict[str, list[int]]:
    """Size and time of change of the finished files that are there: enough to see that nobody touched them."""
    return {path.name: _stamp(path) for path in _written(outputs, host) if path.is_file()}


def put_aside(project: Project, outputs: Outputs, host: Sequence[str] | None, tell: Callable[[str], None]) -> None:
    """Renames what stands where the film will be written and is not as AIMV left it: a .blend that somebody edited, or
    a video of their own that has the song's name."""
    ours = (project.read_made("film.json") or {}).get("files", {})
    for path in _written(outputs, host):
        if path.is_file() and not _as_left(path, ours):
            number = 1
            while (aside := path.with_stem(f"{path.stem}-{number}")).exists():
                number += 1
            path.rename(aside)
            tell(f"{path.name} was edited, or is not AIMV's: it is kept as {aside.name}")


def _written(outputs: Outputs, host: Sequence[str] | None) -> list[Path]:
    return [outputs.video, outputs.blend] if host else [outputs.video]


def _as_left(path: Path, ours: dict[str, list[int]]) -> bool:
    return path.is_file() and ours.get(path.name) == _stamp(path)


def _stamp(path: Path) -> list[int]:
    return [path.stat().st_size, path.stat().st_mtime_ns]

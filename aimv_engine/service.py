"""What the server does for the add-on: the methods of the protocol, by the same stages as the command line."""

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np

from aimv_engine import __version__, looks, settings, stages
from aimv_engine.edit import cluster_color, scene_names
from aimv_engine.errors import AimvError
from aimv_engine.film import FilmPictures, bytes_needed, check_disk, list_pictures, make_inbetweens, make_keyframes
from aimv_engine.frames.effects import Amounts, music_curves
from aimv_engine.frames.generators import Generator, making
from aimv_engine.models import Models
from aimv_engine.progress import Progress
from aimv_engine.project import Project, Use
from aimv_engine.segmentation import Segment
from aimv_engine.server import BadParams, Handler, Job
from aimv_engine.settings import Settings
from aimv_engine.store import Store
from aimv_engine.storyboard import writer
from aimv_engine.storyboard.scene import Scene, Storyboard, from_dict
from aimv_engine.strip import Strip, placeholder

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Clustered = TypeVar("Clustered", Segment, Scene)
STAGES = ("keyframes", "in-betweens")
MOST_FRAMES = 2**20  # of a film: Blender's timeline has no more
UNSAID = "Nothing is to be seen yet."  # the prompt of a scene that has none, where its neighbour speaks of it


class Service:
    """The methods, and the models that they share."""

    def __init__(self) -> None:
        self._models = Models()

    def methods(self) -> Mapping[str, Handler]:
        """The jobs, by their names."""
        return {
            "analyze": self._analyze,
            "storyboard": self._storyboard,
            "rewrite": self._rewrite,
            "generate": self._generate,
            "effects": self._effects,
            "taggram": _taggram,
            "usage": _usage,
            "clean": _clean,
            "release": lambda params, job: self.release(),
        }

    def release(self) -> None:
        """Frees the memory of models and ends the helper processes, until they are needed again."""
        self._models.release()

    # song and storyboard -----------------------------------------------------------------------------------------

    def _analyze(self, params: Params, job: Job) -> dict[str, Any]:
        chosen, project = _settings(params), _project(params, job)
        _remember(project, params)
        analysis = stages.analyze(project, _path(params, "song"), chosen, job.progress)
        rhythm = analysis.rhythm
        return {
            "duration": analysis.duration,
            "silent": analysis.silent,
            "tempo": rhythm.tempo,
            "meter": rhythm.meter,
            "beatless": rhythm.beatless,
            "key": analysis.key,
            "main_tags": analysis.main_tags,
            "segments": [
                {**dataclasses.asdict(segment), "name": name, "color": cluster_color(segment.cluster)}
                for segment, name in _named(analysis.segments)
            ],
            "overview": str(project.folder / "overview.png"),
        }

    def _storyboard(self, params: Params, job: Job) -> dict[str, Any]:
        chosen, project = _settings(params), _project(params, job)
        _remember(project, params)
        analysis = stages.analyze(project, _path(params, "song"), chosen, job.progress)
        board = stages.write_storyboard(project, analysis, chosen, self._models, job.progress, log.warning)
        return {
            "artist": board.artist,
            "look": board.look,
            "main_tags": board.main_tags,
            "scenes": [
                {**dataclasses.asdict(scene), "name": name, "color": cluster_color(scene.cluster)}
                for scene, name in _named(board.scenes)
            ],
        }

    def _rewrite(self, params: Params, job: Job) -> dict[str, Any]:
        with _reading():
            tags = tuple((str(tag), float(weight)) for tag, weight in params["tags"])
            cluster, energy, seed = str(params["cluster"]), float(params["energy"]), int(params["seed"])
            avoid = [str(sentence) for sentence in params["avoid"]]
        chosen, project = _settings(params), _project(params, job)
        analysis = stages.analyze(project, _path(params, "song"), chosen, job.progress)
        job.progress("rewriting", 0, 1)
        candidates = writer.rewrite(
            tags,
            analysis.main_tags,
            energy,
            cluster,
            seed,
            avoid,
            model=self._models.writer(chosen.writer, job.progress),
            ranker=self._models.ranker(chosen.clip, job.progress),
            progress=job.progress,
        )
        return {"candidates": [dataclasses.asdict(candidate) for candidate in candidates]}

    # pictures ----------------------------------------------------------------------------------------------------

    def _generate(self, params: Params, job: Job) -> dict[str, Any]:
        film = _film(params)
        making.have(film.settings, params.get("download") is True, job.progress)
        project = _project(params, job)
        analysis = stages.analyze(project, _path(params, "song"), film.settings, job.progress)
        job.progress("planning", 0, 0)
        plan = stages.plan(analysis, film.storyboard, film.settings, film.start, film.end)
        generator = self._models.generator(film.settings, job.progress, log.warning)
        identities = generator.identity, self._models.inbetweens.identity
        size, store = film.settings.width_height, project.store
        wanted: dict[int, _Wanted] = {}
        for scene in plan.scenes:
            if scene.index in film.make:
                cluster = film.storyboard.scenes[scene.index].cluster
                pictures = list_pictures(dataclasses.replace(plan, scenes=(scene,)), size, *identities, generator.links)
                wanted[scene.index] = _Wanted(scene.index, scene.strip_first, cluster, pictures)
        check_disk(sum(bytes_needed(scene.pictures, store, size) for scene in wanted.values()), store)
        whole = _Whole(job.progress, [wanted[index].pictures for index in film.make], store)
        for index in film.make:
            self._make(project, wanted[index], generator, size, whole.next(), job)
        return {}

    def _make(
        self,
        project: Project,
        scene: "_Wanted",
        generator: Generator,
        size: tuple[int, int],
        progress: Progress,
        job: Job,
    ) -> None:
        """Makes the pictures of one scene, and tells of them as they come."""
        store = project.store

        def path(name: str | None) -> str | None:
            return None if name is None else store.path(name).relative_to(project.folder).as_posix()

        def tell(place: int, names: Sequence[str]) -> None:
            job.notify("frames", scene=scene.index, index=place, frames=[path(name) for name in names])

        strip = Strip(scene.pictures, store, tell)
        job.notify(
            "strip",
            scene=scene.index,
            first_frame=scene.first_frame,
            size=size,
            placeholder=path(placeholder(store, size, scene.cluster)),
            frames=[path(name) for name in strip.shown],
        )
        make_keyframes(scene.pictures, store, generator, size, progress, strip.made)
        strip.flush()
        make_inbetweens(scene.pictures, store, self._models.inbetweens, progress, strip.made)
        strip.flush()
        job.notify("made", scene=scene.index)

    def _effects(self, params: Params, job: Job) -> dict[str, Any]:
        with _reading():
            look, fps, start = looks.load(str(params["look"])), Fraction(*params["fps"]), Fraction(*params["start"])
            frame_count = _frame_count(params)
            amounts = Amounts(**{name: float(params[name]) for name in ("pulse", "flash", "saturation", "strobe")})
        chosen, project = _settings(params), _project(params, job)
        analysis = stages.analyze(project, _path(params, "song"), chosen, job.progress)
        curves = music_curves(analysis.rhythm, analysis.energy, look, fps, start, frame_count, amounts)
        return {"curves": {name: dataclasses.asdict(curve) for name, curve in curves.items()}}


@dataclass(frozen=True)
class _Wanted:
    """A scene that is to be made."""

    index: int
    first_frame: int
    cluster: str
    pictures: FilmPictures


class _Whole:
    """The progress of a job that makes scene after scene, told as that of all of them."""

    def __init__(self, progress: Progress, scenes: Sequence[FilmPictures], store: Store) -> None:
        self._progress = progress
        self._totals = [sum(len(scene.keyframes) for scene in scenes), sum(len(scene.inbetweens) for scene in scenes)]
        self._missing = [list(map(len, scene.missing(store))) for scene in scenes]
        for stage, total, missing in zip(STAGES, self._totals, self._later(), strict=True):
            progress(stage, total - missing, total)

    def next(self) -> Progress:
        """The Progress of the next scene."""
        del self._missing[0]
        whole = {stage: pair for stage, *pair in zip(STAGES, self._totals, self._later(), strict=True)}

        def tell(stage: str, done: int, total: int) -> None:
            all_of_them, later = whole[stage]
            self._progress(stage, all_of_them - later - (total - done), all_of_them)

        return tell

    def _later(self) -> list[int]:
        return [sum(counts) for counts in zip((0, 0), *self._missing, strict=True)]


# what is there already: quick, and nothing is written ------------------------------------------------------------


def _taggram(params: Params, job: Job) -> dict[str, Any]:
    project = Project(_path(params, "project"))
    analysis = project.analysis()
    if analysis is None:
        raise AimvError("there is no analysis of the song yet; analyze it first")
    taggram, rhythm, energy = analysis.taggram, analysis.rhythm, analysis.energy
    tags = [tag for tag, _ in analysis.main_tags]
    columns = [taggram.tags.index(tag) for tag in tags]
    return {
        "times": np.round(taggram.times, 3).tolist(),
        "tags": tags,
        "rows": np.round(255 * taggram.likelihoods[:, columns]).astype(int).tolist(),
        "beats": rhythm.beats.tolist(),
        "downbeats": rhythm.downbeats.tolist(),
        "energy_rate": energy.rate,
        "energy": np.round(255 * energy.loudness).astype(int).tolist(),
    }


# disk ------------------------------------------------------------------------------------------------------------


def _usage(params: Params, job: Job) -> dict[str, Any]:
    project = Project(_path(params, "project"))
    uses = project.uses()
    used = project.store.usage()
    unused = project.store.unused(_kept(project, params, uses))
    return {
        "bytes": used.bytes,
        "count": used.count,
        "unused_bytes": unused.bytes,
        "unused_count": unused.count,
        "others": [
            {"blend": use.blend, "there": Path(use.blend).is_file(), "count": len(use.frames)} for use in uses.values()
        ],
    }


def _clean(params: Params, job: Job) -> dict[str, Any]:
    with _reading():
        forget = {str(blend) for blend in params["forget"]}
    project = _project(params, job)
    for path, use in project.uses().items():
        if use.blend in forget:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise AimvError(f"{path} can't be deleted ({error.strerror}); make its folder writable") from error
    unused = project.store.unused(_kept(project, params, project.uses()))
    project.store.remove(unused, job.progress)
    return {"bytes": unused.bytes, "count": unused.count}


def _kept(project: Project, params: Params, uses: Mapping[Path, Use]) -> set[str]:
    """The names of the pictures that somebody needs: whoever asks, the .blend files of the project, edit.json."""
    with _reading():
        asked = [str(path) for path in params["keep"]]
    edit = project.read_json("edit.json")
    paths = [*asked, *(path for use in uses.values() for path in use.frames)]
    try:
        paths += [str(path) for scene in (edit["scenes"] if edit is not None else ()) for path in scene["frames"]]
    except (LookupError, TypeError) as error:
        raise AimvError(
            f"{project.edit_file} is damaged, so nobody knows which pictures it needs; delete it if you don't need it"
        ) from error
    return {PurePosixPath(path).stem for path in paths}


# what is asked ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Film:
    """What `generate` is asked for."""

    settings: Settings
    storyboard: Storyboard
    start: Fraction  # seconds of the song
    end: Fraction
    make: list[int]  # scenes of the storyboard


def _film(params: Params) -> _Film:
    with _reading():
        width, height = params["size"]
        chosen = _settings(params, size=f"{width}x{height}", fps="{}/{}".format(*params["fps"]))
        start, fps = Fraction(*params["start"]), chosen.frame_rate
        frame_count = _frame_count(params)
        items = [dict(item) for item in params["scenes"]]
        firsts = [int(item.pop("first_frame")) for item in items]
        make = [int(index) for index in params["make"]]
        if not items or firsts[0] != 0 or any(after <= before for before, after in pairwise([*firsts, frame_count])):
            raise ValueError("scenes begin at frame 0 and later ones at later frames, before the film's end")
        if len(set(make)) < len(make) or not set(make) <= set(range(len(items))):
            raise ValueError("`make` names each scene once, and only scenes that are there")
        sentences = [str(item["sentence"]).strip() for item in items]
    for index in make:
        if not sentences[index]:
            raise AimvError(f"scene {index + 1} has no prompt; write what is to be seen, or rewrite it")
    # A scene's time as a float is within a billionth of a frame: the planner's frames are these frames
    times = [float(start + first / fps) for first in [*firsts, frame_count]]
    board = {
        **{name: params[name] for name in ("artist", "main_tags") if name in params},
        "look": items[0].get("look"),
        "scenes": [
            {**item, "start": begin, "end": end, "sentence": sentence or UNSAID}
            for item, sentence, (begin, end) in zip(items, sentences, pairwise(times), strict=True)
        ],
    }
    return _Film(chosen, from_dict(board), start, start + frame_count / fps, make)


@contextmanager
def _reading() -> Iterator[None]:
    """Whatever goes wrong inside is the fault of who asks."""
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise BadParams(f"{type(error).__name__}: {error}") from error


def _frame_count(params: Params) -> int:
    count = int(params["frame_count"])
    if not 0 < count <= MOST_FRAMES:
        raise ValueError(f"`frame_count` is from 1 to {MOST_FRAMES}, not {count}")
    return count


def _path(params: Params, name: str) -> Path:
    with _reading():
        path = Path(params[name])
        if not path.is_absolute():
            raise ValueError(f"'{name}' is an absolute path, not {path}")
        return path


def _settings(params: Params, **film: str) -> Settings:
    """The settings with what is chosen in the request, and the defaults for all else."""
    with _reading():
        given = dict(params.get("settings", {}))
    if not film:
        given.pop("keyframe_rate", None)  # which must fit the film's frame rate
    return settings.from_json({**given, **film}, "the settings")


def _remember(project: Project, params: Params) -> None:
    """Keeps the choices in settings.json, so that the command line goes on with them."""
    given = {name: value for name, value in params.get("settings", {}).items() if name != "keyframe_rate"}
    project.write_json("settings.json", dataclasses.asdict(dataclasses.replace(project.settings(), **given)))


def _project(params: Params, job: Job) -> Project:
    """The project, taken for this job."""
    project = Project(_path(params, "project"))
    job.at_end.callback(project.close)
    project.create()
    log.info("aimv %s %s", __version__, job.method)
    return project


def _named(scenes: Sequence[Clustered]) -> Iterator[tuple[Clustered, str]]:
    """Scenes or segments with their names."""
    return zip(scenes, scene_names(scene.cluster for scene in scenes), strict=True)

"""The film's pictures: which names it needs, and the making of those that are missing."""

import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction

from aimv_engine import looks
from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError
from aimv_engine.frames.generators import Generator
from aimv_engine.frames.plan import FilmPlan, KeyframeSpec, Link, LinkedSpec, Predecessor, ScenePlan
from aimv_engine.interpolation import InbetweenPool
from aimv_engine.interpolation.timing import place
from aimv_engine.progress import Progress
from aimv_engine.store import Store, name_of

BYTES_A_PIXEL = 0.42  # of a stored picture, measured on paint's: the estimate errs on the large side


@dataclass(frozen=True)
class Inbetween:
    """A frame between two keyframes, at position 0 < t < 1."""

    first: str
    second: str
    t: Fraction


@dataclass(frozen=True)
class FilmPictures:
    """The names of all that a film is made of."""

    keyframes: dict[str, KeyframeSpec]  # in the order of time
    inbetweens: dict[str, Inbetween]
    strips: tuple[tuple[str, ...], ...]  # the frames of each scene's strip, one name a film frame

    def missing(self, store: Store) -> tuple[list[str], list[str]]:
        """The keyframes and in-betweens that have to be made; one that no frame shows only where others need it."""
        inbetweens = [name for name in self.inbetweens if name not in store]
        needed = {name for strip in self.strips for name in strip}
        for name in inbetweens:
            needed |= {self.inbetweens[name].first, self.inbetweens[name].second}
        keyframes = []
        for name, spec in reversed(self.keyframes.items()):
            if name in needed and name not in store:
                keyframes.append(name)
                if isinstance(spec, LinkedSpec) and spec.before:
                    needed |= {spec.before.name, spec.before.opening}
        return keyframes[::-1], inbetweens


def list_pictures(
    plan: FilmPlan, size: tuple[int, int], generator: str, interpolator: str, links: Collection[Link] = ()
) -> FilmPictures:
    """Every name that the film needs. `generator` and `interpolator` are the identities of what makes the pictures,
    `links` the generator's.

    A frame that falls on a keyframe is that keyframe; any other is named by its two keyframes and its place between.
    The name of a keyframe that goes on from another holds that one's: a change travels to the end of its scene.
    """
    keyframes: dict[str, KeyframeSpec] = {}
    inbetweens: dict[str, Inbetween] = {}
    strips = []
    for scene in plan.scenes:
        painting = looks.load(scene.keyframes[0].look).painting  # another way of painting is another picture
        names: list[str] = []
        for number, plain in enumerate(scene.keyframes):
            spec = _linked(scene, number, plan.keyframe_rate, names, links) if links else plain
            names.append(name_of("keyframe", generator, size, spec, painting))
            keyframes.setdefault(names[-1], spec)
        strip = []
        for frame in range(scene.strip_first, scene.strip_last):
            index, t = place(frame, plan.fps, plan.keyframe_rate, plan.start)
            first = names[index - scene.first_keyframe]
            if t == 0:
                strip.append(first)
                continue
            second = names[index - scene.first_keyframe + 1]
            name = name_of("in-between", interpolator, first, second, t)
            inbetweens[name] = Inbetween(first, second, t)
            strip.append(name)
        strips.append(tuple(strip))
    return FilmPictures(keyframes, inbetweens, tuple(strips))


def _linked(
    scene: ScenePlan, number: int, keyframe_rate: Fraction, names: list[str], links: Collection[Link]
) -> LinkedSpec:
    """A scene's keyframe with what `links` ask for; `names` are those of the ones before it."""
    before = Predecessor(names[-1], scene.keyframes[number - 1].camera, names[0]) if names else None
    return LinkedSpec(
        **vars(scene.keyframes[number]),
        time=(scene.first_keyframe + number) / keyframe_rate if "time" in links else None,
        opening=_linked(scene, 0, keyframe_rate, [], set(links) - {"opening"}) if "opening" in links else None,
        before=before if "before" in links else None,
    )


def bytes_needed(pictures: FilmPictures, store: Store, size: tuple[int, int]) -> int:
    """About how much disk the missing pictures will take."""
    missing = sum(map(len, pictures.missing(store)))
    return int(missing * size[0] * size[1] * BYTES_A_PIXEL)


def check_disk(needed: int, store: Store) -> None:
    """Raises AimvError when the disk hasn't room for that many bytes."""
    free = shutil.disk_usage(store.folder.parent).free
    if needed > free * 0.95:
        raise AimvError(
            f"the film needs about {amount(needed)} and the disk has {amount(free)} left; "
            "make room, choose a smaller size or frame rate, or a project folder on another disk"
        )


def amount(count: int) -> str:
    """A number of bytes as people say it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def nobody(name: str) -> None:
    """Who wants to know when a picture is made: nobody."""


def make_keyframes(
    pictures: FilmPictures,
    store: Store,
    generator: Generator,
    size: tuple[int, int],
    progress: Progress,
    made: Callable[[str], None] = nobody,
) -> None:
    """Makes the keyframes that are missing, each stored as soon as it is there; then `made` gets its name."""
    missing, _ = pictures.missing(store)
    total = len(pictures.keyframes)
    done = total - len(missing)
    progress("keyframes", done, total)
    if not missing:
        return
    specs = [pictures.keyframes[name] for name in missing]
    painted = generator.pictures(specs, size, lambda: progress("keyframes", done, total), store.read)
    for name, picture in zip(missing, painted, strict=True):
        store.write(name, picture)
        made(name)
        done += 1
        progress("keyframes", done, total)


def make_inbetweens(
    pictures: FilmPictures,
    store: Store,
    pool: InbetweenPool,
    progress: Progress,
    made: Callable[[str], None] = nobody,
) -> None:
    """Makes the in-betweens that are missing, pair by pair of keyframes; `made` gets the name of each."""
    _, missing = pictures.missing(store)
    pairs: dict[tuple[str, str], list[str]] = {}
    for name in missing:
        inbetween = pictures.inbetweens[name]
        pairs.setdefault((inbetween.first, inbetween.second), []).append(name)
    total = len(pictures.inbetweens)
    done = total - len(missing)
    progress("in-betweens", done, total)

    def jobs() -> Iterator[tuple[Picture, Picture, list[float]]]:
        for (first, second), names in pairs.items():
            times = [float(pictures.inbetweens[name].t) for name in names]
            yield store.read(first), store.read(second), times

    run = pool.run(jobs(), heartbeat=lambda: progress("in-betweens", done, total))
    for names, joined in zip(pairs.values(), run, strict=True):
        for name, picture in zip(names, joined, strict=True):
            store.write(name, picture)
            made(name)
        done += len(names)
        progress("in-betweens", done, total)

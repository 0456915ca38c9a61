"""The film's pictures: which names it needs, and the making of those that are missing."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from aimv_engine import looks
from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError
from aimv_engine.frames.generators import Generator
from aimv_engine.frames.plan import FilmPlan, KeyframeSpec
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


def list_pictures(plan: FilmPlan, size: tuple[int, int], generator: str, interpolator: str) -> FilmPictures:
    """Every name that the film needs. `generator` and `interpolator` are the identities of what makes the pictures.

    A frame that falls on a keyframe is that keyframe; any other is named by its two keyframes and its place between.
    """
    keyframes: dict[str, KeyframeSpec] = {}
    inbetweens: dict[str, Inbetween] = {}
    strips = []
    for scene in plan.scenes:
        painting = looks.load(scene.keyframes[0].look).painting  # another way of painting is another picture
        names = [name_of("keyframe", generator, size, spec, painting) for spec in scene.keyframes]
        keyframes.update(zip(names, scene.keyframes, strict=True))
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


def bytes_needed(pictures: FilmPictures, store: Store, size: tuple[int, int]) -> int:
    """About how much disk the missing pictures will take."""
    missing = sum(name not in store for name in (*pictures.keyframes, *pictures.inbetweens))
    return int(missing * size[0] * size[1] * BYTES_A_PIXEL)


def check_disk(pictures: FilmPictures, store: Store, size: tuple[int, int]) -> int:
    """The estimate of `bytes_needed`. Raises AimvError when the disk hasn't that much room."""
    needed, free = bytes_needed(pictures, store, size), shutil.disk_usage(store.folder.parent).free
    if needed > free * 0.95:
        raise AimvError(
            f"the film needs about {amount(needed)} and the disk has {amount(free)} left; "
            "make room, choose a smaller --size or --fps, or another disk with --project"
        )
    return needed


def amount(count: int) -> str:
    """A number of bytes as people say it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def make_keyframes(
    pictures: FilmPictures, store: Store, generator: Generator, size: tuple[int, int], progress: Progress
) -> None:
    """Makes the keyframes that are missing, each stored as soon as it is there."""
    missing = [name for name in pictures.keyframes if name not in store]
    total = len(pictures.keyframes)
    progress("keyframes", total - len(missing), total)
    if not missing:
        return
    made = generator.pictures([pictures.keyframes[name] for name in missing], size)
    for done, (name, picture) in enumerate(zip(missing, made, strict=True), total - len(missing) + 1):
        store.write(name, picture)
        progress("keyframes", done, total)


def make_inbetweens(pictures: FilmPictures, store: Store, pool: InbetweenPool, progress: Progress) -> None:
    """Makes the in-betweens that are missing, pair by pair of keyframes."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for name, inbetween in pictures.inbetweens.items():
        if name not in store:
            pairs.setdefault((inbetween.first, inbetween.second), []).append(name)
    total = len(pictures.inbetweens)
    done = total - sum(len(names) for names in pairs.values())
    progress("in-betweens", done, total)

    def jobs() -> Iterator[tuple[Picture, Picture, list[float]]]:
        for (first, second), names in pairs.items():
            times = [float(pictures.inbetweens[name].t) for name in names]
            yield store.read(first), store.read(second), times

    run = pool.run(jobs(), heartbeat=lambda: progress("in-betweens", done, total))
    for names, made in zip(pairs.values(), run, strict=True):
        for name, picture in zip(names, made, strict=True):
            store.write(name, picture)
        done += len(names)
        progress("in-betweens", done, total)

"""A song as segments: stretches of one sound, and clusters of segments that belong together in sound and mood."""

from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.cluster import AgglomerativeClustering

from aimv_engine.arrays import F32, F64
from aimv_engine.song.audio import Song
from aimv_engine.song.energy import Energy
from aimv_engine.song.rhythm import Rhythm
from aimv_engine.song.sections import STEP, Sound, describe, find_boundaries, whitened
from aimv_engine.song.tonality import Tonality
from aimv_engine.tagging.taggram import Taggram

TAG_COUNT = 8
OVERLAP = 0.6  # of the shorter segment, at least, must be replayed by the other
MOOD = 3.0  # the weight of a distance in tags beside one in sound
SAME = 2.4  # clusters closer than this on average are one; tuned on medleys and on songs of known form

Tags = tuple[tuple[str, float], ...]  # heaviest first, weights from 0 to 1


@dataclass(frozen=True)
class Segment:
    """A stretch of a song. `cluster` is "A" for the first and all that are like it, then "B" and so on."""

    start: float  # seconds
    end: float
    cluster: str
    tags: Tags  # of the cluster
    key: str  # such as "A minor"
    energy: float  # 0 to 1, how loud and how percussive it is on the whole


def segment(
    song: Song, taggram: Taggram, rhythm: Rhythm, tonality: Tonality, energy: Energy, clusters: int | None = None
) -> list[Segment]:
    """The segments of a song, which cover it without gaps; a silent song is one.

    The number of clusters is told by the music unless `clusters` says it; there are never more than segments.
    """
    if song.silent:
        borders, labels = np.array([0.0, song.duration]), np.zeros(1, dtype=np.intp)
    else:
        sound = describe(song, tonality)
        borders = find_boundaries(sound, rhythm)
        labels = _clusters(_distances(sound, taggram, borders), clusters)
    tags = [cluster_tags(taggram, borders, labels == label) for label in range(labels.max() + 1)]
    return [
        Segment(
            start=float(start),
            end=float(end),
            cluster=cluster_name(int(label)),
            tags=tags[label],
            key=tonality.key_between(start, end).name,
            energy=_mean_energy(energy, start, end),
        )
        for start, end, label in zip(borders[:-1], borders[1:], labels, strict=True)
    ]


def main_tags(taggram: Taggram) -> Tags:
    """The tags of the whole song, by their mean likelihood."""
    return _heaviest(taggram.tags, taggram.likelihoods.mean(axis=0))


def cluster_tags(taggram: Taggram, borders: F64, chosen: NDArray[np.bool_]) -> Tags:
    """The tags of the chosen ones of the segments between borders [n + 1].

    A tag weighs as much as it is likely there, and as much again as it is likelier there than in the whole song: what
    tells the cluster from the others comes first.
    """
    rows = np.concatenate(
        [
            _rows_between(taggram, start, end)
            for start, end in zip(borders[:-1][chosen], borders[1:][chosen], strict=True)
        ]
    )
    likelihood = rows.mean(axis=0)
    return _heaviest(taggram.tags, 2 * likelihood - taggram.likelihoods.mean(axis=0))


def cluster_name(label: int) -> str:
    """A to Z, then AA, AB and so on."""
    letters = ""
    while label >= 0:
        letters = ascii_uppercase[label % 26] + letters
        label = label // 26 - 1
    return letters


def _heaviest(tags: tuple[str, ...], weights: F32) -> Tags:
    order = np.argsort(-weights, kind="stable")[:TAG_COUNT]
    return tuple((tags[index], round(float(np.clip(weights[index], 0.0, 1.0)), 4)) for index in order)


def _rows_between(taggram: Taggram, start: float, end: float) -> F32:
    """The rows of the patches centred between two times (seconds), or of the nearest patch if there is none."""
    inside = (taggram.times >= start) & (taggram.times < end)
    if not inside.any():
        inside[np.argmin(np.abs(taggram.times - (start + end) / 2))] = True
    return taggram.likelihoods[inside]


def _mean_energy(energy: Energy, start: float, end: float) -> float:
    part = slice(int(start * energy.rate), max(int(end * energy.rate), int(start * energy.rate) + 1))
    return float(energy.loudness[part].mean() + energy.percussive[part].mean()) / 2


def _distances(sound: Sound, taggram: Taggram, borders: F64) -> F64:
    """How different the segments are, pair by pair [n, n]: in how they sound and in what is heard in them."""
    smooth = ndimage.uniform_filter1d(sound.steps, 3, axis=0, mode="nearest")
    sounds = np.split(smooth, np.round(borders[1:-1] / STEP).astype(int))
    relative = replace(taggram, likelihoods=whitened(taggram.likelihoods).astype(np.float32))
    moods = [_rows_between(relative, start, end).mean(axis=0) for start, end in pairwise(borders)]
    distances = np.zeros((len(sounds), len(sounds)))
    for one, other in combinations(range(len(sounds)), 2):
        in_mood = float(((moods[one] - moods[other]) ** 2).sum())
        distances[one, other] = distances[other, one] = _replay(sounds[one], sounds[other]) + MOOD * in_mood
    return distances


def _replay(one: F64, other: F64) -> float:
    """The mean squared distance of the rows of two segments [N, D], laid over each other where they fit best."""
    short, long = sorted((one, other), key=len)
    squared = ((short[:, None] - long[None]) ** 2).sum(axis=2)
    least = max(1, int(OVERLAP * len(short)))
    return min(float(np.diagonal(squared, shift).mean()) for shift in range(least - len(short), len(long) - least + 1))


def _clusters(distances: F64, count: int | None) -> NDArray[np.intp]:
    """The cluster of each segment [n], numbered in the order of their first appearance."""
    if len(distances) == 1:
        return np.zeros(1, dtype=np.intp)
    clustering = AgglomerativeClustering(
        n_clusters=None if count is None else min(count, len(distances)),
        distance_threshold=SAME if count is None else None,
        metric="precomputed",
        linkage="average",
    )
    found = clustering.fit_predict(distances)
    order = {label: number for number, label in enumerate(dict.fromkeys(found))}
    return np.array([order[label] for label in found], dtype=np.intp)

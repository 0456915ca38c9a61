"""Segments: found where songs of known form change, and sorted into clusters that repeat where the music does."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimv_engine.segmentation import Segment, cluster_name, cluster_tags, main_tags, segment
from aimv_engine.song import demo
from aimv_engine.song.audio import Song, decode
from aimv_engine.song.energy import Energy, analyse_energy
from aimv_engine.song.mel import FRAME_RATE
from aimv_engine.song.rhythm import Rhythm, analyse_rhythm
from aimv_engine.song.sections import LONG, SHORTEST, STEP, Sound, find_boundaries
from aimv_engine.song.tonality import Tonality, analyse_tonality
from aimv_engine.tagging.taggram import Taggram
from tests import band
from tests.songs import song_of

BEATLESS = Rhythm(np.zeros(0), np.zeros(0), 0.0, 4, 0.0, True)
MOODS = ("calm", "fast", "loud", "dark", "soft", "weird", "choir", "harp", "piano", "drums")

THRASH: band.Bar = {
    "kick": band.evenly(0.5, 4, 0.8), "snare": ((1, 1), (3, 1)), "ride": band.evenly(1, 4, 0.7),
    "bass": band.evenly(0.5, 4), "chord": band.evenly(0.5, 4, 0.6),
}  # fmt: skip
HOUSE: band.Bar = {
    "kick": band.evenly(1, 4, 1), "hat": band.evenly(1, 4, 0.9, 0.5), "snare": ((1, 0.5), (3, 0.5)),
    "bass": band.evenly(1, 4, 0.8, 0.5), "chord": ((0, 0.7), (1.5, 0.6)),
}  # fmt: skip
WALTZ: band.Bar = {"kick": ((0, 0.9),), "snare": ((1, 0.4), (2, 0.4)), "bass": ((0, 1),), "chord": ((1, 0.7), (2, 0.7))}
PIECES: tuple[tuple[band.Bar, float, int], ...] = (  # bar, tempo, meter
    (THRASH, 190, 4), (HOUSE, 126, 4), (WALTZ, 152, 3), (band.PAD, 80, 4), (band.ROCK, 104, 4),
)  # fmt: skip


@dataclass(frozen=True)
class Analysis:
    """All that `segment` asks for, and the truth: borders in seconds from 0 to the end, and what lies between them."""

    song: Song
    taggram: Taggram
    rhythm: Rhythm
    tonality: Tonality
    energy: Energy
    borders: np.ndarray
    labels: tuple[int, ...]

    def segments(self, clusters: int | None = None) -> list[Segment]:
        return segment(self.song, self.taggram, self.rhythm, self.tonality, self.energy, clusters)


def analyse(song: Song, borders: np.ndarray, labels: tuple[int, ...], rhythm: Rhythm | None = None) -> Analysis:
    """An analysis whose tags are heard as a network would hear them: noisily, and blurred over three seconds."""
    random = np.random.default_rng(0)
    times = np.arange(1.5, song.duration - 1.0, 1.0)
    profiles = random.uniform(0, 0.6, (max(labels) + 1, len(MOODS)))
    sections = np.array(labels)
    heard = [profiles[sections[np.searchsorted(borders[1:-1], times + late, "right")]] for late in (-1, 0, 1)]
    likelihoods = np.clip(np.mean(heard, axis=0) + random.normal(0, 0.05, (len(times), len(MOODS))), 0, 1)
    taggram = Taggram(times, MOODS, likelihoods.astype(np.float32))
    return Analysis(
        song, taggram, rhythm or analyse_rhythm(song), analyse_tonality(song), analyse_energy(song), borders, labels
    )


@cache
def piece(number: int) -> np.ndarray:
    bar, tempo, meter = PIECES[number]
    samples = band.perform(band.steady(tempo, int(20 * tempo / 60) + 1), meter, [(bar, 40)], seed=number).samples
    return samples / np.sqrt(np.mean(samples**2)) * 0.1


@cache
def medley(seed: int) -> Analysis:
    """Seven pieces of 9 to 16 seconds, cut without regard to beats; some come again."""
    random = np.random.default_rng(seed)
    order = [*random.permutation(len(PIECES)), *random.permutation(len(PIECES) - 1)[:2]]
    if order[len(PIECES) - 1] == order[len(PIECES)]:
        order[0], order[len(PIECES) - 1] = order[len(PIECES) - 1], order[0]
    parts = [
        piece(number)[int(random.uniform(0, 2) * band.RATE) :][: int(random.uniform(9, 16) * band.RATE)]
        for number in order
    ]
    borders = np.cumsum([0, *map(len, parts)]) / band.RATE
    return analyse(song_of(np.concatenate(parts)), borders, tuple(int(number) for number in order))


@cache
def demo_song(folder: Path) -> Analysis:
    demo.compose(folder / "demo.wav")
    truth = demo.truth()
    names = sorted({section.label for section in truth.sections})
    borders = np.array([*(section.start for section in truth.sections), truth.duration])
    return analyse(
        decode(folder / "demo.wav"), borders, tuple(names.index(section.label) for section in truth.sections)
    )


@pytest.fixture(scope="session")
def demo_analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return demo_song(tmp_path_factory.mktemp("demo"))


def intervals(borders: np.ndarray) -> np.ndarray:
    return np.array(list(pairwise(borders)))


def borders_of(segments: list[Segment]) -> np.ndarray:
    return np.array([segments[0].start, *(part.end for part in segments)])


@pytest.mark.parametrize("window", [0.5, 3.0])
def test_medleys_are_cut_where_they_were_joined(window: float) -> None:
    scores = []
    for seed in range(3):
        analysis = medley(seed)
        found = borders_of(analysis.segments())
        score = mir_eval.segment.detection(intervals(analysis.borders), intervals(found), window=window, trim=True)
        scores.append(score[2])
    assert np.mean(scores) >= 0.8


def test_pieces_that_come_again_are_clusters() -> None:
    scores = []
    for seed in range(3):
        analysis = medley(seed)
        segments = analysis.segments()
        found = intervals(borders_of(segments))
        found[-1, 1] = analysis.borders[-1]
        labels = [part.cluster for part in segments]
        truth = [str(label) for label in analysis.labels]
        scores.append(mir_eval.segment.pairwise(intervals(analysis.borders), truth, found, labels)[2])
    assert np.mean(scores) >= 0.8


def test_the_demo_song_is_cut_on_its_bar_lines_and_its_chorus_comes_again(demo_analysis: Analysis) -> None:
    segments = demo_analysis.segments()
    assert borders_of(segments) == pytest.approx(demo_analysis.borders, abs=0.1)
    assert [part.cluster for part in segments] == ["A", "B", "C", "D", "C"]
    assert segments[2].tags == segments[4].tags
    assert max(segments, key=lambda part: part.energy).cluster == "C"
    assert segments[2].key == demo.KEY


@pytest.mark.parametrize("clusters", [1, 2, 3, 5, 99])
def test_the_number_of_clusters_can_be_set(clusters: int, demo_analysis: Analysis) -> None:
    segments = demo_analysis.segments(clusters)
    names = list(dict.fromkeys(part.cluster for part in segments))
    assert names == [cluster_name(label) for label in range(min(clusters, len(segments)))]


def test_a_long_stretch_of_one_sound_is_cut_on_bar_lines_for_the_film_and_stays_one_cluster() -> None:
    samples = band.perform(band.steady(120, 241), 4, [(band.ROCK, 60)]).samples
    song = song_of(samples[: 120 * band.RATE])
    analysis = analyse(song, np.array([0.0, 120.0]), (0,))
    segments = analysis.segments()
    assert max(part.end - part.start for part in segments) <= 1.5 * LONG
    assert {part.cluster for part in segments} == {"A"}
    assert all(np.abs(analysis.rhythm.downbeats - part.start).min() < 0.05 for part in segments[1:])


def test_beatless_music_is_cut_too() -> None:
    tones, hiss = band.pad(seconds=20).samples, band.noise(seconds=20).samples * 0.3
    analysis = analyse(song_of(np.concatenate([tones, hiss, tones])), np.array([0.0, 20, 40, 60]), (0, 1, 0), BEATLESS)
    found = borders_of(analysis.segments())
    assert all(np.abs(found - border).min() <= 0.5 for border in analysis.borders)


@pytest.mark.parametrize("seconds", [5, 9, 30])
def test_silence_is_one_quiet_segment(seconds: int) -> None:
    song = song_of(np.random.default_rng(0).uniform(-5e-4, 5e-4, seconds * band.RATE))
    analysis = analyse(song, np.array([0.0, seconds]), (0,), BEATLESS)
    (only,) = analysis.segments()
    assert (only.start, only.end, only.cluster, only.energy) == (0, seconds, "A", 0)


def test_a_song_of_five_seconds_is_one_segment() -> None:
    analysis = analyse(song_of(piece(1)[: 5 * band.RATE]), np.array([0.0, 5.0]), (0,), BEATLESS)
    assert [(part.start, part.end) for part in analysis.segments()] == [(0.0, 5.0)]


@settings(max_examples=60, deadline=None)
@given(
    seconds=st.floats(5.0, 150.0),
    changes=st.lists(st.floats(0.0, 150.0), max_size=12),
    contrast=st.floats(0.0, 5.0),
    bar=st.one_of(st.none(), st.floats(0.9, 4.0)),
    seed=st.integers(0, 2**16),
)
def test_sections_tile_any_song_and_none_is_too_short(
    seconds: float, changes: list[float], contrast: float, bar: float | None, seed: int
) -> None:
    random = np.random.default_rng(seed)

    def rows(rate: float, count: int, width: int) -> np.ndarray:
        states = contrast * np.random.default_rng(seed + 1).standard_normal((len(changes) + 1, width))
        return states[np.searchsorted(sorted(changes), np.arange(count) / rate)] + random.standard_normal(
            (count, width)
        )

    sound = Sound(rows(FRAME_RATE, int(seconds * FRAME_RATE) + 1, 17), rows(1 / STEP, int(seconds / STEP), 37), seconds)
    downbeats = np.arange(0.3, seconds, bar) if bar else np.zeros(0)
    borders = find_boundaries(sound, replace(BEATLESS, downbeats=downbeats))
    assert borders[0] == 0
    assert borders[-1] == seconds
    assert len(borders) == 2 or np.diff(borders).min() >= SHORTEST - 1e-9


def taggram_of(rows: list[list[float]], tags: tuple[str, ...]) -> Taggram:
    return Taggram(np.arange(len(rows)) + 0.5, tags, np.array(rows, dtype=np.float32))


def test_tags_of_a_cluster_are_what_tells_it_from_the_song() -> None:
    taggram = taggram_of([[0.6, 0.4, 0.0], [0.6, 0.4, 0.0], [0.6, 0.0, 0.1], [0.6, 0.0, 0.1]], ("slow", "harp", "loud"))
    borders = np.array([0.0, 2.0, 4.0])
    assert cluster_tags(taggram, borders, np.array([True, False])) == (("slow", 0.6), ("harp", 0.6), ("loud", 0.0))
    assert cluster_tags(taggram, borders, np.array([False, True])) == (("slow", 0.6), ("loud", 0.15), ("harp", 0.0))
    assert main_tags(taggram) == (("slow", 0.6), ("harp", 0.2), ("loud", 0.05))


def test_a_segment_between_two_patches_has_the_tags_of_the_nearest() -> None:
    taggram = replace(taggram_of([[0.8, 0.0], [0.0, 0.8]], ("slow", "fast")), times=np.array([1.5, 31.5]))
    tags = cluster_tags(taggram, np.array([0.0, 8.0, 16.0, 33.0]), np.array([False, True, False]))
    assert tags[0][0] == "slow"


def test_segments_carry_eight_weighted_tags(demo_analysis: Analysis) -> None:
    for part in demo_analysis.segments():
        weights = [weight for _tag, weight in part.tags]
        assert len(weights) == 8
        assert weights == sorted(weights, reverse=True)
        assert 0 <= weights[-1] <= weights[0] <= 1
        assert 0 <= part.energy <= 1


def test_cluster_names_go_on_after_z() -> None:
    assert [cluster_name(label) for label in (0, 1, 25, 26, 27, 701, 702)] == ["A", "B", "Z", "AA", "AB", "ZZ", "AAA"]

"""The demo song: what it claims of itself is what one hears."""

import wave
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimv_engine.arrays import F32
from aimv_engine.song.audio import Song, decode
from aimv_engine.song.demo import BAR, Section, compose, truth
from aimv_engine.song.tonality import analyse_tonality
from aimv_engine.tagging.taggram import tag


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Song:
    path = tmp_path_factory.mktemp("demo") / "demo.wav"
    compose(path)
    return decode(path)


def part(song: Song, section: Section) -> F32:
    return song.samples[round(section.start * song.rate) : round(section.end * song.rate)]


@given(st.floats(10.0, 600.0))
def test_the_truth_holds_for_any_length(seconds: float) -> None:
    demo = truth(seconds)
    starts = [section.start for section in demo.sections]
    ends = [section.end for section in demo.sections]
    assert starts == [0.0, *ends[:-1]]
    assert ends[-1] == demo.duration == seconds
    assert set(starts) <= set(demo.downbeats)
    assert set(demo.downbeats) <= set(demo.beats)
    assert demo.beats[-1] < seconds
    np.testing.assert_allclose(np.diff(demo.beats), 60 / demo.tempo)


def test_forty_seconds_have_five_sections_of_four_bars() -> None:
    sections = truth().sections
    assert [section.label for section in sections] == ["intro", "verse", "chorus", "breakdown", "chorus"]
    assert {section.end - section.start for section in sections} == {4 * BAR}


def test_the_file_is_stereo_of_the_length_asked_for(tmp_path: Path) -> None:
    compose(tmp_path / "odd.wav", seconds=11.3)
    with wave.open(str(tmp_path / "odd.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 44100)
        assert file.getnframes() == pytest.approx(11.3 * 44100, abs=1)


def test_the_same_seed_gives_the_same_bytes_and_another_another_song(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        compose(tmp_path / name, seconds=10.0, seed=seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_it_is_quiet_and_loud_by_turns_and_never_clips(song: Song) -> None:
    intro, verse, chorus, breakdown, again = (
        20 * np.log10(np.sqrt(np.mean(part(song, section) ** 2))) for section in truth().sections
    )
    assert intro + 4 < verse < chorus - 3
    assert breakdown < chorus - 6
    assert again == pytest.approx(chorus, abs=0.5)
    assert np.abs(song.samples).max() < 0.95


def test_the_chorus_comes_again(song: Song) -> None:
    parts = [part(song, section) for section in truth().sections]
    seconds = 6 * song.rate  # without the fade at the very end
    first, again = parts[2][:seconds], parts[4][:seconds]
    assert np.corrcoef(first, again)[0, 1] > 0.99
    assert abs(np.corrcoef(first, parts[1][:seconds])[0, 1]) < 0.5


def test_drums_strike_on_the_beats(song: Song) -> None:
    """In the verse and the chorus the sound jumps up on every beat, and not a third of a beat later."""
    demo = truth()
    window = song.rate // 50

    def jumps(times: np.ndarray) -> np.ndarray:
        at = np.round(times * song.rate).astype(int)
        power = [[np.mean(song.samples[i + d : i + d + window] ** 2) for d in (-window, 0)] for i in at]
        return np.array([after / before for before, after in power])

    for section in demo.sections[1:3]:
        beats = demo.beats[(demo.beats >= section.start) & (demo.beats < section.end)]
        assert (jumps(beats) > 1.2).all()
        assert np.median(jumps(beats)) > 1.5 * np.median(jumps(beats + 0.5 / 3))


def test_the_key_is_heard(song: Song) -> None:
    demo = truth()
    assert analyse_tonality(song).key_between(0.0, demo.duration).name == demo.key


def test_the_sections_get_different_tags(song: Song) -> None:
    taggram = tag(song, hop=1.0)
    rows = []
    for section in truth().sections:
        inside = (taggram.times > section.start + 1.5) & (taggram.times < section.end - 1.5)
        rows.append(taggram.likelihoods[inside].mean(axis=0))
    _intro, verse, chorus, breakdown, _again = (taggram.tags[row.argmax()] for row in rows)
    assert breakdown == "piano"
    assert {verse, chorus} <= {"electronic", "techno", "synth", "rock"}
    units = np.array([row / np.linalg.norm(row) for row in rows])
    alike = units @ units.T
    for one, other in combinations(range(5), 2):
        assert alike[one, other] > 0.99 if (one, other) == (2, 4) else alike[one, other] < 0.9

"""The whole storyboard with the real models: scenes that differ, recur, and come out the same again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from test_storyboard_models import tiny_model

from aimv_engine import looks
from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.segmentation import Segment
from aimv_engine.storyboard import filters, language_model, openings, writer
from aimv_engine.storyboard.artist import choose_artist
from aimv_engine.storyboard.language_model import LanguageModel
from aimv_engine.storyboard.scene import Candidate, Storyboard, from_dict, to_dict
from aimv_engine.storyboard.vocabulary import artists, vocabulary, words
from aimv_engine.text_embedding import TextEmbedder

AMBIENT = (("slow", 0.4), ("ambient", 0.3), ("piano", 0.2))
METAL = (("rock", 0.6), ("loud", 0.5), ("metal", 0.4), ("guitar", 0.2))
MAIN = (("slow", 0.4), ("rock", 0.3))
SONG = [
    Segment(0.0, 10.0, "A", AMBIENT, "A minor", 0.2),
    Segment(10.0, 30.0, "B", METAL, "E minor", 0.9),
    Segment(30.0, 40.0, "A", AMBIENT, "A minor", 0.2),
]


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Iterator[None]:
    """The writer's way with fewer drafts, so that the tests don't take minutes on a busy machine."""
    with pytest.MonkeyPatch.context() as patch, language_model.fixed_threads(1):
        for name, value in {"DRAFTS": 12, "RETURN_DRAFTS": 6, "SHOTS": 3, "PROMPTS": 2, "ATTEMPTS": 2}.items():
            patch.setattr(writer, name, value)
        yield


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return replace(language_model.load(), threads=1)


@pytest.fixture(scope="module")
def embed() -> TextEmbedder:
    return TextEmbedder()


@pytest.fixture(scope="module")
def storyboard(model: LanguageModel, embed: TextEmbedder) -> Storyboard:
    return writer.write_storyboard(SONG, MAIN, seed=3, model=model, ranker=embed)


def test_a_scene_a_segment(storyboard: Storyboard) -> None:
    assert [(scene.start, scene.end, scene.cluster) for scene in storyboard.scenes] == [
        (segment.start, segment.end, segment.cluster) for segment in SONG
    ]
    assert all(scene.tags == segment.tags for scene, segment in zip(storyboard.scenes, SONG, strict=True))
    assert storyboard.main_tags == MAIN
    assert storyboard.look in looks.names()
    assert storyboard.artist.removeprefix("by ") in artists()
    assert from_dict(to_dict(storyboard)) == storyboard


def test_sentences_are_whole_and_free_of_music(storyboard: Storyboard) -> None:
    for scene in storyboard.scenes:
        assert scene.sentence == scene.candidates[0].sentence
        assert 1 <= len(scene.candidates) <= writer.KEPT
        for candidate in scene.candidates:
            assert candidate.sentence.endswith(".")
            assert 8 <= len(candidate.sentence.split()) <= 32
            assert not words().music & set(filters.split(candidate.sentence))


def test_a_new_cluster_is_a_new_scene_and_its_return_the_same_again(storyboard: Storyboard) -> None:
    first, other, again = storyboard.scenes
    assert first.seed == again.seed != other.seed
    assert first.sentence != again.sentence

    def things(sentence: str) -> set[str]:
        return set(filters.split(filters.subject_part(sentence))) - words().function

    assert len(things(first.sentence) & things(again.sentence)) >= 3
    assert len(things(first.sentence) & things(other.sentence)) <= 1


def test_a_person_can_choose_among_different_scenes(storyboard: Storyboard) -> None:
    sentences = {candidate.sentence for candidate in storyboard.scenes[0].candidates}
    assert len(sentences) == len(storyboard.scenes[0].candidates) >= 2


def test_the_same_again_and_with_another_seed_another_film(
    storyboard: Storyboard, model: LanguageModel, embed: TextEmbedder
) -> None:
    assert writer.write_storyboard(SONG, MAIN, seed=3, model=model, ranker=embed) == storyboard
    other = writer.write_storyboard(SONG[:1], MAIN, seed=4, look="oil", model=model, ranker=embed)
    assert other.scenes[0].sentence != storyboard.scenes[0].sentence
    assert other.look == "oil"


def test_a_song_without_tags_is_one_quiet_scene(model: LanguageModel, embed: TextEmbedder) -> None:
    silence = Segment(0.0, 20.0, "A", (), "C major", 0.0)
    (scene,) = writer.write_storyboard([silence], (), seed=0, model=model, ranker=embed).scenes
    assert (scene.start, scene.end, scene.tags) == (0.0, 20.0, ())
    assert scene.sentence.endswith(".")


def test_a_model_that_only_babbles_still_gets_a_film(model: LanguageModel, embed: TextEmbedder, tmp_path: Path) -> None:
    """Any causal model goes the way of the original prompt; a designed sentence stands in where nothing passes."""
    folder = tiny_model(tmp_path / "tiny", model.tokenizer)
    (scene,) = writer.write_storyboard(SONG[:1], MAIN, seed=1, model=str(folder), ranker=embed).scenes
    assert scene.sentence.endswith(" light.")


def test_a_larger_model_finds_its_own_scenes(model: LanguageModel, embed: TextEmbedder) -> None:
    """The few-shot way with guided sampling, by the embedded model under another name."""
    larger = replace(model, name="larger")
    board = writer.write_storyboard(SONG, MAIN, seed=2, model=larger, ranker=embed)
    assert len({scene.sentence for scene in board.scenes}) >= 2


def test_cancelling_is_heard(model: LanguageModel, embed: TextEmbedder) -> None:
    calls = []

    def cancel(stage: str, done: int, total: int) -> None:
        calls.append(done)
        if len(calls) > 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        writer.write_storyboard(SONG, MAIN, seed=1, model=model, ranker=embed, progress=cancel)
    assert calls == [0] * 6


def test_a_scene_is_rewritten_into_something_else(
    storyboard: Storyboard, model: LanguageModel, embed: TextEmbedder
) -> None:
    scene = storyboard.scenes[0]
    avoid = [candidate.sentence for candidate in scene.candidates]

    def again(seed: int, avoid: list[str]) -> tuple[Candidate, ...]:
        return writer.rewrite(AMBIENT, MAIN, 0.2, "A", seed, avoid, model=model, ranker=embed)

    candidates = again(5, avoid)
    assert 2 <= len(candidates) <= writer.KEPT
    assert [one.score for one in candidates] == sorted((one.score for one in candidates), reverse=True)
    sentences = [candidate.sentence for candidate in candidates]
    assert not openings.places_in(sentences) & openings.places_in(avoid)
    assert not openings.subjects_in(sentences) & openings.subjects_in(avoid)
    assert (embed(sentences) @ embed(avoid).T).max() < 0.8
    assert again(5, avoid) == candidates
    assert {one.sentence for one in again(6, avoid)}.isdisjoint(sentences)


def test_rewriting_goes_on_when_all_places_and_subjects_are_used_up(model: LanguageModel, embed: TextEmbedder) -> None:
    tables = vocabulary()
    avoid = [row.words for table in (tables.places, tables.subjects) for rows in table.values() for row in rows]
    assert writer.rewrite(METAL, MAIN, 0.9, "B", 1, avoid, model=model, ranker=embed)


def test_an_unknown_look_is_refused(model: LanguageModel, embed: TextEmbedder) -> None:
    with pytest.raises(AimvError, match="no look 'nonesuch'"):
        writer.write_storyboard(SONG, MAIN, seed=1, look="nonesuch", model=model, ranker=embed)


def test_the_look_suits_the_main_tags() -> None:
    for name in looks.names():
        suits = looks.load(name).suits
        if suits:
            chosen = writer.suggest_look(((suits[0], 0.9),))
            assert suits[0] in looks.load(chosen).suits
    assert writer.suggest_look(()) in looks.names()


def test_what_sets_a_cluster_apart_is_lifted() -> None:
    tags = (("slow", 0.4), ("piano", 0.35))
    assert writer.characteristic(tags, (("slow", 0.4), ("piano", 0.1)))[0][0] == "piano"
    assert writer.characteristic(tags, ())[0][0] == "slow"


def test_the_artist_fits_and_differs_with_the_seed(embed: TextEmbedder) -> None:
    chosen = {choose_artist(["dark", "fierce", "violent"], seed, embed) for seed in range(3)}
    assert len(chosen) == 3
    assert "by Joaquín Sorolla" not in chosen

"""The language model and what ranks its sentences: loading, sampling, guidance, CLIP."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aimv_engine import weights
from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.storyboard import fewshot, gguf_checkpoint, language_model, openings, sampling
from aimv_engine.storyboard.language_model import LanguageModel
from aimv_engine.storyboard.ranking import ClipText, Taste
from aimv_engine.storyboard.sampling import Reading, Recipe
from aimv_engine.storyboard.vocabulary import vocabulary, words
from aimv_engine.text_embedding import TextEmbedder


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads wait for each other on a busy machine, which takes longer than one alone."""
    with language_model.fixed_threads(1):
        yield


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return language_model.load()


@pytest.fixture(scope="module")
def embed() -> TextEmbedder:
    return TextEmbedder()


@pytest.fixture(scope="module")
def masks(model: LanguageModel) -> sampling.Masks:
    return sampling.masks(model, words().banned, words().function)


def write(model: LanguageModel, masks: sampling.Masks, count: int, **options: Any) -> list[sampling.Draft]:
    mood = openings.mood((("slow", 0.5), ("ambient", 0.4)), 0.3)
    made = openings.openings(mood, count, random.Random(1), (), ())
    examples = Reading(model, [openings.examples(3, random.Random(i)) for i in range(2)])
    reading = examples.branch(range(2), [sampling.tokens(model, openings.request(mood.adjectives))] * 2)
    generator = torch.Generator().manual_seed(5)
    return sampling.complete(model, reading, [opening.text for opening in made], masks, generator, **options)


def test_the_embedded_model_knows_the_world(model: LanguageModel) -> None:
    """A wrong order of the attention's rows, or of names, would make noise of it."""
    read = model.tokenizer("The capital of France is Paris, and the capital of Italy is", return_tensors="pt")
    with torch.inference_mode():
        likeliest = int(model.network(**read).logits[0, -1].argmax())
    assert model.pieces[likeliest] == " Rome"


def test_a_cancelled_conversion_leaves_nothing(tmp_path: Path) -> None:
    def cancel(stage: str, done: int, total: int) -> None:
        if done > 60:
            raise Cancelled

    with pytest.raises(Cancelled):
        gguf_checkpoint.convert(weights.packaged("smollm2"), tmp_path / "model", cancel)
    assert not list(tmp_path.iterdir())


def test_a_batch_says_what_single_texts_say(model: LanguageModel, masks: sampling.Masks) -> None:
    """Shared prefixes, padding and branching change nothing: each draft is as likely as its plain text is."""
    exact = LanguageModel("exact", language_model.load().network.float(), model.tokenizer, model.pieces, 1)
    drafts = write(exact, masks, 5)
    for i, draft in enumerate(drafts):
        prompt = openings.examples(3, random.Random(i % 2)) + openings.request(
            openings.mood((("slow", 0.5), ("ambient", 0.4)), 0.3).adjectives
        )
        given = sampling.tokens(exact, prompt) + sampling.tokens(exact, f" {draft.opening}")
        ids = given + sampling.tokens(exact, draft.text.removeprefix(draft.opening))
        with torch.inference_mode():
            logits = exact.network(input_ids=torch.tensor([ids])).logits[0].log_softmax(1)
        own = [float(logits[at - 1, ids[at]]) for at in range(len(given), len(ids))]
        assert draft.likelihood == pytest.approx(np.mean(own), abs=1e-3)


def test_drafts_begin_with_their_openings_and_say_nothing_banned(model: LanguageModel, masks: sampling.Masks) -> None:
    drafts = write(model, masks, 8)
    for i, draft in enumerate(drafts):
        assert draft.choice == i
        assert draft.text.startswith(draft.opening)
        assert draft.text.count(".") <= 1
        assert set(draft.text) <= sampling.ALLOWED | {"."}
    assert [draft.text for draft in write(model, masks, 8)] == [draft.text for draft in drafts]


def test_guidance_leads_where_the_guide_points(model: LanguageModel, masks: sampling.Masks) -> None:
    def likes_the(texts: Any) -> Any:
        return np.array([text.lower().split().count("the") for text in texts], np.float32)

    free = likes_the([draft.text for draft in write(model, masks, 16)])
    led = likes_the([draft.text for draft in write(model, masks, 16, guide=likes_the, recipe=Recipe(guide_every=2))])
    assert led.mean() > free.mean() + 0.3


def test_the_original_prompt_without_an_opening(model: LanguageModel, masks: sampling.Masks) -> None:
    examples = Reading(model, [fewshot.examples(4, random.Random(0))])
    asked = sampling.tokens(model, fewshot.request(["calm", "vast", "pale"]))
    drafts = sampling.complete(model, examples.branch([0], [asked]), [""] * 6, masks, torch.Generator().manual_seed(2))
    assert len({draft.text for draft in drafts}) > 3
    assert all(len(draft.text.split()) >= 3 for draft in drafts)


def tiny_model(folder: Path, tokenizer: Any) -> Path:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_any_folder_with_a_causal_model_loads(model: LanguageModel, tmp_path: Path) -> None:
    other = language_model.load(str(tiny_model(tmp_path / "tiny", model.tokenizer)))
    assert not other.embedded
    assert other.pieces == model.pieces


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"whatever")
    with pytest.raises(AimvError, match="safetensors"):
        language_model.load(str(tmp_path))


@pytest.mark.parametrize("name", ["nobody/has-this-model", "no such folder", "../x/y/z"])
def test_an_unknown_model_is_an_error_that_says_what_to_give(name: str) -> None:
    with pytest.raises(AimvError, match="can't be loaded"):
        language_model.load(name)


def draft(text: str, likelihood: float = -1.2) -> sampling.Draft:
    return sampling.Draft("", text, likelihood, 0)


def test_taste_prefers_the_mood_and_shuns_music_and_what_was_said(embed: TextEmbedder) -> None:
    cold = "In a frozen harbour, a white dog waits beside a sledge while snow falls."
    hot = "In a burning field, a bull charges at a red barn while sparks fly."
    loud = "In a frozen harbour, a band plays a loud song on a snowy stage."
    ranked = [
        candidate.sentence
        for _, candidate in Taste(embed, ["cold", "still", "snowy"]).rank(list(map(draft, (hot, loud, cold))))
    ]
    assert ranked[0] == cold
    assert Taste(embed, ["fierce", "burning", "violent"]).rank(list(map(draft, (cold, hot))))[0][1].sentence == hot
    fresh = "On a mountain pass, a fox crosses the ice under a pale moon."
    again = Taste(embed, ["cold", "still", "snowy"], said=[cold]).rank(list(map(draft, (cold, fresh))))
    assert again[0][1].sentence == fresh


def test_near_doubles_are_one_idea(embed: TextEmbedder) -> None:
    first = "In a snowy field, a white horse walks through the mist."
    ranked = Taste(embed, ["cold"]).rank(
        [draft(first), draft(first.replace("walks", "steps")), draft("A red car burns.")]
    )
    assert len(ranked) == 2


def test_nothing_to_rank_gives_nothing(embed: TextEmbedder) -> None:
    assert Taste(embed, ["cold"]).rank([]) == []


def tiny_clip(folder: Path) -> Path:
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

    letters = [chr(code) for code in range(33, 127)]
    pieces = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer.from_pretrained(folder).save_pretrained(folder)
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        intermediate_size=16,
        projection_dim=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    CLIPTextModelWithProjection(config).save_pretrained(folder)
    return folder


def test_clip_places_texts_around_the_middle_of_its_cone(tmp_path: Path) -> None:
    clip = ClipText(tiny_clip(tmp_path / "clip"))
    rows = clip([sentence for _, sentence in vocabulary().shots])
    assert rows.shape == (len(vocabulary().shots), 8)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.linalg.norm(rows.mean(0)) < 0.5
    np.testing.assert_allclose(clip(["a much longer text than the other", "a dog"])[1], clip(["a dog"])[0], atol=1e-5)
    assert len(Taste(clip, ["cold"]).rank([draft("A dog sleeps."), draft("Rain falls on the red barn.")])) == 2


def test_a_folder_without_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AimvError, match="CLIP"):
        ClipText(tmp_path)

"""Mixed prompts: what a model is told is what one computes by hand from the pipeline's own embeddings."""

import gc
import math
import weakref
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aimv_engine.frames.generators.diffusion.adapters import adapter_for
from aimv_engine.frames.generators.diffusion.encoding import Encoding
from aimv_engine.frames.plan import WeightedText
from aimv_engine.frames.prompt_mix import (
    DEFAULT,
    REMEMBERED,
    UNMIXED,
    MixRecipe,
    Part,
    average,
    concatenate,
    fitted,
    mix,
    pieces_of,
    reader,
    recipe_for,
    slerp,
)
from aimv_engine.store import name_of
from tests import tiny_pipelines

FAMILIES = {
    "sd": tiny_pipelines.stable_diffusion,
    "sdxl": tiny_pipelines.sdxl,
    "sd3": tiny_pipelines.stable_diffusion_3,
    "z-image": tiny_pipelines.z_image,
}
SCENE, NEXT = "A quiet sea in the fog.", "A red tower on the island."
STYLE = (WeightedText("by Nobody", 1.0, "artist"), WeightedText("oil painting", 1.0, "look"))
LONG = "a dark forest and a small house by the river, " * 9  # of 99 words and marks: two chunks


@pytest.fixture(scope="module", params=FAMILIES)
def any_adapter(request):
    return adapter_for(FAMILIES[request.param]())


@pytest.fixture(scope="module", params=["sd", "sdxl", "sd3"])
def adapter(request):
    """Of a family whose texts can be mixed."""
    return adapter_for(FAMILIES[request.param]())


@pytest.fixture(scope="module")
def sd():
    return adapter_for(tiny_pipelines.stable_diffusion())


def scene(weight=1.0, text=SCENE):
    return WeightedText(text, weight, "scene")


def following(weight, text=NEXT):
    return WeightedText(text, weight, "next scene")


def tokens(*rows):
    return Encoding(torch.tensor(rows))


def equal(one, other):
    return torch.equal(one.tokens, other.tokens) and (one.pooled is None or torch.equal(one.pooled, other.pooled))


def close(one, other):
    assert one.shape == other.shape
    assert torch.allclose(one, other, atol=1e-5), f"off by {(one - other).abs().max():.2g}"


def turned_by_hand(one, other, t):
    """The great circle's textbook formula, one row after the other, in double precision."""
    rows = []
    for first, last in zip(one.double().numpy(), other.double().numpy(), strict=True):
        begin, end = np.linalg.norm(first), np.linalg.norm(last)
        if begin * end == 0 or np.allclose(first, last):
            rows.append((1 - t) * first + t * last)
            continue
        u, v = first / begin, last / end
        angle = np.arccos(np.clip(u @ v, -1, 1))
        direction = (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / np.sin(angle)
        rows.append(direction * ((1 - t) * begin + t * end))
    return torch.tensor(np.array(rows)).float()


# pure functions --------------------------------------------------------------------------------------------------


def test_slerp_keeps_to_the_circle():
    between = slerp(tokens([2.0, 0.0], [0.0, 3.0]), tokens([0.0, 2.0], [0.0, 5.0]), 1 / 3)
    close(between.tokens, torch.tensor([[2 * math.cos(math.pi / 6), 2 * math.sin(math.pi / 6)], [0.0, 3 + 2 / 3]]))


def test_slerp_begins_and_ends_with_the_texts_themselves():
    one, other = tokens([0.1, 0.7]), tokens([0.3, -0.2])
    assert slerp(one, other, 0.0) is one
    assert slerp(one, other, 1.0) is other


@pytest.mark.parametrize("other", [[0.0, 0.0], [1.0, 2.0], [1.0, 2.0 + 1e-6], [-1.0, -2.0]])
def test_slerp_has_a_way_where_there_is_no_circle(other):
    between = slerp(tokens([1.0, 2.0]), tokens(other), 0.25).tokens
    close(between, torch.tensor([[0.75 + 0.25 * other[0], 1.5 + 0.25 * other[1]]]))


@given(seed=st.integers(0, 10**6), t=st.floats(0.0, 1.0))
def test_slerp_agrees_with_the_textbook(seed, t):
    one, other = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(seed))
    close(slerp(Encoding(one), Encoding(other), t).tokens, turned_by_hand(one, other, t))


def test_an_average_is_the_weighted_mean_of_rows_and_of_the_whole():
    one = Encoding(torch.tensor([[1.0, 2.0]]), torch.tensor([4.0]))
    other = Encoding(torch.tensor([[5.0, 6.0]]), torch.tensor([8.0]))
    mean = average([(one, 0.6), (other, 0.2)])
    close(mean.tokens, torch.tensor([[2.0, 3.0]]))
    close(mean.pooled, torch.tensor([5.0]))
    assert average([(one, 0.3)]) is one


def test_blocks_follow_one_another_and_the_first_stands_for_the_whole():
    one, other = Encoding(torch.ones(2, 3), torch.ones(1)), Encoding(torch.zeros(1, 3), torch.zeros(1))
    both = concatenate([one, other])
    assert both.tokens.tolist() == [[1.0] * 3, [1.0] * 3, [0.0] * 3]
    assert both.pooled.tolist() == [1.0]


def test_a_shorter_text_is_filled_up_by_that_of_no_text():
    filled, long = fitted([tokens([1.0]), tokens([2.0], [3.0], [4.0], [5.0])], tokens([8.0], [9.0]))
    assert filled.tokens.tolist() == [[1.0], [8.0], [9.0], [8.0]]
    assert long.tokens.tolist() == [[2.0], [3.0], [4.0], [5.0]]


# the recipe ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SCENE, LONG, "A cat (black) on a wall: not wild, 1.5 m - (1984)"])
def test_one_text_is_handed_on_untouched(any_adapter, text):
    seen, unseen = mix([scene(text=text)], reader(any_adapter), recipe_for(any_adapter))
    assert equal(seen, any_adapter.encode(text))
    assert equal(unseen, any_adapter.encode(""))


def test_style_is_read_behind_the_scene_as_one_text(any_adapter):
    seen, _ = mix([scene(), *STYLE], reader(any_adapter), recipe_for(any_adapter))
    assert equal(seen, any_adapter.encode("A quiet sea in the fog, by Nobody, oil painting"))


def test_a_scene_turns_into_the_next_one_while_style_stays(adapter):
    seen, _ = mix([scene(0.7), following(0.3), *STYLE], reader(adapter))
    one, other = (adapter.encode(f"{text[:-1]}, by Nobody, oil painting") for text in (SCENE, NEXT))
    close(seen.tokens, turned_by_hand(one.tokens, other.tokens, 0.3))
    if seen.pooled is not None:
        close(seen.pooled[None], turned_by_hand(one.pooled[None], other.pooled[None], 0.3))


def test_a_turn_has_no_steps(adapter):
    read = reader(adapter)
    course = [mix([scene(1 - t), following(t)], read)[0].tokens for t in np.linspace(0, 1, 21)]
    assert torch.equal(course[0], adapter.encode(SCENE).tokens)
    assert torch.equal(course[-1], adapter.encode(NEXT).tokens)
    steps = torch.stack([(after - before).norm() for before, after in pairwise(course)])
    assert steps.max() < 1.1 * steps.min()


def test_a_longer_text_is_turned_into_over_all_of_its_chunks(sd):
    seen, _ = mix([scene(0.5), following(0.5, LONG)], reader(sd))
    filled = torch.cat([sd.encode(SCENE).tokens, sd.encode("").tokens])
    close(seen.tokens, turned_by_hand(filled, sd.encode(LONG).tokens, 0.5))


def test_tags_are_averaged_by_likelihood_in_a_block_of_their_own(adapter):
    tags = [WeightedText("ambient", 0.5, "heard tag"), WeightedText("a burning barn", 0.2, "heard tag")]
    seen, _ = mix([scene(), *tags], reader(adapter))
    told = adapter.encode(SCENE)
    assert torch.equal(seen.tokens[: len(told.tokens)], told.tokens)
    # a tag of music means its adjectives, in presets/words/tags.toml; what isn't said is a text without words
    means, own, blank = (adapter.encode(text).tokens for text in ("misty, vast, weightless", "a burning barn", " "))
    close(seen.tokens[len(told.tokens) :], 0.5 * means + 0.2 * own + 0.3 * blank)
    if seen.pooled is not None:
        assert torch.equal(seen.pooled, told.pooled)


def test_tags_that_are_more_than_certain_share_their_block(sd):
    tags = [WeightedText("ambient", 0.9, "heard tag"), WeightedText("loud", 0.6, "heard tag")]
    seen, _ = mix([scene(), *tags], reader(sd))
    means, loud = (sd.encode(text).tokens for text in ("misty, vast, weightless", "violent, bright"))
    close(seen.tokens[77:], 0.6 * means + 0.4 * loud)


def test_tags_that_mean_nothing_for_a_picture_make_no_block(sd):
    seen, _ = mix([scene(), WeightedText("singing", 0.9, "heard tag")], reader(sd))
    assert equal(seen, sd.encode(SCENE))


def test_a_likelier_tag_moves_the_picture_a_little(adapter):
    noise = torch.randn(1, *adapter.noise_shape((64, 64)), generator=torch.Generator().manual_seed(1))
    latents = []
    for weight in (0.3, 0.31, 0.9):
        seen, unseen = mix([scene(), WeightedText("techno", weight, "heard tag")], reader(adapter))
        latents.append(adapter.denoise([seen], [unseen], noise, 2, 5.0))
    nudged, moved = ((other - latents[0]).norm() for other in latents[1:])
    assert 0 < nudged < 0.1 * moved


def test_what_is_not_to_be_seen_turns_like_the_scene_does(adapter):
    texts = [
        scene(0.4),
        following(0.6),
        WeightedText("text", 0.4, "negative"),
        WeightedText("smoke", 0.6, "next negative"),
    ]
    _, unseen = mix(texts, reader(adapter))
    close(unseen.tokens, turned_by_hand(adapter.encode("text").tokens, adapter.encode("smoke").tokens, 0.6))
    _, unseen = mix(texts[:3], reader(adapter))  # the next scene has none
    close(unseen.tokens, turned_by_hand(adapter.encode("text").tokens, adapter.encode("").tokens, 0.6))


def test_a_role_of_its_own_is_one_line(sd):
    recipe = replace(DEFAULT, positive=(Part(("scene",), "slerp"), Part(("look",), "concatenate")))
    seen, _ = mix([scene(), WeightedText("oil painting", 0.25, "look")], reader(sd), recipe)
    close(seen.tokens[77:], 0.25 * sd.encode("oil painting").tokens + 0.75 * sd.encode(" ").tokens)
    stronger, _ = mix([scene(), WeightedText("oil painting", 1.5, "look")], reader(sd), recipe)
    close(stronger.tokens[77:], 1.5 * sd.encode("oil painting").tokens - 0.5 * sd.encode(" ").tokens)
    plain, _ = mix([scene(), WeightedText("oil painting", 1.0, "look")], reader(sd), recipe)
    assert torch.equal(plain.tokens[77:], sd.encode("oil painting").tokens)


def test_texts_that_cannot_be_mixed_change_at_half_the_turn():
    z_image = adapter_for(tiny_pipelines.z_image())
    assert z_image.mixable
    assert recipe_for(z_image) == UNMIXED
    read = reader(z_image)
    tags = [WeightedText("ambient", 0.5, "heard tag")]
    for turn, text in ((0.4, SCENE), (0.6, NEXT)):
        seen, _ = mix([scene(1 - turn), following(turn), *tags], read, UNMIXED)
        assert equal(seen, z_image.encode(text))
    seen, _ = mix([scene(), replace(STYLE[1], weight=0.4)], read, UNMIXED)
    assert equal(seen, z_image.encode(SCENE[:-1]))


def test_a_recipe_names_pictures():
    other = MixRecipe(DEFAULT.positive[:1], DEFAULT.negative)
    assert len({name_of(recipe) for recipe in (DEFAULT, UNMIXED, other)}) == 3


# weights within a text -------------------------------------------------------------------------------------------


def test_weights_are_written_in_either_way_and_other_parentheses_are_the_texts_own():
    assert pieces_of("a (red:1.3) sea, (old stone)0.5.") == (
        ("a ", 1.0),
        ("red", 1.3),
        (" sea, ", 1.0),
        ("old stone", 0.5),
        (".", 1.0),
    )
    for plain in ("a cat (black) runs", "(1984) 2", "at 1:30 (noon:ish)", "un(usual)1.3", "(red)1.3rd", "sea", "(a:)"):
        assert pieces_of(plain) == ((plain, 1.0),)


def test_half_a_word_is_halfway_to_the_text_without_it(adapter):
    seen = reader(adapter)(pieces_of("a quiet sea, (fog:0.5)"))
    with_it, without = adapter.encode("a quiet sea, fog"), adapter.encode("a quiet sea, ")
    close(seen.tokens, (with_it.tokens + without.tokens) / 2)
    if seen.pooled is not None:
        close(seen.pooled, (with_it.pooled + without.pooled) / 2)


def test_a_word_of_no_weight_is_not_there(adapter):
    assert equal(reader(adapter)(pieces_of("a quiet sea (in the fog:0)")), adapter.encode("a quiet sea "))
    assert equal(reader(adapter)(pieces_of("(fog:0)")), adapter.encode(" "))


def test_several_lighter_words_go_one_after_the_other(sd):
    seen = reader(sd)(pieces_of("a (red:0.2) sea, (fog)0.7"))
    all_three, one_left, none_left = (sd.encode(text).tokens for text in ("a red sea, fog", "a  sea, fog", "a  sea, "))
    close(seen.tokens, 0.2 * all_three + 0.5 * one_left + 0.3 * none_left)


def test_a_heavier_word_is_led_away_from_the_text_without_words(adapter):
    seen = reader(adapter)(pieces_of("a quiet (red sea:1.5) in the fog")).tokens
    plain, blank = adapter.encode("a quiet red sea in the fog").tokens, adapter.encode(" ").tokens
    expected = plain.clone()
    expected[3:5] = blank[3:5] + 1.5 * (plain[3:5] - blank[3:5])  # after the beginning, "a" and "quiet"
    close(seen, expected)
    assert torch.equal(seen[:3], plain[:3])
    assert torch.equal(seen[5:], plain[5:])


def test_a_heavier_word_is_found_in_a_later_chunk(sd):
    words = "sea fog " * 50  # of one token each
    seen = reader(sd)(pieces_of(words + "(red:2) stone")).tokens
    plain, blank = sd.encode(words + "red stone").tokens, sd.encode(" ").tokens
    # a CLIP reads forward: the first row that another word changes is that word's
    row = int((plain != sd.encode(words + "sun stone").tokens).any(1).nonzero()[0])
    assert row > 77
    assert (seen != plain).any(1).nonzero().flatten().tolist() == [row]
    close(seen[row], blank[row - 77] + 2 * (plain[row] - blank[row - 77]))


def test_a_heavier_textual_inversion_is_heavier_in_all_of_its_vectors():
    pipeline = tiny_pipelines.stable_diffusion()
    vectors = torch.randn(3, tiny_pipelines.WIDTH, generator=torch.Generator().manual_seed(1))
    pipeline.load_textual_inversion({"<mine>": vectors})
    adapter = adapter_for(pipeline)
    seen = reader(adapter)(pieces_of("a sea, (<mine>:1.5)")).tokens
    changed = (seen != adapter.encode("a sea, <mine>").tokens).any(1).nonzero().flatten().tolist()
    assert len(changed) == 3


def test_the_looks_style_is_a_weight_like_any_other(sd):
    read = reader(sd)

    def styled(style):
        return mix([scene(), replace(STYLE[1], weight=style)], read)[0].tokens

    without, plain = (
        sd.encode("A quiet sea in the fog").tokens,
        sd.encode("A quiet sea in the fog, oil painting").tokens,
    )
    assert torch.equal(styled(0.0), without)
    close(styled(0.6), 0.6 * plain + 0.4 * without)
    assert torch.equal(styled(1.0), plain)
    heavier = (styled(2.0) != plain).any(1)
    assert heavier.sum() == len(sd.pipeline.tokenizer.tokenize(", oil painting"))
    assert not heavier[:7].any()  # the beginning and the scene


# memory ----------------------------------------------------------------------------------------------------------


def test_what_is_read_is_remembered_for_a_while(sd, monkeypatch):
    encode, read_texts, kept = sd.encode, [], []

    def counted(text):
        read_texts.append(text)
        encoding = encode(text)
        kept.append(weakref.ref(encoding))
        return encoding

    monkeypatch.setattr(sd, "encode", counted)
    read = reader(sd)
    for turn in np.linspace(0, 1, 50):
        mix([scene(1 - turn), following(turn), *STYLE, WeightedText("ambient", turn, "heard tag")], read)
    assert len(read_texts) == len(set(read_texts)) == 5  # two scenes, a tag, the blank and no text
    for number in range(3 * REMEMBERED):
        mix([scene(text=f"sea {number}")], read)
    gc.collect()
    assert sum(reference() is not None for reference in kept) <= REMEMBERED

"""The diffusion generator: the same pictures in any batch, one stage beside the other, and what becomes of failures."""

import threading
import time
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import psutil
import pytest
import torch
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig

from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.film import list_pictures, make_keyframes
from aimv_engine.frames.generators.diffusion import feedback, judge
from aimv_engine.frames.generators.diffusion.adapters import adapter_for
from aimv_engine.frames.generators.diffusion.generator import Choices, Diffusion
from aimv_engine.frames.generators.diffusion.noise import STRIDE, noise, slerp, walked
from aimv_engine.frames.plan import Camera, KeyframeSpec, LinkedSpec, Predecessor, WeightedText
from aimv_engine.heartbeat import nothing
from aimv_engine.progress import silent
from aimv_engine.store import Store
from tests import tiny_pipelines
from tests.films import moved, psnr, texture
from tests.test_planner import board, planned

SIZE = (96, 54)
WALK = Choices(steps=2, guidance=4.0)
FAMILIES = (
    tiny_pipelines.stable_diffusion,
    tiny_pipelines.sdxl,
    tiny_pipelines.stable_diffusion_3,
    tiny_pipelines.z_image,
)


def spec(walk: float = 3.0, sentence: str = "a quiet lake", seed: int = 5, **changes: object) -> KeyframeSpec:
    texts = (WeightedText(sentence, 1.0, "scene"),)
    return replace(KeyframeSpec(seed, walk, texts, "oil", Camera(), 0.5, 0.5, 0.2), **changes)


def diffusion(adapter, *arguments, **options) -> Diffusion:
    """The generator of a model that is there."""
    return Diffusion(lambda heartbeat: adapter, *arguments, **options)


def steps(count: int) -> list[KeyframeSpec]:
    return [spec(number / 6) for number in range(count)]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads for networks so small take longer to agree than to work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def pipeline():
    return tiny_pipelines.stable_diffusion()


def difference(one, other) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def farthest(pictures, others) -> int:
    """The greatest difference of any two pixels, in levels."""
    return max(int(np.abs(one.astype(int) - other).max()) for one, other in zip(pictures, others, strict=True))


# noise -----------------------------------------------------------------------------------------------------------


def test_noise_is_that_of_its_name_and_normal():
    shape = (4, 32, 32)
    torch.testing.assert_close(noise(shape, "scene", 5, 0), noise(shape, "scene", 5, 0), rtol=0, atol=0)
    names = [("scene", 5, 0), ("scene", 5, 1), ("scene", 6, 0), ("after", "abc")]
    drawn = torch.stack([noise(shape, *name).flatten() for name in names])
    assert torch.corrcoef(drawn).triu(1).abs().max() < 0.07  # four standard deviations of that of independent ones
    assert drawn.mean(1).abs().max() < 0.07
    assert (drawn.std(1) - 1).abs().max() < 0.05


def test_the_walk_keeps_the_noises_strength_and_goes_at_an_even_pace():
    shape = (4, 32, 32)
    walk = [walked(shape, STRIDE * number / 10, "scene", 5) for number in range(31)]
    torch.testing.assert_close(walk[10], noise(shape, "scene", 5, 1))
    assert max(abs(float(each.std()) - 1) for each in walk) < 0.04
    angles = [torch.cosine_similarity(one.flatten(), other.flatten(), 0).acos() for one, other in pairwise(walk)]
    assert max(angles) - min(angles) < 0.01
    assert sum(angles) == pytest.approx(3 * np.pi / 2, abs=0.15)  # three quarter turns
    middle = slerp(walk[0], walk[10], 0.5)
    torch.testing.assert_close(middle, walk[5])


# walk ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_picture_is_the_same_in_any_batch_and_order(family):
    adapter, specs = adapter_for(family()), steps(6)
    alone = [next(iter(diffusion(adapter, WALK, "").pictures([each], SIZE))) for each in specs]
    together = list(diffusion(adapter, WALK, "", batch=4).pictures(specs, SIZE))
    backwards = list(diffusion(adapter, WALK, "", batch=4).pictures(specs[::-1], SIZE))[::-1]
    assert {picture.shape for picture in together} == {(54, 96, 3)}
    assert farthest(alone, together) <= 1  # a level: sums over another batch are rounded otherwise
    assert farthest(alone, backwards) <= 1
    again = list(diffusion(adapter_for(family()), WALK, "", batch=4).pictures(specs, SIZE))
    assert farthest(together, again) == 0


def test_pictures_change_little_by_little_and_words_and_seed_are_seen(pipeline):
    generator = diffusion(adapter_for(pipeline), WALK, "", batch=4)
    first, near, far, other_words, other_seed = generator.pictures(
        [spec(0), spec(1 / 6), spec(6.0), spec(0, "a red city"), spec(0, seed=6)], SIZE
    )
    assert 0 < difference(first, near) < 0.3 * difference(first, far)
    assert difference(first, other_words) > 0
    assert difference(first, other_seed) > 0.5 * difference(first, far)


def test_the_next_scenes_words_come_in_little_by_little(pipeline):
    def turning(share: float) -> KeyframeSpec:
        texts = [WeightedText("a quiet lake", 1 - share, "scene"), WeightedText("a red city", share, "next scene")]
        return spec(texts=tuple(texts))

    pictures = list(diffusion(adapter_for(pipeline), WALK, "").pictures([*map(turning, (0.0, 0.3, 0.9))], SIZE))
    assert 0 < difference(pictures[0], pictures[1]) < difference(pictures[0], pictures[2])


def test_what_changes_pictures_is_in_the_identity(pipeline):
    adapter = adapter_for(pipeline)

    def identity(model="model", **changes):
        return diffusion(adapter, replace(WALK, **changes), model).identity

    changed = [identity("other"), identity(steps=3), identity(guidance=1.0), identity(mode="feedback")]
    assert len({identity(), identity(mode="follow"), *changed}) == 6
    assert identity() == identity(best_of=4)  # which nobody chooses


# stages ----------------------------------------------------------------------------------------------------------


class Watched:
    """An adapter whose calls can be looked into."""

    def __init__(self, adapter, denoise=None, decode=None):
        self._adapter = adapter
        self._before = {"denoise": denoise, "decode": decode}

    def __getattr__(self, name):
        work, before = getattr(self._adapter, name), self._before.get(name)
        if before is None:
            return work

        def watched(first, *arguments, **options):
            before(len(first))
            return work(first, *arguments, **options)

        return watched


def test_a_batch_is_denoised_while_the_one_before_is_decoded(pipeline):
    """Each decoding waits for the next batch to have begun, which never happened one after the other."""
    begun, waited = threading.Semaphore(0), []

    def decode(_):
        waited.append(begun.acquire(timeout=20) if len(waited) < 4 else True)

    generator = diffusion(Watched(adapter_for(pipeline), lambda _: begun.release(), decode), WALK, "")
    begun.acquire(blocking=False)
    pictures = generator.pictures(steps(5), SIZE)
    begun_before = threading.Thread(target=begun.acquire)  # the first batch's own beginning does not count
    begun_before.start()
    assert len(list(pictures)) == 5
    begun_before.join()
    assert waited == [True] * 5


def test_the_heart_beats_and_its_stop_is_heard_at_once(pipeline):
    denoised = []

    def slow(count):
        denoised.append(count)
        time.sleep(0.3)

    def beat():
        raise Cancelled

    generator = diffusion(Watched(adapter_for(pipeline), denoise=slow), WALK, "", batch=2)
    before = threading.active_count()
    with pytest.raises(Cancelled):
        list(generator.pictures(steps(50), SIZE, beat))
    deadline = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == before
    assert len(denoised) <= 3
    assert len(list(generator.pictures(steps(2), SIZE))) == 2


def test_who_takes_no_more_pictures_leaves_no_thread(pipeline):
    before = threading.active_count()
    pictures = diffusion(adapter_for(pipeline), WALK, "").pictures(steps(50), SIZE)
    next(pictures)
    pictures.close()
    deadline = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == before


def test_memory_stays_flat_over_many_keyframes(pipeline):
    process, taken = psutil.Process(), []
    pipeline.vae = tiny_pipelines.tiny_autoencoder()
    generator = diffusion(adapter_for(pipeline), Choices(steps=1, guidance=1.0), "", batch=25)
    for number, _ in enumerate(generator.pictures(steps(1500), (64, 64))):
        if number % 100 == 99:
            taken.append(process.memory_info().rss)
    assert len(taken) == 15
    assert max(taken[5:]) - max(taken[:5]) < 8e6  # bytes; a thousand pictures alone would be 12 MB


# what fails ------------------------------------------------------------------------------------------------------


def full(*sizes):
    """Says that the memory is full, for batches beyond each of these sizes in turn (the last one stays)."""
    left = list(sizes)

    def check(count):
        if count > left[0]:
            if len(left) > 1:
                del left[0]
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    return check


def test_a_full_memory_halves_the_batch_and_all_goes_on(pipeline):
    adapter, specs, tried = adapter_for(pipeline), steps(11), []

    def denoise(count):
        tried.append(count)
        full(2)(count)

    pictures = list(diffusion(Watched(adapter, denoise=denoise), WALK, "", batch=8).pictures(specs, SIZE))
    assert tried == [8, 4, 2, 2, 2, 2, 2, 1]
    assert farthest(pictures, diffusion(adapter, WALK, "").pictures(specs, SIZE)) <= 1


def test_decoding_finds_room_too(pipeline):
    adapter, specs, fails = adapter_for(pipeline), steps(4), [True, False, True, *[False] * 8]

    def decode(_):
        if fails.pop(0):
            raise torch.OutOfMemoryError("CUDA out of memory")

    pictures = list(diffusion(Watched(adapter, decode=decode), WALK, "", batch=4).pictures(specs, SIZE))
    assert farthest(pictures, diffusion(adapter, WALK, "").pictures(specs, SIZE)) <= 1


def test_a_memory_that_is_too_small_for_one_picture_is_said(pipeline):
    generator = diffusion(Watched(adapter_for(pipeline), denoise=full(0)), WALK, "", batch=4)
    with pytest.raises(AimvError, match="too small for one picture"):
        list(generator.pictures(steps(3), SIZE))


def test_other_errors_come_through_as_they_are(pipeline):
    def broken(_):
        raise ZeroDivisionError("of the model's own")

    for part in ("denoise", "decode"):
        generator = diffusion(Watched(adapter_for(pipeline), **{part: broken}), WALK, "")
        with pytest.raises(ZeroDivisionError, match="own"):
            list(generator.pictures(steps(3), SIZE))


def test_an_autoencoder_that_overflows_in_half_precision_is_tried_in_full(pipeline):
    with torch.no_grad():
        pipeline.vae.decoder.conv_in.weight *= 2e5
    expected = list(diffusion(adapter_for(pipeline), WALK, "").pictures(steps(2), SIZE))
    pipeline.vae.half()
    adapter = adapter_for(pipeline)
    assert adapter.decode(torch.ones(1, *adapter.noise_shape(SIZE))).max() == 0
    pictures = list(diffusion(adapter, WALK, "").pictures(steps(2), SIZE))
    assert pipeline.vae.dtype == torch.float16
    assert min(picture.std() for picture in pictures) > 5
    assert max(map(difference, pictures, expected)) < 3


def test_a_black_picture_is_an_error_that_names_its_scene(pipeline):
    with torch.no_grad():
        pipeline.unet.conv_out.weight.fill_(float("nan"))
    with pytest.raises(AimvError, match=r'"a quiet lake" \(seed 5, walk 1\.00\) came out black'):
        list(diffusion(adapter_for(pipeline), WALK, "").pictures([spec(1.0)], SIZE))


# feedback --------------------------------------------------------------------------------------------------------


def test_what_was_seen_is_seen_by_the_camera_of_now():
    wide = texture(3, 384, 256)
    before = moved(wide, 0.0)  # the inside of it, 320 x 192
    seen = feedback.moved(before, Camera(), Camera(zoom=1.1, pan_x=16 / 192, pan_y=-8 / 192))
    inside = np.s_[30:-30, 30:-30]
    assert psnr(seen[inside], moved(wide, 1.1 * 16, 1.1 * -8, 1.1)[inside]) > 35
    np.testing.assert_array_equal(feedback.moved(before, Camera(1.2, 0.1), Camera(1.2, 0.1)), before)
    there = feedback.moved(before, Camera(), Camera(1.05, 0.02, 0.01, 0.03))
    back = feedback.moved(there, Camera(1.05, 0.02, 0.01, 0.03), Camera())
    assert psnr(back[inside], before[inside]) > 27
    turned = feedback.moved(before, Camera(), Camera(roll=np.pi / 2))[:, 64:-64]  # counter-clockwise
    assert psnr(turned, np.rot90(before[:, 64:-64])) > 35


def test_colours_are_brought_back_and_grain_is_added():
    opening = (0.4 * texture(3) + 80).astype(np.uint8)
    drifted = np.clip((opening - 128.0) * 1.6 + (150, 120, 100), 0, 255).astype(np.uint8)  # as the loop drifts
    matched = feedback.coloured_like(drifted, opening)
    for moment in (np.mean, np.std):
        assert np.abs(moment(drifted, (0, 1)) - moment(opening, (0, 1))).max() > 10
        np.testing.assert_allclose(moment(matched, (0, 1)), moment(opening, (0, 1)), atol=3)
    grained = feedback.grained(opening, "name")
    assert 2 < (grained.astype(int) - opening).std() < 1.2 * feedback.GRAIN
    np.testing.assert_array_equal(grained, feedback.grained(opening, "name"))
    assert feedback.strength(0.0) < feedback.strength(0.5) < feedback.strength(1.0) == feedback.strength(2.0)


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "song.aimv" / "store"
    folder.mkdir(parents=True)
    return Store(folder)


def film_of(generator, **changes):
    """The pictures of a film of two scenes and two seconds."""
    plan = planned(board(0.0, 8.0, 40.0, **changes), start=7, end=9, rate=4)
    return list_pictures(plan, SIZE, generator.identity, "any", generator.links)


def contents(store):
    return {path.name: path.read_bytes() for path in store.folder.rglob("*.jpg")}


def test_in_feedback_each_keyframe_goes_on_from_the_one_before(pipeline, store, tmp_path):
    generator = diffusion(adapter_for(pipeline), replace(WALK, mode="feedback"), "")
    film = film_of(generator)
    make_keyframes(film, store, generator, SIZE, silent)
    drawn = [store.read(name) for name in film.keyframes]
    assert min(picture.std() for picture in drawn) > 5
    other, generator = Store(tmp_path / "other" / "store"), diffusion(adapter_for(pipeline), generator._choices, "")

    def stop_early(stage, done, total):
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_keyframes(film, other, generator, SIZE, stop_early)
    assert len(contents(other)) == 3
    make_keyframes(film, other, generator, SIZE, silent)
    assert contents(other) == contents(store)


def test_feedback_stays_nearer_to_what_was_than_a_picture_made_anew(pipeline):
    """The next keyframe with the picture before as its beginning, and from its noise alone."""
    generator = diffusion(adapter_for(pipeline), Choices(8, 1.0, "feedback"), "")
    first = next(generator.pictures([spec()], SIZE))
    calm = LinkedSpec(**vars(spec(energy=0.0)), before=Predecessor("a name", Camera(), "a name"))
    wild = replace(calm, energy=1.0)
    after, changed = generator.pictures([calm, wild], SIZE, read=lambda name: first)
    begun = next(generator.pictures([spec(seed=9)], SIZE))
    assert 0 < difference(first, after) < difference(first, begun)
    assert difference(after, changed) > 0


# follow ----------------------------------------------------------------------------------------------------------


def test_paints_pictures_are_followed(pipeline):
    generator = diffusion(adapter_for(pipeline), replace(WALK, mode="follow"), "", batch=4)
    assert not generator.links
    specs = [spec(number / 6, "A quiet lake below snowy peaks at sunrise") for number in range(3)]
    pictures = list(generator.pictures(specs, SIZE))
    generator.close()
    assert min(picture.std() for picture in pictures) > 5
    assert difference(*pictures[:2]) > 0


def test_the_users_film_is_followed_by_the_time_of_the_song(pipeline, tmp_path):
    for name in "ab":
        cv2.imwrite(str(tmp_path / f"{name}.png"), texture(ord(name), *SIZE))
    generator = diffusion(adapter_for(pipeline), replace(WALK, mode="follow", follow=str(tmp_path)), "")
    assert generator.links == {"time"}
    early, still_early, late, early_again = generator.pictures(
        [LinkedSpec(**vars(spec(walk)), time=time) for walk, time in ((0, 0), (1, 1), (2, 5), (3, 8))], SIZE
    )
    np.testing.assert_array_equal(early, still_early)  # what is followed stands still, and so does the noise
    np.testing.assert_array_equal(early, early_again)
    assert difference(early, late) > 1


# best of several -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The folder of a tiny CLIP with both its towers."""
    folder = tmp_path_factory.mktemp("clip")
    tokenizer = tiny_pipelines.clip_tokenizer()
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = CLIPTextConfig(
        **small, vocab_size=len(tokenizer), bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id
    )
    vision = CLIPVisionConfig(**small, image_size=32, patch_size=8)
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=32)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        CLIPModel(config).save_pretrained(folder / "both")
        CLIPTextModelWithProjection(config.text_config).save_pretrained(folder / "text")
    for name in ("both", "text"):
        tokenizer.save_pretrained(folder / name)
    return folder


@pytest.mark.parametrize("mode", ["walk", "feedback"])
def test_the_best_of_several_noises_is_taken_for_the_whole_scene(pipeline, clip, mode):
    best = judge.find(clip / "both", print)
    adapter = adapter_for(pipeline)
    generator, plain = (
        diffusion(adapter, replace(WALK, mode=mode, best_of=count), "", best, batch=4) for count in (4, 1)
    )
    assert generator.links == ({"before"} if mode == "feedback" else {"opening"})
    for seed in (5, 6):
        opening = spec(seed=seed)
        list(plain.pictures([opening], SIZE))  # which loads the model
        candidates = [
            next(plain._decoded(plain._denoised([plain._sketch(opening, None, SIZE, variant)], nothing), SIZE, nothing))
            for variant in range(4)
        ]
        scores = best(candidates, "a quiet lake")
        assert len(set(scores.round(5))) == 4
        taken = candidates[int(np.argmax(scores))]
        linked = [LinkedSpec(**vars(spec(3.0 + walk, seed=seed)), opening=opening) for walk in (0.0, 0.1)]
        first, second = generator.pictures([opening, opening] if mode == "feedback" else linked, SIZE)
        assert farthest([first], [taken]) <= 1
        assert difference(second, taken) < min(difference(taken, each) for each in candidates if each is not taken)


def test_without_a_clip_with_both_towers_the_first_is_taken_and_a_line_says_so(pipeline, clip, tmp_path):
    told = []
    for folder in (None, clip / "text", tmp_path):
        assert judge.find(folder, told.append) is None
    assert ["--clip FOLDER" in told[0], "no image tower" in told[1], "No such file" in told[2]] == [True] * 3
    adapter, specs = adapter_for(pipeline), steps(2)
    pictures = diffusion(adapter, replace(WALK, best_of=4), "", None).pictures(specs, SIZE)
    assert farthest(pictures, diffusion(adapter, WALK, "").pictures(specs, SIZE)) == 0

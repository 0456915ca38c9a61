"""Adapters: what the plain pipelines of diffusers do, with texts, noise and beginnings of our own."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tiny_pipelines
import torch
from diffusers import (
    AutoPipelineForImage2Image,
    DDPMPipeline,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    ZImageImg2ImgPipeline,
)
from hypothesis import given
from hypothesis import strategies as st
from transformers import CLIPImageProcessor

from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.frames.generators.diffusion.adapter import Adapter, resized
from aimv_engine.frames.generators.diffusion.adapters import FAMILIES, adapter_for
from aimv_engine.frames.generators.diffusion.encoding import parts

TEXT = "a red house by the sea, at night"
OTHER = "a white bird over a dark forest"
UNWANTED = "blurry, ugly"
SIZE = (64, 64)
GUIDED = 4.0
MAKERS = (
    tiny_pipelines.stable_diffusion,
    tiny_pipelines.latent_consistency,
    tiny_pipelines.sdxl,
    tiny_pipelines.stable_diffusion_3,
    tiny_pipelines.z_image,
)
# between a picture alone and the same in a batch: what float32 loses when sums are taken in another order
ROUNDING = 2e-5


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only wait for one another in threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def pipeline(request: pytest.FixtureRequest) -> Any:
    made = request.param()
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture
def adapter(pipeline: Any) -> Adapter:
    return adapter_for(pipeline)


@pytest.fixture
def few_steps() -> Adapter:
    return adapter_for(tiny_pipelines.stable_diffusion())


def noise_of(adapter: Adapter, *seeds: int) -> torch.Tensor:
    shape = adapter.noise_shape(SIZE)
    return torch.cat([torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def denoise(adapter: Adapter, text: str, guidance: float = 0.0, steps: int = 3, **more: Any) -> torch.Tensor:
    return adapter.denoise(
        [adapter.encode(text)], [adapter.encode(UNWANTED)], noise_of(adapter, 5), steps, guidance, **more
    )


def pictures_of(*seeds: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    shape = (size[1], size[0], 3)
    return np.stack([np.random.default_rng(seed).integers(0, 256, shape, np.uint8) for seed in seeds])


# exactness


@pytest.mark.parametrize("guidance", [0.0, GUIDED])
def test_an_unmixed_prompt_gives_the_plain_pipelines_latents(pipeline: Any, guidance: float) -> None:
    adapter = adapter_for(pipeline)
    plain = pipeline(
        TEXT,
        height=SIZE[1],
        width=SIZE[0],
        num_inference_steps=3,
        guidance_scale=guidance,
        latents=noise_of(adapter, 5),
        generator=torch.Generator().manual_seed(0),
        output_type="latent",
        **(
            {} if isinstance(pipeline, tiny_pipelines.LatentConsistencyModelPipeline) else {"negative_prompt": UNWANTED}
        ),
    ).images
    assert torch.equal(denoise(adapter, TEXT, guidance), plain)


def test_no_negative_text_is_what_the_plain_pipeline_takes_for_none(pipeline: Any) -> None:
    adapter = adapter_for(pipeline)
    plain = pipeline(
        TEXT,
        height=SIZE[1],
        width=SIZE[0],
        num_inference_steps=2,
        guidance_scale=GUIDED,
        latents=noise_of(adapter, 5),
        generator=torch.Generator().manual_seed(0),
        output_type="latent",
    ).images
    ours = adapter.denoise([adapter.encode(TEXT)], [adapter.encode("")], noise_of(adapter, 5), 2, GUIDED)
    assert torch.equal(ours, plain)


def test_decoded_pictures_are_the_plain_pipelines(pipeline: Any) -> None:
    adapter = adapter_for(pipeline)
    plain = pipeline(
        TEXT,
        height=SIZE[1],
        width=SIZE[0],
        num_inference_steps=2,
        guidance_scale=0.0,
        latents=noise_of(adapter, 5),
        generator=torch.Generator().manual_seed(0),
    ).images[0]
    picture = adapter.decode(denoise(adapter, TEXT, steps=2))[0]
    assert picture.shape == (64, 64, 3)
    assert np.array_equal(picture, np.asarray(plain))


@pytest.mark.parametrize("strength", [0.5, 0.9])
def test_image_to_image_is_the_plain_pipelines(pipeline: Any, strength: float) -> None:
    channels = pipeline.vae.config.latent_channels
    scales = {name: pipeline.vae.config.get(name) for name in ("scaling_factor", "shift_factor", "sample_size")}
    pipeline.vae = tiny_pipelines.tiny_autoencoder(channels)  # whose latents have nothing random
    pipeline.vae.register_to_config(**scales)
    adapter = adapter_for(pipeline)
    if isinstance(pipeline, tiny_pipelines.ZImagePipeline):
        plainly: Any = ZImageImg2ImgPipeline(**pipeline.components)
    else:
        plainly = AutoPipelineForImage2Image.from_pipe(adapter.pipeline)
    plainly.set_progress_bar_config(disable=True)
    if isinstance(pipeline, tiny_pipelines.LatentConsistencyModelPipeline):
        plainly.scheduler = adapter.pipeline.scheduler = EulerDiscreteScheduler.from_config(
            pipeline.scheduler.config, steps_offset=1
        )
    picture = pictures_of(1)
    plain = plainly(
        TEXT,
        image=torch.from_numpy(picture).permute(0, 3, 1, 2).float() / 255,
        strength=strength,
        num_inference_steps=4,
        guidance_scale=0.0,
        generator=torch.Generator().manual_seed(5),
        output_type="latent",
        **({"height": 64, "width": 64} if isinstance(pipeline, tiny_pipelines.StableDiffusion3Pipeline) else {}),
    ).images
    ours = denoise(adapter, TEXT, steps=4, start=adapter.to_latents(picture), strength=strength)
    assert torch.equal(ours, plain)


# batches


@pytest.mark.parametrize("guidance", [0.0, GUIDED])
def test_a_picture_alone_is_the_same_as_in_a_batch(adapter: Adapter, guidance: float) -> None:
    long = ", ".join([OTHER] * 30)  # of another length than the others where texts are chunked
    texts = [adapter.encode(text) for text in (TEXT, long, OTHER, "snow")]
    negatives = [adapter.encode(text) for text in (UNWANTED, "", UNWANTED, UNWANTED)]
    noise = noise_of(adapter, 1, 2, 3, 4)
    together = adapter.denoise(texts, negatives, noise, 3, guidance)
    for index in range(4):
        alone = adapter.denoise([texts[index]], [negatives[index]], noise[index : index + 1], 3, guidance)
        assert (together[index] - alone[0]).abs().max() < ROUNDING * together.abs().max()


def test_image_to_image_alone_is_the_same_as_in_a_batch(adapter: Adapter) -> None:
    texts = [adapter.encode(text) for text in (TEXT, OTHER)]
    negatives = [adapter.encode("")] * 2
    noise, start = noise_of(adapter, 1, 2), adapter.to_latents(pictures_of(1, 2))
    together = adapter.denoise(texts, negatives, noise, 4, GUIDED, start, 0.5)
    alone = adapter.denoise(texts[1:], negatives[1:], noise[1:], 4, GUIDED, start[1:], 0.5)
    assert (together[1:] - alone).abs().max() < ROUNDING * together.abs().max()


@pytest.mark.parametrize("scheduler", [LCMScheduler, EulerAncestralDiscreteScheduler])
def test_noise_added_at_steps_depends_on_no_neighbour(few_steps: Adapter, scheduler: Any) -> None:
    few_steps.pipeline.scheduler = scheduler.from_config(few_steps.pipeline.scheduler.config)
    texts, none = [few_steps.encode(text) for text in (TEXT, OTHER)], [few_steps.encode("")] * 2
    noise = noise_of(few_steps, 1, 2)
    together = few_steps.denoise(texts, none, noise, 4, 0.0)
    alone = few_steps.denoise(texts[1:], none[1:], noise[1:], 4, 0.0)
    assert (together[1:] - alone).abs().max() < ROUNDING * together.abs().max()


# texts


def test_a_long_prompts_last_words_show(adapter: Adapter) -> None:
    long = ", ".join(["a quiet old street in the rain"] * 25)  # 200 tokens
    first, second = (denoise(adapter, f"{long}, {end}", steps=2) for end in ("a red bird", "snow on stone"))
    assert (first - second).abs().max() > 1e-4


def test_clip_reads_long_texts_in_parts(few_steps: Adapter) -> None:
    words = ["a", "red", "sea", "fog"] * 25
    whole = few_steps.encode(" ".join(words))
    assert whole.tokens.shape == (154, tiny_pipelines.WIDTH)
    assert torch.equal(whole.tokens[:77], few_steps.encode(" ".join(words[:75])).tokens)
    assert torch.equal(whole.tokens[77:], few_steps.encode(" ".join(words[75:])).tokens)


def test_a_word_of_a_looks_own_takes_the_room_of_its_vectors(few_steps: Adapter) -> None:
    few_steps.pipeline.load_textual_inversion({"<gloom>": torch.ones(40, tiny_pipelines.WIDTH)})
    assert len(few_steps.encode("sea " * 35 + "<gloom>").tokens) == 77
    assert len(few_steps.encode("sea " * 36 + "<gloom>").tokens) == 154


def test_stable_diffusion_3_goes_without_its_t5() -> None:
    pipeline = tiny_pipelines.stable_diffusion_3()
    pipeline.register_modules(text_encoder_3=None, tokenizer_3=None)
    assert denoise(adapter_for(pipeline), TEXT, GUIDED).isfinite().all()


def test_what_a_language_model_leaves_out_is_told(caplog: pytest.LogCaptureFixture) -> None:
    adapter = adapter_for(tiny_pipelines.z_image())
    text = " ".join(["the sea"] * 300)
    with caplog.at_level(logging.WARNING):
        assert len(adapter.encode(text).tokens) <= 512
    assert "leaves out: the sea the sea" in caplog.text.replace("  ", " ")
    caplog.clear()
    adapter.encode(TEXT)
    assert not caplog.text


@given(st.text(max_size=300), st.integers(1, 40))
def test_parts_fit_and_are_the_whole_text(text: str, most: int) -> None:
    pieces = list(parts(text, lambda part: len(part) <= most))
    assert "".join(pieces) == text
    assert all(len(piece) <= most for piece in pieces)


def test_parts_end_after_marks() -> None:
    assert list(parts("a red sea, a dark sky, rain", lambda part: len(part) <= 14)) == [
        "a red sea, a ",
        "dark sky, rain",
    ]
    assert list(parts("雨が降る、夜の海", lambda part: len(part) <= 5)) == ["雨が降る、", "夜の海"]
    assert list(parts("abcdefgh", lambda part: len(part) <= 3)) == ["abc", "def", "gh"]


def test_texts_negatives_and_guidance_show(adapter: Adapter) -> None:
    plain = denoise(adapter, TEXT, GUIDED)
    other_text = denoise(adapter, OTHER, GUIDED)
    stronger = denoise(adapter, TEXT, 2 * GUIDED)
    other_negative = adapter.denoise([adapter.encode(TEXT)], [adapter.encode("smoke")], noise_of(adapter, 5), 3, GUIDED)
    assert (plain - other_text).abs().max() > 1e-3
    assert (plain - stronger).abs().max() > 1e-4
    told_guidance = adapter.family == "sd" and adapter.pipeline.unet.config.time_cond_proj_dim
    assert torch.equal(plain, other_negative) == bool(told_guidance)  # an LCM that is told it looks at no negative text


def test_without_guidance_the_negative_text_costs_and_changes_nothing(adapter: Adapter) -> None:
    long = adapter.encode(", ".join([UNWANTED] * 40))
    text, noise = [adapter.encode(TEXT)], noise_of(adapter, 5)
    assert torch.equal(adapter.denoise(text, [long], noise, 2, 0.0), denoise(adapter, TEXT, steps=2))


def test_encodings_are_float32_on_the_cpu_whatever_the_models_type(pipeline: Any) -> None:
    adapter = adapter_for(pipeline.to(torch.bfloat16))
    encoding = adapter.encode(TEXT)
    assert encoding.tokens.dtype == torch.float32
    latents = adapter.denoise([encoding], [adapter.encode("")], noise_of(adapter, 5), 2, GUIDED)
    again = adapter.denoise(
        [encoding], [adapter.encode("")], noise_of(adapter, 6), 2, GUIDED, start=adapter.to_latents(pictures_of(1))
    )
    assert latents.isfinite().all()
    assert again.isfinite().all()
    assert adapter.decode(latents).shape == (1, 64, 64, 3)


# pictures


def test_working_sizes_have_the_models_pixels_and_the_films_shape(adapter: Adapter) -> None:
    for size in ((640, 360), (1920, 1080), (320, 180), (1080, 1920), (512, 512)):
        width, height = adapter.working_size(size)
        assert width % 16 == height % 16 == 0
        assert 0.7 < width * height / tiny_pipelines.SIDE**2 < 1.5
        channels, rows, columns = adapter.noise_shape(size)
        assert (columns * 8, rows * 8) == (width, height)
        assert channels == adapter.pipeline.vae.config.latent_channels


def test_real_models_work_near_their_own_size() -> None:
    adapter = adapter_for(tiny_pipelines.stable_diffusion())
    adapter.side = 512
    assert adapter.working_size((640, 360)) == (688, 384)
    assert adapter.working_size((1920, 1080)) == (688, 384)
    adapter.side = 1024
    assert adapter.working_size((640, 360)) == (1360, 768)
    assert adapter.working_size((512, 512)) == (1024, 1024)


def test_a_wide_film_is_drawn_wide(adapter: Adapter) -> None:
    noise = torch.randn(1, *adapter.noise_shape((96, 54)), generator=torch.Generator().manual_seed(1))
    start = adapter.to_latents(pictures_of(1, size=(96, 54)))
    assert start.shape == noise.shape
    for begin in (None, start):
        latents = adapter.denoise([adapter.encode(TEXT)], [adapter.encode("")], noise, 2, GUIDED, begin, 0.5)
        picture = adapter.decode(latents)[0]
        assert (picture.shape[1], picture.shape[0]) == adapter.working_size((96, 54))
        assert resized(picture, (96, 54)).shape == (54, 96, 3)


def test_little_strength_keeps_the_picture(adapter: Adapter) -> None:
    start = adapter.to_latents(pictures_of(1))
    distances = [
        float((denoise(adapter, TEXT, steps=20, start=start, strength=strength) - start).abs().mean())
        for strength in (0.05, 0.4, 0.9)
    ]
    assert distances == sorted(distances)
    assert distances[0] < 0.5 * distances[2]


def test_few_steps_and_little_strength_are_at_least_one_step(adapter: Adapter) -> None:
    ticks: list[None] = []
    start = adapter.to_latents(pictures_of(1))
    latents = denoise(adapter, TEXT, steps=1, start=start, strength=0.5, tick=lambda: ticks.append(None))
    assert len(ticks) == 2  # one before the first step
    assert not torch.equal(latents, start)


def test_one_step_of_turbo(few_steps: Adapter) -> None:
    scheduler = EulerDiscreteScheduler.from_config(few_steps.pipeline.scheduler.config, timestep_spacing="trailing")
    few_steps.pipeline.scheduler = scheduler
    calls: list[int] = []
    few_steps.pipeline.unet.register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    latents = denoise(few_steps, TEXT, 0.0, steps=1)
    assert calls == [1]  # one step, and no second picture for a negative text
    assert latents.isfinite().all()


def test_a_drafts_autoencoder_takes_the_others_place(few_steps: Adapter) -> None:
    latents = denoise(few_steps, TEXT)
    few_steps.pipeline.vae = tiny_pipelines.tiny_autoencoder()
    assert few_steps.decode(latents).shape == (1, 64, 64, 3)
    assert few_steps.to_latents(pictures_of(1)).shape == latents.shape


def test_an_autoencoder_that_overflows_in_half_precision_is_made_whole() -> None:
    assert adapter_for(tiny_pipelines.sdxl().to(torch.float16)).pipeline.vae.dtype == torch.float32
    assert adapter_for(tiny_pipelines.sdxl().to(torch.bfloat16)).pipeline.vae.dtype == torch.bfloat16


def test_what_is_no_number_makes_a_picture_black(few_steps: Adapter) -> None:
    latents = denoise(few_steps, TEXT).repeat(2, 1, 1, 1)
    latents[1, 0, 0, 0] = torch.nan
    whole, broken = few_steps.decode(latents)
    assert np.array_equal(whole, few_steps.decode(latents[:1])[0])
    assert not broken.any()


def test_what_the_safety_checker_refuses_is_black(few_steps: Adapter) -> None:
    checker = tiny_pipelines.safety_checker()
    few_steps.pipeline.register_modules(safety_checker=checker, feature_extractor=CLIPImageProcessor(crop_size=32))
    latents = few_steps.denoise(
        [few_steps.encode(TEXT)] * 2, [few_steps.encode("")] * 2, noise_of(few_steps, 1, 2), 2, 0.0
    )
    checker.concept_embeds_weights.fill_(2)  # likeness beyond what there can be
    assert few_steps.decode(latents).any()
    checker.concept_embeds_weights.fill_(-2)
    assert not few_steps.decode(latents).any()


# manners


def test_work_is_cancelled_between_steps(adapter: Adapter) -> None:
    ticks: list[None] = []

    def cancel() -> None:
        ticks.append(None)
        if len(ticks) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        denoise(adapter, TEXT, steps=10, tick=cancel)
    assert len(ticks) == 3
    assert torch.equal(denoise(adapter, TEXT), denoise(adapter, TEXT))  # and nothing is left behind


def test_other_pipelines_are_refused() -> None:
    stranger = DDPMPipeline(unet=tiny_pipelines.stable_diffusion().unet, scheduler=LCMScheduler())
    with pytest.raises(AimvError, match="can't draw with a DDPMPipeline; choose a model"):
        adapter_for(stranger)
    assert {"StableDiffusionPipeline", "StableDiffusionXLPipeline"} < set(FAMILIES)

"""Pipelines of the real diffusers classes with tiny seeded networks and real tokenizers: what users' models are, small.

Each takes milliseconds a step. Pictures are SIDE pixels wide; latents are an eighth of that, as in the real models.
`pipeline.save_pretrained(folder)` writes the folder that a user would have (safetensors).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import TypeVar

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    CLIPConfig,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

AnyPipeline = TypeVar("AnyPipeline", bound=DiffusionPipeline)

SIDE = 64
WIDTH = 32  # of all text encoders
LETTERS = sorted(ByteLevel.alphabet())
# mostly one token each; all other words are spelled by letters
VOCABULARY = """
a an the and of in on at by with from under over into is no not quiet slow fast old small wide dark light red blue
green gold black white night morning evening sea fog forest mountain city street house river rain snow sun moon stars
cloud sky fire water glass stone wood hand face woman man child bird horse dog cat road train field garden window door
room bridge tower desert island wave storm dust smoke music song guitar piano drums painting photograph film oil style
blurry ugly text
"""
WORDS = VOCABULARY.split()
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def stable_diffusion(seed: int = 0) -> StableDiffusionPipeline:
    """Stable Diffusion 1.5, without its safety checker."""
    with _seeded(seed):
        tokenizer = clip_tokenizer()
        pipeline = StableDiffusionPipeline(
            vae=_autoencoder(),
            text_encoder=CLIPTextModel(_clip_config(tokenizer)),
            tokenizer=tokenizer,
            unet=_unet(cross_attention_dim=WIDTH),
            scheduler=DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    return _resting(pipeline)


def latent_consistency(seed: int = 0) -> LatentConsistencyModelPipeline:
    """A Stable Diffusion distilled to few steps, which is told the guidance as a number."""
    with _seeded(seed):
        tokenizer = clip_tokenizer()
        pipeline = LatentConsistencyModelPipeline(
            vae=_autoencoder(),
            text_encoder=CLIPTextModel(_clip_config(tokenizer)),
            tokenizer=tokenizer,
            unet=_unet(cross_attention_dim=WIDTH, time_cond_proj_dim=16),
            scheduler=LCMScheduler(**BETAS, steps_offset=1),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    return _resting(pipeline)


def sdxl(seed: int = 0) -> StableDiffusionXLPipeline:
    """Stable Diffusion XL with its two text encoders."""
    with _seeded(seed):
        tokenizer, second = clip_tokenizer(), clip_tokenizer(pad_token="!")
        pipeline = StableDiffusionXLPipeline(
            vae=_autoencoder(force_upcast=True),
            text_encoder=CLIPTextModel(_clip_config(tokenizer)),
            text_encoder_2=CLIPTextModelWithProjection(_clip_config(second)),
            tokenizer=tokenizer,
            tokenizer_2=second,
            unet=_unet(
                cross_attention_dim=2 * WIDTH,
                addition_embed_type="text_time",
                addition_time_embed_dim=8,
                projection_class_embeddings_input_dim=6 * 8 + WIDTH,
            ),
            scheduler=EulerDiscreteScheduler(**BETAS, steps_offset=1, timestep_spacing="leading"),
        )
    return _resting(pipeline)


def stable_diffusion_3(seed: int = 0) -> StableDiffusion3Pipeline:
    """Stable Diffusion 3 with two CLIPs and a T5."""
    with _seeded(seed):
        tokenizer, second, third = clip_tokenizer(), clip_tokenizer(pad_token="!"), t5_tokenizer()
        t5 = T5Config(vocab_size=len(third), d_model=2 * WIDTH, d_kv=16, d_ff=WIDTH, num_layers=1, num_heads=2)
        pipeline = StableDiffusion3Pipeline(
            transformer=SD3Transformer2DModel(
                sample_size=SIDE // 8,
                patch_size=2,
                in_channels=16,
                out_channels=16,
                num_layers=2,
                attention_head_dim=16,
                num_attention_heads=2,
                caption_projection_dim=32,
                joint_attention_dim=2 * WIDTH,
                pooled_projection_dim=2 * WIDTH,
                pos_embed_max_size=32,
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
            vae=_autoencoder(
                latent_channels=16,
                scaling_factor=1.5305,
                shift_factor=0.0609,
                use_quant_conv=False,
                use_post_quant_conv=False,
            ),
            text_encoder=CLIPTextModelWithProjection(_clip_config(tokenizer)),
            tokenizer=tokenizer,
            text_encoder_2=CLIPTextModelWithProjection(_clip_config(second)),
            tokenizer_2=second,
            text_encoder_3=T5EncoderModel(t5),
            tokenizer_3=third,
        )
    return _resting(pipeline)


def z_image(seed: int = 0) -> ZImagePipeline:
    """Z-Image, whose text encoder is a language model."""
    with _seeded(seed):
        tokenizer = qwen_tokenizer()
        qwen = Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=16,
            max_position_embeddings=1024,
        )
        pipeline = ZImagePipeline(
            transformer=ZImageTransformer2DModel(
                in_channels=16,
                dim=32,
                n_layers=2,
                n_refiner_layers=1,
                n_heads=2,
                n_kv_heads=2,
                cap_feat_dim=WIDTH,
                axes_dims=[8, 4, 4],
                axes_lens=[1024, 64, 64],
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
            vae=_autoencoder(latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159),
            text_encoder=Qwen3Model(qwen),
            tokenizer=tokenizer,
        )
    return _resting(pipeline)


def tiny_autoencoder(latent_channels: int = 4, seed: int = 0) -> AutoencoderTiny:
    """A TAESD for drafts: to be put in place of a pipeline's `vae`."""
    with _seeded(seed):
        return AutoencoderTiny(
            encoder_block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            num_encoder_blocks=(1, 1, 1, 1),
            num_decoder_blocks=(1, 1, 1, 1),
            latent_channels=latent_channels,
        ).eval()


def safety_checker(seed: int = 0) -> StableDiffusionSafetyChecker:
    """Stable Diffusion's, for pictures of 32 x 32 pixels."""
    with _seeded(seed):
        vision = {"hidden_size": WIDTH, "intermediate_size": WIDTH, "num_attention_heads": 2, "num_hidden_layers": 1}
        config = CLIPConfig(vision_config={**vision, "image_size": 32, "patch_size": 8}, projection_dim=WIDTH)
        return StableDiffusionSafetyChecker(config).eval()


def clip_tokenizer(pad_token: str = "<|endoftext|>") -> CLIPTokenizer:
    """CLIP's, with WORDS for a vocabulary: 75 words and marks a chunk."""
    pieces, merges = _byte_pairs([[*word[:-1], word[-1] + "</w>"] for word in WORDS])
    tokens = [*LETTERS, *(letter + "</w>" for letter in LETTERS), *pieces, "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab=_numbered(tokens), merges=merges, pad_token=pad_token, model_max_length=77)


def qwen_tokenizer() -> Qwen2Tokenizer:
    """Qwen's, with WORDS for a vocabulary and a chat template."""
    pieces, merges = _byte_pairs([["Ġ", *word] for word in WORDS])
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Qwen2Tokenizer(
        vocab=_numbered([*LETTERS, *pieces, *marks]), merges=merges, additional_special_tokens=marks[1:]
    )
    tokenizer.chat_template = CHAT
    return tokenizer


def t5_tokenizer() -> T5Tokenizer:
    """T5's, with WORDS for a vocabulary."""
    letters = [("▁", -8.0), *((chr(code), -9.0) for code in range(33, 127))]
    words = [("▁" + word, -4.0) for word in WORDS]
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return T5Tokenizer(vocab=[*marks, *letters, *words], extra_ids=0, model_max_length=512)


def _byte_pairs(words: Iterable[list[str]]) -> tuple[list[str], list[tuple[str, str]]]:
    """Byte-pair merges that put each word together from its letters, left to right, and the tokens they make."""
    merges = [pair for word in words for pair in zip(accumulate(word), word[1:], strict=False)]
    merges = list(dict.fromkeys(merges))
    return list(dict.fromkeys(left + right for left, right in merges)), merges


def _numbered(tokens: Iterable[str]) -> dict[str, int]:
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


def _clip_config(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        projection_dim=WIDTH,
        num_attention_heads=2,
        num_hidden_layers=3,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _autoencoder(**config: object) -> AutoencoderKL:
    return AutoencoderKL(
        **{
            "block_out_channels": [4, 4, 8, 8],
            "down_block_types": ["DownEncoderBlock2D"] * 4,
            "up_block_types": ["UpDecoderBlock2D"] * 4,
            "latent_channels": 4,
            "norm_num_groups": 2,
            "sample_size": SIDE,
            **config,
        }
    )


def _unet(**config: object) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIDE // 8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        attention_head_dim=4,
        **config,
    )


def _resting(pipeline: AnyPipeline) -> AnyPipeline:
    """The pipeline as one that is loaded: without dropout."""
    for component in pipeline.components.values():
        if isinstance(component, torch.nn.Module):
            component.eval()
    return pipeline


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield

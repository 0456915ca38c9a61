"""The families of diffusion models that AIMV draws with, each as small as diffusers allows."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from aimv_engine.errors import AimvError

from .adapter import Adapter, like
from .encoding import Encoding, parts

log = logging.getLogger(__name__)


class StableDiffusion(Adapter):
    """Stable Diffusion 1 and 2 (Rombach et al. 2022), and those distilled from them: Turbo, LCM."""

    family = "sd"
    redrawing = "StableDiffusionImg2ImgPipeline"

    def __init__(self, pipeline: Any) -> None:
        # what an LCM's own pipeline does, Stable Diffusion's does as well
        super().__init__(like(pipeline, "StableDiffusionPipeline"), _side(pipeline))

    def _encode(self, part: str) -> Encoding:
        tokens, _ = self.pipeline.encode_prompt(part, self.device, 1, False)
        return _kept(tokens)


class StableDiffusionXL(Adapter):
    """Stable Diffusion XL (Podell et al. 2023) and its Turbo."""

    family = "sdxl"
    redrawing = "StableDiffusionXLImg2ImgPipeline"

    def __init__(self, pipeline: Any) -> None:
        super().__init__(pipeline, _side(pipeline))
        if pipeline.vae.config.get("force_upcast") and pipeline.vae.dtype == torch.float16:
            pipeline.vae.to(dtype=torch.float32)  # in float16 it overflows

    def _encode(self, part: str) -> Encoding:
        told, none, told_pooled, none_pooled = self.pipeline.encode_prompt(part, device=self.device)
        return _kept(told, told_pooled) if part else _kept(none, none_pooled)


class StableDiffusion3(Adapter):
    """Stable Diffusion 3 and 3.5 (Esser et al. 2024). T5 reads the same parts as the CLIPs; it may be missing."""

    family = "sd3"
    redrawing = "StableDiffusion3Img2ImgPipeline"
    redrawing_wants_size = True

    def __init__(self, pipeline: Any) -> None:
        super().__init__(pipeline, pipeline.default_sample_size * pipeline.vae_scale_factor)

    def _encode(self, part: str) -> Encoding:
        tokens, _, pooled, _ = self.pipeline.encode_prompt(
            part, None, None, self.device, do_classifier_free_guidance=False
        )
        return _kept(tokens, pooled)


class ZImage(Adapter):
    """Z-Image (Tongyi-MAI 2025), whose texts are read by a language model; only its hidden states are kept."""

    family = "z-image"
    mixable = "Z-Image reads texts word by word: one text can follow another, but not be averaged with it"
    chunk = 512
    redrawing = "ZImageImg2ImgPipeline"
    unguided = 0.0
    latents_type = torch.float32

    def __init__(self, pipeline: Any) -> None:
        super().__init__(pipeline, pipeline.vae.config.get("sample_size", 1024))

    def _encode(self, part: str) -> Encoding:
        (tokens,), _ = self.pipeline.encode_prompt(part, self.device, False, max_sequence_length=self.chunk)
        return Encoding(tokens.float().cpu())

    def _parts(self, text: str) -> Iterable[str]:
        if not text:
            return [""]
        room = self.chunk - len(self._none.tokens)  # the template of a conversation takes some
        first, *rest = parts(text, lambda part: len(self.pipeline.tokenizer.tokenize(part)) <= room)
        if rest:
            log.warning("%s reads %d tokens and leaves out: %s", self.family, self.chunk, "".join(rest))
        return [first]

    def _batches(
        self, texts: Sequence[Encoding], negatives: Sequence[Encoding], guided: bool
    ) -> Iterator[tuple[list[int], dict[str, Any]]]:
        """All at once: the network looks at each text for as long as it is."""
        wording = {"prompt_embeds": [text.tokens.to(self.device, self._dtype) for text in texts]}
        if guided:
            wording["negative_prompt_embeds"] = [text.tokens.to(self.device, self._dtype) for text in negatives]
        yield list(range(len(texts))), wording


FAMILIES = {
    "StableDiffusionPipeline": StableDiffusion,
    "LatentConsistencyModelPipeline": StableDiffusion,
    "StableDiffusionXLPipeline": StableDiffusionXL,
    "StableDiffusion3Pipeline": StableDiffusion3,
    "ZImagePipeline": ZImage,
}


def adapter_for(pipeline: Any) -> Adapter:
    """The adapter of a diffusers pipeline that makes pictures of texts. Raises AimvError for one without."""
    name = type(pipeline).__name__
    if name not in FAMILIES:
        raise AimvError(f"AIMV can't draw with a {name}; choose a model whose pipeline is one of {', '.join(FAMILIES)}")
    return FAMILIES[name](pipeline)


def _side(pipeline: Any) -> int:
    """Of the pictures that a U-Net was trained on."""
    return int(pipeline.unet.config.sample_size * pipeline.vae_scale_factor)


def _kept(tokens: torch.Tensor, pooled: torch.Tensor | None = None) -> Encoding:
    """A batch of one as an Encoding."""
    return Encoding(tokens[0].float().cpu(), None if pooled is None else pooled[0].float().cpu())

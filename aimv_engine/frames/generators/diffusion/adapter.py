"""One face for all families of diffusion models (adapters.py). The plain pipeline of diffusers does the work.

An adapter encodes texts by the pipeline's own encode_prompt, calls the pipeline with embeddings and noise of ours, and
decodes what comes out: a prompt that is not mixed gives the very latents that the plain pipeline gives.
"""

import inspect
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from aimv_engine.arrays import Picture
from aimv_engine.heartbeat import Heartbeat, nothing

from .encoding import Encoding, parts

Pictures = NDArray[np.uint8]  # [B, height, width, 3], sRGB

STEP_NOISE = 0  # seeds what some schedulers (LCM, ancestral ones) add at each step: held still, or else it flickers


class Adapter:
    """A loaded pipeline, called picture by picture or in batches; a picture is the same in either (but for rounding).

    `mixable` is empty, or says why the texts of this family can't be averaged. `chunk` is how many tokens one part of
    a text may have, its begin and end included.
    """

    family: str
    mixable = ""
    chunk = 77
    redrawing: str  # diffusers' name for the pipeline that begins with pictures
    redrawing_wants_size = False
    unguided = 1.0  # guidance up to this is none: the negative text isn't looked at
    latents_type: torch.dtype | None = None  # of latents while they are denoised, where it isn't the network's

    def __init__(self, pipeline: Any, side: int) -> None:
        """`side` is that of the square pictures that the model was trained on."""
        self.pipeline = pipeline
        self.side = side
        pipeline.set_progress_bar_config(disable=True)

    @property
    def device(self) -> torch.device:
        """What the pipeline computes on, also where its parts wait in main memory for their turn."""
        return torch.device(self.pipeline._execution_device)

    def encode(self, text: str) -> Encoding:
        """The text as the model reads it, long ones in parts one after the other. No text ("") is what the model takes
        for none: as a negative, or to fill up."""
        with torch.no_grad():
            encodings = [self._encode(part) for part in self._parts(text)]
        return Encoding(torch.cat([encoding.tokens for encoding in encodings]), encodings[0].pooled)

    def row_weights(self, pieces: Sequence[tuple[str, float]]) -> torch.Tensor:
        """A weight for each row of the encoding [L] of a text that comes in pieces with weights: that of the word which
        a CLIP reads there, and 1 elsewhere."""
        of_characters = [weight for words, weight in pieces for _ in words]
        rows = []
        for part in self._parts("".join(words for words, _ in pieces)):
            here, of_characters = of_characters[: len(part)], of_characters[len(part) :]
            chunk, row, begin = torch.ones(len(self._none.tokens)), 1, 0  # after the mark of the beginning
            for weight, run in groupby(here):
                end = begin + len(list(run))
                count = self._token_count(part[begin:end])
                chunk[row : row + count] = weight
                row, begin = row + count, end
            rows.append(chunk)
        return torch.cat(rows)

    def working_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of what the model draws for pictures of `size`: of about their shape, and as many pixels as
        the model was trained on, since it draws badly at others."""
        step = 2 * self._scale
        stretch = self.side / math.sqrt(size[0] * size[1])
        width, height = (max(1, round(side * stretch / step)) * step for side in size)
        return width, height

    def noise_shape(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """Of the latents of one picture of `size` (width, height)."""
        width, height = self.working_size(size)
        return self._network.config.in_channels, height // self._scale, width // self._scale

    def denoise(
        self,
        texts: Sequence[Encoding],
        negatives: Sequence[Encoding],
        noise: torch.Tensor,
        steps: int,
        guidance: float,
        start: torch.Tensor | None = None,
        strength: float = 1.0,
        tick: Heartbeat = nothing,
    ) -> torch.Tensor:
        """Latents [B, C, h, w] of pictures: of texts [B] and standard normal noise [B, C, h, w].

        With `start` (latents of pictures) the picture begins there, and `strength` (0.05 to 1) of the way from noise is
        gone, in as many of the steps, but at least one. `tick` is called at every step and may raise.
        """
        latents = torch.empty_like(noise, device=self.device)
        for batch, wording in self._batches(texts, negatives, guidance > self.unguided):
            tick()
            beginning = None if start is None else start[batch]
            denoised = self._denoise(wording, noise[batch], steps, guidance, beginning, strength, tick)
            latents[batch] = denoised.to(latents)
        return latents

    def decode(self, latents: torch.Tensor) -> Pictures:
        """The pictures of latents, in the working size. One is black when it has something in it that is no number, or
        when the model's safety checker refuses it."""
        vae = self.pipeline.vae
        with torch.no_grad():
            drawn = vae.decode(self._unscaled(latents.to(self.device, vae.dtype)), return_dict=False)[0]
            levels = ((drawn.float() / 2 + 0.5).clamp(0, 1) * 255).round()
            levels[~levels.isfinite().flatten(1).all(1)] = 0
            if getattr(self.pipeline, "safety_checker", None) is not None:
                _, refused = self.pipeline.run_safety_checker(drawn, self.device, self._dtype)
                levels[torch.tensor(refused, device=self.device)] = 0
        return np.asarray(levels.byte().permute(0, 2, 3, 1).cpu())

    def to_latents(self, pictures: Pictures) -> torch.Tensor:
        """The latents [B, C, h, w] of pictures of any size, brought to the working size of theirs."""
        vae = self.pipeline.vae
        size = self.working_size((pictures.shape[2], pictures.shape[1]))
        stack = np.stack([resized(picture, size) for picture in pictures])
        levels = torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 255 * 2 - 1
        with torch.no_grad():
            encoded = vae.encode(levels.to(self.device, vae.dtype))
        # the middle of the distribution, not a sample: the same picture has the same latents
        latents = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
        scaled: torch.Tensor = self._scaled(latents)
        return scaled

    # what families differ in

    def _encode(self, part: str) -> Encoding:
        raise NotImplementedError

    def _parts(self, text: str) -> Iterable[str]:
        """CLIP reads no more than a chunk at once, so it is given long texts in parts."""

        return parts(text, lambda part: self._token_count(part) <= self.chunk - 2)

    def _token_count(self, part: str) -> int:
        tokenizer = self.pipeline.tokenizer
        if hasattr(self.pipeline, "maybe_convert_prompt"):  # words of a look's textual inversion are several tokens
            part = self.pipeline.maybe_convert_prompt(part, tokenizer)
        return len(tokenizer.tokenize(part))

    def _batches(
        self, texts: Sequence[Encoding], negatives: Sequence[Encoding], guided: bool
    ) -> Iterator[tuple[list[int], dict[str, Any]]]:
        """Which pictures are made at once, and the pipeline's arguments of their texts: those of one length.

        A text and its negative are filled up to the longer of the two, but never for others' sake: a picture's length
        changes it.
        """
        lengths: dict[int, list[int]] = {}
        for index, (text, negative) in enumerate(zip(texts, negatives, strict=True)):
            longer = max(len(text.tokens), len(negative.tokens)) if guided else len(text.tokens)
            lengths.setdefault(longer, []).append(index)
        for length, batch in lengths.items():
            wording = self._wording([texts[index] for index in batch], length)
            if guided:
                against = self._wording([negatives[index] for index in batch], length)
                wording |= {f"negative_{name}": value for name, value in against.items()}
            yield batch, wording

    def _wording(self, encodings: Sequence[Encoding], length: int) -> dict[str, Any]:
        """Encodings of up to `length` tokens as the pipeline's arguments."""
        tokens = torch.stack([self._filled(encoding.tokens, length) for encoding in encodings])
        pooled = [encoding.pooled for encoding in encodings if encoding.pooled is not None]
        wording = {"prompt_embeds": tokens.to(self.device, self._dtype)}
        if pooled:
            wording["pooled_prompt_embeds"] = torch.stack(pooled).to(self.device, self._dtype)
        return wording

    def _filled(self, tokens: torch.Tensor, length: int) -> torch.Tensor:
        if len(tokens) == length:
            return tokens
        return torch.cat([tokens, *[self._none.tokens] * math.ceil(length / len(self._none.tokens))])[:length]

    @cached_property
    def _none(self) -> Encoding:
        return self.encode("")

    # what they share

    @property
    def _scale(self) -> int:
        return int(self.pipeline.vae_scale_factor)  # pixels a latent

    @property
    def _network(self) -> Any:
        return getattr(self.pipeline, "unet", None) or self.pipeline.transformer

    @property
    def _dtype(self) -> torch.dtype:
        return self._network.dtype  # type: ignore[no-any-return]

    def _denoise(
        self,
        wording: dict[str, Any],
        noise: torch.Tensor,
        steps: int,
        guidance: float,
        start: torch.Tensor | None,
        strength: float,
        tick: Heartbeat,
    ) -> Any:
        def step(_pipeline: Any, _step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            tick()
            return tensors

        noise = noise.to(self.device, self.latents_type or self._dtype)
        height, width = (self._scale * extent for extent in noise.shape[2:])
        arguments = {
            **wording,
            "guidance_scale": guidance,
            "generator": [torch.Generator().manual_seed(STEP_NOISE) for _ in noise],
            "callback_on_step_end": step,
            "output_type": "latent",
            "return_dict": False,
        }
        size = {"height": height, "width": width}
        if start is None:
            return self.pipeline(latents=noise, num_inference_steps=steps, **size, **arguments)[0]
        scheduler, start = self.pipeline.scheduler, start.to(noise)
        while int(steps * strength) < 1:
            steps += 1
        redrawing = like(self.pipeline, self.redrawing)
        redrawing.set_progress_bar_config(disable=True)
        # the noise is to be ours, not the pipeline's; so there is no picture for it to look at
        redrawing.prepare_latents = lambda _picture, time, *_, **__: _noised(scheduler, start, noise, time)
        return redrawing(
            image=torch.zeros(len(noise), 3, height, width),
            strength=strength,
            num_inference_steps=steps,
            **(size if self.redrawing_wants_size else {}),
            **arguments,
        )[0]

    def _scaled(self, latents: torch.Tensor) -> Any:
        """The VAE's latents as the network wants them: centred, with a deviation of about one."""
        middle, spread = self._spread(latents)
        return (latents - middle) * self.pipeline.vae.config.scaling_factor / spread

    def _unscaled(self, latents: torch.Tensor) -> Any:
        middle, spread = self._spread(latents)
        return latents * spread / self.pipeline.vae.config.scaling_factor + middle

    def _spread(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        config = self.pipeline.vae.config
        middle = config.get("latents_mean") or [config.get("shift_factor") or 0.0]
        spread = config.get("latents_std") or [1.0]
        return latents.new_tensor(middle).view(1, -1, 1, 1), latents.new_tensor(spread).view(1, -1, 1, 1)


def resized(picture: Picture, size: tuple[int, int]) -> Picture:
    """The picture in another size (width, height)."""
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    smaller = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8)


def like(pipeline: Any, name: str) -> Any:
    """Another of diffusers' pipelines, of the same parts and options."""
    import diffusers

    kind = getattr(diffusers, name)
    if type(pipeline) is kind:
        return pipeline
    wanted = inspect.signature(kind.__init__).parameters
    options = {option: value for option, value in pipeline.config.items() if option in wanted}
    return kind(**{**options, **pipeline.components})


def _noised(scheduler: Any, start: Any, noise: Any, time: Any) -> Any:
    """Latents on the way from `start` to noise; schedulers of flow matching call that otherwise than the rest."""
    if hasattr(scheduler, "scale_noise"):
        return scheduler.scale_noise(start, time, noise)
    return scheduler.add_noise(start, noise, time)

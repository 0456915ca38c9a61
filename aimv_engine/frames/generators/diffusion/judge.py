"""Which of a few pictures shows a sentence best: by CLIP, whose two towers see pictures and texts in one space."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aimv_engine.arrays import F32, Picture
from aimv_engine.frames.generators.footage import filling

MEAN, SPREAD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of CLIP's pictures, RGB


class Judge:
    """CLIP's text and image tower (Radford et al. 2021), on the CPU: it looks at a few pictures a scene."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """A CLIPModel of transformers and its tokenizer."""
        self._model = model
        self._tokenizer = tokenizer
        projections = (model.visual_projection.weight, model.text_projection.weight)
        digest = hashlib.blake2b(digest_size=16)
        for weight in projections:
            digest.update(weight.detach().float().numpy().tobytes())
        self.identity = digest.hexdigest()

    def __call__(self, pictures: Sequence[Picture], sentence: str) -> F32:
        """How near each picture is to the sentence: cosines [n]."""
        side = self._model.config.vision_config.image_size
        longest = self._model.config.text_config.max_position_embeddings
        stack = np.stack([filling(picture, (side, side)) for picture in pictures]).astype(np.float32) / 255
        pixels = torch.from_numpy((stack - MEAN) / SPREAD).permute(0, 3, 1, 2).float()
        read = self._tokenizer([sentence], truncation=True, max_length=longest, return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(pixel_values=pixels, **read).logits_per_image[:, 0]  # [n]
            return np.asarray((logits / self._model.logit_scale.exp()).numpy(), np.float32)


def find(folder: Path | None, tell: Callable[[str], None]) -> Judge | None:
    """The CLIP in a folder of safetensors; None, and a line that says so, where there is none with both its towers.

    No diffusion model brings one: what these have of CLIP is a text tower, and a picture tower in a safety checker at
    most.
    """
    if folder is None:
        tell("the best of several pictures can't be chosen without a CLIP model (--clip FOLDER): the first is taken")
        return None
    from transformers import AutoTokenizer, CLIPModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # progress is ours to tell
    try:
        if json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type") != "clip":
            raise ValueError("it has no image tower")
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = CLIPModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError) as error:
        tell(f"the best of several pictures can't be chosen by the CLIP in {folder}: {error}")
        return None
    return Judge(model.train(False), tokenizer)

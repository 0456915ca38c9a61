"""Sentence embeddings: how near two texts are in meaning. The only module that loads MiniLM."""

from collections.abc import Sequence

import numpy as np

from aimv_engine import weights
from aimv_engine.arrays import F32

BATCH = 64  # texts a pass
LENGTH = 64  # word pieces read of a text; what comes after is ignored
SIZE = 384


class TextEmbedder:
    """all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019): texts to points on the unit sphere.

    Loading takes two to four seconds, nearly all of it the import of transformers.
    """

    def __init__(self) -> None:
        """Raises AimvError when the packaged weights are missing or not the pinned file."""
        from safetensors.torch import load_file
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel

        self._tokenizer = Tokenizer.from_file(str(weights.packaged("minilm/tokenizer")))
        self._tokenizer.enable_truncation(LENGTH)
        self._tokenizer.enable_padding()
        self._network = BertModel(BertConfig.from_json_file(str(weights.packaged("minilm/config")))).train(False)
        tensors = load_file(weights.packaged("minilm"))
        del tensors["embeddings.position_ids"]  # 0, 1, 2 ...: not a weight, newer classes make it themselves
        self._network.load_state_dict(tensors)

    def __call__(self, texts: Sequence[str]) -> F32:
        """Unit rows [n, 384], one a text: the dot product of two is their cosine similarity.

        A row may differ in its last bits with the texts it is batched with; embed a text alone where that matters.
        """
        import torch

        rows = [np.zeros((0, SIZE), np.float32)]
        for start in range(0, len(texts), BATCH):
            pieces = self._tokenizer.encode_batch(list(texts[start : start + BATCH]))
            ids = torch.tensor([piece.ids for piece in pieces])
            mask = torch.tensor([piece.attention_mask for piece in pieces])
            with torch.inference_mode():
                states = self._network(input_ids=ids, attention_mask=mask).last_hidden_state  # [n, pieces, 384]
                heard = mask[..., None].to(states.dtype)
                mean = (states * heard).sum(1) / heard.sum(1)
                rows.append(torch.nn.functional.normalize(mean, dim=1).numpy())
        return np.concatenate(rows)

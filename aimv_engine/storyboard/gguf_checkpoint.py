"""Turns a GGUF file of a Llama-class model into a transformers folder, once: reading GGUF at every start is slow."""

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from aimv_engine.heartbeat import meanwhile
from aimv_engine.progress import Progress

# llama.cpp's names of a block's tensors -> transformers' names
BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTSIDE = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


def convert(source: Path, folder: Path, progress: Progress) -> None:
    """Writes config, tokenizer and bfloat16 weights of `source` (a GGUF file with tied embeddings) to `folder`.

    The folder appears whole or not at all: an interrupted conversion leaves nothing that could be taken for a model.
    """

    def tell(done: int) -> None:
        progress("converting the language model", done, 100)

    tell(0)
    tokenizer = meanwhile(partial(_tokenizer, source), partial(tell, 0))
    fields, tensors = meanwhile(partial(_read, source), partial(tell, 40))

    import torch
    from safetensors.torch import save_file

    config = _config(fields)
    weights = {}
    for number, tensor in enumerate(tensors):
        done = 50 + 50 * number // len(tensors)
        tell(done)
        values = meanwhile(partial(_values, tensor, config), partial(tell, done))  # the first one is large
        weights[_name(tensor.name)] = torch.from_numpy(values).to(torch.bfloat16)

    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        config.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        meanwhile(
            partial(save_file, weights, unfinished / "model.safetensors", metadata={"format": "pt"}), partial(tell, 99)
        )
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process has just converted the same file
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    tell(100)


def _tokenizer(source: Path) -> Any:
    from transformers import AutoTokenizer  # here, because it takes seconds to import

    return AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name, local_files_only=True)


def _read(source: Path) -> tuple[dict[str, Any], list[Any]]:
    """The file's metadata (without its long lists, which the tokenizer reads itself) and its tensors."""
    import gguf

    reader = gguf.GGUFReader(os.fspath(source))
    fields = {name: field.contents() for name, field in reader.fields.items() if len(field.parts) < 100}
    return fields, reader.tensors


def _config(fields: dict[str, Any]) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=fields["llama.vocab_size"],
        hidden_size=fields["llama.embedding_length"],
        intermediate_size=fields["llama.feed_forward_length"],
        num_hidden_layers=fields["llama.block_count"],
        num_attention_heads=fields["llama.attention.head_count"],
        num_key_value_heads=fields["llama.attention.head_count_kv"],
        max_position_embeddings=fields["llama.context_length"],
        rms_norm_eps=fields["llama.attention.layer_norm_rms_epsilon"],
        rope_parameters={"rope_type": "default", "rope_theta": fields["llama.rope.freq_base"]},
        bos_token_id=fields["tokenizer.ggml.bos_token_id"],
        eos_token_id=fields["tokenizer.ggml.eos_token_id"],
        tie_word_embeddings=True,
        dtype="bfloat16",
    )


def _name(name: str) -> str:
    if name in OUTSIDE:
        return OUTSIDE[name]
    _, block, part, _ = name.split(".")
    return f"model.layers.{block}.{BLOCK[part]}.weight"


def _values(tensor: Any, config: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The tensor dequantized, with transformers' order of rows.

    llama.cpp rotates neighbouring pairs of a head's rows (the order of the RoPE paper), transformers the two halves.
    """
    import gguf

    values = np.array(gguf.dequantize(tensor.data, tensor.tensor_type), np.float32)  # a copy: the file is mapped
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for part, count in heads.items():
        if f".{part}." in tensor.name:
            rows, columns = values.shape
            values = values.reshape(count, rows // count // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
    return np.ascontiguousarray(values)

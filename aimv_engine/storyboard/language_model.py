"""The language model: the embedded SmolLM2, or any causal language model of transformers by folder or name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aimv_engine import weights
from aimv_engine.errors import AimvError
from aimv_engine.heartbeat import meanwhile
from aimv_engine.progress import Progress, silent
from aimv_engine.storyboard import gguf_checkpoint

EMBEDDED = "smollm2"
EMBEDDED_THREADS = 1  # a fixed number gives the same bytes; two gain little and wait for each other on a busy machine


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model, ready to write."""

    name: str
    network: Any  # a transformers causal language model in evaluation mode
    tokenizer: Any
    pieces: tuple[str, ...]  # the text of each token of the vocabulary, with a leading space where it begins a word
    threads: int

    @property
    def embedded(self) -> bool:
        """Whether it is the small model that AIMV brings along: that one needs designed openings."""
        return self.name == EMBEDDED


def load(name: str | None = None, *, progress: Progress = silent) -> LanguageModel:
    """The model of that name: None is the embedded one, else a folder or the name of a model in the hub's cache.

    Only safetensors are read, no code of a model is ever run, and nothing is fetched. Raises AimvError when there is no
    such model or it can't be used.
    """

    def loading() -> None:
        progress("loading the language model", 0, 1)

    if name is None:
        folder = weights.cache() / f"{EMBEDDED}-{weights.FILES[EMBEDDED].sha256[:12]}"
        if not folder.is_dir():  # the first time
            gguf_checkpoint.convert(weights.packaged(EMBEDDED), folder, progress)
        load_it = partial(_load, EMBEDDED, folder, EMBEDDED_THREADS)
    else:
        folder = Path(name).expanduser()
        if folder.is_dir() and not list(folder.glob("*.safetensors")):
            raise AimvError(f"the folder {folder} holds no *.safetensors: save the language model as safetensors first")
        load_it = partial(_load, name, folder if folder.is_dir() else name, os.cpu_count() or 1)
    loading()
    model = meanwhile(load_it, loading)
    progress("loading the language model", 1, 1)
    return model


def _load(name: str, source: Path | str, threads: int) -> LanguageModel:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    from aimv_engine.device import best_device

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # progress is ours to tell
    device = "cuda" if name != EMBEDDED and best_device() == "cuda" else "cpu"
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        network: Any = AutoModelForCausalLM.from_pretrained(
            source, dtype=torch.bfloat16, use_safetensors=True, **options
        )
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise AimvError(
            f"the language model '{name}' can't be loaded: give a folder with safetensors, or the name of a model that "
            f"is in the hub's cache ({reason})"
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    names = tokenizer.convert_ids_to_tokens(list(range(network.config.vocab_size)))
    # "Ġ" (byte-level vocabularies) and "▁" (sentencepiece) stand for the space before a word
    pieces = tuple((piece or "").replace("Ġ", " ").replace("▁", " ") for piece in names)
    return LanguageModel(name, network.to(device).train(False), tokenizer, pieces, threads)


@contextmanager
def fixed_threads(count: int) -> Iterator[None]:
    """Torch computes with `count` threads inside: sums, and so their last bits, depend on how work is split."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

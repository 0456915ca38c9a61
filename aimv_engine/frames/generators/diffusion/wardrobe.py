"""What looks add to a model: LoRA files (Hu et al. 2021) and textual inversions (Gal et al. 2022)."""

import re
from pathlib import Path
from typing import Any

from aimv_engine.checkpoint import read_header
from aimv_engine.errors import AimvError
from aimv_engine.looks import Look

# by the names of tensors in a file for models with two text encoders: which tokenizer and encoder it is for
TOWERS = {"clip_l": ("tokenizer", "text_encoder"), "clip_g": ("tokenizer_2", "text_encoder_2")}


class Wardrobe:
    """What a pipeline has on. Taken off, it draws as before, to the last bit."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._lora: tuple[tuple[Path, float], ...] = ()
        self._embeddings: tuple[Path, ...] = ()

    def wear(self, look: Look) -> bool:
        """Has the pipeline draw with the look's files and no others; whether that changes anything.

        If it does, texts have to be encoded anew. Raises AimvError for a file that doesn't suit the model.
        """
        if (look.lora, look.embeddings) == (self._lora, self._embeddings):
            return False
        if look.lora != self._lora:
            if self._lora:
                self._pipeline.unload_lora_weights()
            self._lora = ()  # also when the next one can't be put on
            for number, (path, _) in enumerate(look.lora):
                self._put_on(path, f"look_{number}")
            if look.lora:
                names = [f"look_{number}" for number in range(len(look.lora))]
                self._pipeline.set_adapters(names, [weight for _, weight in look.lora])
            self._lora = look.lora
        if look.embeddings != self._embeddings:
            for path in self._embeddings:
                self._forget(path)
            self._embeddings = ()
            for path in look.embeddings:
                self._learn(path)
                self._embeddings += (path,)
        return True

    def _put_on(self, path: Path, name: str) -> None:
        read_header(path)
        try:
            self._pipeline.load_lora_weights(
                str(path.parent), weight_name=path.name, adapter_name=name, use_safetensors=True, local_files_only=True
            )
        except Exception as error:  # of peft and torch, for whatever doesn't fit
            self._pipeline.unload_lora_weights()
            raise AimvError(f"the LoRA {path} doesn't suit this model: {_line(error)}") from error
        if not any(name in there for there in self._pipeline.get_list_adapters().values()):
            self._pipeline.unload_lora_weights()
            raise AimvError(f"the LoRA {path} has nothing for this model: it was made for another kind")

    def _learn(self, path: Path) -> None:
        from safetensors.torch import load_file

        read_header(path)
        if not hasattr(self._pipeline, "load_textual_inversion"):
            raise AimvError(f"this kind of model takes no textual inversions such as {path}; take it out of the look")
        tensors = load_file(path)
        try:
            for key, (tokenizer, encoder) in self._towers(tensors).items():
                self._pipeline.load_textual_inversion(
                    {key: tensors[key]},
                    token=_word(path),
                    tokenizer=getattr(self._pipeline, tokenizer),
                    text_encoder=getattr(self._pipeline, encoder),
                )
        except (ValueError, KeyError, RuntimeError) as error:
            raise AimvError(f"the textual inversion {path} doesn't suit this model: {_line(error)}") from error

    def _forget(self, path: Path) -> None:
        for tokenizer, encoder in self._worn_towers():
            # one of several vectors is several words: the name, the name_1 and so on
            named = re.compile(rf"{re.escape(_word(path))}(_\d+)?")
            words = [word for word in getattr(self._pipeline, tokenizer).added_tokens_encoder if named.fullmatch(word)]
            if words:  # without any it would forget all
                self._pipeline.unload_textual_inversion(
                    words, getattr(self._pipeline, tokenizer), getattr(self._pipeline, encoder)
                )

    def _worn_towers(self) -> list[tuple[str, str]]:
        return [tower for tower in TOWERS.values() if getattr(self._pipeline, tower[1], None) is not None]

    def _towers(self, tensors: dict[str, Any]) -> dict[str, tuple[str, str]]:
        """Which tensor is for which tokenizer and encoder. Raises ValueError when the file is for another kind."""
        towers = self._worn_towers()
        if len(towers) == 1 and len(tensors) == 1:
            return {next(iter(tensors)): towers[0]}
        if len(towers) == 2 and set(tensors) == set(TOWERS):
            return TOWERS
        raise ValueError(f"it is for a model with {len(tensors)} text encoders, and this one has {len(towers)}")


def _word(path: Path) -> str:
    """What an embedding is called in texts: in small letters, as CLIP's tokenizers read all of them."""
    return path.stem.lower()


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

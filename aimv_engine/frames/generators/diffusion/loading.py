"""Which model is meant, and a pipeline of diffusers made of it. Safetensors only; no model's own program is run."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aimv_engine import checkpoint
from aimv_engine.checkpoint import Header, read_header
from aimv_engine.errors import AimvError, mendable
from aimv_engine.heartbeat import meanwhile
from aimv_engine.progress import Progress, silent

from . import cards, hub
from .cards import ModelCard, Scheduler

if TYPE_CHECKING:
    import torch

FAMILIES = {  # of the classes that model_index.json names
    "StableDiffusionPipeline": "sd",
    "LatentConsistencyModelPipeline": "sd",  # what StableDiffusionPipeline has learned by now
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusion3Pipeline": "sd3",
    "ZImagePipeline": "z-image",
}
PIPELINES = {
    "sd": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
    "sd3": "StableDiffusion3Pipeline",
    "z-image": "ZImagePipeline",
}
LIBRARIES = {"diffusers", "transformers", "stable_diffusion"}  # the last is diffusers' own, for the safety checker
SINGLE_FILES = {"sd": "sd15", "sdxl": "sdxl"}  # families, and the card of the model that describes their files
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Source:
    """A model that is there, whole."""

    path: Path  # the folder of a model, or a single .safetensors file
    family: str
    card: ModelCard  # its own, or that of the model most like it: what steps, guidance and size to take
    scheduler: Scheduler | None = None  # that takes the place of the model's own
    descriptions: Path | None = None  # for a single file: the folder with the configurations and tokenizers of its kind


class _IncompleteError(AimvError):
    """Something is missing that a download brings."""


def find(model: str, allow_download: bool = False, progress: Progress = silent) -> Source:
    """The model that is meant: a card's name, a folder, a single .safetensors file, or an id on the hub.

    What is on this computer is found without the network; `allow_download` has the rest downloaded. Raises AimvError
    with what to do.
    """
    if model in cards.names():
        return _of_hub(cards.load(model).source, allow_download, progress)
    path = Path(model).expanduser()
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_file(path, allow_download, progress)
    if HUB_ID.fullmatch(model) and path.suffix not in {".safetensors", *checkpoint.PICKLES}:
        return _of_hub(model, allow_download, progress)
    raise AimvError(
        f"there is no model '{model}': give one of {', '.join(cards.names())}, the folder of a diffusers model, "
        "a .safetensors file, or an id of the hub such as owner/model"
    )


def identity(source: Source) -> str:
    """16 letters for all that changes what the model draws: its weights, configurations and scheduler."""
    state = hashlib.blake2b(digest_size=8)
    folder = source.descriptions or source.path
    for part in _parts(folder):
        for path in sorted((folder / part).iterdir()):
            if path.suffix in hub.DESCRIPTIONS:
                state.update(f"{part}/{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        if not source.descriptions:
            state.update("".join(f"{part} {checkpoint.digest(path)}\n" for path in _weights(folder / part)).encode())
    if source.descriptions:
        state.update(checkpoint.digest(source.path).encode())
    state.update(repr((source.family, source.scheduler)).encode())
    return state.hexdigest()


def load(source: Source, device: str, dtype: "torch.dtype", progress: Progress = silent) -> Any:
    """The pipeline, on its device. Where that has no room for all of it, its parts take turns there.

    A safety checker that comes with the model stays on. Raises AimvError.
    """
    pipeline = meanwhile(lambda: _load(source, device, dtype), lambda: progress("loading the diffusion model", 0, 1))
    progress("loading the diffusion model", 1, 1)
    return pipeline


def _of_hub(hub_id: str, allow_download: bool, progress: Progress) -> Source:
    card = cards.of_source(hub_id)
    folder = hub.cached(hub_id)
    try:
        if folder is None:
            raise _IncompleteError(f"the model {hub_id} isn't on this computer")
        found = _of_folder(folder)
    except _IncompleteError as error:
        if not allow_download:
            size = f" ({card.download_gb:g} GB, licence: {card.licence})" if card else ""
            raise AimvError(f"{error}; add --download to have it downloaded once{size}") from error
        found = _of_folder(hub.download(hub_id, progress))
    if card is None:
        return found
    return Source(found.path, found.family, card, card.scheduler)


def _of_folder(folder: Path) -> Source:
    """The model of a folder, checked. Raises AimvError for what is no model that AIMV draws with or is not whole."""
    if not (folder / hub.INDEX).is_file():
        raise AimvError(_what_else(folder))
    kind = hub.read_json(folder / hub.INDEX).get("_class_name")
    if not isinstance(kind, str) or kind not in FAMILIES:
        raise AimvError(f"{folder} is a {kind}; AIMV draws with {', '.join(sorted(FAMILIES))}")
    for part, (library, _) in _parts(folder).items():
        if library not in LIBRARIES:
            raise AimvError(f"{part} of {folder} brings a program of its own ({library}), which AIMV never runs")
        if not (folder / part).is_dir():
            raise _IncompleteError(f"{folder} has no {part}")
        chosen = _weights(folder / part)
        if (folder / part / "config.json").is_file() and not hub.complete([path.name for path in chosen]):
            pickle = next((path for path in (folder / part).iterdir() if path.suffix in checkpoint.PICKLES), None)
            if pickle and not chosen:
                read_header(pickle)  # which says what is wrong with it
            raise _IncompleteError(f"the weights in {folder / part} are not all there")
        for path in chosen:
            read_header(path)
    family = FAMILIES[kind]
    described = folder / "scheduler" / "scheduler_config.json"
    return Source(folder, family, cards.likest(family, hub.read_json(described)))


def _what_else(folder: Path) -> str:
    """What a folder is that holds no pipeline."""
    config = hub.read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    if kind := config.get("_class_name"):
        return f"{folder} holds a {kind}, which is a part of a model or an addition to one; give a whole model"
    loose = sorted(folder.glob("*.safetensors"))
    if loose:
        return (
            f"{folder} is no model of diffusers (it has no {hub.INDEX}); if {loose[0].name} is a model, give that file"
        )
    return f"{folder} is no model of diffusers: it has no {hub.INDEX}"


def _of_file(path: Path, allow_download: bool, progress: Progress) -> Source:
    """The model of a single file. It holds weights only: what else it takes lies beside it or in the hub's cache."""
    family = _family_of_file(path, read_header(path))
    card = cards.load(SINGLE_FILES[family])
    beside = path.parent
    if (beside / hub.INDEX).is_file() and FAMILIES.get(hub.read_json(beside / hub.INDEX)["_class_name"]) == family:
        described = hub.read_json(beside / "scheduler" / "scheduler_config.json")
        return Source(path, family, cards.likest(family, described), None, beside)
    descriptions = hub.cached(card.source)
    if descriptions is None or not all((descriptions / part).is_dir() for part in _parts(descriptions)):
        if not allow_download:
            raise AimvError(
                f"{path.name} holds weights only; the tokenizers and configurations for it are those of {card.source}: "
                f"add --download to have these few MB downloaded once, or lay the file into a folder with that model's "
                f"{hub.INDEX} and its parts"
            )
        descriptions = hub.download(card.source, progress, with_weights=False)
    return Source(path, family, card, card.scheduler, descriptions)


def _family_of_file(path: Path, header: Header) -> str:
    """The family of a single file by what its tensors are called, as in the models' first programs."""
    names = header.shapes
    entry = names.get("model.diffusion_model.input_blocks.0.0.weight")
    refused = f"{path} can't be used as a model: "
    if any("lora_" in name or ".lora" in name for name in names):
        raise AimvError(f"{refused}it is a LoRA, an addition to one; name it in a look ([diffusion], lora)")
    if any(name.startswith(("control_model.", "controlnet_cond_embedding.")) for name in names):
        raise AimvError(f"{refused}it is a ControlNet, an addition to one")
    if len(names) <= 2 and all(len(shape) <= 2 for shape in names.values()):
        raise AimvError(f"{refused}it is a textual inversion; name it in a look ([diffusion], embeddings)")
    if entry is None:
        raise AimvError(f"{refused}AIMV reads single files of Stable Diffusion 1.5 and XL; give this one's folder")
    if entry[1] != 4:
        raise AimvError(f"{refused}it is for inpainting or for instructions, not for drawing")
    if any(name.startswith("conditioner.embedders.1.") for name in names):
        return "sdxl"
    if any(name.startswith("cond_stage_model.transformer.") for name in names):
        return "sd"
    if any(name.startswith("cond_stage_model.model.") for name in names):
        # 2.0, 2.1 and SD-Turbo differ in what they predict, and nothing in their files says so
        raise AimvError(f"{refused}files of Stable Diffusion 2 don't say which one they are; give the model's folder")
    raise AimvError(f"{refused}the text encoders are missing in it")


def _parts(folder: Path) -> dict[str, tuple[str, str]]:
    return hub.parts(hub.read_json(folder / hub.INDEX))


def _weights(part: Path) -> list[Path]:
    return [part / name for name in hub.weights(path.name for path in part.iterdir())]


def _load(source: Source, device: str, dtype: "torch.dtype") -> Any:
    diffusers = quiet_diffusers()
    kind = getattr(diffusers, PIPELINES[source.family])
    try:
        if source.descriptions:
            pipeline = kind.from_single_file(
                str(source.path), config=str(source.descriptions), dtype=dtype, local_files_only=True
            )
        else:
            halves = any(".fp16" in path.name for part in _parts(source.path) for path in _weights(source.path / part))
            pipeline = kind.from_pretrained(
                source.path,
                dtype=dtype,
                variant="fp16" if halves else None,
                use_safetensors=True,
                local_files_only=True,
            )
    except Exception as error:  # of several libraries, for what no check has foreseen
        raise _explained(error, f"{source.path} can't be loaded as a {PIPELINES[source.family]}") from error
    for name, part in pipeline.components.items():
        if any(parameter.is_meta for parameter in getattr(part, "parameters", tuple)()):
            raise AimvError(f"{source.path} can't be loaded: the weights of its {name} don't fit its configuration")
    if source.scheduler:
        changed = getattr(diffusers, source.scheduler.name)
        pipeline.scheduler = changed.from_config(pipeline.scheduler.config, **dict(source.scheduler.options))
    return _placed(pipeline, device)


def _placed(pipeline: Any, device: str) -> Any:
    import torch

    try:
        return pipeline.to(device)
    except torch.OutOfMemoryError:
        pipeline.to("cpu")
        pipeline.enable_model_cpu_offload(device=device)
        return pipeline


def quiet_diffusers() -> Any:
    """The library, which says nothing of its own accord: progress and errors are ours to tell."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    import diffusers

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    return diffusers


def _explained(error: Exception, what: str) -> AimvError:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return AimvError(mendable(error) or f"{what}: {reason}")

"""What pictures are made with: AIMV's own painter, or a diffusion model; and the presets in presets/models."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bpy.types import PropertyGroup

FOLDER = Path(__file__).resolve().parents[1] / "presets" / "models"
OFFLINE = "Blender is kept offline: Preferences > System > Network > Allow Online Access lets models be downloaded"
MISSING = "--download"  # in the engine's line when a model isn't here that it could fetch
CHOICES = ("diffusion_model", "mode", "steps", "guidance", "best_of")  # that decide what a model draws


@dataclass(frozen=True)
class Card:
    """A preset: what is told of a model before it is chosen or downloaded."""

    name: str
    title: str
    source: str  # its name on the hub
    licence: str
    download_gb: float
    memory_gb: float
    steps: int
    guidance: float
    note: str


@cache
def cards() -> tuple[Card, ...]:
    """The presets that there are. One that can't be read is left out; the engine says what is wrong with it."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            found.append(Card(path.stem, **{name: data[name] for name in Card.__annotations__ if name != "name"}))
        except (OSError, ValueError, KeyError):
            continue
    return tuple(found)


def card(model: str) -> Card | None:
    """The preset that a model is, by the preset's name or the hub's."""
    return next((card for card in cards() if model in (card.name, card.source)), None)


def title(model: str) -> str:
    """What people call a model."""
    known = card(model)
    return known.title if known else Path(model).name if Path(model).is_absolute() else model


def facts(model: str) -> str:
    """The size and the licence of what is downloaded, as far as they are known."""
    known = card(model)
    if known:
        return f"{known.download_gb:g} GB to download. Licence: {known.licence}"
    if Path(model).is_absolute():
        return "A few MB that belong to such a file: tokenizers and configurations"
    return "Its size and licence are told on its page of the Hugging Face hub"


def is_diffusion(own: PropertyGroup) -> bool:
    """Whether a scene's pictures (`own` is scene.aimv) are a diffusion model's."""
    return own.generator == "diffusion" or (own.generator == "auto" and bool(own.diffusion_model))


def choices(own: PropertyGroup) -> list[tuple[str, Any]]:
    """What was chosen for the model and differs from the default. Nothing where no model draws: all is as without."""
    if not is_diffusion(own):
        return []
    names = [*CHOICES, *(["follow"] if own.mode == "follow" else []), *(["clip"] if own.best_of > 1 else [])]
    return [(name, value) for name in names if (value := getattr(own, name)) != own.bl_rna.properties[name].default]

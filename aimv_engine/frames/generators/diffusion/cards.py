"""Cards of diffusion models that do well. One TOML file each in presets/models, made to be read and copied."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aimv_engine.errors import AimvError

FOLDER = Path(__file__).resolve().parents[4] / "presets" / "models"
FAMILIES = ("sd", "sdxl", "sd3", "z-image")


@dataclass(frozen=True)
class Scheduler:
    """A scheduler of diffusers by the name of its class, and what is changed in the model's configuration for it."""

    name: str
    options: tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class ModelCard:
    """A preset. `presets/models/sd15.toml` says in comments what each value means."""

    name: str
    title: str
    family: str
    source: str
    licence: str
    download_gb: float
    memory_gb: float
    steps: int
    guidance: float
    size: int
    note: str
    scheduler: Scheduler | None


def names() -> list[str]:
    """The cards that are there, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> ModelCard:
    """The card of that name. Raises AimvError for an unknown name or a file that can't be read."""
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise AimvError(f"there is no model '{name}'; choose one of {', '.join(names())}")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        if data["family"] not in FAMILIES:
            raise ValueError(f"family is one of {', '.join(FAMILIES)}, not {data['family']!r}")
        table = dict(data.get("scheduler", {}))
        return ModelCard(
            name=name,
            title=data["title"],
            family=data["family"],
            source=data["source"],
            licence=data["licence"],
            download_gb=float(data["download_gb"]),
            memory_gb=float(data["memory_gb"]),
            steps=int(data["steps"]),
            guidance=float(data["guidance"]),
            size=int(data["size"]),
            note=data["note"],
            scheduler=Scheduler(table.pop("name"), tuple(table.items())) if table else None,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise AimvError(f"the model's card {path.name} can't be read: {error}") from error


def of_source(hub_id: str) -> ModelCard | None:
    """The card of a model on the hub, where there is one."""
    return next((card for card in map(load, names()) if card.source == hub_id), None)


def likest(family: str, scheduler: Mapping[str, object]) -> ModelCard:
    """The card whose steps and guidance suit a model without a card of its own.

    `scheduler` is its scheduler's configuration, which tells models of few steps from the others: LCM has a class of
    its own, and turbo models begin at pure noise ("trailing"), as only few steps need to.
    """
    if family == "sd" and scheduler.get("_class_name") == "LCMScheduler":
        return load("lcm")
    hurried = scheduler.get("timestep_spacing") == "trailing"
    usual = {
        "sd": "sd-turbo" if hurried else "sd15",
        "sdxl": "sdxl-turbo" if hurried else "sdxl",
        "sd3": "sd35-medium",
        "z-image": "z-image-turbo",
    }
    return load(usual[family])

"""Looks: how a whole film is painted and moves. One TOML file each in presets/looks, made to be read and copied."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aimv_engine import checkpoint
from aimv_engine.errors import AimvError

FOLDER = Path(__file__).resolve().parent.parent / "presets" / "looks"


@dataclass(frozen=True)
class Look:
    """A preset. `presets/looks/oil.toml` says in comments what each value does."""

    name: str
    title: str
    words: str
    suits: tuple[str, ...]
    styles: tuple[tuple[int, float], ...]
    strength: float
    recolour: float
    brush: float
    levels: int
    lines: float
    paper: float
    glow: float
    palette: tuple[str, ...]
    toning: float
    saturation: float
    contrast: float
    travel: float
    walk: float
    pulse: float
    flash: float
    transition: float
    lora: tuple[tuple[Path, float], ...] = ()  # files for diffusion models, and how much each has to say
    embeddings: tuple[Path, ...] = ()  # textual inversions: the word for one is its file's name in small letters

    @property
    def painting(self) -> tuple[object, ...]:
        """All values that change how a picture is painted (and not how it moves)."""
        strokes = (self.styles, self.strength, self.recolour, self.brush, self.levels, self.lines, self.paper)
        return (*strokes, self.glow, self.palette, self.toning, self.saturation, self.contrast, *self.additions)

    @property
    def additions(self) -> tuple[object, ...]:
        """What names the files of the look and how much they say: nothing where there are none."""
        loras = [(_content(path), weight) for path, weight in self.lora]
        return (*loras, *((path.stem, _content(path)) for path in self.embeddings))


def names() -> list[str]:
    """The looks that are there, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> Look:
    """The look of that name. Raises AimvError for an unknown name or a file that can't be read."""
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise AimvError(f"there is no look '{name}'; choose one of {', '.join(names())}")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        paint, motion = data["paint"], data["motion"]
        diffusion = data.get("diffusion", {})
        return Look(
            name=name,
            title=data["title"],
            words=data["words"],
            suits=tuple(data["suits"]),
            styles=tuple((int(style), float(weight)) for style, weight in paint["styles"].items()),
            strength=float(paint["strength"]),
            recolour=float(paint["recolour"]),
            brush=float(paint["brush"]),
            levels=int(paint["levels"]),
            lines=float(paint["lines"]),
            paper=float(paint["paper"]),
            glow=float(paint["glow"]),
            palette=tuple(paint["palette"]),
            toning=float(paint["toning"]),
            saturation=float(paint["saturation"]),
            contrast=float(paint["contrast"]),
            travel=float(motion["travel"]),
            walk=float(motion["walk"]),
            pulse=float(motion["pulse"]),
            flash=float(motion["flash"]),
            transition=float(data["transition"]["seconds"]),
            lora=tuple((_path(file), float(weight)) for file, weight in diffusion.get("lora", [])),
            embeddings=tuple(_path(file) for file in diffusion.get("embeddings", [])),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise AimvError(f"the look {path.name} can't be read: {error}") from error


def _path(file: str) -> Path:
    return FOLDER / Path(file).expanduser()


def _content(path: Path) -> str:
    """Names a file's content. A file that isn't there is named too: only who needs it has to complain."""
    return checkpoint.digest(path) if path.is_file() else f"no {path.name}"

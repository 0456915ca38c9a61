"""What a person can choose for a film. A project remembers its choices: an option that isn't given stays as it was."""

import dataclasses
import re
import types
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any, get_type_hints

from aimv_engine import looks
from aimv_engine.errors import AimvError
from aimv_engine.interpolation.timing import parse_fps

GENERATORS = ("auto", "paint", "diffusion")
MODES = ("auto", "walk", "feedback", "follow")
TAGGERS = ("MTT", "MSD")
AUTOMATIC = "auto"
PAINT = "paint"


@dataclass(frozen=True)
class Settings:
    """All choices, in the plain form in which settings.json keeps them. `check` says what is allowed."""

    # analysis
    tagger: str = "MTT"
    hop: float = 1.0  # seconds between taggram rows
    clusters: int = 0  # 0: by the data
    # storyboard
    seed: int = 0
    preset: str = AUTOMATIC  # a look, or suggested by the main tags
    writer: str = AUTOMATIC  # a causal language model by folder or name, or the embedded one
    clip: str = AUTOMATIC  # the folder of a CLIP model that ranks the sentences, or MiniLM
    # film
    generator: str = AUTOMATIC  # diffusion if there is a model, else paint
    diffusion_model: str = ""  # a preset, a folder, a file or a hub's name
    mode: str = AUTOMATIC  # how diffusion goes from one keyframe to the next; by itself: walk
    follow: str = PAINT  # what the mode `follow` begins from: paint's pictures, or a folder of images or a movie
    steps: int = 0  # of denoising; 0: as many as the model wants
    guidance: float = -1.0  # how strictly the texts are heeded; below 0: as the model wants it
    best_of: int = 1  # first keyframes of a scene, of which CLIP takes the best
    size: str = "640x360"
    fps: str = "24"
    keyframe_rate: float = 6.0
    start: float = 0.0
    end: float | None = None  # None: the song's end

    @property
    def diffusion(self) -> bool:
        """Whether a diffusion model makes the keyframes."""
        return self.generator == "diffusion" or (self.generator == AUTOMATIC and bool(self.diffusion_model))

    @property
    def width_height(self) -> tuple[int, int]:
        """The size of the pictures in pixels."""
        width, height = self.size.split("x")
        return int(width), int(height)

    @property
    def frame_rate(self) -> Fraction:
        """Film frames a second, exactly."""
        return parse_fps(self.fps)

    def changed(self, **choices: Any) -> "Settings":
        """These settings with the choices that are not None, checked. Raises AimvError."""
        given = {name: value for name, value in choices.items() if value is not None}
        settings = dataclasses.replace(self, **given)
        settings.check()
        return settings

    def check(self) -> None:
        """Raises AimvError with one line for the first value that can't be used."""
        _need(self.tagger in TAGGERS, f"--model is one of {', '.join(TAGGERS)}, not '{self.tagger}'")
        _need(0.1 <= self.hop <= 30, f"--hop is between 0.1 and 30 seconds, not {self.hop}")
        _need(0 <= self.clusters <= 26, f"--clusters is between 1 and 26 (0: by the data), not {self.clusters}")
        _need(self.generator in GENERATORS, f"--generator is one of {', '.join(GENERATORS)}, not '{self.generator}'")
        _need(
            self.generator != "diffusion" or self.diffusion_model != "",
            "--generator diffusion needs --diffusion-model: a preset, a folder, a .safetensors file or a hub's name",
        )
        _need(self.mode in MODES, f"--mode is one of {', '.join(MODES)}, not '{self.mode}'")
        _need(0 <= self.steps <= 150, f"--steps is between 1 and 150 (0: the model's own), not {self.steps}")
        _need(self.guidance <= 30, f"--guidance is between 0 and 30 (-1: the model's own), not {self.guidance:g}")
        _need(1 <= self.best_of <= 16, f"--best-of is between 1 and 16, not {self.best_of}")
        if self.preset != AUTOMATIC:
            looks.load(self.preset)
        _need(re.fullmatch(r"\d{2,4}x\d{2,4}", self.size) is not None, f"--size looks like 1280x720, not '{self.size}'")
        width, height = self.width_height
        _need(
            width % 2 == height % 2 == 0 and min(width, height) >= 64 and max(width, height) <= 4096,
            f"--size needs even numbers between 64 and 4096, not {self.size}",
        )
        rate = self.frame_rate
        _need(1 <= rate <= 240, f"--fps is between 1 and 240, not {self.fps}")
        _need(
            0.5 <= self.keyframe_rate <= rate,
            f"--keyframe-rate is between 0.5 and the film's {self.fps} frames a second, not {self.keyframe_rate:g}",
        )
        _need(0 <= self.start < inf, f"--start is a number of seconds from 0 on, not {self.start:g}")
        _need(
            self.end is None or 1 <= self.end - self.start < inf,
            f"--end is at least a second after --start ({self.start:g} s), not {self.end}",
        )


def from_json(data: Any, where: str = "settings.json") -> Settings:
    """Settings from what JSON can say; what is left out has its default. Raises AimvError, which names `where`, for an
    unknown or unusable value."""
    if not isinstance(data, dict):
        raise AimvError(f"{where} must hold an object in braces; delete it to start from the defaults")
    kinds = get_type_hints(Settings)
    if unknown := set(data) - set(kinds):
        raise AimvError(f"{where} has something that AIMV doesn't know: {', '.join(sorted(unknown))}")
    for name, value in data.items():
        if not _fits(value, kinds[name]):
            raise AimvError(f"{where}: {name} can't be {value!r}; delete that line to have the default")
    try:
        return Settings().changed(**data)
    except AimvError as error:
        raise AimvError(f"{where}: {error}") from error


def _fits(value: Any, kind: type | types.UnionType) -> bool:
    if isinstance(value, bool):  # which Python takes for a number
        return False
    return isinstance(value, kind) or (isinstance(value, int) and isinstance(1.0, kind))


def _need(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AimvError(otherwise)

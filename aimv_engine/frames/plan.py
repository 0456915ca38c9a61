"""The frame plan: what every keyframe shows. Pure data, made without a model; this is where music meets picture."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

# "tag" is what a scene's music is like on the whole, "heard tag" what it is like at the keyframe's moment
Role = Literal["scene", "next scene", "tag", "heard tag", "artist", "look", "negative", "next negative"]


@dataclass(frozen=True)
class WeightedText:
    """A text and how much it has to say in a keyframe (0 to 1; that of the look up to 2: it is the scene's style).

    What the negative texts name is not to be seen.
    """

    text: str
    weight: float
    role: Role


@dataclass(frozen=True)
class Camera:
    """Where the picture is looked at from. The neutral camera is zoom 1 and zeros."""

    zoom: float = 1.0  # 1 shows the whole picture, 1.2 its inner five sixths
    pan_x: float = 0.0  # to the right, in picture heights
    pan_y: float = 0.0  # downwards, in picture heights
    roll: float = 0.0  # counter-clockwise, in radians


@dataclass(frozen=True)
class KeyframeSpec:
    """All that a generator may look at when it makes one keyframe: equal specs are equal pictures.

    `walk` is how far the scene has moved on: a generator with noise walks through it, one with a clock takes it as
    seconds. It grows by one a second in calm music and faster with percussive energy (as much as the scene's intensity
    says), and never falls.
    """

    seed: int  # of the scene: the same composition for the same seed and texts
    walk: float
    texts: tuple[WeightedText, ...]  # the scene's sentence first
    look: str  # the name of a preset in presets/looks
    camera: Camera
    energy: float  # 0 (still) to 1 (the song's loudest), slow: averaged over a bar
    brightness: float  # 0 (dark sound) to 1 (bright), slow
    hue: float  # 0 to 1, round the circle of fifths: the section's key as a colour


@dataclass(frozen=True)
class Predecessor:
    """The keyframe before one in its scene."""

    name: str  # of its picture in the store
    camera: Camera
    opening: str  # the name of the scene's first keyframe


Link = Literal["time", "opening", "before"]


@dataclass(frozen=True)
class LinkedSpec(KeyframeSpec):
    """A keyframe whose picture depends on where in the film it is; each link is None unless a generator asks for it."""

    time: Fraction | None = None  # seconds of the song, of the footage that is followed
    opening: "LinkedSpec | None" = None  # the scene's first keyframe
    before: Predecessor | None = None  # what the picture goes on from; a scene's first goes on from nothing


@dataclass(frozen=True)
class ScenePlan:
    """One scene of the film. Film frame n (0-based) shows the song at start + n / fps; last frames are exclusive.

    The strip reaches half a cross-fade beyond the scene on both sides, so that neighbours overlap. Keyframe k lies at
    k / keyframe_rate seconds of the song, whatever the film's frame rate and start: draft and final film share them.
    """

    index: int  # of the scene in the storyboard
    first_frame: int
    last_frame: int
    strip_first: int
    strip_last: int
    first_keyframe: int
    keyframes: tuple[KeyframeSpec, ...]


@dataclass(frozen=True)
class FilmPlan:
    """The whole film: scenes in order, without gaps between first_frame and last_frame."""

    fps: Fraction
    keyframe_rate: Fraction
    start: Fraction  # seconds into the song
    frame_count: int
    scenes: tuple[ScenePlan, ...]

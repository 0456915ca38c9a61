"""How the music moves the slow clock: the seed walk, the camera and the levels that a keyframe is made with.

Every curve is a function of the song's time (and of what the scene shows), never of where a scene begins or ends:
moving a marker changes only the keyframes that come or go. The exception is a camera movement that somebody chose: a
push in must begin with its scene.
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np

from aimv_engine.arrays import F32, F64
from aimv_engine.frames.plan import Camera
from aimv_engine.looks import Look
from aimv_engine.song.energy import Energy
from aimv_engine.song.follow import position_of
from aimv_engine.song.rhythm import Rhythm
from aimv_engine.song.tonality import Key
from aimv_engine.storyboard.scene import Scene

CALM_BAR = 2.4  # seconds; the bar of music without a beat
WALK_GAIN = 2.0  # percussive energy of 1 makes a scene move on three times as fast
TRAVEL_ZOOM, TRAVEL_PAN, TRAVEL_ROLL = 0.07, 0.05, 0.014  # amplitudes at travel 1: parts, picture heights, radians
NEARER, ASIDE = 0.15, 0.06  # how differently scenes are framed: parts, picture heights
SWAY = 0.012  # how far the camera leans with each bar at full energy, in picture heights
LED_BARS = 6.0  # a chosen movement is half done after so many bars
LED = {  # zoom, pan to the right and pan downwards at travel 1: where a chosen movement comes from and where it leads
    "push in": ((0.0, 0.0, 0.0), (0.3, 0.0, 0.0)),
    "pull out": ((0.3, 0.0, 0.0), (0.0, 0.0, 0.0)),
    "pan left": ((0.0, 0.15, 0.0), (0.0, -0.15, 0.0)),
    "pan right": ((0.0, -0.15, 0.0), (0.0, 0.15, 0.0)),
    "rise": ((0.0, 0.0, 0.07), (0.0, 0.0, -0.07)),
    "sink": ((0.0, 0.0, -0.07), (0.0, 0.0, 0.07)),
}


@dataclass(frozen=True)
class Motion:
    """Curves sampled at `rate` values a second from the song's beginning, all [F]."""

    rate: float
    walk: F64  # seconds of the scene's clock: grows by one a second in calm music, faster with percussive energy
    bars: F64  # how many bars have passed
    energy: F32  # 0 to 1, smoothed over about a bar
    brightness: F32  # 0 to 1, smoothed alike

    def at(self, curve: F64 | F32, time: float) -> float:
        """The curve's value at a time in seconds, by linear interpolation; the end values go on outside."""
        return float(np.interp(time * self.rate, np.arange(len(curve)), curve))


def make_motion(rhythm: Rhythm, energy: Energy) -> Motion:
    """The song's motion curves."""
    times = np.arange(len(energy.loudness)) / energy.rate
    step = (1.0 + WALK_GAIN * energy.percussive.astype(np.float64)) / energy.rate
    bars = count_bars(rhythm, times)
    passed = bars[-1] - bars[0]
    bar_seconds = (times[-1] - times[0]) / passed if passed else CALM_BAR
    width = max(1, round(bar_seconds * energy.rate))
    mean_energy = 0.5 * energy.loudness + 0.5 * energy.percussive
    return Motion(
        rate=energy.rate,
        walk=np.concatenate([[0.0], np.cumsum(step)[:-1]]),
        bars=bars,
        energy=_smooth(mean_energy, width),
        brightness=_smooth(energy.brightness, width),
    )


def count_bars(rhythm: Rhythm, times: F64) -> F64:
    """How many bars have passed at each time; without bar lines by beats, without beats by CALM_BAR."""
    if len(rhythm.downbeats) >= 2:
        return position_of(rhythm.downbeats, times)
    if len(rhythm.beats) >= 2:
        return position_of(rhythm.beats, times) / rhythm.meter
    return np.asarray(times / CALM_BAR)


def key_hue(key: Key) -> float:
    """A key as a colour, 0 to 1: neighbours on the circle of fifths are neighbours in hue, and a minor key has the
    hue of its relative major."""
    tonic = key.tonic if key.mode == "major" else key.tonic + 3
    return (tonic * 7 % 12) / 12


def walk_at(motion: Motion, time: float, intensity: float = 1.0) -> float:
    """The scene's clock: at intensity 0 that of calm music, at 1 the song's own, beyond that the more hurried."""
    time = min(max(time, 0.0), (len(motion.walk) - 1) / motion.rate)
    return intensity * motion.at(motion.walk, time) + (1.0 - intensity) * time


def camera_at(motion: Motion, time: float, scene: Scene, look: Look) -> Camera:
    """The camera at a time: a slow travel over 8 to 16 bars, and a lean with every bar that grows with energy.

    Each sentence has its own framing and travels its own way: a scene that returns is seen from elsewhere. A chosen
    movement takes the travel's place.
    """
    chance = np.random.default_rng(zlib.crc32(scene.sentence.encode()))
    phase = chance.uniform(0.0, 2.0 * math.pi, 3)
    nearer, aside = chance.uniform(0.0, NEARER), chance.uniform(-ASIDE, ASIDE)
    bars, energy = motion.at(motion.bars, time), motion.at(motion.energy, time)
    turn = 2.0 * math.pi * bars
    travel = 0.0 if scene.camera == "still" else look.travel * scene.intensity
    zoom, pan_x, pan_y = (
        TRAVEL_ZOOM * (1.0 + math.sin(turn / 16.0 + phase[0])),
        TRAVEL_PAN * math.sin(turn / 12.0 + phase[1]),
        0.4 * TRAVEL_PAN * math.sin(turn / 8.0 + phase[2]),
    )
    if scene.camera in LED:
        since = bars - motion.at(motion.bars, scene.start)
        way = 1.0 / (1.0 + math.exp(1.0 - since / LED_BARS))  # 0 to 1, evenly enough in the middle, and never beyond
        zoom, pan_x, pan_y = (begin + way * (end - begin) for begin, end in zip(*LED[scene.camera], strict=True))
    return Camera(
        zoom=1.0 + nearer + travel * zoom,
        pan_x=aside + travel * (pan_x + SWAY * energy * math.sin(turn / 2.0)),
        pan_y=travel * pan_y,
        roll=travel * TRAVEL_ROLL * (0.4 + energy) * math.sin(turn / 8.0 + phase[1]),
    )


def _smooth(curve: F32, width: int) -> F32:
    """A centred mean over `width` values; the ends are held."""
    padded = np.pad(curve.astype(np.float64), (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.full(width, 1.0 / width), mode="valid").astype(np.float32)

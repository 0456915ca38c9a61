"""The fast clock: effects of the music on finished frames, as sparse keys that an editor can change without remaking a
picture.

Blender gets the keys on an adjustment strip; without Blender the video writer applies the same keys.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np

from aimv_engine.arrays import F32, F64
from aimv_engine.looks import Look
from aimv_engine.song.energy import Energy
from aimv_engine.song.rhythm import Rhythm

PULSE = 0.035  # zoom on the strongest beat at pulse 1
FLASH = 0.16  # light on the strongest downbeat at flash 1
DECAY = 0.30  # seconds until a beat has died away
STROBE, STROBE_SECONDS = 0.6, 0.06  # light at strobe 1, and how long it stays
LOUD, LOUD_SECONDS = 0.6, 2.0  # the mean loudness of so long makes a part a loud one
SATURATION = 0.35  # how much more or less colour the loudest and the quietest parts have at saturation 1
SATURATION_KEYS = 3  # a second
SLOW = 2.0  # seconds that saturation looks at
# Repeated flashes are a risk to people with photosensitive epilepsy: WCAG 2.2 (success criterion 2.3.1) allows
# MOST_FLASHES in any second. Beats faster than FLASHES_PER_SECOND leave every second flash out, and what is too
# much nevertheless, because beats are uneven, is left out too.
FLASHES_PER_SECOND = 2.5
MOST_FLASHES = 3


@dataclass(frozen=True)
class Amounts:
    """How much of each effect: pulse and flash multiply the look's own, the other two are for those who ask."""

    pulse: float = 1.0
    flash: float = 1.0
    saturation: float = 0.0
    strobe: float = 0.0


@dataclass(frozen=True)
class Curve:
    """Keys to be joined by straight lines."""

    frames: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Effects:
    """Keys to be joined by straight lines: at film frame `frames[i]` the picture is scaled and brightened so much."""

    frames: tuple[int, ...]
    scale: tuple[float, ...]
    brightness: tuple[float, ...]

    def sampled(self, count: int) -> tuple[F64, F64]:
        """Scale and brightness of film frames 0 to count - 1, each [count]."""
        at = np.arange(count)
        if not self.frames:
            return np.ones(count), np.ones(count)
        return np.interp(at, self.frames, self.scale), np.interp(at, self.frames, self.brightness)


def beat_effects(
    rhythm: Rhythm,
    energy: Energy,
    look: Look,
    fps: Fraction,
    start: Fraction,
    frame_count: int,
    amounts: Amounts = Amounts(),
) -> Effects:
    """A pulse on every beat and a flash on the stronger ones, as strong as the beat is loud; a strobe where it is asked
    for is a hard flash on each beat of loud parts.

    The peak lies on the film frame nearest to the beat, with no attack before it but the frame in between.
    """
    beats = [(frame, time) for time in rhythm.beats if 0 <= (frame := round((time - float(start)) * fps)) < frame_count]
    downbeats = [np.abs(rhythm.downbeats - time).min(initial=np.inf) < 0.05 for _, time in beats]
    may_flash = _flashing([frame for frame, _ in beats], downbeats, rhythm.tempo, fps)
    decay, hold = max(2, round(DECAY * float(fps))), max(1, round(STROBE_SECONDS * float(fps)))
    keys: dict[int, tuple[float, float]] = {}
    for index, (frame, time) in enumerate(beats):
        strength = _strength(energy, time)
        pulse = PULSE * look.pulse * amounts.pulse * strength * (1.0 if downbeats[index] else 0.6)
        flash = FLASH * look.flash * amounts.flash * strength * (1.0 if downbeats[index] else 0.4)
        strobe = STROBE * amounts.strobe * (_mean(energy.loudness, energy.rate, time, LOUD_SECONDS) >= LOUD)
        if not may_flash[index]:
            flash = strobe = 0.0

        following = beats[index + 1][0] if index + 1 < len(beats) else frame_count
        last = min(decay, max(1, following - 1 - frame))  # the next beat may come before this one has died away
        if frame > 0:
            keys.setdefault(frame - 1, (1.0, 1.0))
        lit = max(1, min(hold, last - 1))  # frames
        for after in {0, lit - 1, lit, last} if strobe else {0, last}:
            left = 1.0 - after / decay
            keys[frame + after] = (1.0 + pulse * left, 1.0 + flash * left + strobe * (after < lit))
    frames = sorted(frame for frame in keys if frame < frame_count)
    return Effects(
        frames=tuple(frames),
        scale=tuple(round(keys[frame][0], 5) for frame in frames),
        brightness=tuple(round(keys[frame][1], 5) for frame in frames),
    )


def music_curves(
    rhythm: Rhythm, energy: Energy, look: Look, fps: Fraction, start: Fraction, frame_count: int, amounts: Amounts
) -> dict[str, Curve]:
    """All that the music does to finished frames: "scale", "brightness" and "saturation", 1 where it does nothing.

    A curve that nowhere does anything is left out.
    """
    beats = beat_effects(rhythm, energy, look, fps, start, frame_count, amounts)
    curves = {
        "scale": _sparse(beats.frames, beats.scale),
        "brightness": _sparse(beats.frames, beats.brightness),
        "saturation": _saturation(energy, fps, start, frame_count, amounts.saturation),
    }
    return {name: curve for name, curve in curves.items() if any(value != 1.0 for value in curve.values)}


def _flashing(frames: list[int], downbeats: list[bool], tempo: float, fps: Fraction) -> list[bool]:
    """Which of the beats may flash."""
    every = 2 if tempo > 60.0 * FLASHES_PER_SECOND else 1
    first = downbeats.index(True) if True in downbeats else 0
    flashed: list[int] = []
    flashing = []
    for index, frame in enumerate(frames):
        safe = len(flashed) < MOST_FLASHES or frame - flashed[-MOST_FLASHES] > fps
        flashing.append(safe and (index - first) % every == 0)
        if flashing[-1]:
            flashed.append(frame)
    return flashing


def _saturation(energy: Energy, fps: Fraction, start: Fraction, frame_count: int, amount: float) -> Curve:
    """More colour in loud parts and less in quiet ones, with keys at fixed times of the song."""
    begin, end = floor(start * SATURATION_KEYS), ceil((start + frame_count / fps) * SATURATION_KEYS)
    values: dict[int, float] = {}
    for number in range(begin, end + 1):
        time = number / SATURATION_KEYS
        frame = min(max(0, round((Fraction(number, SATURATION_KEYS) - start) * fps)), frame_count - 1)
        loudness = _mean(energy.loudness, energy.rate, time, SLOW)
        values[frame] = round(max(0.0, 1.0 + amount * SATURATION * (2.0 * loudness - 1.0)), 5)
    return _sparse(tuple(values), tuple(values.values()))


def _sparse(frames: tuple[int, ...], values: tuple[float, ...]) -> Curve:
    """The curve without the keys that have equal neighbours on both sides."""
    ends = (0, len(frames) - 1)
    kept = [i for i in range(len(frames)) if i in ends or not values[i - 1] == values[i] == values[i + 1]]
    return Curve(tuple(frames[i] for i in kept), tuple(values[i] for i in kept))


def _mean(curve: F32, rate: float, time: float, seconds: float) -> float:
    """The curve's mean over so many seconds around a time; 0 outside of the song."""
    middle, reach = round(time * rate), round(seconds * rate / 2)
    window = curve[max(0, middle - reach) : max(0, middle + reach + 1)]
    return float(window.mean()) if window.size else 0.0


def _strength(energy: Energy, time: float) -> float:
    """How strong a beat is, 0 to 1: the percussive peak within 60 ms."""
    middle, reach = round(time * energy.rate), max(1, round(0.06 * energy.rate))
    window = energy.percussive[max(0, middle - reach) : middle + reach + 1]
    return float(window.max()) if window.size else 0.0

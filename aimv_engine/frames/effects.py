"""The fast clock: beat effects on finished frames, as sparse keys that an editor can change without remaking a picture.

Blender gets the keys on an adjustment strip; without Blender the video writer applies the same keys.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aimv_engine.arrays import F64
from aimv_engine.looks import Look
from aimv_engine.song.energy import Energy
from aimv_engine.song.rhythm import Rhythm

PULSE = 0.035  # zoom on the strongest beat at pulse 1
FLASH = 0.16  # light on the strongest downbeat at flash 1
DECAY = 0.30  # seconds until a beat has died away
# Repeated flashes are a risk to people with photosensitive epilepsy: WCAG 2.2 (success criterion 2.3.1) allows
# three a second. Faster beats than this leave every second flash out.
FLASHES_PER_SECOND = 2.5


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
    rhythm: Rhythm, energy: Energy, look: Look, fps: Fraction, start: Fraction, frame_count: int
) -> Effects:
    """A pulse on every beat and a flash on the stronger ones, as strong as the beat is loud.

    The peak lies on the film frame nearest to the beat, with no attack before it but the frame in between.
    """
    beats = [(frame, time) for time in rhythm.beats if 0 <= (frame := round((time - float(start)) * fps)) < frame_count]
    downbeats = [np.abs(rhythm.downbeats - time).min(initial=np.inf) < 0.05 for _, time in beats]
    flash_every = 2 if rhythm.tempo > 60.0 * FLASHES_PER_SECOND else 1
    first_flash = downbeats.index(True) if True in downbeats else 0
    decay = max(2, round(DECAY * float(fps)))
    keys: dict[int, tuple[float, float]] = {}
    for index, (frame, time) in enumerate(beats):
        strength = _strength(energy, time)
        scale = 1.0 + PULSE * look.pulse * strength * (1.0 if downbeats[index] else 0.6)
        flash = FLASH * look.flash * strength * (1.0 if downbeats[index] else 0.4)
        if (index - first_flash) % flash_every != 0:
            flash = 0.0
        following = beats[index + 1][0] if index + 1 < len(beats) else frame_count
        if frame > 0:
            keys.setdefault(frame - 1, (1.0, 1.0))
        keys[frame] = (scale, 1.0 + flash)
        left = max(0.0, 1.0 - (following - 1 - frame) / decay)  # what is left when the next beat comes early
        keys[min(frame + decay, max(frame + 1, following - 1))] = (1.0 + (scale - 1.0) * left, 1.0 + flash * left)
    frames = sorted(frame for frame in keys if frame < frame_count)
    return Effects(
        frames=tuple(frames),
        scale=tuple(round(keys[frame][0], 5) for frame in frames),
        brightness=tuple(round(keys[frame][1], 5) for frame in frames),
    )


def _strength(energy: Energy, time: float) -> float:
    """How strong a beat is, 0 to 1: the percussive peak within 60 ms."""
    middle, reach = round(time * energy.rate), max(1, round(0.06 * energy.rate))
    window = energy.percussive[max(0, middle - reach) : middle + reach + 1]
    return float(window.max()) if window.size else 0.0

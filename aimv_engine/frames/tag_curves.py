"""How much each tag is heard at a moment, beside how much it is heard around it."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from aimv_engine.arrays import F64
from aimv_engine.storyboard.scene import Tags
from aimv_engine.tagging.taggram import Taggram

AROUND = 30.0  # seconds: longer than a phrase, and about as long as a section
UNHEARD = 0.05  # what a tag's likelihood does below this is the tagger's noise
STRONGEST = 2.0  # of a gain


@dataclass(frozen=True)
class TagCurves:
    """Gains of the tagger's tags over the song's time: 1 where a tag is as likely as around, up to STRONGEST."""

    times: F64  # [T] seconds
    gains: dict[str, F64]  # tag -> [T]

    def heard(self, tags: Tags, time: float) -> Tags:
        """A scene's tags as they are heard at a time in seconds, weights 0 to 1, in the same order.

        What the storyboard says stays the measure, also where somebody has edited it; a tag that the tagger doesn't
        know is the same all along.
        """
        return tuple((tag, round(min(1.0, weight * self._gain(tag, time)), 4)) for tag, weight in tags)

    def _gain(self, tag: str, time: float) -> float:
        return float(np.interp(time, self.times, self.gains[tag])) if tag in self.gains else 1.0


def tag_curves(taggram: Taggram) -> TagCurves:
    """The curves of a song. They depend on the song's time alone, never on where a scene begins."""
    if len(taggram.times) < 2:
        return TagCurves(taggram.times, {})
    hop = float(taggram.times[1] - taggram.times[0])
    likelihoods = taggram.likelihoods.astype(np.float64)
    around = ndimage.uniform_filter1d(likelihoods, max(1, round(AROUND / hop)), axis=0, mode="nearest")
    gains = np.minimum((likelihoods + UNHEARD) / (around + UNHEARD), STRONGEST)
    return TagCurves(taggram.times, dict(zip(taggram.tags, gains.T, strict=True)))

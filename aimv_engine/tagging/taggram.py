"""The taggram: which of fifty tags are heard in a song, over its time."""

from dataclasses import dataclass

import numpy as np

from aimv_engine import weights
from aimv_engine.arrays import F32, F64
from aimv_engine.errors import AimvError
from aimv_engine.progress import Progress, silent
from aimv_engine.song.audio import Song
from aimv_engine.tagging.vocabulary import TAGS

STRETCH = 1000  # frames that are worked on at once, about: 16 s


@dataclass(frozen=True)
class Taggram:
    """The likelihood of each tag in each patch of three seconds."""

    times: F64  # [T] seconds, the centre of each patch
    tags: tuple[str, ...]  # 50
    likelihoods: F32  # [T, 50], 0 to 1


def tag(song: Song, model: str = "MTT_musicnn", hop: float = 1.0, progress: Progress = silent) -> Taggram:
    """Tag a song in patches of three seconds, `hop` seconds apart (rounded down to frames of 16 ms).

    At a hop of 3 s patches follow each other without a gap, as upstream's do. What is left at the song's end and fills
    no patch is not heard. Raises AimvError for an unknown model, a hop that is not positive, or missing weights.
    """
    if model not in TAGS:
        raise AimvError(f"there is no tagging model '{model}'; choose one of {', '.join(TAGS)}")
    if not hop > 0:
        raise AimvError(f"patches cannot be {hop} seconds apart; choose a hop above 0, such as 1")
    # Not at the top: the import of torch takes seconds, and many who import this module only look at a taggram
    import torch

    from aimv_engine.tagging.checkpoint import read_checkpoint
    from aimv_engine.tagging.mel import HOP, RATE, frame_count, log_mel
    from aimv_engine.tagging.network import PATCH, Musicnn

    index, data = weights.packaged(f"musicnn/{model}/index"), weights.packaged(f"musicnn/{model}")
    network = Musicnn(read_checkpoint(index, data))
    samples = torch.from_numpy(song.at(RATE))
    step = max(1, int(hop * RATE / HOP))
    starts = np.arange(0, frame_count(len(samples)) - PATCH + 1, step)
    at_once = max(1, STRETCH // step)
    rows = []
    progress("tagging", 0, len(starts))
    for done in range(0, len(starts), at_once):
        few = starts[done : done + at_once]
        mel = log_mel(samples, few[0], few[-1] + PATCH)
        rows.append(network(mel, few - few[0]).numpy())
        progress("tagging", done + len(few), len(starts))
    return Taggram((starts + PATCH // 2) * HOP / RATE, TAGS[model], np.concatenate(rows))

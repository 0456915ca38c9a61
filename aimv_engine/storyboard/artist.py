"""The main artist: whose manner the whole film has."""

from collections.abc import Sequence

import numpy as np

from aimv_engine.storyboard.ranking import Ranker
from aimv_engine.storyboard.vocabulary import artists

NEAREST = 3  # the seed chooses among these


def choose_artist(adjectives: Sequence[str], seed: int, ranker: Ranker) -> str:
    """ "by ..." with one of the artists in presets/words whose pictures are nearest to the adjectives in meaning."""
    table = artists()
    mood = ranker([", ".join(adjectives)])[0]
    likeness = ranker(list(table.values())) @ mood
    nearest = np.argsort(-likeness, kind="stable")[:NEAREST]
    return f"by {list(table)[nearest[seed % len(nearest)]]}"

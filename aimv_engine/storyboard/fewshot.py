"""The original prompt, for language models large enough to find place and subject themselves."""

import random
from collections.abc import Sequence

from aimv_engine.storyboard.vocabulary import vocabulary

INSTRUCTION = "adjectives in order of importance. Image description:"


def examples(shots: int, chance: random.Random) -> str:
    """What the model reads first: `shots` examples of a mood and the description of an image."""
    lines = [f"{mood}: {INSTRUCTION} {sentence}" for mood, sentence in chance.sample(vocabulary().shots, shots)]
    return "\n".join([*lines, ""])


def request(adjectives: Sequence[str]) -> str:
    """What it goes on from, with the description."""
    return f"{', '.join(adjectives)}: {INSTRUCTION}"

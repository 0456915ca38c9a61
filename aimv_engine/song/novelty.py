"""Where music turns into something else."""

import numpy as np

from aimv_engine.arrays import F64

TAPER = 0.6  # the checkerboard's Gaussian, in parts of its half-size: far rows count little, near ones do not drown


def foote_novelty(features: F64, size: int) -> F64:
    """How much the `size` rows before each row differ from the `size` rows from it on, while each side is like itself.

    features: [N, D], one row an instant, such as a beat. Returns [N]; about 0 where nothing changes, at most 2.
    The first and last rows look at as many rows as there are.

    A Gaussian checkerboard kernel slid along the diagonal of the cosine self-similarity matrix: J. Foote,
    "Automatic audio novelty detection", 2000.
    """
    count = len(features)
    rows = features / (np.linalg.norm(features, axis=1, keepdims=True) + 1e-9)
    taper = np.exp(-0.5 * ((np.arange(size) + 0.5) / (size * TAPER)) ** 2)
    novelty = np.zeros(count)
    for index in range(2, count - 1):
        reach = min(size, index, count - index)
        before, after = rows[index - reach : index][::-1], rows[index : index + reach]
        weights = taper[:reach] / taper[:reach].sum()
        within = before @ before.T + after @ after.T
        across = before @ after.T
        novelty[index] = weights @ (within / 2 - across) @ weights
    return novelty

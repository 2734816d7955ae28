"""Products of matrices in the thread that asks for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]
ONE_THREAD = 1 << 18
"""Multiplications of a product from which on OpenBLAS uses several threads."""


def product(rows: Numbers, weight: Numbers) -> Numbers:
    """``rows @ weight`` in pieces so small that OpenBLAS computes each in this thread.

    It would start a thread for each core, and all of them wait for each other in a loop, which takes more of the processors than the
    product does.
    """
    size = max(1, ONE_THREAD // weight.size)
    count = -(-len(rows) // size)
    padded = np.zeros((count * size, rows.shape[1]), np.float32)
    padded[: len(rows)] = rows
    whole = padded.reshape(count, size, -1) @ weight
    return np.asarray(whole.reshape(count * size, -1)[: len(rows)], np.float32)

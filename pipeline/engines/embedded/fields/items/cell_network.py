"""The probability of each number of a page to be the quantity, the price or the amount of a row of goods, or none of them."""

from __future__ import annotations

from functools import cache

import numpy as np

from pipeline.engines.embedded.fields.items.cell_features import NAMES, CellFeatures
from pipeline.engines.embedded.fields.stacked_networks import Network, Numbers, load_networks, two_looks

WEIGHTS = "items.npz"
"""Fitted by ``training.items``."""


def cell_probabilities(features: CellFeatures) -> Numbers:
    """One row for each number: no cell of a row, quantity, price, amount. Raises ValueError where the weights are for other features."""
    if not len(features.own):
        return np.zeros((0, 4), np.float32)
    return two_looks(features, *weights())


@cache
def weights() -> tuple[list[Network], list[Network]]:
    """The networks of both looks."""
    return load_networks("pipeline.engines.embedded.fields.items", WEIGHTS, NAMES)

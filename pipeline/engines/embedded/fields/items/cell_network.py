"""The probability of each number of a page to be the quantity, the price or the amount of a row of goods, or none of them.

Two looks: the first sees each number alone, the second also what the first says of its column, its line and the lines around (stacked
generalisation: Wolpert, Neural Networks 5, 1992). The weights are fitted by ``training.items``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np

from pipeline.engines.embedded.fields.items.cell_features import NAMES, CellFeatures, Numbers

WEIGHTS = "items.npz"
_LAYERS = 3
Network = Mapping[str, Numbers]


def cell_probabilities(features: CellFeatures) -> Numbers:
    """One row for each number: no cell of a row, quantity, price, amount. Raises ValueError where the weights are for other features."""
    first, second = _weights()
    return two_looks(features, first, second)


def two_looks(features: CellFeatures, first: Sequence[Network], second: Sequence[Network]) -> Numbers:
    """The mean of the second networks, which see what the mean of the first ones says."""
    if not len(features.own):
        return np.zeros((0, 4), np.float32)
    likely = np.mean([forward(network, features.own) for network in first], axis=0)
    context = features.with_context(likely)
    return np.asarray(np.mean([forward(network, context) for network in second], axis=0), np.float32)


def forward(network: Network, x: Numbers) -> Numbers:
    """The probabilities that one network gives."""
    hidden = (x - network["mean"]) / network["scale"]
    for layer in range(_LAYERS):
        hidden = hidden @ network[f"{layer}.weight"] + network[f"{layer}.bias"]
        if layer < _LAYERS - 1:
            hidden = np.maximum(hidden, 0)
    likely = np.exp(hidden - hidden.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float32)


@cache
def _weights() -> tuple[list[Network], list[Network]]:
    stored = np.load(BytesIO((files("pipeline.engines.embedded.fields.items") / WEIGHTS).read_bytes()), allow_pickle=False)
    if list(stored["features"]) != list(NAMES):
        raise ValueError(f"{WEIGHTS} was fitted for other features: run `python -m training.items`")
    return _networks(stored, "first"), _networks(stored, "second")


def _networks(stored: Mapping[str, Numbers], look: str) -> list[Network]:
    count = 1 + max(int(name.split(".")[1]) for name in stored if name.startswith(f"{look}."))
    return [
        {
            name.removeprefix(f"{look}.{at}."): np.asarray(stored[name], np.float32)
            for name in stored
            if name.startswith(f"{look}.{at}.")
        }
        for at in range(count)
    ]

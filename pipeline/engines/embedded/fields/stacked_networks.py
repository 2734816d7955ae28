"""Small networks that look twice at the parts of a page, with weights from a file.

The first look sees each part alone, the second also what the first says of the parts around (stacked generalisation: Wolpert, Neural
Networks 5, 1992). Several networks from different seeds are averaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from io import BytesIO
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.one_thread import product

Numbers = NDArray[np.float32]
Network = Mapping[str, Numbers]
_LAYERS = 3


class Parts(Protocol):
    """The parts of a page."""

    @property
    def own(self) -> Numbers:
        """The features of each part alone, one row each."""
        ...

    def with_context(self, likely: Numbers) -> Numbers:
        """The features for the second look: the own ones, and what the first look (``likely``) says of the part and its neighbours."""
        ...


def two_looks(parts: Parts, first: Sequence[Network], second: Sequence[Network]) -> Numbers:
    """The probabilities of the classes, one row for each part; there is at least one part."""
    likely = np.mean([forward(network, parts.own) for network in first], axis=0)
    context = parts.with_context(likely)
    return np.asarray(np.mean([forward(network, context) for network in second], axis=0), np.float32)


def forward(network: Network, x: Numbers) -> Numbers:
    """The probabilities that one network gives."""
    hidden = (x - network["mean"]) / network["scale"]
    for layer in range(_LAYERS):
        hidden = product(hidden, network[f"{layer}.weight"]) + network[f"{layer}.bias"]
        if layer < _LAYERS - 1:
            hidden = np.maximum(hidden, 0)
    likely = np.exp(hidden - hidden.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float32)


def load_networks(package: str, name: str, features: Sequence[str]) -> tuple[list[Network], list[Network]]:
    """The networks of both looks from a file beside a package's modules.

    Raises ValueError where they were fitted for other features.
    """
    stored = np.load(BytesIO((files(package) / name).read_bytes()), allow_pickle=False)
    if list(stored["features"]) != list(features):
        raise ValueError(f"{name} was fitted for other features than this program computes: fit it again, see docs/training.md")
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

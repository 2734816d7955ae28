"""The network that turns features into probabilities, with weights that ``training.scorer`` fitted.

One network for each family of fields. Its input is a candidate's features, and the same less the largest of the group's; a second,
smaller one sees the largest and the mean, and says how likely the page does not print the field. A softmax over both gives the
probabilities of a group, so they sum to one (a listwise loss, as in Cao et al., "Learning to Rank", ICML 2007). Several networks from
different seeds are averaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.one_thread import product
from pipeline.engines.embedded.fields.scorer.candidate_groups import FEATURES, Group

Numbers = NDArray[np.float32]
WEIGHTS = "scorer.npz"


@dataclass(frozen=True)
class Scores:
    """The probabilities of one group: one for each candidate, and ``absent`` that the page does not print the field."""

    candidates: Numbers
    absent: float


def score(found: Sequence[Group]) -> dict[str, Scores]:
    """The probabilities of each group, by field."""
    scores = {group.field: Scores(np.zeros(0, np.float32), 1.0) for group in found}
    for family, networks in weights().items():
        groups = [group for group in found if group.family == family and len(group.candidates)]
        if groups:
            each = probabilities(networks, [group.features for group in groups])
            scores |= {group.field: part for group, part in zip(groups, each, strict=True)}
    return scores


def probabilities(networks: Sequence[Mapping[str, Numbers]], groups: Sequence[Numbers]) -> list[Scores]:
    """The scores of groups of one family, each with the features of at least one candidate: the mean of all networks.

    Raises ValueError for networks with different means or scales of their features.
    """
    lengths, begins = _places(groups)
    _, logits, absent = _forward(_joined(networks), groups)
    top = np.maximum(np.maximum.reduceat(logits, begins, axis=1), absent)
    likely, unlikely = np.exp(logits - np.repeat(top, lengths, axis=1)), np.exp(absent - top)
    total = np.add.reduceat(likely, begins, axis=1) + unlikely
    candidates = (likely / np.repeat(total, lengths, axis=1)).mean(axis=0)
    none = (unlikely / total).mean(axis=0)
    parts = np.split(candidates, begins[1:])
    return [Scores(part, float(missing)) for part, missing in zip(parts, none, strict=True)]


def before_softmax(network: Mapping[str, Numbers], groups: Sequence[Numbers]) -> list[tuple[Numbers, Numbers]]:
    """For each group the inputs of the last layer, one row for each candidate, and the logits, that of none last."""
    _, begins = _places(groups)
    hidden, logits, absent = (part[0] for part in _forward(_joined([network]), groups))
    inputs, own = np.split(hidden, begins[1:]), np.split(logits, begins[1:])
    return [(rows, np.append(part, none)) for rows, part, none in zip(inputs, own, absent, strict=True)]


def softmax(logits: Numbers) -> Numbers:
    """Probabilities that sum to one."""
    likely = np.exp(logits - logits.max())
    return np.asarray(likely / likely.sum(), np.float32)


@dataclass(frozen=True)
class _Ensemble:
    """Networks of one family side by side: the first layers as one, the others as stacks with one layer for each network."""

    count: int
    mean: Numbers
    scale: Numbers
    own: Numbers
    """Weights of a candidate's features; those of their distance from the largest are added, which are ``largest``."""
    largest: Numbers
    number: Numbers
    """Weights of the number of candidates."""
    bias: Numbers
    page: Numbers
    page_bias: Numbers
    layers: Mapping[str, Numbers]


_JOINED: dict[tuple[int, ...], tuple[Sequence[Mapping[str, Numbers]], _Ensemble]] = {}
_MOST_JOINED = 64


def _joined(networks: Sequence[Mapping[str, Numbers]]) -> _Ensemble:
    """The networks as one, made once for the same arrays."""
    key = tuple(map(id, networks))
    known = _JOINED.get(key)
    if known is None or any(mine is not other for mine, other in zip(known[0], networks, strict=True)):
        if len(_JOINED) >= _MOST_JOINED:
            _JOINED.clear()
        known = _JOINED[key] = list(networks), _join(networks)
    return known[1]


def _join(networks: Sequence[Mapping[str, Numbers]]) -> _Ensemble:
    first = networks[0]
    mean, scale = first["mean"], first["scale"]
    if not all(np.array_equal(other["mean"], mean) and np.array_equal(other["scale"], scale) for other in networks):
        raise ValueError("networks that are averaged have the same means and scales")
    body = np.hstack([network["body0.weight"] for network in networks])
    largest = body[len(mean) : 2 * len(mean)]
    names = ("body1.weight", "body1.bias", "body2.weight", "body2.bias", "null1.weight", "null1.bias")
    return _Ensemble(
        len(networks),
        mean,
        scale,
        body[: len(mean)] + largest,
        largest,
        body[2 * len(mean) :],
        np.hstack([network["body0.bias"] for network in networks]),
        np.hstack([network["null0.weight"] for network in networks]),
        np.hstack([network["null0.bias"] for network in networks]),
        {name: np.stack([network[name] for network in networks]) for name in names},
    )


def _places(groups: Sequence[Numbers]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many rows each group has, and where they begin in all rows."""
    lengths = np.array([len(group) for group in groups])
    return lengths, np.concatenate([[0], np.cumsum(lengths)[:-1]])


def _forward(of: _Ensemble, groups: Sequence[Numbers]) -> tuple[Numbers, Numbers, Numbers]:
    """For each network the inputs of the last layer, the logits of all candidates, and that of none for each group."""
    x = (np.concatenate(list(groups)) - of.mean) / of.scale
    lengths, begins = _places(groups)
    most = np.maximum.reduceat(x, begins, axis=0)
    mean = (np.add.reduceat(x, begins, axis=0) / lengths[:, None]).astype(np.float32)
    counts = (np.log1p(lengths) / 4).astype(np.float32)[:, None]
    of_group = of.bias + counts @ of.number - most @ of.largest
    hidden = _by_network(np.maximum(product(x, of.own) + np.repeat(of_group, lengths, axis=0), 0), of.count)
    layers = of.layers
    hidden = np.maximum(hidden @ layers["body1.weight"] + layers["body1.bias"][:, None], 0)
    logits = (hidden @ layers["body2.weight"] + layers["body2.bias"][:, None])[..., 0]
    page = _by_network(np.maximum(np.hstack([most, mean, counts]) @ of.page + of.page_bias, 0), of.count)
    absent = (page @ layers["null1.weight"][..., None])[..., 0] + layers["null1.bias"][:, None]
    return hidden, logits, absent


def _by_network(hidden: Numbers, networks: int) -> Numbers:
    """The values of a joined layer, first axis the networks."""
    return np.ascontiguousarray(hidden.reshape(len(hidden), networks, -1).swapaxes(0, 1))


@cache
def weights() -> dict[str, list[dict[str, Numbers]]]:
    """The networks by family. Raises ValueError where they were fitted for other features than this program computes."""
    stored = np.load(BytesIO((files("pipeline.engines.embedded.fields.scorer") / WEIGHTS).read_bytes()), allow_pickle=False)
    networks: dict[str, list[dict[str, Numbers]]] = {}
    for family, names in FEATURES.items():
        if list(stored[f"{family}.features"]) != list(names):
            raise ValueError(f"{WEIGHTS} was fitted for other features of the family {family}: run `python -m training.scorer`")
        count = int(stored["networks"])
        networks[family] = [
            {
                name.removeprefix(f"{family}.{at}."): stored[name].astype(np.float32)
                for name in stored.files
                if name.startswith(f"{family}.{at}.")
            }
            for at in range(count)
        ]
    return networks

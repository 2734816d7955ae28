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
    """The scores of groups of one family, each with the features of at least one candidate: the mean of all networks."""
    each = [_forward(network, groups) for network in networks]
    return [_mean([part[at] for part in each]) for at in range(len(groups))]


def _mean(parts: Sequence[Numbers]) -> Scores:
    mean = np.mean(parts, axis=0)
    return Scores(mean[:-1].astype(np.float32), float(mean[-1]))


def _forward(network: Mapping[str, Numbers], groups: Sequence[Numbers]) -> list[Numbers]:
    """For each group the probabilities of its candidates, and last that of none."""
    return [softmax(logits) for _, logits in before_softmax(network, groups)]


def before_softmax(network: Mapping[str, Numbers], groups: Sequence[Numbers]) -> list[tuple[Numbers, Numbers]]:
    """For each group the inputs of the last layer, one row for each candidate, and the logits, that of none last."""
    x = (np.concatenate(list(groups)) - network["mean"]) / network["scale"]
    lengths = np.array([len(group) for group in groups])
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    most = np.maximum.reduceat(x, begins, axis=0)
    mean = np.add.reduceat(x, begins, axis=0) / lengths[:, None]
    counts = (np.log1p(lengths) / 4).astype(np.float32)[:, None]
    hidden = np.hstack([x, x - np.repeat(most, lengths, axis=0), np.repeat(counts, lengths, axis=0)])
    for layer in ("body0", "body1"):
        hidden = np.maximum(hidden @ network[f"{layer}.weight"] + network[f"{layer}.bias"], 0)
    logits = (hidden @ network["body2.weight"] + network["body2.bias"])[:, 0]
    page = np.maximum(np.hstack([most, mean, counts]) @ network["null0.weight"] + network["null0.bias"], 0)
    absent = page @ network["null1.weight"] + network["null1.bias"]
    return [
        (hidden[begin : begin + length], np.append(logits[begin : begin + length], absent[at]))
        for at, (begin, length) in enumerate(zip(begins, lengths, strict=True))
    ]


def softmax(logits: Numbers) -> Numbers:
    """Probabilities that sum to one."""
    likely = np.exp(logits - logits.max())
    return np.asarray(likely / likely.sum(), np.float32)


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

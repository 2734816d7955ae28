"""Fits the networks of one family of fields with torch, and gives their weights as arrays."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.scorer.examples import Example

HIDDEN = 48
DROPOUT = 0.1
BATCH = 64
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-3
_LEAST = 1e-6


class Network(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Logits of candidates, and of their absence; see ``pipeline.engines.embedded.fields.scorer.network`` for the same in numpy."""

    def __init__(self, features: int) -> None:
        super().__init__()
        width = 2 * features + 1
        self.body = nn.ModuleList([nn.Linear(width, HIDDEN), nn.Linear(HIDDEN, HIDDEN // 2), nn.Linear(HIDDEN // 2, 1)])
        self.null = nn.ModuleList([nn.Linear(width, HIDDEN // 2), nn.Linear(HIDDEN // 2, 1)])
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, group: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """``x`` has one row for each candidate, ``group`` its group; ``count`` is the number of groups."""
        index = group[:, None].expand_as(x)
        most = torch.zeros(count, x.shape[1]).scatter_reduce(0, index, x, "amax", include_self=False)
        members = torch.zeros(count).scatter_add(0, group, torch.ones(len(x)))
        mean = torch.zeros(count, x.shape[1]).scatter_add(0, index, x) / members[:, None]
        size = torch.log1p(members)[:, None] / 4
        hidden = torch.cat([x, x - most[group], size[group]], 1)
        for layer in self.body[:2]:
            hidden = self.drop(torch.relu(layer(hidden)))
        page = torch.relu(self.null[0](torch.cat([most, mean, size], 1)))
        return self.body[2](hidden)[:, 0], self.null[1](page)[:, 0]


def fit(examples: Sequence[Example], seed: int, epochs: int) -> dict[str, NDArray[np.float32]]:
    """The weights of one network, as ``pipeline.engines.embedded.fields.scorer.network`` reads them."""
    torch.manual_seed(seed)
    order = random.Random(seed)
    known = [example for example in examples if len(example.features)]
    features = np.concatenate([example.features for example in known])
    mean, scale = features.mean(axis=0), features.std(axis=0) + 0.05
    network = Network(features.shape[1])
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = -(-len(known) // BATCH) * epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for _ in range(epochs):
        order.shuffle(known)
        for begin in range(0, len(known), BATCH):
            loss = _loss(network, known[begin : begin + BATCH], mean, scale)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return _arrays(network) | {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32)}


def _loss(network: Network, examples: Sequence[Example], mean: NDArray[np.float32], scale: NDArray[np.float32]) -> Tensor:
    """The mean negative logarithm of the probability of what is right: any right candidate, or absence where none is."""
    count = len(examples)
    x = torch.from_numpy(np.concatenate([(example.features - mean) / scale for example in examples])).float()
    group = torch.from_numpy(np.repeat(np.arange(count), [len(example.features) for example in examples]))
    right = torch.from_numpy(np.concatenate([example.right for example in examples]))
    weight = torch.tensor([example.weight for example in examples])
    logits, absent = network(x, group, count)
    top = torch.maximum(absent, torch.full((count,), -1e9).scatter_reduce(0, group, logits, "amax")).detach()
    likely, none = torch.exp(logits - top[group]), torch.exp(absent - top)
    total = none + torch.zeros(count).scatter_add(0, group, likely)
    hit = torch.zeros(count).scatter_add(0, group, likely * right)
    printed = torch.zeros(count).scatter_add(0, group, right.float()) > 0
    return -(weight * torch.log((torch.where(printed, hit, none) / total).clamp(min=_LEAST))).sum() / weight.sum()


def _arrays(network: Network) -> dict[str, NDArray[np.float32]]:
    arrays = {}
    for name, layers in (("body", network.body), ("null", network.null)):
        for at, layer in enumerate(layers):
            arrays[f"{name}{at}.weight"] = layer.weight.detach().numpy().T.copy()
            arrays[f"{name}{at}.bias"] = layer.bias.detach().numpy().copy()
    arrays["null1.weight"], arrays["null1.bias"] = arrays["null1.weight"][:, 0], arrays["null1.bias"][0]
    return arrays

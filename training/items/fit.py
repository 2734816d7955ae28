"""Fits the networks of the cells of tables with torch, and gives their weights as arrays."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.engines.embedded.fields.items.cell_network import forward
from training.items.examples import CellExample

HIDDEN = 64
DROPOUT = 0.1
INPUT_DROPOUT = 0.05
BATCH = 512
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 0.1
CELLS = 4
Arrays = dict[str, NDArray[np.float32]]


def fit_looks(examples: Sequence[CellExample], seed: int, epochs: int, networks: int) -> tuple[list[Arrays], list[Arrays]]:
    """The networks of the first and the second look.

    The second is fitted to what a first look says of pages that it was not fitted to: each half of the layouts by the other half.
    """
    known = [example for example in examples if len(example.cells)]
    halves = [zlib.crc32(example.layout.encode()) % 2 for example in known]
    own = [example.features.own for example in known]
    crossed = [_fit(known, own, [half != side for half in halves], seed + side, epochs) for side in (0, 1)]
    context = [
        example.features.with_context(forward(crossed[half], example.features.own))
        for example, half in zip(known, halves, strict=True)
    ]
    everything = [True] * len(known)
    first = [_fit(known, own, everything, seed + 2 + at, epochs) for at in range(networks)]
    second = [_fit(known, context, everything, seed + 2 + networks + at, epochs) for at in range(networks)]
    return first, second


def _fit(
    examples: Sequence[CellExample], inputs: Sequence[NDArray[np.float32]], kept: Sequence[bool], seed: int, epochs: int
) -> Arrays:
    torch.set_num_threads(1)  # small layers: more threads only wait for each other
    torch.manual_seed(seed)
    order = random.Random(seed)
    chosen = [at for at, keep in enumerate(kept) if keep]
    x = np.concatenate([inputs[at] for at in chosen])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 0.05
    features = torch.from_numpy((x - mean) / scale).float()
    cells = torch.from_numpy(np.concatenate([examples[at].cells for at in chosen]))
    weights = torch.from_numpy(
        np.concatenate([np.full(len(examples[at].cells), examples[at].weight, np.float32) for at in chosen])
    )
    network = nn.Sequential(
        nn.Dropout(INPUT_DROPOUT), nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, HIDDEN // 2), nn.ReLU(), nn.Linear(HIDDEN // 2, CELLS),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    numbers = list(range(len(cells)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * -(-len(numbers) // BATCH))
    for _ in range(epochs):
        order.shuffle(numbers)
        for begin in range(0, len(numbers), BATCH):
            batch = numbers[begin : begin + BATCH]
            losses = nn.functional.cross_entropy(network(features[batch]), cells[batch], reduction="none")
            loss = (losses * weights[batch]).sum() / weights[batch].sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    arrays: Arrays = {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32)}
    for at, layer in enumerate(layer for layer in network if isinstance(layer, nn.Linear)):
        arrays[f"{at}.weight"] = layer.weight.detach().numpy().T.copy()
        arrays[f"{at}.bias"] = layer.bias.detach().numpy().copy()
    return arrays

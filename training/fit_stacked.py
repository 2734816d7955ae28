"""Fits small networks that look twice at the parts of a page (``pipeline.engines.embedded.fields.stacked_networks``), with torch."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.engines.embedded.fields.stacked_networks import Parts, forward, two_looks
from training.fit_command import folds
from training.scorer.examples import TrueDocument, generated_documents, real_documents

HIDDEN = 64
DROPOUT = 0.1
INPUT_DROPOUT = 0.05
BATCH = 512
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 0.1
Arrays = dict[str, NDArray[np.float32]]
Looks = tuple[list[Arrays], list[Arrays]]


@dataclass(frozen=True)
class StackedExample:
    """One page: its parts with their features, and the class of each part."""

    document: str
    layout: str
    parts: Parts
    classes: NDArray[np.int64]
    weight: float = 1.0


def fit_looks(examples: Sequence[StackedExample], seed: int, epochs: int, networks: int) -> Looks:
    """The networks of the first and the second look.

    The second is fitted to what a first look says of pages that it was not fitted to: each half of the layouts by the other half.
    """
    known = [example for example in examples if len(example.classes)]
    side = {layout: at % 2 for at, layout in enumerate(sorted({example.layout for example in known}))}
    halves = [side[example.layout] for example in known]
    own = [example.parts.own for example in known]
    crossed = [_fit(known, own, [half != other for half in halves], seed + other, epochs) for other in (0, 1)]
    context = [
        example.parts.with_context(forward(crossed[half], example.parts.own))
        for example, half in zip(known, halves, strict=True)
    ]
    everything = [True] * len(known)
    first = [_fit(known, own, everything, seed + 2 + at, epochs) for at in range(networks)]
    second = [_fit(known, context, everything, seed + 2 + networks + at, epochs) for at in range(networks)]
    return first, second


def stacked_examples(
    make: Callable[[TrueDocument, float], Iterator[StackedExample]], given: argparse.Namespace
) -> Iterator[StackedExample]:
    """The examples of the generated and real documents that a command names."""
    for folder in given.generated:
        for document in generated_documents(folder):
            yield from make(document, 1.0)
    for folder in given.real:
        for document in real_documents(folder, given.pages):
            yield from make(document, given.real_weight)


def read_left_out(
    examples: Sequence[StackedExample], given: argparse.Namespace
) -> Iterator[tuple[StackedExample, NDArray[np.int64]]]:
    """Every page that has parts, with the classes that networks give them which were fitted without its layout."""
    fold = folds((example.layout for example in examples), given.folds, given.seed)
    for at in range(given.folds):
        first, second = fit_looks([e for e in examples if fold[e.layout] != at], given.seed, given.epochs, 1)
        for example in examples:
            if fold[example.layout] == at and len(example.classes):
                yield example, two_looks(example.parts, first, second).argmax(axis=1)


def write_looks(path: Path, looks: Looks, features: Sequence[str]) -> None:
    """Writes the networks to a file that ``load_networks`` reads; matrices in half precision."""
    arrays: dict[str, Any] = {"features": np.array(features)}
    for look, networks in zip(("first", "second"), looks, strict=True):
        for at, network in enumerate(networks):
            arrays |= {f"{look}.{at}.{name}": _compact(array) for name, array in network.items()}
    np.savez_compressed(path, **arrays)


def _compact(array: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
    return array.astype(np.float16) if array.ndim > 1 else np.asarray(array, np.float32)


def _fit(
    examples: Sequence[StackedExample], inputs: Sequence[NDArray[np.float32]], kept: Sequence[bool], seed: int, epochs: int
) -> Arrays:
    torch.set_num_threads(1)  # small layers: more threads only wait for each other
    torch.manual_seed(seed)
    order = random.Random(seed)
    chosen = [at for at, keep in enumerate(kept) if keep]
    x = np.concatenate([inputs[at] for at in chosen])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 0.05
    features = torch.from_numpy((x - mean) / scale).float()
    classes = torch.from_numpy(np.concatenate([examples[at].classes for at in chosen]))
    weights = torch.from_numpy(
        np.concatenate([np.full(len(examples[at].classes), examples[at].weight, np.float32) for at in chosen])
    )
    network = nn.Sequential(
        nn.Dropout(INPUT_DROPOUT), nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, HIDDEN // 2), nn.ReLU(), nn.Linear(HIDDEN // 2, int(classes.max()) + 1),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    numbers = list(range(len(classes)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * -(-len(numbers) // BATCH))
    for _ in range(epochs):
        order.shuffle(numbers)
        for begin in range(0, len(numbers), BATCH):
            batch = numbers[begin : begin + BATCH]
            losses = nn.functional.cross_entropy(network(features[batch]), classes[batch], reduction="none")
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

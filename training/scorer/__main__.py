"""Fit the scorer of field candidates, and say how well it does on layouts that it was not fitted to.

    python -m training.scorer GENERATED... [--real FOLDER...] [--networks 3] [--epochs 40] [--seed 0] [--folds 5] [--write]

GENERATED are folders that ``python -m training.generate`` wrote; ``--real`` adds documents with a ``truth.jsonl``. Prints, field by field,
how many pages get the right candidate (or none, where none is printed) when layouts are left out in ``--folds`` parts; ``--write``
then fits all documents and puts the weights and their recipe in their place.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pipeline.engines.embedded.fields.scorer as scorer_package
from pipeline.engines.embedded.fields.scorer.candidate_groups import FEATURES
from pipeline.engines.embedded.fields.scorer.network import WEIGHTS, probabilities
from training.fit_command import fit_parser, folds, recipe
from training.scorer.examples import Example, examples, generated_documents, real_documents
from training.scorer.fit import fit

RECIPE = "scorer.json"
Networks = dict[str, list[dict[str, NDArray[np.float32]]]]


def main() -> None:
    """Read, fit, report, and write."""
    given = fit_parser(__doc__, folds=5, real_weight=1.0).parse_args()
    generated = [e for folder in given.generated for document in generated_documents(folder) for e in examples(document)]
    real = [
        replace(example, weight=given.real_weight)
        for folder in given.real
        for document in real_documents(folder, given.pages)
        for example in examples(document)
    ]
    print(f"{len(generated)} generated and {len(real)} real examples of {len({e.layout for e in [*generated, *real]})} layouts")
    figures = report([*generated, *real], given) if given.folds else {}
    if given.write:
        write(fit_all([*generated, *real], given), given, figures)


def fit_all(rows: Sequence[Example], given: argparse.Namespace) -> Networks:
    """``--networks`` networks for each family, from different seeds."""
    return {
        family: [
            fit([row for row in rows if row.family == family], given.seed + at, given.epochs) for at in range(given.networks)
        ]
        for family in FEATURES
    }


def report(rows: Sequence[Example], given: argparse.Namespace) -> dict[str, list[int]]:
    """Right and all pages by source and field, each with networks that were fitted without its layout."""
    fold = folds((row.layout for row in rows), given.folds, given.seed)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for at in range(given.folds):
        networks = fit_all([row for row in rows if fold[row.layout] != at], given)
        for row in rows:
            if fold[row.layout] == at:
                count = counts[f"{row.document.split('/')[0]} {row.field}"]
                count[0] += is_right(row, networks[row.family])
                count[1] += 1
    for name, (right, of) in sorted(counts.items()):
        print(f"{name:40} {right:6} of {of:6}  {right / of:.3f}")
    return dict(counts)


def is_right(row: Example, networks: Sequence[Mapping[str, NDArray[np.float32]]]) -> bool:
    """Whether the likeliest value is right, or absence is likeliest where the page does not print the field."""
    if not len(row.features):
        return True
    scores = probabilities(networks, [row.features])[0]
    total: dict[str, float] = defaultdict(float)
    for value, probability in zip(row.values, scores.candidates, strict=True):
        total[value] += float(probability)
    best = max(total, key=lambda value: total[value])
    if total[best] < scores.absent:
        return not row.right.any()
    return any(right and value == best for right, value in zip(row.right, row.values, strict=True))


def write(networks: Networks, given: argparse.Namespace, figures: Mapping[str, list[int]]) -> None:
    """The weights as ``scorer.npz`` and how they were made as ``scorer.json``, beside the scorer."""
    arrays: dict[str, Any] = {"networks": np.array(given.networks)}
    for family, each in networks.items():
        arrays[f"{family}.features"] = np.array(FEATURES[family])
        for at, network in enumerate(each):
            arrays |= {f"{family}.{at}.{name}": _compact(array) for name, array in network.items()}
    folder = Path(scorer_package.__file__).parent
    np.savez_compressed(folder / WEIGHTS, **arrays)
    made = recipe(given) | {"pages_right_on_layouts_left_out": figures}
    (folder / RECIPE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def _compact(array: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
    return array.astype(np.float16) if array.ndim > 1 else np.asarray(array, np.float32)


if __name__ == "__main__":
    main()

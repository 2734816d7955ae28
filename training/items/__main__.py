"""Fit the reader of tables of goods, and say how well it does on layouts that it was not fitted to.

    python -m training.items GENERATED... [--real FOLDER...] [--real-weight 3] [--folds 4] [--write]

The folders are those of ``python -m training.scorer``. Prints precision and recall of each kind of cell on layouts that are left out in
``--folds`` parts; ``--write`` then fits all documents and puts the weights and their recipe in their place.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import pipeline.engines.embedded.fields.items as items_package
from pipeline.engines.embedded.fields.items.cell_features import NAMES, ROLES
from pipeline.engines.embedded.fields.items.cell_network import WEIGHTS
from training.fit_command import fit_parser, recipe
from training.fit_stacked import Looks, StackedExample, fit_looks, read_left_out, stacked_examples, write_looks
from training.items.examples import cell_examples

RECIPE = "items.json"


def main() -> None:
    """Read, fit, report, and write."""
    given = fit_parser(__doc__, folds=4).parse_args()
    examples = list(stacked_examples(cell_examples, given))
    print(f"{len(examples)} pages of {len({example.layout for example in examples})} layouts")
    figures = report(examples, given) if given.folds else {}
    if given.write:
        write(fit_looks(examples, given.seed, given.epochs, given.networks), given, figures)


def report(examples: Sequence[StackedExample], given: argparse.Namespace) -> dict[str, list[float]]:
    """Precision and recall of the cells of each kind, each page seen by networks that were fitted without its layout."""
    read = list(read_left_out(examples, given))
    cells, found = (
        np.concatenate(each) for each in zip(*((example.classes, classes) for example, classes in read), strict=True)
    )
    figures = {}
    for role, name in enumerate(ROLES, 1):
        hits = float(((cells == role) & (found == role)).sum())
        figures[name] = [round(hits / max(1, (found == role).sum()), 4), round(hits / max(1, (cells == role).sum()), 4)]
        print(f"{name:10} precision {figures[name][0]:.4f}, recall {figures[name][1]:.4f}")
    return figures


def write(looks: Looks, given: argparse.Namespace, figures: dict[str, list[float]]) -> None:
    """The weights as ``items.npz`` and how they were made as ``items.json``, beside the reader."""
    folder = Path(items_package.__file__).parent
    write_looks(folder / WEIGHTS, looks, NAMES)
    made = recipe(given) | {"precision_and_recall_on_layouts_left_out": figures}
    (folder / RECIPE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

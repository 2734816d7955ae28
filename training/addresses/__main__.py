"""Fit the choice of a party's address, and say how well it does on layouts that it was not fitted to.

    python -m training.addresses GENERATED... [--real FOLDER...] [--real-weight 3] [--folds 4] [--write]

The folders are those of ``python -m training.scorer``. Prints how many lines and how many addresses are right on layouts that are left
out in ``--folds`` parts; ``--write`` then fits all documents and puts the weights and their recipe in their place.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import pipeline.engines.embedded.fields.addresses as addresses_package
from pipeline.engines.embedded.fields.addresses.address_block import WEIGHTS
from pipeline.engines.embedded.fields.addresses.line_features import NAMES
from training.addresses.examples import address_examples
from training.fit_command import fit_parser, recipe
from training.fit_stacked import Looks, StackedExample, fit_looks, read_left_out, stacked_examples, write_looks

RECIPE = "addresses.json"


def main() -> None:
    """Read, fit, report, and write."""
    given = fit_parser(__doc__, folds=4).parse_args()
    examples = list(stacked_examples(address_examples, given))
    print(f"{len(examples)} pages of {len({example.layout for example in examples})} layouts")
    figures = report(examples, given) if given.folds else {}
    if given.write:
        write(fit_looks(examples, given.seed, given.epochs, given.networks), given, figures)


def report(examples: Sequence[StackedExample], given: argparse.Namespace) -> dict[str, float]:
    """Shares of right lines and of pages with all lines right, each page seen by networks that were fitted without its layout."""
    read = [(example.classes, classes) for example, classes in read_left_out(examples, given)]
    lines, found = (np.concatenate(each) for each in zip(*read, strict=True))
    whole = sum(bool((classes == true).all()) for true, classes in read) / len(read)
    hits = float((lines & found).sum())
    figures = {"precision": hits / found.sum(), "recall": hits / lines.sum(), "pages all right": whole}
    print(", ".join(f"{name} {figure:.3f}" for name, figure in figures.items()))
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def write(looks: Looks, given: argparse.Namespace, figures: dict[str, float]) -> None:
    """The weights as ``addresses.npz`` and how they were made as ``addresses.json``, beside the reader."""
    folder = Path(addresses_package.__file__).parent
    write_looks(folder / WEIGHTS, looks, NAMES)
    made = recipe(given) | {"on_layouts_left_out": figures}
    (folder / RECIPE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

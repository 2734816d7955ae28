"""Fit the choice of a party's address, and say how well it does on layouts that it was not fitted to.

    python -m training.addresses GENERATED... [--real FOLDER...] [--real-weight 3] [--folds 4] [--write]

The folders are those of ``python -m training.scorer``. Prints how many lines and how many addresses are right on layouts that are left
out in ``--folds`` parts; ``--write`` then fits all documents and puts the weights and their recipe in their place.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import pipeline.engines.embedded.fields.addresses as addresses_package
from pipeline.engines.embedded.fields.addresses.address_block import WEIGHTS
from pipeline.engines.embedded.fields.addresses.line_features import NAMES
from pipeline.engines.embedded.fields.stacked_networks import two_looks
from training.addresses.examples import address_examples
from training.fit_stacked import Looks, StackedExample, fit_looks, write_looks
from training.scorer.__main__ import digest
from training.scorer.examples import generated_documents, real_documents

RECIPE = "addresses.json"


def main() -> None:
    """Read, fit, report, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("generated", nargs="*", type=Path)
    parser.add_argument("--real", nargs="*", type=Path, default=[])
    parser.add_argument("--real-weight", type=float, default=3.0, help="weight of a real example; a generated one weighs 1")
    parser.add_argument("--pages", type=Path, default=Path("build/pages"), help="where pages of real documents are kept")
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, default=4, help="0: no figures")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    examples = [e for folder in given.generated for document in generated_documents(folder) for e in address_examples(document)]
    for folder in given.real:
        for document in real_documents(folder, given.pages):
            examples += address_examples(document, given.real_weight)
    print(f"{len(examples)} pages of {len({example.layout for example in examples})} layouts")
    figures = report(examples, given) if given.folds else {}
    if given.write:
        write(fit_looks(examples, given.seed, given.epochs, given.networks), given, figures)


def report(examples: Sequence[StackedExample], given: argparse.Namespace) -> dict[str, float]:
    """Shares of right lines and of pages with all lines right, each page seen by networks that were fitted without its layout."""
    layouts = sorted({example.layout for example in examples})
    random.Random(given.seed).shuffle(layouts)
    fold = {layout: at % given.folds for at, layout in enumerate(layouts)}
    pages, true, said = [], [], []
    for at in range(given.folds):
        first, second = fit_looks([e for e in examples if fold[e.layout] != at], given.seed, given.epochs, 1)
        for example in examples:
            if fold[example.layout] == at and len(example.classes):
                classes = two_looks(example.parts, first, second).argmax(axis=1)
                true.append(example.classes)
                said.append(classes)
                pages.append(bool((classes == example.classes).all()))
    lines, found = np.concatenate(true), np.concatenate(said)
    hits = float((lines & found).sum())
    figures = {"precision": hits / found.sum(), "recall": hits / lines.sum(), "pages all right": sum(pages) / len(pages)}
    print(", ".join(f"{name} {figure:.3f}" for name, figure in figures.items()))
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def write(looks: Looks, given: argparse.Namespace, figures: dict[str, float]) -> None:
    """The weights as ``addresses.npz`` and how they were made as ``addresses.json``, beside the reader."""
    folder = Path(addresses_package.__file__).parent
    write_looks(folder / WEIGHTS, looks, NAMES)
    recipe = {
        "networks": given.networks,
        "epochs": given.epochs,
        "seed": given.seed,
        "generated": {folder.name: digest(folder) for folder in given.generated},
        "real": {folder.name: digest(folder) for folder in given.real},
        "real_weight": given.real_weight,
        "on_layouts_left_out": figures,
    }
    (folder / RECIPE).write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

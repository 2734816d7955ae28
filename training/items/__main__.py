"""Fit the reader of tables of goods, and say how well it does on layouts that it was not fitted to.

    python -m training.items GENERATED... [--real FOLDER...] [--real-weight 3] [--folds 4] [--write]

The folders are those of ``python -m training.scorer``. Prints precision and recall of each kind of cell on layouts that are left out in
``--folds`` parts; ``--write`` then fits all documents and puts the weights and their recipe in their place.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import pipeline.engines.embedded.fields.items as items_package
from pipeline.engines.embedded.fields.items.cell_features import NAMES, ROLES
from pipeline.engines.embedded.fields.items.cell_network import WEIGHTS
from pipeline.engines.embedded.fields.stacked_networks import two_looks
from training.fit_stacked import Looks, StackedExample, fit_looks, write_looks
from training.items.examples import cell_examples
from training.scorer.__main__ import digest
from training.scorer.examples import generated_documents, real_documents

RECIPE = "items.json"


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
    examples = [e for folder in given.generated for document in generated_documents(folder) for e in cell_examples(document)]
    for folder in given.real:
        for document in real_documents(folder, given.pages):
            examples += cell_examples(document, given.real_weight)
    print(f"{len(examples)} pages of {len({example.layout for example in examples})} layouts")
    figures = report(examples, given) if given.folds else {}
    if given.write:
        write(fit_looks(examples, given.seed, given.epochs, given.networks), given, figures)


def report(examples: Sequence[StackedExample], given: argparse.Namespace) -> dict[str, list[float]]:
    """Precision and recall of the cells of each kind, each page seen by networks that were fitted without its layout."""
    layouts = sorted({example.layout for example in examples})
    random.Random(given.seed).shuffle(layouts)
    fold = {layout: at % given.folds for at, layout in enumerate(layouts)}
    true, found_cells = [], []
    for at in range(given.folds):
        first, second = fit_looks([e for e in examples if fold[e.layout] != at], given.seed, given.epochs, 1)
        for example in examples:
            if fold[example.layout] == at:
                true.append(example.classes)
                found_cells.append(two_looks(example.parts, first, second).argmax(axis=1))
    cells, found = np.concatenate(true), np.concatenate(found_cells)
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
    recipe = {
        "networks": given.networks,
        "epochs": given.epochs,
        "seed": given.seed,
        "generated": {folder.name: digest(folder) for folder in given.generated},
        "real": {folder.name: digest(folder) for folder in given.real},
        "real_weight": given.real_weight,
        "precision_and_recall_on_layouts_left_out": figures,
    }
    (folder / RECIPE).write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""What the commands that fit networks share: their options, the parts in which layouts are left out, and the recipe beside the weights."""

from __future__ import annotations

import argparse
import hashlib
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def fit_parser(doc: str | None, *, folds: int, networks: int = 3, real_weight: float = 3.0) -> argparse.ArgumentParser:
    """The options of a command; ``doc`` is the docstring of its module."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("generated", nargs="*", type=Path)
    parser.add_argument("--real", nargs="*", type=Path, default=[])
    parser.add_argument(
        "--real-weight", type=float, default=real_weight, help="weight of a real document; a generated one weighs 1"
    )
    parser.add_argument("--pages", type=Path, default=Path("build/pages"), help="where pages of real documents are kept")
    parser.add_argument("--networks", type=int, default=networks)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, default=folds, help="0: no figures, where the command can do without")
    parser.add_argument("--write", action="store_true")
    return parser


def folds(layouts: Iterable[str], count: int, seed: int) -> dict[str, int]:
    """The part of each layout, from 0 to ``count`` less 1."""
    ordered = sorted(set(layouts))
    random.Random(seed).shuffle(ordered)
    return {layout: at % count for at, layout in enumerate(ordered)}


def recipe(given: argparse.Namespace) -> dict[str, Any]:
    """How weights were made, for the file beside them."""
    return {
        "networks": given.networks,
        "epochs": given.epochs,
        "seed": given.seed,
        "generated": {folder.name: digest(folder) for folder in given.generated},
        "real": {folder.name: digest(folder) for folder in given.real},
        "real_weight": given.real_weight,
    }


def digest(folder: Path) -> str:
    """The SHA-256 of a folder's truth: names and contents of its JSON files, sorted."""
    total = hashlib.sha256()
    for path in sorted([*folder.glob("*.json"), *folder.glob("truth.jsonl")]):
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()

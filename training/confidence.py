"""Fit the confidences on layouts that the scorer of candidates was not fitted to, choose thresholds of review, and say how well they hold.

    python -m training.confidence GENERATED... [--real FOLDER...] [--held FOLDER...] [--pages FOLDER] [--folds 3] [--write]

Every document is read with networks that did not see its layout. A logistic model then learns from those answers which values, and which
fields without a value, are right, and another one which cells of tables; the figures and thresholds come from a second round of folds, in which this model did not see the
layout either. ``--held`` documents are only measured. Prints for each source the number of fields, the share that is right, the expected
calibration error (ten bins of equal width), and which errors would not be named for review; ``--write`` puts the weights in their place.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

import pipeline.checks
from pipeline.checks.calibration import FILE
from training.addresses.examples import address_examples
from training.cell_cases import CellCase, cell_cases
from training.conformal import Judged, thresholds
from training.field_cases import FieldCase, field_cases
from training.fit_command import fit_parser, folds, recipe
from training.items.examples import cell_examples
from training.logistic import chances, fit
from training.other_weights import fit_if_any, networks_in_place
from training.scorer.__main__ import fit_all
from training.scorer.examples import TrueDocument, examples, generated_documents, real_documents

AGAINST = (
    "a check digit fails",
    "a sum fails",
    "dates out of order",
    "grounding fuzzy",
    "grounding none",
    "hard to read",
    "ocr",
    "fallback",
)
"""Features that never speak for an answer; those of ``doubts`` neither."""
AGAINST_CELLS = ("ocr", "product fails", "rows do not add up")
"""As AGAINST, of the cells of tables."""
SHOWN_ERROR = 0.05
"""Accepted error of the figures that are printed."""
Models = dict[bool, dict[str, float]]


def main() -> None:
    """Fit, measure, and write."""
    parser = fit_parser(__doc__, folds=3, networks=1)
    parser.add_argument("--held", nargs="*", type=Path, default=[])
    given = parser.parse_args()
    generated = list(chain.from_iterable(map(generated_documents, given.generated)))
    real = [document for folder in given.real for document in real_documents(folder, given.pages)]
    most = highest_confidence(len(real) or len(generated))
    cases, rows = cross_fitted([*generated, *real], {document.name for document in real}, given)
    held = [case for folder in given.held for d in real_documents(folder, given.pages) for case in field_cases(d, real=True)]
    out_of_fold = second_folds(cases, given, most)
    models = fit_models(cases, given.real_weight)
    judged = {kind: _judged(cases, out_of_fold, kind) for kind in sorted({case.kind for case in cases})}
    tables = {kind: thresholds(answers, most) for kind, answers in judged.items()}
    at = {kind: dict(tables[kind].table)[SHOWN_ERROR] for kind in tables}
    report([*zip(cases, out_of_fold, strict=True)], "layouts left out", at)
    report([*zip(held, confidences(held, models, most), strict=True)], "in no fit", at)
    others = [case for folder in given.held for d in real_documents(folder, given.pages) for case in cell_cases(d, real=True)]
    cells = fit_cells(rows)
    report_cells(rows, cells_in_folds(rows, given, most), "layouts left out")
    report_cells(others, chances([case.features for case in others], cells, most).tolist(), "in no fit")
    if given.write:
        fitted = {
            "cells": cells,
            "values": models[False],
            "absences": models[True],
            "most": most,
            "thresholds": {kind: found.table for kind, found in tables.items()},
            "made from": {
                **recipe(given),
                "documents": {"generated": len(generated), "real": len(real)},
                "layouts": len({case.layout for case in cases}),
                "strangest layouts, which the thresholds hold for": {kind: found.layouts for kind, found in tables.items()},
                "folds": given.folds,
            },
        }
        path = Path(pipeline.checks.__file__).parent / FILE
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**kept, **fitted}, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def highest_confidence(documents: int) -> float:
    """The highest confidence that so many documents support: an error in none of them leaves one of three in their number possible."""
    return round(1 - 3 / (documents + 1), 3)


def cross_fitted(
    documents: Sequence[TrueDocument], real: set[str], given: argparse.Namespace
) -> tuple[list[FieldCase], list[CellCase]]:
    """The fields of all documents and the cells of generated ones, each read with networks that were fitted without its layout."""
    fold = folds({document.layout for document in documents}, given.folds, given.seed)
    known = [(fold[document.layout], list(examples(document))) for document in documents]
    looks = [[e for document in documents for e in make(document, 1.0)] for make in (cell_examples, address_examples)]
    fields: list[FieldCase] = []
    cells: list[CellCase] = []
    for at in range(given.folds):
        networks = fit_all([row for number, rows in known if number != at for row in rows], given)
        others = (
            fit_if_any([e for e in part if fold[e.layout] != at], given.seed, given.epochs, given.networks) for part in looks
        )
        with networks_in_place(networks, *others):
            for document in documents:
                if fold[document.layout] == at:
                    fields += field_cases(document, real=document.name in real)
                    cells += [] if document.name in real else cell_cases(document, real=False)
    return fields, cells


def fit_models(cases: Sequence[FieldCase], real_weight: float) -> Models:
    """The weights for fields with a value (False) and for those without one (True)."""
    models: Models = {}
    for absent in (False, True):
        part = [case for case in cases if case.absent is absent]
        against = {name for case in part for name in case.features if name in AGAINST or name.startswith("doubt: ")}
        importance = [real_weight if case.real else 1.0 for case in part]
        models[absent] = fit([case.features for case in part], [case.right for case in part], importance, against)
    return models


def confidences(cases: Sequence[FieldCase], models: Models, most: float) -> list[float]:
    """The confidence of each case."""
    return [float(chances([case.features], models[case.absent], most)[0]) for case in cases]


def fit_cells(cases: Sequence[CellCase]) -> dict[str, float]:
    """The weights for the cells of tables. The rows are those of generated documents that the search for rows was not fitted to."""
    against = {name for case in cases for name in case.features if name in AGAINST_CELLS or name.startswith("doubt: ")}
    return fit([case.features for case in cases], [case.right for case in cases], [1.0] * len(cases), against)


def cells_in_folds(cases: Sequence[CellCase], given: argparse.Namespace, most: float) -> list[float]:
    """The confidence of each cell by weights that were fitted without its layout."""
    fold = folds({case.layout for case in cases}, 2 * given.folds - 1, given.seed + 1)
    found = np.zeros(len(cases))
    for at in set(fold.values()):
        weights = fit_cells([case for case in cases if fold[case.layout] != at])
        held = [number for number, case in enumerate(cases) if fold[case.layout] == at]
        found[held] = chances([cases[number].features for number in held], weights, most)
    return [float(each) for each in found]


def report_cells(cases: Sequence[CellCase], confidence: Sequence[float], title: str) -> None:
    """Print the figures of the cells of each kind of document."""
    for kind, real in sorted({(case.kind, case.real) for case in cases}):
        part = [(c, sure) for c, sure in zip(cases, confidence, strict=True) if (c.kind, c.real) == (kind, real)]
        right = float(np.mean([case.right for case, _ in part]))
        print(
            f"cells of {'real' if real else 'generated'} {kind}s, {title}: {len(part)}, {right:.3f} right, "
            f"calibration error {calibration_error(part):.3f}"
        )


def second_folds(cases: Sequence[FieldCase], given: argparse.Namespace, most: float) -> list[float]:
    """The confidence of each case by models that were fitted without its layout."""
    fold = folds({case.layout for case in cases}, 2 * given.folds - 1, given.seed + 1)
    found = np.zeros(len(cases))
    for at in set(fold.values()):
        models = fit_models([case for case in cases if fold[case.layout] != at], given.real_weight)
        held = [number for number, case in enumerate(cases) if fold[case.layout] == at]
        found[held] = confidences([cases[number] for number in held], models, most)
    return [float(each) for each in found]


def _judged(cases: Sequence[FieldCase], confidence: Sequence[float], kind: str) -> list[Judged]:
    return [
        Judged(case.layout, sure, case.right, case.printed, case.named, case.strangeness)
        for case, sure in zip(cases, confidence, strict=True)
        if case.kind == kind
    ]


def report(rows: Sequence[tuple[FieldCase, float]], title: str, at: dict[str, float]) -> None:
    """Print the figures of each source."""
    sources: dict[str, list[tuple[FieldCase, float]]] = defaultdict(list)
    for case, sure in rows:
        sources[f"{'real' if case.real else 'generated'} {case.kind}s, {title}"].append((case, sure))
    for source, part in sorted(sources.items()):
        scored = [(case, sure) for case, sure in part if case.printed]
        named = [case.named or sure < at[case.kind] for case, sure in scored]
        right = [case.right for case, _ in scored]
        silent = [case for (case, _), is_named in zip(scored, named, strict=True) if not case.right and not is_named]
        marked = sum(is_named and ok for is_named, ok in zip(named, right, strict=True))
        absences = [(case, sure) for case, sure in part if not case.printed]
        filled = sum(not case.absent for case, _ in absences)
        print(
            f"{source}: {len(scored)} printed values, {np.mean(right):.3f} right, calibration error {calibration_error(scored):.3f} "
            f"({calibration_error(part):.3f} with {len(absences)} fields that are not printed, {filled} of them filled); "
            f"at {SHOWN_ERROR} accepted: silent {len(silent)} ({len(silent) / len(scored):.3f}; {sum(c.absent for c in silent)} empty), "
            f"right but named {marked} ({marked / max(1, sum(right)):.3f})"
        )


def calibration_error(rows: Sequence[tuple[Any, float]]) -> float:
    """The distance of confidence and share that is right in ten bins of equal width, weighted by their answers."""
    bins: dict[int, list[float]] = defaultdict(list)
    for case, sure in rows:
        bins[min(9, int(sure * 10))].append(sure - case.right)
    return float(sum(abs(sum(each)) for each in bins.values()) / max(1, len(rows)))


if __name__ == "__main__":
    main()

"""Fit the confidences on layouts that the scorer of candidates was not fitted to, and say how well they hold.

    python -m training.confidence GENERATED... [--real FOLDER...] [--held FOLDER...] [--pages FOLDER] [--folds 3] [--write]

Every document is read with networks that did not see its layout; a logistic model then learns from those answers which values are
right. ``--held`` documents are only measured. Prints the number of values, the share that is right, and the expected calibration error (10
bins of equal mass) of each source; ``--write`` puts the weights in their place.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pipeline.checks
from benchmarks.calibrate import Case, chances, fit
from pipeline.checks.arithmetic import check_document, confirmed_by_sums
from pipeline.checks.confidence import WEIGHTS, features
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.checks.value_comparison import is_absent
from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.fields.scorer import network
from pipeline.evaluate.calibration import calibrate
from pipeline.records import Result, UnitKey
from training.scorer.__main__ import fit_all
from training.scorer.examples import TrueDocument, examples, generated_documents, is_same, real_documents, template_of


def main() -> None:
    """Fit, measure, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("generated", nargs="*", type=Path)
    parser.add_argument("--real", nargs="*", type=Path, default=[])
    parser.add_argument("--held", nargs="*", type=Path, default=[])
    parser.add_argument("--pages", type=Path, default=Path("build/pages"), help="where pages of real documents are kept")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    generated = chain.from_iterable(generated_documents(folder) for folder in given.generated)
    real = chain.from_iterable(real_documents(folder, given.pages) for folder in given.real)
    rows = cross_fitted([*generated, *real], given)
    held = {folder: list(chain.from_iterable(map(cases, real_documents(folder, given.pages)))) for folder in given.held}
    weights = fit([case for cases_ in rows.values() for case in cases_])
    for name, part in [*rows.items(), *((f"held back: {folder.name}", part) for folder, part in held.items())]:
        figures = calibrate(list(zip(chances(part, weights).tolist(), (case.right for case in part), strict=True)))
        right = sum(case.right for case in part) / max(1, len(part))
        error = f"{figures.error:.3f}" if figures else "unknown"
        print(f"{name:28} {len(part):6} values, {right:.3f} right, expected calibration error {error}")
    if given.write:
        path = Path(pipeline.checks.__file__).parent / WEIGHTS
        path.write_text(json.dumps(weights, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def cross_fitted(documents: Sequence[TrueDocument], given: argparse.Namespace) -> dict[str, list[Case]]:
    """The values of all documents by source, each read with networks that were fitted without its layout."""
    layouts = sorted({document.layout for document in documents})
    random.Random(given.seed).shuffle(layouts)
    fold = {layout: at % given.folds for at, layout in enumerate(layouts)}
    known = [(fold[document.layout], list(examples(document))) for document in documents]
    found: dict[str, list[Case]] = defaultdict(list)
    for at in range(given.folds):
        networks = fit_all([row for number, rows in known if number != at for row in rows], given)
        with patch.object(network, "_weights", lambda networks=networks: networks):
            for document in documents:
                if fold[document.layout] == at:
                    found[document.name.split("/")[0]] += cases(document)
    return dict(found)


def cases(document: TrueDocument) -> Iterator[Case]:
    """Every value that is read of a document and whose truth is known."""
    template = template_of(document.kind)
    results = [
        Result(UnitKey("0" * 64, page.number, template.name, ""), "done", ground(read_fields(page, template), page, template))
        for page in document.pages
    ]
    fields = apply_fallbacks(check_document(merge_pages(results, template), template), template)
    sure = confirmed_by_sums(fields, template)
    for name in sorted(document.known):
        evidence = fields.get(name)
        if evidence is not None and not is_absent(evidence.value) and template.fields[name].type != "table":
            right = _is_right(document, name, evidence.value, template)
            yield Case(0, features(template.fields[name], evidence, name in sure), right)


def _is_right(document: TrueDocument, name: str, value: Any, template: Any) -> bool:
    truth = document.values[name]
    if truth is None and template.fields[name].otherwise:
        truth = document.values.get(template.fields[name].otherwise)
    field = template.fields[name]
    if field.type in ("money", "date", "identifier", "party"):
        return is_same(field, truth, str(value), document.aliases.get(name, []))
    return truth is not None and str(truth).casefold().strip() == str(value).casefold().strip()


if __name__ == "__main__":
    main()

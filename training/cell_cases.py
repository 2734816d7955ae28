"""The cells of tables of documents whose rows are known, as the program reads them: features of the confidence, and whether they are right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.checks.cell_features import cell_features
from pipeline.checks.confidence_features import Features
from pipeline.checks.value_comparison import as_decimal
from training.field_cases import read_document
from training.scorer.examples import TrueDocument, template_of


@dataclass(frozen=True)
class CellCase:
    """One cell of one document."""

    layout: str
    kind: str
    real: bool
    features: Features
    right: bool


def cell_cases(document: TrueDocument, *, real: bool) -> Iterator[CellCase]:
    """Every cell that was read of a document's tables, where its truth is known. Cells of rows that do not exist are wrong."""
    template = template_of(document.kind)
    if not document.rows:
        return
    fields = read_document(document, template)
    for name, field in template.fields.items():
        evidence = fields[name]
        if field.type != "table" or not evidence.cells or len(evidence.cells) != len(evidence.value):
            continue
        left = [dict(row) for row in document.rows]
        for row, features in zip(evidence.value, cell_features(template, name, fields), strict=True):
            truth = _best(row, left)
            for column, each in features.items():
                if truth is None or column not in truth:
                    yield CellCase(document.layout, template.name, real, each, right=False)
                elif truth[column] is not None or not real:  # real rows leave out what nobody labelled
                    yield CellCase(document.layout, template.name, real, each, _equal(truth[column], row[column]))


def _best(row: Mapping[str, Any], left: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row of the truth that has most of a row's numbers, the first of several; it leaves the list."""
    hits: Sequence[int] = [sum(_equal(truth.get(column), value) for column, value in row.items()) for truth in left]
    if not hits or max(hits) == 0:
        return None
    return left.pop(hits.index(max(hits)))


def _equal(a: Any, b: Any) -> bool:
    first, second = as_decimal(a), as_decimal(b)
    return first is not None and second is not None and abs(first - second) < as_decimal("0.006")  # type: ignore[operator]

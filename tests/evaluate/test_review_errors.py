"""What people would find by looking at the values that are named for review, and what they would not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.evaluate.expected import Truth, parse_expected
from pipeline.evaluate.read_results import ReadDocument, ReadField
from pipeline.evaluate.review_errors import ReviewErrors, review_errors
from pipeline.evaluate.scoring import Cell, score
from pipeline.settings import configs_folder
from pipeline.templates.load import load_templates

FIELDS = load_templates([configs_folder() / "templates"])["invoice"].fields


def cells(truth: dict[str, Any], result: ReadDocument | None) -> list[Cell]:
    expected = {name: parse_expected(value, FIELDS[name]) for name, value in truth.items()}
    return score(Truth("a.pdf", Path("a.pdf"), expected), result, FIELDS)


def test_wrong_values_are_silent_unless_they_are_named_or_flagged() -> None:
    truth = {
        "vendor_name": "A Ltd",
        "buyer_name": "B Ltd",
        "invoice_number": "17",
        "invoice_date": "2025-01-02",
        "subtotal": "5",
        "total": "6",
        "prepaid": None,
        "due_date": None,
        "line_items": [{"amount": "6"}],
    }
    read = {
        "vendor_name": ReadField("Somebody"),  # silent
        "buyer_name": ReadField("Somebody", to_review=True),
        "invoice_number": ReadField(None),  # silent: the document has one
        "invoice_date": ReadField("2025-01-03", flags=("order:dates",)),
        "subtotal": ReadField("5", to_review=True),  # right, and marked all the same
        "total": ReadField("6"),
        "prepaid": ReadField("2"),  # absent but filled, silently
        "due_date": ReadField("2025-02-01", flags=("order:dates",)),  # the same, with a flag
        "line_items": ReadField([{"amount": "7"}]),  # tables are left out
    }
    errors = review_errors(cells(truth, ReadDocument("done", fields=read)))
    assert errors == ReviewErrors(values=6, wrong=4, silent=2, marked=1, absent=2, filled=2, filled_silently=1)
    assert errors.silent_share.value == 2 / 6
    assert (errors.marked_share.right, errors.marked_share.of) == (1, 2)


def test_a_document_that_could_not_be_read_says_so_itself() -> None:
    failed = review_errors(cells({"total": "6", "due_date": None}, ReadDocument("failed", "needs_password")))
    assert (failed.values, failed.wrong, failed.silent, failed.filled) == (1, 1, 0, 0)
    assert review_errors(cells({"total": "6"}, None)).silent == 0


def test_a_table_that_neither_side_has_is_no_value() -> None:
    assert review_errors(cells({"line_items": None}, ReadDocument("done"))) == ReviewErrors(0, 0, 0, 0, 0, 0, 0)

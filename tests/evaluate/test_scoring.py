"""What counts as right, by type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.evaluate.expected import Truth, parse_expected
from pipeline.evaluate.read_results import ReadDocument, ReadField
from pipeline.evaluate.scoring import Cell, score
from pipeline.templates.load import parse_template
from pipeline.templates.template import TemplateField

TEMPLATE = parse_template(
    """
name: probe
prompt: x
fields:
  amount: {type: money}
  count: {type: number}
  day: {type: date}
  hour: {type: time}
  number: {type: identifier}
  vat: {type: identifier, format: vat}
  seller: {type: party, role: seller}
  note: {type: text}
  text: {type: text, merge: all}
  money: {type: currency}
  kind: {type: enum, values: [Bill, Credit note]}
  orders: {type: identifier, many: true}
  lines: {type: table, columns: {what: {type: text}, quantity: {type: number}, price: {type: money}}}
""",
    "probe.yaml",
)
FIELDS: dict[str, TemplateField] = TEMPLATE.fields


def cell(field: str, expected: Any, value: Any, status: str = "done") -> Cell:
    truth = Truth("a.pdf", Path("a.pdf"), {field: parse_expected(expected, FIELDS[field])})
    (cell_score,) = score(truth, ReadDocument(status, fields={field: ReadField(value)}), FIELDS)
    return cell_score


@pytest.mark.parametrize(
    ("field", "expected", "value"),
    [
        ("amount", "1.234,50 €", "1234.5"),
        ("amount", "119", "119.00"),
        ("amount", "-5.00", "-5"),
        ("count", "1.5", "1.50"),
        ("day", "24.03.2025", "2025-03-24"),
        ("hour", "2:05 pm", "14:05:31"),
        ("number", "RE 2025/17", "re-202517"),
        ("vat", "DE123456789", "123456789"),
        ("vat", "123456789", "DE123456789"),
        ("seller", "Brückner Metallbau GmbH", "BRÜCKNER METALLBAU"),
        ("seller", ["Van Dalen", "Techniek Haven B.V."], "Techniek Haven BV"),
        ("note", "Delivered in good order", "Delivered in qood order"),
        ("text", "First page. Second page.", ["First page.", "Second page."]),
        ("money", "€", "EUR"),
        ("kind", "credit note", "Credit note"),
        ("orders", ["A-1", "B-2"], ["B2", "A1"]),
        ("orders", "A-1", ["A-1"]),
    ],
)
def test_values_that_mean_the_same_are_right(field: str, expected: Any, value: Any) -> None:
    assert cell(field, expected, value).outcome == "right"


@pytest.mark.parametrize(
    ("field", "expected", "value"),
    [
        ("amount", "119.00", "119.01"),
        ("amount", "5.00", "-5.00"),
        ("day", "2025-03-24", "2025-04-24"),
        ("number", "20417", "2041"),
        ("vat", "DE123456789", "FR123456789"),
        ("seller", "Brückner Metallbau GmbH", "GmbH"),
        ("seller", "Werk 4 GmbH", "Werk 5 GmbH"),
        ("note", "Delivered in good order", "Delivered"),
        ("money", "EUR", "USD"),
        ("orders", ["A-1", "B-2"], ["A-1"]),
        ("orders", ["A-1", "A-1"], ["A-1", "B-2"]),
    ],
)
def test_values_that_differ_are_wrong(field: str, expected: Any, value: Any) -> None:
    assert cell(field, expected, value).outcome == "wrong"


def test_null_means_that_the_document_does_not_say() -> None:
    assert cell("amount", None, None).outcome == "right"
    assert cell("amount", None, "5.00").outcome == "invented"
    assert cell("amount", "5.00", None).outcome == "missing"
    assert cell("orders", ["A-1"], []).outcome == "missing"


def test_an_unread_document_gets_nothing_right() -> None:
    truth = Truth("a.pdf", Path("a.pdf"), {"amount": ("5.00",), "note": None})
    assert [cell_score.outcome for cell_score in score(truth, None, FIELDS)] == ["missing", "missing"]
    failed = ReadDocument("failed", "needs_password")
    assert [(c.outcome, c.unread) for c in score(truth, failed, FIELDS)] == [("missing", "needs_password")] * 2


ROWS = [{"what": "Stahlwinkel", "quantity": "12", "price": "84.50"}, {"what": "Montage", "quantity": "2.5", "price": "61.20"}]


def test_rows_match_in_any_order_and_cells_without_truth_are_not_compared() -> None:
    assert cell("lines", ROWS, [{**ROWS[1], "quantity": "2.50"}, ROWS[0]]).outcome == "right"
    assert cell("lines", [{"price": "84.50"}, {"what": "Montage", "price": None}], ROWS).outcome == "right"


def test_a_table_with_a_row_too_many_or_a_wrong_cell_is_wrong_and_its_rows_are_counted() -> None:
    more = cell("lines", ROWS, [*ROWS, {"what": "Total", "quantity": None, "price": "1167.00"}])
    assert more.outcome == "wrong"
    assert more.rows is not None
    assert more.rows.f1 == pytest.approx(4 / 5)
    misread = cell("lines", ROWS, [ROWS[0], {**ROWS[1], "price": "67.20"}])
    assert misread.rows is not None
    assert misread.rows.matched == ((0, 0),)
    assert misread.rows.columns == {"what": (2, 2), "quantity": (2, 2), "price": (1, 2)}


def test_a_row_is_used_once() -> None:
    twice = cell("lines", [ROWS[0], ROWS[0]], [ROWS[0]])
    assert twice.rows is not None
    assert len(twice.rows.matched) == 1
    assert cell("lines", ROWS, [{"what": 5}, "no row", None]).outcome == "wrong"


def test_a_long_table_does_not_take_long() -> None:
    rows = [{"what": f"Item {n}", "quantity": str(n), "price": f"{n}.00"} for n in range(1_500)]
    assert cell("lines", rows, rows[::-1]).outcome == "right"
    assert cell("lines", rows, [{"what": "x" * 500, "quantity": "0.1", "price": "0.2"}] * 1_500).outcome == "wrong"

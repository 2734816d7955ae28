"""Every cell of a table has a confidence, and unsure rows are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pipeline.checks.calibration import calibration, review_threshold
from pipeline.checks.cell_features import product_holds
from pipeline.checks.confidence import assess_confidence
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.engines.embedded.fields import read_fields
from pipeline.publish.publication import Publication
from pipeline.publish.review_flags import fields_to_review, review_reasons
from pipeline.records import Evidence, Json, Result, UnitKey
from tests.engines.embedded.fields.pages import Line, page, template
from tests.publish.building import publication

INVOICE = template("invoice")
ITEMS: list[Line] = [
    (40, 220, "Description"),
    (280, 220, "Quantity"),
    (360, 220, "Unit price"),
    (480, 220, "Amount"),
    (40, 240, "Steel bolts"),
    (290, 240, "4"),
    (365, 240, "12.50"),
    (480, 240, "50.00"),
    (40, 256, "Copper wire"),
    (290, 256, "3"),
    (365, 256, "20.00"),
    (480, 256, "60.00"),
    (360, 300, "Subtotal"),
    (480, 300, "110.00"),
]


def result(number: int, fields: Mapping[str, Evidence]) -> Result:
    return Result(UnitKey("0" * 64, number, "invoice", "r"), "done", fields)


def read(lines: Sequence[Line]) -> dict[str, Evidence]:
    drawn = page(lines)
    return merge_pages([result(1, ground(read_fields(drawn, INVOICE), drawn, INVOICE))], INVOICE)


def table(rows: list[dict[str, Json]], likely: float = 0.95) -> Evidence:
    cells = [{name: likely for name in row if name != "description"} for row in rows]
    return Evidence(rows, page=1, score=0.9, grounding="exact", cells=cells)


def row(quantity: str, price: str, amount: str) -> dict[str, Json]:
    return {"description": "bolt", "quantity": quantity, "unit_price": price, "amount": amount}


def test_every_number_of_a_table_that_was_read_has_a_confidence() -> None:
    fields = assess_confidence(read(ITEMS), INVOICE, "embedded/1")
    items = fields["line_items"]
    assert [each["amount"] for each in items.value] == ["50.00", "60.00"]
    assert [sorted(cells) for cells in items.cells] == [["amount", "quantity", "unit_price"]] * 2
    assert all(0.5 < sure <= calibration().most for cells in items.cells for sure in cells.values())


@pytest.mark.parametrize("worse", [row("4", "12.50", "55.00"), row("4", "12.50", "500.00")])
def test_a_row_whose_product_fails_is_less_sure_and_named(worse: dict[str, Json]) -> None:
    def sure(first: dict[str, Json], total: str) -> Evidence:
        fields = {"line_items": table([first, row("3", "20.00", "60.00")], 0.7), "subtotal": Evidence(total, score=0.99)}
        return assess_confidence(fields, INVOICE, "embedded/1")["line_items"]

    good, bad = sure(row("4", "12.50", "50.00"), "110.00"), sure(worse, "110.00")
    assert bad.cells[0]["amount"] < good.cells[0]["amount"]
    threshold = review_threshold("invoice", 0.05)
    assert review_reasons(good, threshold, {}) == []
    reasons = review_reasons(bad, threshold, {})
    assert any(reason.startswith("row 1, ") for reason in reasons)
    assert fields_to_review({"line_items": bad}, threshold) == ["line_items"]


def test_the_cells_of_several_pages_are_those_of_the_joined_rows() -> None:
    first, second = table([row("1", "5.00", "5.00")], 0.9), table([row("2", "4.00", "8.00"), row("1", "1.00", "1.00")], 0.7)
    merged = merge_pages([result(1, {"line_items": first}), result(2, {"line_items": second})], INVOICE)["line_items"]
    assert [cells["amount"] for cells in merged.cells] == [0.9, 0.7, 0.7]
    assert len(merged.value) == 3


def test_what_another_engine_read_has_no_cells() -> None:
    fields = {"line_items": Evidence([row("4", "12.50", "50.00")])}
    assert assess_confidence(fields, INVOICE, "vlm/1 model")["line_items"].cells == ()
    assert fields_to_review(fields, 0.9) == []


def test_the_result_lists_the_confidence_of_each_cell() -> None:
    plain = publication("a.pdf", {"line_items": [row("4", "12.50", "50.00")]}, INVOICE)
    assert "cells" not in plain.as_json()["results"]["invoice"]["fields"]["line_items"]
    with_cells: Publication = publication(
        "a.pdf", {"line_items": [row("4", "12.50", "50.00")]}, INVOICE, cells=[{"amount": 0.91}]
    )
    assert with_cells.as_json()["results"]["invoice"]["fields"]["line_items"]["cells"] == [{"amount": 0.91}]


def test_a_product_is_told_by_the_types_of_the_columns() -> None:
    columns = INVOICE.fields["line_items"].columns
    assert product_holds(row("4", "12.50", "50.00"), columns) is True
    assert product_holds(row("4", "12.50", "51.00"), columns) is False
    assert product_holds({"amount": "50.00"}, columns) is None

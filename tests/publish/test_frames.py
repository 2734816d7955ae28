"""The frames of an export: exact types, and batches of a limited size."""

from __future__ import annotations

import datetime
from decimal import Decimal

from pipeline.publish.frames import frame_batches, make_frame, map_cells
from pipeline.publish.rows import DOCUMENTS, sheet_kinds
from tests.publish.building import BILL, publication

TEMPLATES = {"bill": BILL}
SHEETS = {name: sheet_kinds(name, TEMPLATES) or {} for name in (DOCUMENTS, "bill", "bill.items")}


def test_cells_have_the_exact_types_of_their_columns() -> None:
    values = {"number": "007", "day": "2025-09-12", "at": "09:42", "total": "12345678901234567890.10", "weight": "about 5"}
    (batch,) = frame_batches([publication("a.pdf", values)], TEMPLATES, SHEETS)
    row = batch.frames["bill"].to_dict("records")[0]
    assert row["number"] == "007"
    assert row["day"] == datetime.date(2025, 9, 12)
    assert row["at"] == datetime.time(9, 42)
    assert row["total"] == Decimal("12345678901234567890.10")
    assert str(row["total"]) == "12345678901234567890.10"
    assert row["weight"] == "about 5"
    assert row["note"] is None
    assert type(row["pages"]) is int


def test_batches_end_at_the_limit_of_rows_or_characters() -> None:
    documents = [publication(f"{n}.pdf", {"note": "x" * 100, "items": [{"code": "1"}]}) for n in range(6)]
    for limits in ({"max_rows": 6}, {"max_characters": 300}):
        batches = list(frame_batches(documents, TEMPLATES, SHEETS, **limits))
        assert [len(batch.publications) for batch in batches] == [2, 2, 2, 0]
        assert [list(batch.frames["bill"]["file"]) for batch in batches[:2]] == [["0.pdf", "1.pdf"], ["2.pdf", "3.pdf"]]
        assert [len(batch.frames["bill.items"]) for batch in batches] == [2, 2, 2, 0]


def test_without_documents_there_is_one_batch_with_all_columns() -> None:
    (batch,) = frame_batches([], TEMPLATES, SHEETS)
    assert {name: list(frame.columns) for name, frame in batch.frames.items()} == {
        name: list(kinds) for name, kinds in SHEETS.items()
    }


def test_mapped_cells_are_not_converted_to_another_type() -> None:
    frame = make_frame([["1", None], ["\ud800", 2]], ["text", "count"])
    assert map_cells(frame, lambda cell: cell).to_dict("list") == {"text": ["1", "\ud800"], "count": [None, 2]}

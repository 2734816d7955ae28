"""The tables of docs/accuracy.md come from results, not from a keyboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.accuracy_tables import measured, tables, with_block
from tests.cli.conftest import Pipeline
from tests.drawing import encrypted_pdf
from tests.evaluate.building import put, put_invoices, put_truth


def line(text: list[str], *begin: str) -> list[str]:
    """The cells of the first line of a table that begins so."""
    found = next(row for row in text if row.startswith(f"| {' | '.join(begin)} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_figures_by_set_field_language_and_medium(pipeline: Pipeline, folder: Path) -> None:
    rows = put_invoices(folder / "inbox", ["de", "en"])
    put(folder, "inbox/locked.pdf", encrypted_pdf("Total 5.00", "secret word"))
    rows.append({"file": "locked.pdf", "fields": {"total": "5.00"}})
    scored = ["vendor_name", "total", "currency"]
    for row in rows[:2]:
        row |= {"scored": scored, "line_items": row["fields"].pop("line_items"), "lang": row["file"][:2], "kind": "text_pdf"}
        row["absent"] = ["prepaid"]
    rows[0]["fields"]["total"] = "1.00"
    put_truth(folder / "inbox", rows)
    assert pipeline("run", "--template", "invoice", "--engine", "embedded", "-q").code == 1, "one is locked"
    text = list(tables([measured("ours", "invoice", folder / "inbox", folder / "outbox")], "a small processor"))
    summary = line(text, "ours", "3")
    assert summary[:4] == ["ours", "3", "3", "7"]
    assert summary[4].startswith("0.714 (")
    assert summary[5].startswith("1: 14.3 % (")
    assert summary[7] == "0 of 2"
    assert summary[9] == "1.000"
    assert line(text, "ours", "`total`")[2:4] == ["1 of 3", "1"], "what is locked is wrong, and says so"
    assert line(text, "ours", "de")[4:6] == ["2 of 3 (66.7 %)", "1"]
    assert line(text, "ours", "text pdf")[2:5] == ["2", "2", "5 of 6 (83.3 %)"]
    assert "a small processor" in text[-1]

    judged = put(folder, "judged.json", json.dumps({"misses": [{"file": "docs/en.pdf", "field": "vendor_name"}]}).encode())
    other = list(tables([measured("ours", "invoice", folder / "inbox", folder / "outbox", judged)]))
    assert line(other, "ours", "`total`")[2] == "3 of 3", "another scorer's word counts"
    assert line(other, "ours", "`vendor_name`")[2] == "1 of 2"


def test_a_document_that_scores_nothing_adds_no_value(pipeline: Pipeline, folder: Path) -> None:
    rows = put_invoices(folder / "inbox", ["de", "en"])
    rows[0]["scored"] = []
    put_truth(folder / "inbox", rows)
    pipeline("run", "--template", "invoice", "--engine", "embedded", "-q")
    text = list(tables([measured("ours", "invoice", folder / "inbox", folder / "outbox")]))
    assert line(text, "ours", "`total`")[2] == "1 of 1"


def test_a_block_of_a_page_is_replaced_and_only_that() -> None:
    page = "before\n<!-- figures: a -->\nold\n<!-- end: a -->\nbetween\n<!-- figures: b -->\nkept\n<!-- end: b -->\n"
    new = with_block(page, "a", "| new |")
    assert new == page.replace("old", "| new |")
    assert with_block(new, "a", "| new |") == new
    with pytest.raises(ValueError, match="once each"):
        with_block(page, "c", "")

"""The same invoice in two files is named in the one that came later, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.checks.duplicates import duplicate_keys
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.records import Evidence
from tests.drawing import invoice, invoice_pdf
from tests.engines.embedded.fields.pages import template
from tests.run.conftest import RunFolders


@pytest.fixture
def folders(folders: RunFolders) -> RunFolders:
    folders.engine = EmbeddedEngine()  # type: ignore[assignment]
    return folders


def number(folders: RunFolders, name: str) -> dict[str, Any]:
    found: dict[str, Any] = folders.json(name)["results"]["invoice"]["fields"]["invoice_number"]
    return found


def test_the_later_of_two_equal_invoices_names_the_earlier_one(folders: RunFolders) -> None:
    first = invoice("en")
    folders.put("b.pdf", invoice_pdf(first))
    folders.run("invoice")
    folders.put("a.pdf", invoice_pdf(first) + b"\n% sent again")
    folders.put("other.pdf", invoice_pdf(replace(first, number="INV-77310")))
    folders.run("invoice")
    assert "duplicate:b.pdf" in number(folders, "a.pdf")["flags"]
    assert "invoice_number" in folders.json("a.pdf")["results"]["invoice"]["review"]
    for name in ("b.pdf", "other.pdf"):
        assert not any(flag.startswith("duplicate") for flag in number(folders, name)["flags"])


def test_two_equal_invoices_of_one_run_and_the_first_read_again(folders: RunFolders) -> None:
    folders.put("a.pdf", invoice_pdf(invoice("en")))
    folders.put("b.pdf", invoice_pdf(invoice("en")) + b"\n% copy")
    folders.run("invoice")
    flagged = [n for n in ("a.pdf", "b.pdf") if any(f.startswith("duplicate") for f in number(folders, n)["flags"])]
    assert len(flagged) == 1
    folders.put("a.pdf", invoice_pdf(invoice("en")) + b"\n% changed")
    folders.run("invoice")
    assert any(flag.startswith("duplicate") for name in ("a.pdf", "b.pdf") for flag in number(folders, name)["flags"])


def test_equal_contents_under_two_names_are_one_document(folders: RunFolders) -> None:
    folders.put("a.pdf", invoice_pdf(invoice("en")))
    folders.put("b.pdf", invoice_pdf(invoice("en")))
    folders.run("invoice")
    assert not any(flag.startswith("duplicate") for name in ("a.pdf", "b.pdf") for flag in number(folders, name)["flags"])


@pytest.mark.parametrize(
    "values",
    [
        {"vendor_name": "Orkney Ferries", "date": "2024-03-14", "total": "12.50"},
        {"date": "2024-03-14", "time": "10:15", "total": "12.50"},
        {"vendor_name": "Orkney Ferries", "receipt_number": "7"},
    ],
)
def test_too_little_makes_no_key(values: dict[str, str]) -> None:
    assert duplicate_keys({name: Evidence(value) for name, value in values.items()}, template("receipt")) == []


def test_a_slip_without_a_number_is_known_by_its_time() -> None:
    values = {"vendor_name": "Orkney Ferries", "date": "2024-03-14", "time": "10:15"}
    one, two, other = (
        duplicate_keys({name: Evidence(value) for name, value in {**values, "total": total}.items()}, template("receipt"))
        for total in ("12.50", "12.5", "13.00")
    )
    assert [key.field for key in one] == ["total"]
    assert one == two != other

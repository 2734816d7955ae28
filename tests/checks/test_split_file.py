"""Where a file is cut, what is a copy, and in which order pages belong, from fields and marks alone."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import pytest

from pipeline.checks.split.file_page import FilePage, KeyFields
from pipeline.checks.split.page_list import parse_split
from pipeline.checks.split.split_file import BarcodeRules, split_file
from pipeline.records import Evidence, UnitStatus
from pipeline.settings import configs_folder
from pipeline.split_records import Barcode, PageMarks, Split, page_list, part_label
from pipeline.templates.load import load_template

KEYS = KeyFields.of(load_template(configs_folder() / "templates" / "invoice.yaml"))


def page(number: int, of: str, printed: tuple[int, int] = (0, 0), status: UnitStatus = "done", **fields: Any) -> FilePage:
    """A page of the document ``of``: its words are those of this name and of its printed page."""
    words = tuple(sorted(crc32(f"{of} {printed} {n}".encode()) for n in range(40)))
    head = tuple(sorted(crc32(f"head {of} {n}".encode()) for n in range(10)))
    codes = tuple(Barcode("Code39", text, (0, 0, 1, 1), number) for text in fields.pop("codes", ()))
    marks = PageMarks(number, 595, 842, 5 if codes else 200, False, *printed, False, False, head, (), words, codes)
    return FilePage(number, status, {name: Evidence(value, score=1.0) for name, value in fields.items()}, marks)


def invoice_page(number: int, of: str, printed: tuple[int, int] = (0, 0), **more: Any) -> FilePage:
    total = str(100 + len(of) + ord(of[-1]))
    fields = {
        "invoice_number": f"R-{of}",
        "vendor_name": f"{of} Ltd",
        "invoice_date": f"2026-01-{10 + ord(of[-1]) % 15}",
        "total": total,
    }
    return page(number, of, printed, **{**fields, "subtotal": total, **more})


def split(*pages: FilePage, policy: Any = "auto") -> Split | None:
    return split_file(pages, KEYS, policy, BarcodeRules(("PATCHT",), ("ASN*",)))


def documents(found: Split | None) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(one.pages, one.copies) for one in found.documents] if found else []


def test_two_invoices_are_two_documents_with_reasons() -> None:
    found = split(invoice_page(1, "a"), invoice_page(2, "b"))
    assert documents(found) == [((1,), ()), ((2,), ())]
    assert found
    assert found.cuts[0].is_cut
    assert {"another document number", "another sender"} & set(found.cuts[0].reasons)
    assert found.cuts[0].probability < 1


def test_pages_that_are_numbered_through_are_one_document() -> None:
    second = page(2, "a", (2, 2), invoice_number="R-a")
    found = split(invoice_page(1, "a", (1, 2), total=None, subtotal=None), second)
    assert documents(found) in ([], [((1, 2), ())])


def test_one_number_with_two_dates_is_doubtful() -> None:
    found = split(invoice_page(1, "a"), invoice_page(2, "a", invoice_date="2026-02-01", total="77.00", subtotal="77.00"))
    assert found
    assert found.cuts[0].is_doubtful


def test_a_page_that_was_not_read_is_named_for_review() -> None:
    found = split(invoice_page(1, "a"), page(2, "b", status="failed"), invoice_page(3, "c"))
    assert found
    assert [cut.before for cut in found.doubts] == [2]
    assert "a page was not read" in found.cuts[0].reasons


def test_a_duplicate_behind_other_documents_counts_once() -> None:
    found = split(invoice_page(1, "a"), invoice_page(2, "b"), invoice_page(3, "a"))
    assert documents(found) == [((1,), (3,)), ((2,), ())]


def test_a_separator_sheet_cuts_and_belongs_to_none() -> None:
    found = split(page(1, "a"), page(2, "s", codes=["patcht"]), page(3, "b"), policy="barcode")
    assert documents(found) == [((1,), ()), ((3,), ())]
    assert found
    assert found.left_out == ((2, "separator"),)


def test_an_invoice_that_carries_the_code_of_a_separator_is_no_separator() -> None:
    found = split(page(1, "a"), invoice_page(2, "b", codes=["PATCHT"]), policy="barcode")
    assert documents(found) == []


def test_fronts_and_backs_are_put_together_only_where_page_numbers_prove_it() -> None:
    fronts = [invoice_page(n, of, (1, 2), total=None, subtotal=None) for n, of in enumerate("abc", 1)]
    backs = [page(n, of, (2, 2), total="9.00") for n, of in enumerate("cba", 4)]
    assert documents(split(*fronts, *backs)) == [((1, 6), ()), ((2, 5), ()), ((3, 4), ())]
    unnumbered = [FilePage(one.number, one.status, one.fields) for one in (*fronts, *backs)]
    found = split(*unnumbered)
    assert not (found and found.order_note)


def test_blank_pages_alone_are_no_document() -> None:
    assert split(page(1, "", status="blank"), page(2, "", status="blank")) is None


@pytest.mark.parametrize("text", ["1-3,3", "0-1", "1-9", "a", "1,,2", "2-1", "1-3,4;5", ""])
def test_a_wrong_split_is_refused_with_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=r"page|pages"):
        parse_split(text, 6)


def test_a_split_is_written_as_a_person_reads_it() -> None:
    found = parse_split("5-6, 1+3-4", 6)
    assert [one.pages for one in found.documents] == [(1, 3, 4), (5, 6)]
    assert found.left_out == ((2, "person"),)
    assert [part_label(one) for one in found.documents] == ["1+3-4", "5-6"]
    assert page_list([]) == ""

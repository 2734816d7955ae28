"""The list of documents in a real browser: sorting, filters, saved views, search in all words, duplicates, many documents at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.web.interface.conftest import DESKTOP, PHONE, TOKEN, ServedOutbox, serve_outbox
from tests.web.review.building import grounded

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OpenPage = Callable[..., Any]


@pytest.fixture(scope="module", autouse=True)
def three(outbox: ServedOutbox) -> None:
    """Three invoices; the last one is the first one again under another name."""
    for name, vendor, number, date in (
        ("b.pdf", "Birch & Sons", "B-2", "2025-02-01"),
        ("a.pdf", "Alder Ltd", "A-1", "2025-03-01"),
        ("c.pdf", "Alder Ltd", "A-1", "2025-03-01"),
    ):
        sure = {"vendor_name": vendor, "invoice_number": number, "invoice_date": date}
        changes: dict[str, Any] = {key: grounded(value, confidence=0.999) for key, value in sure.items()}
        if name == "b.pdf":
            changes["total"] = grounded("90.00", confidence=0.3)
        outbox.add_invoice(name, **changes)


def rows(page: Any) -> list[str]:
    names: list[str] = page.locator("#results tbody tr td:nth-child(2) a").all_inner_texts()
    return names


def test_columns_sort_by_amount_and_vendor_and_a_view_is_saved(open_page: OpenPage) -> None:
    page = open_page("/")
    with page.expect_navigation():
        page.get_by_role("link", name="Total").click()
    assert rows(page)[0] == "b.pdf", "90 before 1400: amounts, no texts"
    with page.expect_navigation():
        page.get_by_role("link", name="Total").click()
    assert rows(page)[-1] == "b.pdf"
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Total")
    page.get_by_label("Marked").select_option("duplicate")
    with page.expect_navigation():
        page.get_by_role("button", name="Show").click()
    assert sorted(rows(page)) == ["a.pdf", "c.pdf"]
    assert page.get_by_text("duplicate?").count() == 2
    page.get_by_role("button", name="Save this view").click()
    page.get_by_label("Name of the view").fill("Paid twice?")
    page.keyboard.press("Enter")
    page.get_by_text("is saved").wait_for()
    page.goto(page.url.split("?")[0])
    page.locator("#view option", has_text="Paid twice?").wait_for(state="attached")
    page.get_by_label("Saved views").select_option("Paid twice?")
    page.wait_for_url("**marked=duplicate**")
    assert sorted(rows(page)) == ["a.pdf", "c.pdf"]


def test_many_are_approved_exported_and_downloaded_at_once(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/")
    page.get_by_label("Choose a.pdf").check()
    page.get_by_label("Choose b.pdf").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Excel").click()
    download.value.save_as(tmp_path / "some.xlsx")
    with page.expect_download() as download:
        page.get_by_role("button", name="Overview (CSV)").click()
    download.value.save_as(tmp_path / "some.csv")
    lines = (tmp_path / "some.csv").read_text(encoding="utf-8-sig").splitlines()
    head = "vendor,vendor_vat_id,number,date,due_date,net,tax,total,currency,template,state,to_check,file"
    assert lines[0] == head
    assert lines[1].startswith("Alder Ltd,,A-1,2025-03-01,2025-04-23,1167.00,233.40,1400.40,GBP,invoice,to_check,")
    assert len(lines) == 3
    sheet = openpyxl.load_workbook(tmp_path / "some.xlsx")["documents"]
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == ["a.pdf", "b.pdf"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Originals").click()
    download.value.save_as(tmp_path / "some.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "some.zip").read_bytes())) as archive:
        assert sorted(archive.namelist()) == ["a.pdf", "b.pdf"]
    page.get_by_role("button", name="Approve those without doubts").click()
    page.get_by_text("Approved: 1 document, 1 left as they are.").wait_for()
    page.locator("#results tr", has_text="a.pdf").get_by_text("approved").wait_for()
    assert page.locator("#results tr", has_text="b.pdf").get_by_text("to check").is_visible()
    page.get_by_label("Choose a.pdf").check()
    page.get_by_role("button", name="Mark as exported").click()
    page.locator("#results tr", has_text="a.pdf").get_by_text("exported").wait_for()


def test_several_are_ordered_to_be_read_again_at_once(outbox: ServedOutbox, open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_label("Choose b.pdf").check()
    page.get_by_label("Choose c.pdf").check()
    page.get_by_role("button", name="Read again").click()
    page.get_by_text("Ordered to be read again: 2 documents.").wait_for()
    ids = dict(
        zip(rows(page), page.locator("#results tbody .pick input").evaluate_all("all => all.map(e => e.value)"), strict=True)
    )
    open_orders = {name: outbox.view(id)["reread"] for name, id in ids.items()}  # noqa: A001 - as in the addresses
    assert open_orders == {"a.pdf": None, "b.pdf": {"error": ""}, "c.pdf": {"error": ""}}


def test_an_empty_list_says_what_to_do_first(open_page: OpenPage, browser: Any, tmp_path: Path) -> None:
    with serve_outbox(tmp_path) as empty:
        page = browser.new_page()
        page.goto(f"{empty.base}/?token={TOKEN}")
        hint = page.locator("#results .empty")
        assert "Drop files or a folder above, or copy them into the inbox" in hint.inner_text()
        assert page.get_by_role("button", name="Approve").count() == 0, "there is nothing to choose"
        page.locator("#files").set_input_files([{"name": "first.txt", "mimeType": "text/plain", "buffer": b"A first text"}])
        page.get_by_text("in the inbox").first.wait_for()
        assert (tmp_path / "inbox" / "first.txt").read_bytes() == b"A first text", "what the hint says works"
        page.close()
    page = open_page("/")
    page.goto(f"{page.url.split('?')[0]}?q=nowhereprinted")
    assert "Nothing matches" in page.locator("#results .empty").inner_text(), "filters are another reason than no documents"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "390"])
def test_the_list_fits_and_axe_finds_nothing(open_page: OpenPage, size: dict[str, int]) -> None:
    page = open_page("/", size)
    first = page.locator("#results tbody tr").first.bounding_box()
    assert first["y"] < size["height"], "the first document is in sight"
    page.get_by_label("Choose a.pdf").check()
    if size is PHONE:
        page.get_by_text("More filters").click()
    page.get_by_label("Marked").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    for heading in page.locator("#results th").all() if size is DESKTOP else ():
        assert heading.evaluate("cell => cell.getClientRects()[0].height < 60"), "no heading is broken letter by letter"
    violations = axe.Axe().run(page).response["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]][:3]) for item in violations] == []


def test_many_files_that_were_taken_leave_one_line(open_page: OpenPage) -> None:
    """Twenty green lines would push the list out of sight; a refused file stays."""
    page = open_page("/")
    files = [{"name": f"n{n}.txt", "mimeType": "text/plain", "buffer": f"text {n}".encode()} for n in range(7)]
    page.locator("#files").set_input_files(files)
    page.get_by_text("7 files in the inbox").wait_for()
    assert page.locator("#uploads li").count() == 1

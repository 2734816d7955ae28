"""The pages in a real browser: a file goes up, is read, corrected and asked about, with the keyboard, on a phone, before axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drawing import invoice, invoice_pdf
from tests.serve.conftest import Served

pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PATIENCE = 180_000
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    """A page that is let in; at the end nothing may have gone wrong, been refused, or come from elsewhere."""
    troubles: list[str] = []
    opened = browser.new_page(viewport=DESK)
    opened.set_default_timeout(PATIENCE)
    opened.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    opened.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
    opened.on(
        "request", lambda request: None if request.url.startswith(served.base) else troubles.append(f"loads {request.url}")
    )
    opened.goto(f"{served.base}/?token={served.token}")
    assert served.token not in opened.url
    yield opened
    opened.close()
    assert [trouble for trouble in troubles if "409 (Conflict)" not in trouble] == []


def test_a_file_goes_up_is_corrected_and_asked_about_by_keyboard_alone(page: Any, served: Served, tmp_path: Path) -> None:
    path = tmp_path / "from the browser.pdf"
    path.write_bytes(invoice_pdf(invoice("en")))
    page.locator("#files").set_input_files(path)
    page.get_by_text("from the browser.pdf: in the inbox").wait_for()
    page.locator("#results").get_by_role("link", name="from the browser.pdf").wait_for()  # without a reload
    page.locator("#who").fill("Anna")
    page.locator("#who").press("Tab")
    page.locator("#results").get_by_role("link", name="from the browser.pdf").press("Enter")
    box = page.locator('rect[data-field="invoice.total"]')
    box.wait_for()
    field = page.locator('li[data-field="invoice.total"]')
    field.locator("summary").press("Enter")
    assert "on" in (box.get_attribute("class") or "").split(), "the box of the value in hand is marked"
    field.locator("textarea").fill("12.50")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    field.get_by_text("corrected by Anna").wait_for()
    assert field.locator(".text").inner_text() == "12.50"
    question = page.get_by_label("Question", exact=True)
    question.fill("What is the due date?")
    question.press("Enter")
    page.locator(".answer").first.wait_for()
    assert "2025" in page.locator(".answer").first.inner_text()
    page.get_by_label("Question", exact=True).fill("And the currency?")
    page.get_by_label("Question", exact=True).press("Enter")
    page.locator("li.follows .answer").wait_for()
    assert served.published("from the browser.pdf")["results"]["invoice"]["fields"]["total"]["value"] == "12.50"


def test_who_comes_second_sees_what_the_first_said(page: Any, served: Served, document: dict[str, Any]) -> None:
    page.goto(f"{served.base}/documents/{document['id']}")
    field = page.locator('li[data-field="invoice.subtotal"]')
    field.locator("summary").click()
    with served.client() as other:
        said = {"value": "3.00", "version": 0, "by": "Ben"}
        other.put(f"/api/documents/{document['id']}/fields/invoice/subtotal", json=said)
    field.locator("textarea").fill("4.00")
    field.get_by_role("button", name="Save").click()
    field.get_by_text('Ben said "3.00" meanwhile').wait_for()
    assert field.locator("textarea").input_value() == "4.00", "what was typed is still there"
    field.get_by_role("button", name="Save").click()
    page.locator('li[data-field="invoice.subtotal"] .text', has_text="4.00").wait_for()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_cut_off_and_axe_finds_nothing(
    page: Any, served: Served, document: dict[str, Any], size: dict[str, int]
) -> None:
    page.set_viewport_size(size)
    for path in ("/", f"/documents/{document['id']}"):
        page.goto(f"{served.base}{path}")
        if path != "/":
            page.locator("svg image").wait_for()
            page.locator(".edit summary").first.click()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        found = axe.Axe().run(page).response["violations"]
        assert [(item["id"], [node["html"] for node in item["nodes"]][:3]) for item in found] == []

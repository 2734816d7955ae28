"""The served pages in a real browser: upload, correction and questions, by keyboard, on a phone, and checked by axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drawing import invoice, invoice_pdf, text_pdf
from tests.web.serve.conftest import Served

pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TIMEOUT_MILLISECONDS = 90_000
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    """A page with the token; at the end it may have had no error, no refused request, and no request to another server."""
    problems: list[str] = []
    opened = browser.new_page(viewport=DESKTOP)
    opened.set_default_timeout(TIMEOUT_MILLISECONDS)
    opened.on("pageerror", lambda error: problems.append(f"error: {error}"))
    opened.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
    opened.on(
        "request", lambda request: None if request.url.startswith(served.base) else problems.append(f"loads {request.url}")
    )
    opened.goto(f"{served.base}/?token={served.token}")
    assert served.token not in opened.url
    yield opened
    opened.close()
    expected = ("409 (Conflict)", "400 (Bad Request)")
    assert [problem for problem in problems if not any(words in problem for words in expected)] == []


def test_a_file_is_uploaded_corrected_and_questioned_by_keyboard(page: Any, served: Served, tmp_path: Path) -> None:
    path = tmp_path / "from the browser.pdf"
    path.write_bytes(invoice_pdf(invoice("en")))
    page.locator("#files").set_input_files(path)
    page.get_by_text("from the browser.pdf: in the inbox").wait_for()
    page.locator("#results").get_by_role("link", name="from the browser.pdf").wait_for()  # without a reload
    page.locator("#author").fill("Anna")
    page.locator("#author").press("Tab")
    page.locator("#results").get_by_role("link", name="from the browser.pdf").press("Enter")
    box = page.locator('.box[data-field~="invoice.total"]')
    box.wait_for()
    field = page.locator('li[data-field="invoice.total"]')
    field.locator(".label").press("Enter")
    assert "on" in (box.get_attribute("class") or "").split(), "the box of the active value is marked"
    page.keyboard.press("c")
    field.locator("textarea").fill("12.50")
    page.keyboard.press("Enter")
    field.get_by_text("corrected by Anna").wait_for()
    assert field.locator(".value").inner_text() == "12.50"
    page.get_by_text("No language model answers here").wait_for()
    question = page.get_by_label("Question", exact=True)
    question.fill("What is the due date?")
    question.press("Enter")
    page.locator(".answer").first.wait_for()
    assert "2025" in page.locator(".answer").first.inner_text()
    page.get_by_label("Question", exact=True).fill("And the currency?")
    page.get_by_label("Question", exact=True).press("Enter")
    page.locator("li.follows .answer").wait_for()
    assert served.published("from the browser.pdf")["results"]["invoice"]["fields"]["total"]["value"] == "12.50"


def test_a_file_added_twice_is_stored_once_and_a_refused_file_is_reported(page: Any, served: Served, tmp_path: Path) -> None:
    path, empty = tmp_path / "dropped.pdf", tmp_path / "empty.pdf"
    path.write_bytes(text_pdf(["Dropped twice"]))
    empty.touch()
    for message in ("dropped.pdf: in the inbox", "dropped.pdf: these contents are in the inbox already"):
        page.locator("#files").set_input_files([path, empty])
        page.locator("#uploads li", has_text=message).wait_for()
        page.get_by_text("1 of 2 files refused").wait_for()
    page.locator("#results").get_by_role("link", name="dropped.pdf").wait_for()
    assert not list(served.inbox.glob("dropped (2)*"))


def test_the_files_of_a_dropped_folder_are_uploaded(page: Any, served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    (folder / "deep").mkdir(parents=True)
    for name in ("outer letter.pdf", "deep/inner letter.pdf"):
        (folder / name).write_bytes(text_pdf([name]))
    driver = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        driver.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 200, "data": data})
    for name in ("letters/outer letter.pdf", "letters/deep/inner letter.pdf"):
        page.locator("#uploads li", has_text=f"{name}: in the inbox").wait_for()
        assert (served.inbox / name).is_file(), "the folders stay"


def test_an_answer_has_a_box_and_two_browsers_show_the_same(
    page: Any, browser: Any, served: Served, document: dict[str, Any]
) -> None:
    other = browser.new_context(viewport=DESKTOP)
    other_page = other.new_page()
    other_page.goto(f"{served.base}/?token={served.token}")
    address = f"{served.base}/documents/{document['id']}"
    for each in (page, other_page):
        each.goto(address)
        each.locator(".page-figure img").wait_for()
    page.get_by_label("Question", exact=True).fill("What is the invoice number?")
    page.get_by_role("button", name="Ask").click()
    for each in (page, other_page):  # without a reload
        answer = each.locator("#questions li", has_text="What is the invoice number?")
        answer.locator(".answer", has_text="EN-20417").wait_for(timeout=TIMEOUT_MILLISECONDS)
        box = each.locator(f'.box.answer[data-answer="{answer.get_attribute("data-question")}"]')
        box.wait_for(timeout=TIMEOUT_MILLISECONDS)
        answer.hover()
        assert "on" in (box.get_attribute("class") or "").split()
    other.close()


def test_pages_without_scripts_can_be_searched_and_show_results(browser: Any, served: Served, document: dict[str, Any]) -> None:
    plain = browser.new_context(viewport=DESKTOP, java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{served.base}/?token={served.token}")
    page.get_by_label("Search").fill("harrow lane")
    page.get_by_role("button", name="Show").click()
    page.locator("#results").get_by_role("link", name=document["file"]).click()
    assert page.get_by_text("Harrow Lane Tools Ltd").first.is_visible()
    plain.close()
    with served.client() as client:  # <noscript> is invisible when only the driver switches scripts off
        noscript = re.findall(r"<noscript>(.*?)</noscript>", client.get(f"/documents/{document['id']}").text, re.DOTALL)
        assert any("Without JavaScript" in text for text in noscript)
        (picture,) = re.findall(r'<img src="([^"]+)"', "".join(noscript))
        assert client.get(picture).headers["content-type"] == "image/webp"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_cut_off_and_axe_finds_nothing(
    page: Any, served: Served, document: dict[str, Any], size: dict[str, int], dark: bool
) -> None:
    assert document["status"] == "done"
    page.set_viewport_size(size)
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.goto(f"{served.base}/")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    violations = axe.Axe().run(page).response["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]][:3]) for item in violations] == []


def test_documents_are_deleted_and_brought_back(page: Any, served: Served, tmp_path: Path) -> None:
    for name in ("keep.pdf", "go-1.pdf", "go-2.pdf"):
        (tmp_path / name).write_bytes(text_pdf([f"This is {name}"]))
    page.locator("#files").set_input_files([tmp_path / name for name in ("keep.pdf", "go-1.pdf", "go-2.pdf")])
    for name in ("keep.pdf", "go-1.pdf", "go-2.pdf"):
        page.locator("#results tr", has_text=name).locator(".badge", has_text="to check").wait_for()
    original = (served.inbox / "go-1.pdf").read_bytes()
    for name in ("go-1.pdf", "go-2.pdf"):
        page.get_by_label(f"Choose {name}").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("Deleted: 2 documents.").wait_for()
    page.locator("#results tr", has_text="go-1.pdf").wait_for(state="detached")
    assert not (served.inbox / "go-1.pdf").exists()
    assert not (served.outbox / "go-1.pdf.json").exists()
    assert page.locator("#results tr", has_text="keep.pdf").is_visible()
    page.locator("#trash summary").click()
    page.locator("#deletions li", has_text="go-1.pdf, go-2.pdf").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.locator("#results tr", has_text="go-1.pdf").locator(".badge", has_text="to check").wait_for()
    assert (served.inbox / "go-1.pdf").read_bytes() == original
    assert (served.outbox / "go-2.pdf.json").is_file()

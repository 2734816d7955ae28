"""The interface in other languages, in a real browser: nothing known is left in English, and documents stay as they are."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.web.page_languages import script_texts
from tests.web.interface.conftest import PHONE, TIMEOUT_MILLISECONDS, OpenPage, ServedOutbox

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

expect.set_options(timeout=TIMEOUT_MILLISECONDS)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SHOWN = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const others = "script, noscript, .value, q, .words, .reasons, .notes";
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(others)) found.push(walker.currentNode.data.trim());
  const names = ["aria-label", "title", "placeholder"];
  for (const element of document.querySelectorAll("*")) for (const name of names) found.push(element.getAttribute(name) || "");
  return found.filter(Boolean);
}"""


def left_in_english(page: Any, language: str) -> list[str]:
    """What is shown that has a translation."""
    texts = {text: string for text, string in script_texts(language).items() if text != string}
    patterns = [
        re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(text).replace(r"\{count\}", r"\d+")))
        for text in texts
        if len(re.sub(r"\{\w+\}", "", text)) > 8
    ]
    same = {string for string in script_texts(language).values() if isinstance(string, str)}
    return [text for text in page.evaluate(SHOWN) if text not in same and any(p.fullmatch(text) for p in patterns)]


def test_an_invoice_is_checked_in_german(outbox: ServedOutbox, open_page: OpenPage) -> None:
    id = outbox.add_invoice("deutsch.pdf", pages=2)  # noqa: A001 - as in the addresses
    page = open_page(f"/documents/{id}", locale="de-DE")
    page.locator(".words span").first.wait_for()
    assert page.locator("html").get_attribute("lang") == "de"
    expect(page.get_by_role("button", name="Freigeben")).to_be_visible()
    expect(page.locator(".page-number")).to_have_text("Seite 1 von 2")
    assert left_in_english(page, "de") == []
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="Bestätigen")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Speichern")).to_be_visible()
    assert left_in_english(page, "de") == []
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator(".corrected").first).to_contain_text("bestätigt von somebody")
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Rückgängig")).to_be_visible()
    assert left_in_english(page, "de") == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("den Wert bestätigen")
    expect(page.locator(".field", has_text="vendor name").locator(".value")).to_have_text("Harrow Lane Tools Ltd")


@pytest.mark.parametrize(
    ("language", "pages", "approve"),
    [("pl-PL", "2 strony", "Zatwierdź"), ("zh-CN", "2 页", "批准"), ("fr-FR", "2 pages", "Approuver")],
)
def test_numbers_and_nouns_have_their_forms_and_nothing_is_cut_off_on_a_phone(
    outbox: ServedOutbox, open_page: OpenPage, language: str, pages: str, approve: str
) -> None:
    id = outbox.add_invoice(f"{language}.pdf", pages=2)  # noqa: A001
    page = open_page(f"/documents/{id}", PHONE, locale=language)
    expect(page.get_by_role("button", name=approve)).to_be_visible()
    expect(page.locator(".document-head .links")).to_contain_text(pages)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert left_in_english(page, language[:2]) == []

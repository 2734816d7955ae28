"""The interface in other languages, in a real browser: nothing known is left in English, and documents stay as they are."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.web.page_languages import field_names, read_catalogue, script_texts
from tests.web.interface.conftest import PHONE, TIMEOUT_MILLISECONDS, OpenPage, ServedOutbox
from tests.web.review.building import grounded

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

expect.set_options(timeout=TIMEOUT_MILLISECONDS)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SHOWN = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const others = "script, noscript, .value, q, .words";
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(others)) found.push(walker.currentNode.data.trim());
  const names = ["aria-label", "title", "placeholder"];
  for (const element of document.querySelectorAll("*")) for (const name of names) found.push(element.getAttribute(name) || "");
  return found.filter(Boolean);
}"""


def left_in_english(page: Any, language: str) -> list[str]:
    """What is shown that has a translation."""
    places, count = r"\\\{\w+\\\}|%\\\(\w+\\\)s", r"\{count\}"
    texts = {text for text, string in script_texts(language).items() if text != string}
    for name in ("pages", "reasons"):
        texts |= {
            str(message.id)
            for message in read_catalogue(language, name)
            if message.id != message.string and isinstance(message.id, str) and message.id
        }
    patterns = [
        re.compile(re.sub(places, ".+", re.escape(text).replace(count, r"\d+")))
        for text in texts
        if len(re.sub(r"\{\w+\}|%\(\w+\)s", "", text)) > 8
    ]
    patterns += [re.compile(name.replace("_", " ")) for name, string in field_names(language).items() if "_" in name]
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
    expect(page.locator(".field", has_text="Lieferant").locator(".value").first).to_have_text("Harrow Lane Tools Ltd")
    expect(page.locator(".field", has_text="Rechnungsdatum").first).to_contain_text("falsch mit der Wahrscheinlichkeit 28")


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("de-DE", ["1.400,40", "24.03.2025", "Rechnung", "zu prüfen", "Rechnungsnummer", "1 passendes Dokument", "Gesamt"]),
        (
            "pl-PL",
            [
                "1 400,40".replace(" ", "\u00a0"),
                "24 mar 2025",
                "faktura",
                "do sprawdzenia",
                "numer faktury",
                "1 pasujący dokument",
            ],
        ),
        ("zh-CN", ["1,400.40", "2025年3月24日", "发票", "待核对", "发票号码", "1 份匹配的文档"]),
    ],
)
def test_the_list_speaks_the_language_of_the_browser(
    outbox: ServedOutbox, open_page: OpenPage, language: str, texts: list[str]
) -> None:
    outbox.add_invoice("list.pdf")
    page = open_page("/", locale=language)
    page.goto(f"{outbox.base}/?q=LIST")
    assert page.locator("html").get_attribute("lang") == language[:2]
    for text in texts:
        expect(page.locator("#results")).to_contain_text(text)
    page.locator("#results td.pick input").check()
    expect(page.locator("#bulk button").first).to_be_visible()
    assert left_in_english(page, language[:2]) == []
    page.locator("#save-view").click()
    assert left_in_english(page, language[:2]) == []


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


def test_values_of_a_page_in_arabic_or_hebrew_run_from_right_to_left(outbox: ServedOutbox, open_page: OpenPage) -> None:
    """Each value has its own direction, also within rows and in the list, and the page around it keeps its own."""
    names: dict[str, Any] = {"vendor_name": grounded("شركة النور للتجارة (2024)", confidence=0.99)}
    rows = grounded([{"description": "מנורת שולחן 12V", "amount": "40.00"}], printed=None, confidence=0.99)
    page = open_page(f"/documents/{outbox.add_invoice('rtl.pdf', **names, line_items=rows)}", PHONE)
    direction = "element => getComputedStyle(element).direction"
    vendor = page.locator('.field[data-field="invoice.vendor_name"] .value')
    assert vendor.evaluate(direction) == "rtl"
    assert page.locator("td", has_text="מנורת").evaluate(direction) == "rtl"
    assert page.locator("td", has_text="40.00").evaluate(direction) == "ltr"
    page.goto(f"{outbox.base}/?q=rtl")
    listed = page.locator("#results td", has_text="شركة")
    listed.wait_for()
    assert listed.locator("bdi").evaluate(direction) == "rtl"
    assert page.locator("body").evaluate(direction) == "ltr"

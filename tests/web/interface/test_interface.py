"""The interface of `pipeline serve` in a real browser: values are corrected beside their page, by mouse, by keyboard and on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.records import Evidence
from tests.web.interface.conftest import DESKTOP, PHONE, TIMEOUT_MILLISECONDS, OpenPage, ServedOutbox

pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
from playwright.sync_api import expect  # noqa: E402 - only with the package

expect.set_options(timeout=TIMEOUT_MILLISECONDS)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def field(page: Any, name: str) -> Any:
    return page.locator(f'.field[data-field="invoice.{name}"]')


def word(page: Any, text: str) -> Any:
    return page.locator(".words span", has_text=text).first


def test_words_of_the_page_fill_the_field_in_hand(outbox: ServedOutbox, open_page: OpenPage) -> None:
    """A click takes a word, dragging takes several; the value gets the type of its field, and a box where it is printed."""
    id = outbox.add_invoice("filled.pdf", vendor_name=Evidence(None), total=Evidence("9.00", confidence=0.5))  # noqa: A001
    page = open_page(f"/documents/{id}")
    field(page, "total").locator(".label").click()
    word(page, "1,400.40").wait_for()
    page.keyboard.press("c")
    word(page, "1,400.40").click()
    expect(field(page, "total").locator("textarea")).to_have_value("£1,400.40")
    page.keyboard.press("Enter")
    expect(field(page, "total").locator(".value")).to_have_text("1400.40")
    expect(field(page, "total").locator(".corrected")).to_contain_text("corrected by somebody")
    expect(page.locator('.box[data-field~="invoice.total"]')).to_have_count(1)
    expect(field(page, "total").locator(".reasons")).to_have_count(0)

    page.get_by_text("Not on the document").click()
    field(page, "vendor_name").locator(".label").click()
    page.keyboard.press("c")
    first, last = word(page, "Tools").bounding_box(), word(page, "Ltd").bounding_box()
    page.mouse.move(first["x"] + 1, first["y"] + 1)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] - 1, last["y"] + last["height"] - 1, steps=4)
    page.mouse.up()
    expect(field(page, "vendor_name").locator("textarea")).to_have_value("Tools Ltd")
    page.keyboard.press("Enter")
    expect(field(page, "vendor_name").locator(".value")).to_have_text("Tools Ltd")
    assert outbox.view(id)["fields"]["invoice.vendor_name"]["edit"]["value"] == "Tools Ltd"


def test_the_field_in_hand_is_enlarged_and_esc_leaves_it_unchanged(outbox: ServedOutbox, open_page: OpenPage) -> None:
    id = outbox.add_invoice("left.pdf")  # noqa: A001
    page = open_page(f"/documents/{id}")
    page.locator(".page-figure img").wait_for()
    page.keyboard.press("n")
    expect(page.get_by_role("img", name="invoice number as printed")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("anything")
    page.keyboard.press("Escape")
    expect(field(page, "invoice_number").locator(".value")).to_have_text("LEFT")
    assert outbox.view(id)["fields"]["invoice.invoice_number"].get("corrected") is None


def test_a_second_correction_gets_a_message_about_the_first(outbox: ServedOutbox, open_page: OpenPage) -> None:
    id = outbox.add_invoice("twice.pdf")  # noqa: A001
    page = open_page(f"/documents/{id}")
    field(page, "subtotal").locator(".label").click()
    page.keyboard.press("c")
    with outbox.client() as other:
        other.put(f"/api/documents/{id}/fields/invoice/subtotal", json={"value": "3.00", "version": 0, "by": "Ben"})
    page.keyboard.type("4.00")
    page.keyboard.press("Enter")
    expect(field(page, "subtotal").locator(".refused")).to_contain_text("Ben entered 3.00 in the meantime")
    expect(field(page, "subtotal").locator("textarea")).to_have_value("4.00")
    page.keyboard.press("Enter")
    expect(field(page, "subtotal").locator(".value")).to_have_text("4.00")
    field(page, "subtotal").locator(".label").click()
    field(page, "subtotal").get_by_text("2 corrections").click()
    expect(field(page, "subtotal").locator(".history li")).to_have_count(2)
    page.keyboard.press("u")
    expect(field(page, "subtotal").locator(".value")).to_have_text("1167.00")


def test_pages_are_turned_enlarged_and_reached_by_thumbnails(outbox: ServedOutbox, open_page: OpenPage) -> None:
    page = open_page(f"/documents/{outbox.add_invoice('long.pdf', pages=3)}")
    page.get_by_role("button", name="Page 3").click()
    expect(page.locator(".page-figure img")).to_have_attribute("alt", "Page 3 of long.pdf")
    word(page, "Appendix").wait_for()
    page.keyboard.press("[")
    expect(page.locator(".page-figure img")).to_have_attribute("alt", "Page 2 of long.pdf")
    upright = page.locator(".turned").bounding_box()
    page.keyboard.press("r")
    turned = page.locator(".turned").bounding_box()
    assert (upright["height"] > upright["width"], turned["width"] > turned["height"]) == (True, True)
    page.keyboard.press("z")
    assert page.locator(".turned").bounding_box()["width"] > 1.9 * turned["width"]
    page.keyboard.press("n")
    expect(page.locator(".page-figure img")).to_have_attribute("alt", "Page 1 of long.pdf")  # a field turns to its page


def test_words_of_a_scan_can_be_picked_and_selected(outbox: ServedOutbox, open_page: OpenPage) -> None:
    page = open_page(f"/documents/{outbox.add_invoice('scan.pdf', scan=True)}")
    field(page, "total").locator(".label").click()
    word(page, "1,400.40").wait_for()
    selected = page.evaluate(
        """() => { getSelection().selectAllChildren(document.querySelector('.words')); return getSelection().toString(); }"""
    )
    assert "Harrow Lane Tools Ltd" in selected
    page.evaluate("getSelection().removeAllRanges()")
    word(page, "20457").click()
    expect(field(page, "total").locator("textarea")).to_have_value("20457")


def test_on_a_phone_the_page_stays_visible_while_fields_scroll(outbox: ServedOutbox, open_page: OpenPage) -> None:
    page = open_page(f"/documents/{outbox.add_invoice('phone.pdf')}", PHONE)
    page.locator(".page-figure img").wait_for()
    field(page, "total").scroll_into_view_if_needed()
    field(page, "total").locator(".label").click()
    image = page.locator(".page-figure img").bounding_box()
    row = field(page, "total").bounding_box()
    pane = page.locator(".pages").bounding_box()
    assert pane["y"] <= 1
    assert image["y"] < pane["y"] + pane["height"]
    assert row["y"] >= pane["y"] + pane["height"] - 1, "the page covers no field"
    marked = page.locator('.box[data-field~="invoice.total"]').bounding_box()
    assert pane["y"] <= marked["y"] <= pane["y"] + pane["height"], "its box is in sight"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_phone_accepts_corrects_rows_and_approves(outbox: ServedOutbox, open_page: OpenPage) -> None:
    """In German, whose words are long: every button of the bar at the foot is whole, also in a document that is approved."""
    id, below = outbox.add_invoice("tap1.pdf"), outbox.add_invoice("tap2.pdf")  # noqa: A001
    page = open_page(f"/documents/{id}", PHONE, locale="de-DE", has_touch=True)

    def buttons_are_whole() -> bool:
        return bool(
            page.evaluate(
                """[...document.querySelectorAll(".steps button")].every(button => {
                  const box = button.getBoundingClientRect();
                  return box.left >= 0 && box.right <= innerWidth && button.scrollWidth <= button.clientWidth;
                })"""
            )
        )

    page.locator(".page-figure img").wait_for()
    assert buttons_are_whole()
    field(page, "invoice_number").locator(".label").tap()
    for name in ("invoice_number", "invoice_date"):
        page.locator(f'.field.on[data-field="invoice.{name}"]').get_by_role("button", name="Bestätigen").tap()
        expect(field(page, name).locator(".corrected")).to_contain_text("bestätigt")
    page.get_by_role("button", name="Zeilen bearbeiten").tap()
    page.locator(".table input").nth(3).fill("1015.00")
    page.locator(".table").get_by_role("button", name="Speichern").tap()
    expect(page.locator(".table .sum").first).to_contain_text("1168.00")
    page.locator(".steps").get_by_role("button", name="Freigeben").tap()
    if page.locator("main h2").inner_text() == "tap1.pdf":  # the subtotal is doubtful now: once more
        page.locator(".steps").get_by_role("button", name="Freigeben").tap()
    expect(page.locator("main h2")).not_to_have_text("tap1.pdf")
    assert outbox.view(id)["approval"][-1]["state"] == "approved"
    page.goto(f"{outbox.base}/documents/{id}")
    page.get_by_role("button", name="Noch einmal prüfen").wait_for()
    assert buttons_are_whole()
    heading, approved = page.locator("main h2").bounding_box(), page.locator(".document-head > .corrected").bounding_box()
    assert approved["y"] >= heading["y"] + heading["height"], "who approved it stands below, not beside"
    assert outbox.view(below)["fields"]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "390"])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(
    outbox: ServedOutbox, open_page: OpenPage, size: dict[str, int], colours: str
) -> None:
    id = outbox.add_invoice(f"axe{size['width']}{colours}.pdf", pages=2)  # noqa: A001
    page = open_page(f"/documents/{id}", size, color_scheme=colours)
    word(page, "Harrow").wait_for()
    for keys in (("n",), ("c",), ("Escape", "t"), ("Escape", "?")):
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), keys
        violations = axe.Axe().run(page).response["violations"]
        serious = [item for item in violations if item["impact"] in ("serious", "critical")]
        assert [(item["id"], [node["html"][:120] for node in item["nodes"]][:3]) for item in serious] == [], keys

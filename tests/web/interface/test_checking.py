"""Checking documents without a mouse: doubtful values, approval, rows of tables, many at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.interface.conftest import TIMEOUT_MILLISECONDS, OpenPage, ServedOutbox
from tests.web.review.building import grounded

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

expect.set_options(timeout=TIMEOUT_MILLISECONDS)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def decided(outbox: ServedOutbox, id: str) -> str:  # noqa: A002 - as in the addresses
    history = outbox.view(id)["approval"]
    return f"{history[-1]['state']} by {history[-1]['by']}" if history else ""


def test_an_invoice_with_two_doubtful_fields_is_approved_with_eight_keystrokes(
    outbox: ServedOutbox, open_page: OpenPage
) -> None:
    """The steps of a person: take the first doubtful value, accept it, correct the second one, approve; the next document opens."""
    second, first = outbox.add_invoice("b2.pdf"), outbox.add_invoice("a1.pdf")
    page = open_page(f"/documents/{first}")
    page.locator("#author").fill("Anna")
    page.locator("#author").press("Escape")
    page.locator(".words span").first.wait_for()
    keystrokes = 0

    def press(key: str) -> None:
        nonlocal keystrokes
        keystrokes += 1
        page.keyboard.press(key)

    heading, in_hand = page.locator("main h2"), page.locator(".field.on .label")
    press("n")
    expect(in_hand).to_have_text("invoice number")
    press("a")
    expect(in_hand).to_have_text("invoice date")
    press("a")
    expect(page.locator(".field.review")).to_have_count(0)
    press("A")
    expect(heading).to_have_text("b2.pdf")
    expect(in_hand).to_have_text("invoice number")  # the first doubtful value of the next one is in hand already
    assert keystrokes <= 8
    assert decided(outbox, first) == "approved by Anna"
    fields = outbox.view(first)["fields"]
    assert [fields[f"invoice.{name}"]["corrected"]["confirmed"] for name in ("invoice_number", "invoice_date")] == [True, True]

    press("A")
    expect(page.locator("#message")).to_contain_text("2 values to review. A once more approves")
    assert decided(outbox, second) == ""
    press("A")
    page.get_by_text("b2.pdf is approved").wait_for()
    assert decided(outbox, second) == "approved by Anna"
    with outbox.client() as client:
        assert client.get("/api/states").json() == {"approved": 2}
        client.put(f"/api/documents/{first}/fields/invoice/total", json={"value": "7.00", "version": 0, "by": "Ben"})
    assert decided(outbox, first) == "to_check by Ben", "another value was approved"


def test_a_confirmed_value_leaves_the_queue_although_a_check_fails(outbox: ServedOutbox) -> None:
    id = outbox.add_invoice("paper.pdf")  # noqa: A001
    with outbox.client() as client:
        client.put(f"/api/documents/{id}/fields/invoice/total", json={"value": "1500.00", "version": 0})
        fields = outbox.view(id)["fields"]
        assert "reasons" not in fields["invoice.total"]
        assert any("does not add up" in note for note in fields["invoice.total"]["notes"]), "it is still said"
        assert fields["invoice.subtotal"]["reasons"], "the others are doubtful until somebody looks"


def test_many_are_approved_at_once_and_comments_stay(outbox: ServedOutbox, open_page: OpenPage) -> None:
    sure = {"invoice_number": None, "invoice_date": None}
    clear = [outbox.add_invoice(f"clear{n}.pdf", **_sure(outbox, f"CLEAR{n}", sure)) for n in range(3)]
    doubtful = outbox.add_invoice("doubtful.pdf")
    page = open_page(f"/documents/{doubtful}")
    page.locator("summary", has_text="Comment").click()
    page.get_by_label("Comment", exact=True).fill("Ask the vendor.")
    page.keyboard.press("Enter")
    page.locator(".comments", has_text="Ask the vendor.").wait_for()
    page.get_by_role("button", name="Approve all without doubts").click()
    page.get_by_text("3 documents approved").wait_for()
    assert [decided(outbox, each) for each in clear] == ["approved by somebody"] * 3
    assert decided(outbox, doubtful) == ""
    page.locator("#states label", has_text="Approved").click()
    page.locator(".item", has_text="clear0.pdf").wait_for()


def _sure(outbox: ServedOutbox, number: str, names: dict[str, Any]) -> dict[str, Any]:
    values = {"invoice_number": number, "invoice_date": "2025-03-24"}
    assert outbox.base
    return {name: grounded(values[name], confidence=0.995) for name in names}


def test_rows_are_edited_as_in_a_spreadsheet(outbox: ServedOutbox, open_page: OpenPage) -> None:
    id = outbox.add_invoice("rows.pdf")  # noqa: A001
    page = open_page(f"/documents/{id}")
    page.locator(".cell-box").first.wait_for()
    page.keyboard.press("t")
    cell = page.get_by_role("textbox", name="amount, row 2")
    cell.fill("163.00")
    expect(page.locator(".table .sum")).to_have_text("amount 1177.00; subtotal says 1167.00, difference 10.00")
    page.keyboard.press("Control+z")
    expect(page.locator(".table .sum")).to_have_text("amount 1167.00 = subtotal")
    cell = page.get_by_role("textbox", name="description, row 2")
    cell.focus()
    expect(page.locator(".cell-box.on")).to_have_count(1)
    page.keyboard.press("Alt+n")
    expect(page.get_by_role("textbox", name="description, row 3")).to_be_focused()
    page.evaluate(
        """text => {
          const clipboardData = new DataTransfer();
          clipboardData.setData('text/plain', text);
          document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
        }""",
        "Delivery\t1\t5.00\t5.00\r\nFee\t2\t1.50\t3.00\r\n",
    )
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Edit the rows").wait_for()
    rows = outbox.view(id)["fields"]["invoice.line_items"]["edit"]["value"]
    assert [row["description"] for row in rows] == ["Model K-12", "Delivery", "Service pack", "Fee"]
    assert list(rows[3].values())[:4] == ["Fee", "2", "1.50", "3.00"]
    assert "{'" not in page.locator("body").inner_text(), "no value is shown as a program writes it"


def test_the_fourth_doubtful_amount_is_four_keys_away(outbox: ServedOutbox, open_page: OpenPage) -> None:
    amounts: dict[str, Any] = {
        name: grounded(value, confidence=0.3) for name, value in (("subtotal", "1167.00"), ("tax_total", "233.40"))
    }
    page = open_page(f"/documents/{outbox.add_invoice('four.pdf', **amounts)}")
    page.locator('li[data-field="invoice.total"]').wait_for()
    for _ in range(4):
        page.keyboard.press("n")
    field = page.locator("li.field.on")
    assert field.get_attribute("data-field") in ("invoice.subtotal", "invoice.tax_total")
    assert field.evaluate("item => item.getBoundingClientRect().bottom <= innerHeight"), "it is in sight"

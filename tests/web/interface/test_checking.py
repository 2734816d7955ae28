"""Checking documents without a mouse: doubtful values, approval, rows of tables, many at once."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.web.context import document_id
from tests.drawing import encrypted_pdf
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


def test_what_was_read_in_a_wrong_form_is_accepted_and_a_refusal_says_what_to_type(
    outbox: ServedOutbox, open_page: OpenPage
) -> None:
    """An IBAN whose check digits are wrong on the paper, and rows with a rate that is none."""
    rows = [{"description": "Lamp", "quantity": "1", "amount": "1167.00", "tax_rate": "3500.0000"}]
    odd: dict[str, Any] = {"iban": grounded("DE9112345678", confidence=0.2), "line_items": grounded(rows, printed=None)}
    id = outbox.add_invoice("form.pdf", **odd)  # noqa: A001
    address = f"/api/documents/{id}/fields/invoice"
    page = open_page(f"/documents/{id}")
    iban = page.locator('li[data-field="invoice.iban"]')
    iban.locator(".label").click()
    page.keyboard.press("c")
    page.keyboard.type("DE00")
    page.keyboard.press("Enter")
    expect(iban.locator(".refused")).to_have_text("`DE00` cannot be saved here; write it like `DE02 1203 0000 0000 2020 51`")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(iban.locator(".corrected")).to_contain_text("confirmed by")
    with outbox.client() as client:

        def save_rows(**changes: str) -> tuple[int, str]:
            answer = client.put(f"{address}/line_items", json={"value": [rows[0] | changes], "version": 0})
            return answer.status_code, str(answer.json().get("detail", ""))

        refusal = "row 1, quantity: `many` cannot be saved here; write it like `1250.5`"
        assert save_rows(quantity="many") == (400, refusal)
        assert save_rows(quantity="2") == (200, "")
        truth = client.get("/api/truth.jsonl?template=invoice").text
    saved = outbox.view(id)["fields"]["invoice.line_items"]["edit"]["value"]
    assert [(row["quantity"], row["tax_rate"]) for row in saved] == [("2", "3500.0000")]
    assert "form.pdf" not in truth, "no result can be compared with such values"


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
    page.get_by_role("textbox", name="description, row 4").focus()
    page.keyboard.press("Alt+Backspace")
    expect(page.get_by_role("textbox", name="description, row 4")).to_have_count(0)
    page.get_by_role("textbox", name="description, row 3").press("Control+z")
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


def test_details_that_nothing_proves_hold_up_nobody(outbox: ServedOutbox, open_page: OpenPage) -> None:
    """They stand apart, are not counted, and no key goes through them; what an accountant checks is two values of seven."""
    details: dict[str, Any] = {
        name: grounded(value, confidence=0.8, signals={"detail": 1.0})
        for name, value in (("vendor_phone", "0123 456"), ("vendor_mail", "a@example.org"), ("customer_number", "77"))
    }
    id = outbox.add_invoice("details.pdf", **details)  # noqa: A001
    page = open_page(f"/documents/{id}")
    expect(page.locator(".document-head .badge.review")).to_have_text("2 to review")
    expect(page.locator("a.item[aria-current] .tag")).to_have_text("2 to review")
    expect(page.locator('li[data-field="invoice.vendor_phone"]')).to_be_hidden()
    expect(page.get_by_text("Further details, less sure: 3 fields")).to_be_visible()
    for key in "naa":  # faster than the server saves
        page.keyboard.press(key)
    page.get_by_text("No doubtful value is left").wait_for()
    page.keyboard.press("A")
    page.get_by_text("details.pdf is approved").wait_for()
    assert decided(outbox, id).startswith("approved")
    with outbox.client() as client:
        listed = client.get("/api/documents", params={"q": "details.pdf"}).json()["documents"][0]
    assert set(details) <= set(listed["review"]), "the lists for programs name them all the same"


def test_a_corrected_document_keeps_its_place_and_the_next_one_is_the_one_below(
    outbox: ServedOutbox, open_page: OpenPage
) -> None:
    ids = [outbox.add_invoice(f"place{n}.pdf") for n in range(3)]
    page = open_page(f"/documents/{ids[1]}")
    names = page.locator("a.item .name")
    page.locator('li[data-field="invoice.total"]').wait_for()
    before = names.all_text_contents()
    page.keyboard.press("n")
    page.keyboard.press("a")
    page.locator("#message").get_by_text("Saved").wait_for()
    page.wait_for_timeout(3_000)  # the list follows the server every two seconds
    assert names.all_text_contents() == before
    below = before[before.index("place1.pdf") + 1]
    page.keyboard.press("A")
    page.keyboard.press("A")
    page.get_by_text("place1.pdf is approved").wait_for()
    expect(page.locator("main h2")).to_have_text(below)


def test_what_is_typed_while_a_document_loads_changes_nothing(outbox: ServedOutbox, open_page: OpenPage) -> None:
    """A question after ``q`` on a slow server: its letters are no keys of the document that appears in the meantime."""
    id, other = outbox.add_invoice("slow.pdf"), outbox.add_invoice("before.pdf")  # noqa: A001
    page = open_page(f"/documents/{other}")
    page.locator('li[data-field="invoice.total"]').wait_for()
    page.keyboard.press("n")

    held: list[Any] = []
    page.route(f"**/api/documents/{id}/view", lambda route: held.append(route))
    page.locator("a.item", has_text="slow.pdf").click()
    page.keyboard.type("qWhat is the", delay=20)
    expect(page.locator("#message")).to_contain_text("still being loaded")
    held[0].continue_()
    page.keyboard.type(" total, at last?", delay=20)
    expect(page.locator("main h2")).to_have_text("slow.pdf")
    page.unroute(f"**/api/documents/{id}/view")
    page.wait_for_timeout(500)
    for each in (id, other):
        assert not any(field.get("corrected") for field in outbox.view(each)["fields"].values())
    page.wait_for_timeout(1_100)
    page.keyboard.press("q")
    expect(page.locator("#ask input[name=question]")).to_be_focused()


def test_keys_change_nothing_in_an_approved_document(outbox: ServedOutbox, open_page: OpenPage) -> None:
    id = outbox.add_invoice("closed.pdf")  # noqa: A001
    with outbox.client() as client:
        client.put(f"/api/documents/{id}/state", json={"state": "approved"}).raise_for_status()
    page = open_page(f"/documents/{id}")
    page.locator('li[data-field="invoice.total"]').wait_for()
    page.locator('li[data-field="invoice.total"]').click()
    for key in ("x", "a", "t", "c"):
        page.keyboard.press(key)
    page.locator("#message").get_by_text("Check again").wait_for()
    assert decided(outbox, id).startswith("approved")
    assert not any(field.get("corrected") for field in outbox.view(id)["fields"].values())


def test_the_password_is_asked_for_where_the_cursor_stands_and_an_answer_stays(
    outbox: ServedOutbox, open_page: OpenPage
) -> None:
    """No Tab leads to the field, a refusal moves nothing, and after the right one the page does not ask again."""
    outbox.folder.add("sealed.pdf", encrypted_pdf("Sealed", "open sesame"), reason="needs_password", detail="it is encrypted")
    page = open_page(f"/documents/{document_id('sealed.pdf')}")
    password = page.locator("#unlock input")
    expect(password).to_be_focused()
    expect(page.locator(".document-head")).not_to_contain_text("pipeline unlock")
    left = password.bounding_box()["x"]
    page.keyboard.type("a wrong one")
    page.keyboard.press("Enter")
    expect(page.locator("#unlock .refused")).to_contain_text("does not open it")
    expect(password).to_be_focused()
    assert password.bounding_box()["x"] == left
    page.keyboard.type("open sesame")
    page.keyboard.press("Enter")
    expect(page.locator(".document-head")).to_contain_text("The password is right")
    expect(page.locator("#unlock")).to_have_count(0)
    expect(page.locator(".document-head")).not_to_contain_text("needs a password")

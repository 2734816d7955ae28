"""Several invoices in one file, copies, annexes, pages in any order: one document's values are never mixed with another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pipeline.checks.merge import merge_pages
from pipeline.publish.review_flags import fields_to_review
from pipeline.records import Evidence, Json, Result
from tests.checks.building import result_of
from tests.engines.embedded.fields.pages import template

INVOICE = template("invoice")
Rows = Sequence[tuple[str, str]]


def head(number: str, day: str = "2027-06-17") -> dict[str, Json]:
    return {"invoice_number": number, "invoice_date": day, "vendor_name": "Fjordlund Boats AB"}


def sums(net: str, tax: str, total: str) -> dict[str, Json]:
    return {"subtotal": net, "tax_total": tax, "total": total}


def items(*rows: tuple[str | None, str]) -> dict[str, Json]:
    return {
        "line_items": [{"description": text, "quantity": None, "unit_price": None, "amount": amount} for text, amount in rows]
    }


def merged(*pages: Mapping[str, Json]) -> dict[str, Evidence]:
    results = [
        result_of(n, **{name: Evidence(value, page=n, score=0.9, grounding="exact") for name, value in page.items()})
        for n, page in enumerate(pages, 1)
    ]
    return merge_pages(results, INVOICE)


def values(*pages: Mapping[str, Json]) -> dict[str, Json]:
    return {name: evidence.value for name, evidence in merged(*pages).items()}


def texts(fields: Mapping[str, Json]) -> list[str]:
    return [row["description"] for row in fields["line_items"]]


def test_two_invoices_in_one_file_are_not_mixed_and_the_file_is_named_for_review() -> None:
    first = {**head("F-1"), **items(("Oar", "80.00")), **sums("80.00", "20.00", "100.00")}
    second = {
        **head("F-2", "2027-07-01"),
        **items(("Sail", "400.00")),
        **sums("400.00", "100.00", "500.00"),
        "due_date": "2027-08-01",
    }
    fields = merged(first, second)
    read = {name: evidence.value for name, evidence in fields.items()}
    assert (read["invoice_number"], read["total"], read["due_date"], texts(read)) == ("F-1", "100.00", None, ["Oar"])
    assert fields["total"].flags == ("other-documents:2",)
    assert {"invoice_number", "total"} <= set(fields_to_review(fields, 0.95))


def test_an_invoice_whose_pages_are_parted_by_another_one_is_whole() -> None:
    start = {**head("F-1"), **items(("Oar", "80.00")), "total": "80.00"}
    other = {**head("F-2"), **sums("400.00", "100.00", "500.00")}
    end = {**head("F-1"), **items(("Sail", "20.00")), **sums("100.00", "25.00", "125.00")}
    read = values(start, other, end)
    assert (read["total"], texts(read)) == ("125.00", ["Oar", "Sail"])


def test_a_number_on_an_annex_without_date_and_total_begins_no_document() -> None:
    read = values({**head("F-1"), **items(("Oar", "80.00"))}, {"invoice_number": "4711", **sums("80.00", "20.00", "100.00")})
    assert (read["invoice_number"], read["total"]) == ("F-1", "100.00")


def test_copies_add_no_rows() -> None:
    page = {**head("F-1"), **items(("Oar", "80.00"), ("Oar", "80.00")), **sums("160.00", "40.00", "200.00")}
    assert texts(values(page, page, page)) == ["Oar", "Oar"]


def test_amounts_in_terms_behind_the_totals_are_no_totals() -> None:
    first = {**head("F-1"), **items(("Oar", "80.00")), **sums("80.00", "20.00", "100.00")}
    terms = {**items(("Late fee", "40.00"), ("Limit", "9000.00")), "total": "9000.00", "subtotal": "40.00"}
    read = values(first, terms)
    assert (read["total"], read["subtotal"], texts(read)) == ("100.00", "80.00", ["Oar"])


def test_terms_behind_an_invoice_without_tax_change_nothing() -> None:
    read = values({**head("F-1"), **items(("Oar", "80.00")), "total": "80.00"}, {"total": "9000.00"})
    assert read["total"] == "80.00"


def test_a_time_sheet_behind_the_totals_adds_no_rows() -> None:
    first = {**head("F-1"), **items(("Work", "960.00")), **sums("960.00", "240.00", "1200.00")}
    sheet = {**items(("Monday", "480.00"), ("Tuesday", "480.00")), "total": "960.00"}
    read = values(first, sheet)
    assert (read["total"], texts(read)) == ("1200.00", ["Work"])


def test_a_delivery_note_repeats_no_rows() -> None:
    note = {
        "line_items": [{"description": "Oar", "quantity": "2", "unit_price": None, "amount": None}],
        "invoice_date": "2027-06-01",
    }
    own = {**head("F-1"), **items(("Oar", "80.00")), **sums("80.00", "20.00", "100.00")}
    for pages in ((own, note), (note, own)):
        read = values(*pages)
        assert (texts(read), read["invoice_date"]) == (["Oar"], "2027-06-17")


def test_rows_without_amounts_stay_where_no_sum_says_that_they_are_repeated() -> None:
    more = {"line_items": [{"description": "Rudder", "quantity": "2", "unit_price": None, "amount": None}]}
    assert texts(values({**head("F-1"), **items(("Oar", "80.00")), "total": "130.00"}, more)) == ["Oar", "Rudder"]


def test_what_a_cover_letter_prints_does_not_go_before_the_page_with_the_number() -> None:
    letter = {"invoice_date": "2027-06-20", "vendor_name": "Ms Holm", "buyer_name": "Harbour Office"}
    read = values(letter, {**head("F-1"), **sums("80.00", "20.00", "100.00")})
    assert (read["invoice_date"], read["vendor_name"]) == ("2027-06-17", "Fjordlund Boats AB")
    assert read["buyer_name"] == "Harbour Office"


def test_a_time_sheet_behind_an_invoice_without_tax_adds_no_rows() -> None:
    sheet = {**items(("Monday", "40.00"), ("Tuesday", "40.00")), "subtotal": None, "total": "80.00"}
    read = values({**head("F-1"), **items(("Work", "80.00")), "total": "80.00"}, sheet)
    assert (read["total"], texts(read)) == ("80.00", ["Work"])


def test_rows_of_many_pages_are_joined_and_the_last_page_has_the_totals() -> None:
    pages = [
        {**head("F-1"), **items(("Oar", "80.00"), ("Carried forward", "80.00")), "total": "80.00"},
        {**items(("Brought forward", "80.00"), ("Sail", "20.00")), **sums("100.00", "25.00", "125.00")},
    ]
    read = values(*pages)
    assert (read["total"], texts(read)) == ("125.00", ["Oar", "Sail"])
    back = values(*reversed(pages))
    assert (back["total"], sorted(texts(back))) == ("125.00", ["Oar", "Sail"])


@pytest.mark.parametrize("words", [("Onward", "From before"), (None, None), ("Sum 1", "Sum 1")])
def test_a_row_with_the_sum_of_the_rows_before_is_no_item_in_any_words(words: tuple[str | None, str | None]) -> None:
    first = {**head("F-1"), **items(("Oar", "80.00"), ("Rope", "15.00"), (words[0], "95.00")), "total": "95.00"}
    second = {**items((words[1], "95.00"), ("Sail", "20.00"), ("Cleat", "5.00")), **sums("120.00", "30.00", "150.00")}
    expected = ["Cleat", "Oar", "Rope", "Sail"]
    for pages in ((first, second), (second, first), (first, second, first, second)):
        read = values(*pages)
        assert (read["total"], sorted(texts(read))) == ("150.00", expected)


def test_items_with_the_sum_of_other_items_stay() -> None:
    pages = [{**head("F-1"), **items(("Oar", "80.00"))}, {**items(("Oar", "80.00"), ("Sail", "20.00")), "subtotal": "180.00"}]
    assert texts(values(*pages)) == ["Oar", "Oar", "Sail"]
    sheet = {**items(("Monday", "480.00"), ("Tuesday", "480.00")), "total": "960.00"}
    own = {**head("F-1"), **items(("Work", "960.00"), ("Travel", "40.00")), **sums("1000.00", "250.00", "1250.00")}
    for order in ((own, sheet), (sheet, own)):
        assert texts(values(*order)) == ["Work", "Travel"]


def test_rows_stay_where_no_sum_says_which_of_them_belong_together() -> None:
    pages = [{**head("F-1"), **items(("Oar", "80.00"))}, {**items(("Sail", "20.00")), "total": "130.00"}]
    assert texts(values(*pages)) == ["Oar", "Sail"]


def test_data_of_an_e_invoice_on_the_first_page_hold_whichever_page_prints_the_totals() -> None:
    def page(number: int, *flags: str, **amounts: str) -> Result:
        found = {
            name: Evidence(value, page=number, score=0.9, grounding="exact", flags=flags) for name, value in amounts.items()
        }
        return result_of(number, **found, invoice_number=Evidence("F-1", page=number, score=0.9, grounding="exact"))

    data = page(1, "xml", subtotal="80.00", tax_total="20.00", total="100.00", amount_due="60.00")
    printed = page(2, subtotal="80.00", tax_total="20.00", total="100.00", amount_due="100.00")
    fields = merge_pages([data, printed], INVOICE)
    assert fields["amount_due"].value == "60.00"
    assert "xml" in fields["total"].flags

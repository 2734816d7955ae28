from __future__ import annotations

from typing import Any

from pipeline.checks.einvoice_overlay import overlay_einvoice
from pipeline.checks.grounding import ground
from pipeline.records import Evidence

from .building import claims_of, page_of, template_of

TEMPLATE = template_of(
    {
        "vendor_name": {"type": "party", "einvoice": "BT-27"},
        "invoice_number": {"type": "identifier", "einvoice": "BT-1"},
        "invoice_date": {"type": "date", "einvoice": "BT-2"},
        "total": {"type": "money", "merge": "last", "einvoice": "BT-112"},
        "amount_due": {"type": "money", "einvoice": "BT-115"},
        "remark": {"type": "text"},
        "line_items": {
            "type": "table",
            "einvoice": "BG-25",
            "columns": {
                "description": {"einvoice": "BT-153"},
                "quantity": {"type": "number", "einvoice": "BT-129"},
                "amount": {"type": "money", "einvoice": "BT-131"},
                "shelf": {},
            },
        },
    }
)
FACTS = {
    "BT-1": "K 77",
    "BT-2": "2024-05-31",
    "BT-27": "Kelp Farm",
    "BT-112": "24.00",
    "BT-115": "19.00",
    "BG-25": [{"BT-153": "Kelp", "BT-129": "4.0000", "BT-131": "20.00"}],
}
PAGE = page_of("Kelp Farm", "Invoice K-77 of 31.05.2024", "Kelp     4     20,00", "Total     24,00", facts=FACTS)


def read_and_overlay(**values: Any) -> dict[str, Evidence]:
    return overlay_einvoice(ground(claims_of(**values), PAGE, TEMPLATE), PAGE, TEMPLATE)


def test_values_missing_from_the_answer_come_from_the_data_with_their_place_on_the_page() -> None:
    result = read_and_overlay()
    assert {name: e.value for name, e in result.items() if name != "line_items"} == {
        "vendor_name": "Kelp Farm",
        "invoice_number": "K 77",
        "invoice_date": "2024-05-31",
        "total": "24.00",
        "amount_due": "19.00",
    }
    assert result["total"].printed == "24,00"
    assert result["total"].box == PAGE.words[-1].box
    assert {e.flags for e in result.values()} == {("xml",)}


def test_a_deposit_is_found_although_the_page_prints_a_minus() -> None:
    template = template_of(
        {
            "total": {"type": "money"},
            "prepaid": {"type": "money", "deduction": True, "einvoice": "BT-113"},
            "due": {"type": "money"},
        },
        checks=[{"name": "due", "sum": ["total", "-prepaid"], "equals": "due"}],
    )
    page = page_of("Total     24,00", "Anzahlung     -5,00", "Zahlbetrag     19,00", facts={"BT-113": "5.00"})
    for claims in ({}, {"prepaid": "-5.00"}):
        prepaid = overlay_einvoice(ground(claims_of(**claims), page, template), page, template)["prepaid"]
        assert (prepaid.value, prepaid.printed, prepaid.flags) == ("5.00", "-5,00", ("xml",))
    negative = page_of("Anzahlung     -5,00", facts={"BT-113": "-5.00"})
    prepaid = overlay_einvoice(ground(claims_of(prepaid="-5.00"), negative, template), negative, template)["prepaid"]
    assert (prepaid.value, prepaid.flags) == ("-5.00", ("xml",)), "the data's own sign is no contradiction"


def test_a_value_that_only_the_data_has_is_without_a_place() -> None:
    due = read_and_overlay()["amount_due"]
    assert (due.grounding, due.box, due.flags) == ("none", None, ("xml",))


def test_where_both_agree_the_evidence_of_the_page_stays() -> None:
    result = read_and_overlay(total="24", invoice_number="K-77", vendor_name="KELP FARM")
    assert (result["total"].value, result["total"].flags, result["total"].printed) == ("24.00", ("xml",), "24,00")
    assert (result["invoice_number"].value, result["invoice_number"].flags) == ("K 77", ("xml",))
    assert result["vendor_name"].value == "Kelp Farm"


def test_where_they_differ_the_data_wins_and_the_page_value_is_kept_as_printed() -> None:
    total = read_and_overlay(total="20.00")["total"]
    assert (total.value, total.flags) == ("24.00", ("xml", "xml-differs"))
    assert total.printed == "20,00"
    assert total.box == PAGE.words[-1].box, "the box is where the value stands, not where the page was misread"


def test_an_ungrounded_page_value_leaves_only_the_flag() -> None:
    total = read_and_overlay(total="99.00")["total"]
    assert (total.value, total.printed, total.flags) == ("24.00", "99.00", ("xml", "xml-differs"))


def test_rows_come_from_the_data_and_keep_the_columns_that_it_lacks() -> None:
    rows = [{"description": "Kelp", "quantity": "4", "amount": "20.00", "shelf": "B3"}]
    items = read_and_overlay(line_items=rows)["line_items"]
    assert items.value == [{"description": "Kelp", "quantity": "4.0000", "amount": "20.00", "shelf": "B3"}]
    assert items.flags == ("xml",)
    assert items.box is not None


def test_other_rows_on_the_page_are_flagged() -> None:
    rows = [{"description": "Kelp", "quantity": "4", "amount": "21.00"}]
    assert read_and_overlay(line_items=rows)["line_items"].flags == ("xml", "xml-differs")
    assert read_and_overlay(line_items=rows * 2)["line_items"].flags == ("xml", "xml-differs")


def test_a_page_without_data_is_unchanged() -> None:
    plain = page_of("Total 24,00")
    read = ground(claims_of(total="24.00", remark="x"), plain, TEMPLATE)
    assert overlay_einvoice(read, plain, TEMPLATE) == read

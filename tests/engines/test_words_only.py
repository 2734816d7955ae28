"""The prompt of a model that gets words only: values to choose from, and lines with labels."""

from __future__ import annotations

from pipeline.engines.base import Request
from pipeline.engines.printed_values import printed_values
from pipeline.engines.prompt_hints import label_lines, unlabelled_amounts
from pipeline.engines.prompting import make_prompt
from pipeline.records import Page, UnitKey
from pipeline.run.job import all_templates
from pipeline.settings import Settings
from pipeline.templates.answer_schema import PrintedValues, json_schema
from tests.checks.building import page_of
from tests.engines.conformance import PICTURE

INVOICE = all_templates(Settings())["invoice"]
KEY = UnitKey("a", 1, "invoice", "r")
PAGE = page_of(
    "Rechnung Nr. R-2025/017  USt-IdNr. DE314159262",
    "Rechnungsdatum  12.03.2025",
    "Tel. +49 89 1234567",
    "Muster Holz GmbH, Am Anger 3, 80333 München",
    "Zwischensumme  1.234,50 EUR",
    "MwSt 19 %  234,56 EUR",
    "Gesamtbetrag  1.469,06 EUR",
    "Skonto  -12,00 EUR",
)


def printed(page: Page) -> PrintedValues:
    return printed_values(page, INVOICE, {})


def test_amounts_and_dates_are_read_as_the_page_writes_them() -> None:
    found = printed(PAGE)
    assert {"1234.50", "234.56", "1469.06", "-12.00", "12.00"} <= set(found["money"])
    assert "1.23450" not in found["money"]
    assert found["date"] == ("2025-03-12",)


def test_rates_are_no_amounts_but_numbers() -> None:
    found = printed(PAGE)
    assert "19" in found["number"]
    assert "19" not in found["money"]


def test_names_are_whole_lines_and_their_parts() -> None:
    names = printed(PAGE)["party"]
    assert "Muster Holz GmbH" in names
    assert "Am Anger 3" in names
    assert not any("80333" in name or "%" in name or "1234567" in name for name in names)


def test_names_are_offered_without_a_register_number_behind_them() -> None:
    assert "Lumen Trading Sdn Bhd" in printed(page_of("Lumen Trading Sdn Bhd (1234567-X)"))["party"]


def test_identifiers_are_offered_without_a_label_glued_to_them() -> None:
    found = printed(page_of("DOC#0042 7F3A-99"))["identifier"]
    assert "0042" in found
    assert "7F3A-99" in found
    assert not any("#" in value for value in found)


def test_a_page_without_words_offers_nothing() -> None:
    assert set(printed(Page(1, 600, 800)).values()) == {()}
    assert label_lines(Page(1, 600, 800), INVOICE) == ""


def test_labels_in_any_language_point_at_their_lines() -> None:
    lines = label_lines(PAGE, INVOICE).splitlines()
    assert any(line.startswith("- subtotal: ") and "1.234,50" in line for line in lines)
    assert any(line.startswith("- total: ") and "1.469,06" in line for line in lines)
    assert any(line.startswith("- invoice_date: ") and "12.03.2025" in line for line in lines)


def test_a_value_below_its_label_is_found_there_and_not_in_the_next_label() -> None:
    lines = label_lines(page_of("Invoice date  Due date", "12.03.2025  11.04.2025"), INVOICE).splitlines()
    assert "- invoice_date: Invoice date / 12.03.2025" in lines
    assert "- due_date: Due date / 11.04.2025" in lines


def test_amounts_without_a_label_are_on_another_page() -> None:
    missing = unlabelled_amounts(page_of("Oak boards  12  5,00  60,00"), INVOICE)
    assert {"subtotal", "total", "amount_due"} <= set(missing)
    assert "total" not in unlabelled_amounts(PAGE, INVOICE)


def test_values_of_the_embedded_engine_are_hints_but_tables_are_not() -> None:
    hints = make_prompt(Request(KEY, PAGE, INVOICE)).text.partition("Another reader")[2].splitlines()
    assert any(line.startswith('- "vendor_name": "Muster Holz GmbH') for line in hints)
    assert '- "invoice_number": "R-2025/017"' in hints
    assert not any("line_items" in line for line in hints)


def test_a_model_without_the_image_gets_words_and_hints_even_where_the_template_prompt_omits_them() -> None:
    caption = all_templates(Settings())["caption"]
    with_image = make_prompt(Request(KEY, PAGE, caption, PICTURE))
    without_image = make_prompt(Request(KEY, PAGE, caption))
    assert "Muster Holz GmbH" in without_image.text
    assert "Muster Holz GmbH" not in with_image.text


def test_a_model_without_the_image_chooses_among_printed_values() -> None:
    assert make_prompt(Request(KEY, PAGE, INVOICE, PICTURE)).schema == json_schema(INVOICE)
    without_image = make_prompt(Request(KEY, PAGE, INVOICE)).schema
    assert without_image
    assert set(without_image["properties"]["total"]["enum"]) == {*printed(PAGE)["money"], None}
    assert '"vendor_name": "Muster Holz GmbH' in make_prompt(Request(KEY, PAGE, INVOICE)).text


def test_only_on_one_page_of_several_are_unlabelled_amounts_left_out() -> None:
    page = page_of("Oak boards  12  5,00  60,00")
    lone, one_of_two = make_prompt(Request(KEY, page, INVOICE)), make_prompt(Request(KEY, page, INVOICE, pages=2))
    assert lone.schema
    assert one_of_two.schema
    assert "total" in lone.schema["properties"]
    assert "total" not in one_of_two.schema["properties"]
    assert "line_items" in one_of_two.schema["properties"]

"""The reader of forms: values beside labels of any kind, and rows below headings."""

from __future__ import annotations

from typing import Any

from pipeline.engines.embedded.form import read_form
from pipeline.records import Page, Word
from pipeline.templates.schema_template import schema_template
from tests.engines.embedded.page_builder import Sheet


def read(page: Page, **properties: Any) -> dict[str, Any]:
    claims = read_form(page, schema_template({"type": "object", "properties": properties}, "form", "form"))
    return {name: claim.value for name, claim in claims.items()}


def rows(**columns: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": columns}}


STRING, NUMBER = {"type": "string"}, {"type": "number"}


def form() -> Sheet:
    sheet = Sheet(600, 400)
    for y, label, value in [
        (40, "Vessel:", "MS Heron"),
        (60, "Date of loading", "14 May 2024"),
        (80, "Packages", "24"),
        (100, "Insured", "Yes"),
    ]:
        sheet.text(40, y, label)
        sheet.text(220, y, value)
    sheet.text(40, 140, "Port of origin")
    sheet.text(300, 140, "Seal no.")
    sheet.text(40, 160, "Rotterdam")
    sheet.text(300, 160, "HX-20417")
    return sheet


def test_values_stand_right_of_their_labels_or_below_them() -> None:
    found = read(
        form().page(),
        vessel=STRING,
        loadedOn={"type": "string", "format": "date", "description": "the date of loading"},
        numberOfPackages={"type": "integer", "description": "how many packages (Packages)"},
        insured={"type": "boolean"},
        portOfOrigin=STRING,
        sealNumber=STRING,
        captain=STRING,
    )
    assert found == {
        "vessel": "MS Heron",
        "loaded_on": "2024-05-14",
        "number_of_packages": "24",
        "insured": "yes",
        "port_of_origin": "Rotterdam",
        "seal_number": "HX-20417",
        "captain": None,
    }


def test_claims_name_the_words_that_they_come_from() -> None:
    sheet = form()
    claim = read_form(sheet.page(), schema_template({"properties": {"sealNumber": STRING}}, "form", "form"))["seal_number"]
    assert [sheet.words[word].text for word in claim.words] == ["HX-20417"]


def table(sheet: Sheet, y: float, *lines: tuple[str, ...]) -> None:
    for line in lines:
        for x, text in zip((40, 200, 300, 400), line, strict=False):
            sheet.text(x, y, text)
        y += 20


def test_rows_are_read_below_headings_of_two_lines_up_to_the_total() -> None:
    sheet = Sheet(600, 400)
    table(sheet, 40, ("Part", "Weight", "Price per", "Line"), ("", "in kg", "piece", "total"))
    table(
        sheet,
        90,
        ("Gasket ring", "0.5", "12.00", "24.00"),
        ("Copper pipe", "7.25", "3.10", "31.00"),
        ("Total", "", "", "55.00"),
    )
    parts = rows(part=STRING, weightInKg=NUMBER, pricePerPiece=NUMBER, lineTotal=NUMBER)
    assert read(sheet.page(), parts=parts)["parts"] == [
        {"part": "Gasket ring", "weight_in_kg": "0.5", "price_per_piece": "12.00", "line_total": "24.00"},
        {"part": "Copper pipe", "weight_in_kg": "7.25", "price_per_piece": "3.10", "line_total": "31.00"},
    ]


def test_two_tables_of_a_page_keep_their_rows_apart() -> None:
    sheet = Sheet(600, 400)
    table(sheet, 40, ("Tool", "Hours"), ("Drill", "4"), ("Crane", "11"))
    table(sheet, 200, ("Material", "Tons"), ("Gravel", "8.5"))
    found = read(sheet.page(), tools=rows(tool=STRING, hours=NUMBER), materials=rows(material=STRING, tons=NUMBER))
    assert found["tools"] == [{"tool": "Drill", "hours": "4"}, {"tool": "Crane", "hours": "11"}]
    assert found["materials"] == [{"material": "Gravel", "tons": "8.5"}]


def test_a_list_of_amounts_needs_no_headings_and_leaves_numbers_of_notes_out() -> None:
    sheet = Sheet(600, 400)
    lines = [("Machines", "3", "1,250.00", "980.00"), ("Vehicles", "4", "640.50", "700.00"), ("Cash", "", "95.10", "80.25")]
    for y, (text, note, now, before) in zip((40, 60, 80), lines, strict=True):
        sheet.text(40, y, text)
        sheet.text(250, y, note)
        sheet.text(400, y, now, anchor="rm")
        sheet.text(520, y, before, anchor="rm")
    found = read(sheet.page(), assets=rows(item=STRING, currentYear=NUMBER, priorYear=NUMBER))["assets"]
    assert found == [
        {"item": "Machines", "current_year": "1250.00", "prior_year": "980.00"},
        {"item": "Vehicles", "current_year": "640.50", "prior_year": "700.00"},
        {"item": "Cash", "current_year": "95.10", "prior_year": "80.25"},
    ]


def test_cells_of_a_sheet_are_kept_apart_however_close_they_stand() -> None:
    lines = [("Booked", "Payee", "Amount"), ("2024-01-03", "Oak Street Garage", "-41.58"), ("2024-01-04", "Rent", "500.00")]
    cells = [(f"{column}{row}", text) for row, line in enumerate(lines, 1) for column, text in zip("ABC", line, strict=True)]
    words = []
    for place, text in cells:
        x, y = 40.0 + 62 * "ABC".index(place[0]), 20.0 * int(place[1])
        for at, word in enumerate(text.split()):
            words.append(Word(word, (x + 20 * at, y, x + 20 * at + 19, y + 10), int(place[1]), "file", size=10, place=place))
    page = Page(1, 500, 200, tuple(words), "file")
    assert read(page, entries=rows(booked={"type": "string", "format": "date"}, payee=STRING, amount=NUMBER))["entries"] == [
        {"booked": "2024-01-03", "payee": "Oak Street Garage", "amount": "-41.58"},
        {"booked": "2024-01-04", "payee": "Rent", "amount": "500.00"},
    ]


def test_a_page_without_words_has_no_values() -> None:
    assert read(Page(1, 500, 500), a=STRING, b=rows(c=STRING)) == {"a": None, "b": None}

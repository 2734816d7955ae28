"""The templates of other kinds of documents, read with the embedded engine from drawn pages."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.checks.arithmetic import check_document
from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.form import read_form
from pipeline.records import Claim, Evidence
from pipeline.settings import configs_folder
from pipeline.templates.load import load_template, parse_template
from pipeline.templates.template import Template
from tests.engines.embedded.page_builder import Sheet


def built_in(name: str) -> Template:
    return load_template(configs_folder() / "templates" / f"{name}.yaml")


def values(claims: dict[str, Claim]) -> dict[str, Any]:
    return {name: claim.value for name, claim in claims.items() if claim.value is not None}


def drawn(lines: list[tuple[int, int, str]]) -> Sheet:
    sheet = Sheet(800, 1130)
    for x, y, text in lines:
        sheet.text(x, y, text, 13)
    return sheet


def test_a_bank_statement_has_balances_and_bookings() -> None:
    rows = [
        ("01.03.2026", "Miete März", "850,00", "", "1.150,00"),
        ("03.03.2026", "Gehalt", "", "2.400,00", "3.550,00"),
        ("09.03.2026", "Bäckerei", "12,40", "", "3.537,60"),
    ]
    columns = (60, 180, 440, 560, 680)
    lines = [(60, 60, "Kontoauszug"), (60, 110, "IBAN: DE02120300000000202051"), (60, 140, "Alter Kontostand: 2.000,00 EUR")]
    lines += [
        (x, 200, text) for x, text in zip(columns, ("Buchungstag", "Verwendungszweck", "Soll", "Haben", "Saldo"), strict=True)
    ]
    for number, row in enumerate(rows):
        lines += [(x, 225 + 25 * number, text) for x, text in zip(columns, row, strict=True) if text]
    lines.append((60, 340, "Neuer Kontostand: 3.537,60 EUR"))
    read = values(read_form(drawn(lines).page(), built_in("bank_statement")))
    assert read["iban"] == "DE02120300000000202051"
    assert (read["opening_balance"], read["closing_balance"]) == ("2000.00", "3537.60")
    assert [(row["date"], row["debit"], row["credit"], row["balance"]) for row in read["transactions"]] == [
        ("2026-03-01", "850.00", None, "1150.00"),
        ("2026-03-03", None, "2400.00", "3550.00"),
        ("2026-03-09", "12.40", None, "3537.60"),
    ]


def statement(*rows: tuple[str | None, str | None, str | None], closing: str = "80.00") -> dict[str, Evidence]:
    fields: dict[str, Any] = dict.fromkeys(built_in("bank_statement").fields)
    fields["transactions"] = [{"debit": debit, "credit": credit, "balance": balance} for debit, credit, balance in rows]
    fields |= {"opening_balance": "100.00", "closing_balance": closing}
    return check_document({name: Evidence(value) for name, value in fields.items()}, built_in("bank_statement"))


def test_balances_that_follow_from_each_other_have_no_flag() -> None:
    checked = statement(("30.00", None, "70.00"), ("-5.00", None, None), (None, "15.00", "80.00"))
    assert not any(evidence.flags for evidence in checked.values())


def test_a_lost_row_is_found_by_the_balance_behind_it() -> None:
    checked = statement(("30.00", None, "70.00"), (None, "15.00", "80.00"), (None, None, "80.00"))
    assert checked["transactions"].flags == ("sum:balances", "row:2")
    assert checked["closing_balance"].flags == ()


def test_a_row_that_is_lost_at_the_end_is_found_by_the_last_balance() -> None:
    checked = statement(("30.00", None, "70.00"))
    assert checked["transactions"].flags == ("sum:balances", "off-by:balances:-10.00")
    assert "sum:balances" in checked["closing_balance"].flags


def test_a_letter_has_its_subject_without_a_label_and_its_whole_text() -> None:
    lines = [
        "Northern Timber",
        "12 May 2026",
        "New plans for the mill",
        "Dear Ms Bell,",
        "here they are.",
        "Kind regards",
        "Ann Oak",
    ]
    page = drawn([(60, 60 + 28 * at, text) for at, text in enumerate(lines)]).page()
    read = values(read_form(page, built_in("letter")))
    assert (read["subject"], read["date"]) == ("New plans for the mill", "2026-05-12")
    assert [line for line in lines if line not in read["text"]] == []


def test_a_quotation_is_read_as_an_invoice_is() -> None:
    lines = [
        (60, 60, "Quotation"), (60, 100, "Quotation no: Q-2207"), (60, 125, "Date: 3 March 2026"), (60, 150, "Valid until: 3 April 2026"),
        (60, 210, "Description"), (380, 210, "Qty"), (480, 210, "Unit price"), (640, 210, "Amount"),
        (60, 235, "Oak boards"), (380, 235, "4"), (480, 235, "25.00"), (640, 235, "100.00"),
        (480, 290, "Subtotal"), (640, 290, "100.00"), (480, 315, "VAT 20%"), (640, 315, "20.00"), (480, 340, "Total"),
        (640, 340, "£120.00"),
    ]  # fmt: skip
    read = values(read_fields(drawn(lines).page(), built_in("quotation")))
    assert (read["quotation_number"], read["valid_until"], read["total"]) == ("Q-2207", "2026-04-03", "120.00")
    assert read["line_items"][0]["amount"] == "100.00"


TYPES = [
    ("percentage", "Share: 7.5 %", "7.5"),
    ("integer", "Share: 1,250", "1250"),
    ("quantity", "Share: 12.5 kg", "12.5 kg"),
    ("period", "Share: 1 March 2026 - 31 March 2026", "2026-03-01/2026-03-31"),
    ("phone", "Share: +49 30 123456", "+4930123456"),
    ("mail", "Share: info@Example.org", "info@example.org"),
    ("iban", "Share: DE02 1203 0000 0000 2020 51", "DE02120300000000202051"),
    ("country", "Share: Germany", "DE"),
    ("boolean", "Share: yes", "true"),
    ("duration", "Share: 14 days", "P14D"),
]


@pytest.mark.parametrize(("kind", "line", "value"), TYPES, ids=[kind for kind, *_ in TYPES])
def test_a_form_has_every_type_of_value(kind: str, line: str, value: str) -> None:
    template = parse_template(
        f"name: a\nreader: form\nprompt: x\nfields:\n  share: {{type: {kind}, labels: {{en: [Share]}}}}\n", "a.yaml"
    )
    page = drawn([(60, 60, "Some other words"), (60, 100, line)]).page()
    assert values(read_form(page, template)) == {"share": value}


def test_a_period_may_go_on_in_the_next_line_of_its_cell() -> None:
    template = built_in("payslip")
    page = drawn([(60, 60, "Payslip"), (60, 100, "Pay period"), (200, 100, "2026-08-01 –"), (200, 118, "2026-08-31")]).page()
    assert values(read_form(page, template))["period"] == "2026-08-01/2026-08-31"


def test_cells_have_types_with_a_grammar() -> None:
    template = parse_template(
        "name: a\nreader: form\nprompt: x\nfields:\n  rows:\n    type: table\n    merge: all\n    columns:\n"
        "      item: {labels: {en: [Item]}}\n      share: {type: percentage, labels: {en: [Share]}}\n"
        "      size: {type: quantity, labels: {en: [Size]}}\n      price: {type: money, labels: {en: [Price]}}\n",
        "a.yaml",
    )
    texts = (("Item", "Share", "Size", "Price"), ("Rope", "7.5 %", "12 m", "4.00"), ("Sail", "12 %", "3 m", "80.00"))
    lines = [(x, 60 + 25 * at, text) for at, row in enumerate(texts) for x, text in zip((60, 260, 420, 600), row, strict=True)]
    rows = values(read_form(drawn(lines).page(), template))["rows"]
    assert [(row["share"], row["size"], row["price"]) for row in rows] == [("7.5", "12 m", "4.00"), ("12", "3 m", "80.00")]

"""Amounts whose meaning their labels decide: sums that happen to hold, accounts of earlier bills, rates beside the totals."""

from __future__ import annotations

import pytest

from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Json
from tests.engines.embedded.fields.pages import Line, page, template

INVOICE = template("invoice")
HEAD: list[Line] = [(40.0, 40.0, "Fjordlund Boats AB"), (40.0, 54.0, "INVOICE 2031-77")]
Rows = list[tuple[str, str]]


def read(*lines: Line) -> dict[str, Json]:
    """The fields of an invoice of these lines."""
    return {name: claim.value for name, claim in read_fields(page([*HEAD, *lines], width=842), INVOICE).items()}


def column(rows: Rows, x: float = 300.0, y: float = 200.0) -> list[Line]:
    """Rows of a label and an amount that is set flush right."""
    lines: list[Line] = []
    for n, (label, amount) in enumerate(rows):
        lines += [(x, y + 18 * n, label), (x + 260 - 5 * len(amount), y + 18 * n, amount)]
    return lines


def amounts(values: dict[str, Json]) -> tuple[Json, ...]:
    """Subtotal, tax, total, payment before, what is due."""
    return tuple(values[name] for name in ("subtotal", "tax_total", "total", "prepaid", "amount_due"))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [
                ("Subtotal", "100.00"),
                ("Shipping", "20.00"),
                ("VAT 20%", "24.00"),
                ("Total", "144.00"),
                ("Insured value", "124.00"),
            ],
            ("100.00", "24.00", "144.00"),
        ),
        (
            [
                ("Zwischensumme", "200,00"),
                ("MwSt 19 %", "38,00"),
                ("Vorjahr", "238,00"),
                ("Porto", "7,00"),
                ("Gesamtbetrag", "245,00"),
            ],
            ("200.00", "38.00", "245.00"),
        ),
        (
            [
                ("Valeur assurée", "120,00"),
                ("Total HT", "100,00"),
                ("Port", "30,00"),
                ("TVA 20 %", "20,00"),
                ("Total TTC", "150,00"),
            ],
            ("100.00", "20.00", "150.00"),
        ),
    ],
)
def test_a_sum_that_happens_to_hold_does_not_beat_a_plain_label(rows: Rows, expected: tuple[str, ...]) -> None:
    assert amounts(read(*column(rows)))[:3] == expected


def test_a_sum_settles_which_of_two_labels_is_wrong_where_both_have_one_amount() -> None:
    rows = [("Exclusief BTW", "593,36"), ("BTW 21%", "124,60"), ("Totaal", "717,96"), ("Subtotaal", "717,96")]
    assert amounts(read(*column(rows)))[:3] == ("593.36", "124.60", "717.96")


def test_the_heading_of_a_column_of_amounts_is_no_plain_label() -> None:
    items: list[Line] = [(320.0, 100.0, "Total")]
    items += [(320.0, 116.0 + 16 * n, amount) for n, amount in enumerate(("160.00", "316.00", "20.00"))]
    rows = [("Net total", "496.00"), ("VAT total", "75.04"), ("Due payable", "571.04")]
    assert amounts(read(*items, *column(rows)))[:3] == ("496.00", "75.04", "571.04")


ACCOUNTS: list[tuple[Rows, tuple[str | None, ...]]] = [
    (
        [
            ("Previous balance", "148.20"),
            ("Payment received 20 Feb", "-100.00"),
            ("Balance brought forward", "48.20"),
            ("VAT 20%", "20.00"),
            ("Total charges this period", "120.00"),
            ("Total amount due", "168.20"),
        ],
        (None, "20.00", "120.00", None, "168.20"),
    ),
    (
        [
            ("Previous balance", "150.00"),
            ("Payment received", "100.00"),
            ("VAT 20%", "25.00"),
            ("Total", "150.00"),
            ("Amount due", "200.00"),
        ],
        (None, "25.00", "150.00", None, "200.00"),
    ),
    (
        [
            ("Saldovortrag", "80,00"),
            ("Zahlung erhalten", "-100,00"),
            ("Zwischensumme", "100,00"),
            ("MwSt 20 %", "20,00"),
            ("Gesamtbetrag", "120,00"),
            ("Zu zahlen", "100,00"),
        ],
        ("100.00", "20.00", "120.00", None, "100.00"),
    ),
    (
        [
            ("Subtotal", "100.00"),
            ("VAT 20%", "20.00"),
            ("Total", "120.00"),
            ("Previous balance", "120.00"),
            ("Payments received", "-120.00"),
            ("Amount due", "120.00"),
        ],
        ("100.00", "20.00", "120.00", None, "120.00"),
    ),
]


@pytest.mark.parametrize(("rows", "expected"), ACCOUNTS, ids=["brought forward", "coincidence", "overpaid", "paid in full"])
def test_a_payment_of_an_earlier_bill_is_no_part_of_this_one(rows: Rows, expected: tuple[str | None, ...]) -> None:
    assert amounts(read(*column(rows))) == expected


def test_a_payment_of_this_bill_is_subtracted_also_below_other_amounts() -> None:
    rows = [
        ("Subtotal", "100.00"),
        ("VAT 20%", "20.00"),
        ("Total", "120.00"),
        ("Deposit paid", "-100.00"),
        ("Amount due", "20.00"),
    ]
    assert amounts(read(*column(rows))) == ("100.00", "20.00", "120.00", "-100.00", "20.00")


RATES = [("MwSt-Satz", "Netto", "MwSt", "Brutto"), ("7 %", "100,00", "7,00", "107,00"), ("19 %", "200,00", "38,00", "238,00")]
TOTALS = [("Zwischensumme", "300,00"), ("MwSt gesamt", "45,00"), ("Gesamtbetrag", "345,00")]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("columns", [3, 4])
def test_totals_beside_a_summary_by_rate_are_read(side: str, first: int, columns: int) -> None:
    x = 480.0 if side == "left" else 40.0
    rates: list[Line] = [
        (x + 85 * n, 200.0 + 18 * row, cell) for row, cells in enumerate(RATES) for n, cell in enumerate(cells[:columns])
    ]
    totals = column(TOTALS, 40.0 if side == "left" else 560.0, 200.0 + 18 * first)
    assert amounts(read(*rates, *totals))[:3] == ("300.00", "45.00", "345.00")

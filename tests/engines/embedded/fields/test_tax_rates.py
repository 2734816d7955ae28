"""Rows of a summary by tax rate, and rows of very many numbers."""

from __future__ import annotations

import time

import pytest

from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.fields.candidates import Candidates
from pipeline.engines.embedded.fields.page_rows import lay_out
from pipeline.engines.embedded.fields.tax_rates import rate_cells
from tests.engines.embedded.fields.pages import Line, page, template


def cells(*lines: Line, width: float = 595) -> list[str]:
    """The cells of a page's summary, as printed; found in less than two seconds of processor time."""
    numbers = Candidates(lay_out(page(lines, width=width))).numbers
    started = time.process_time()
    found = rate_cells(numbers)
    assert time.process_time() - started < 2
    return [cell.printed for cell in found]


def row(y: float, *numbers: str) -> list[Line]:
    return [(40 + 90.0 * at, y, number) for at, number in enumerate(numbers)]


def test_the_amounts_of_two_rates() -> None:
    found = cells(*row(500, "19 %", "200,00", "38,00", "238,00"), *row(520, "7 %", "50,00", "3,50", "53,50"))
    assert found == ["200,00", "38,00", "238,00", "50,00", "3,50", "53,50"]


def test_the_gross_amount_may_stand_before_the_net_one() -> None:
    found = cells(*row(500, "19 %", "238,00", "200,00", "38,00"), *row(520, "7 %", "53,50", "50,00", "3,50"))
    assert sorted(found) == sorted(["238,00", "200,00", "38,00", "53,50", "50,00", "3,50"])


@pytest.mark.parametrize(
    ("taxes", "tax_total"),
    [
        (("VAT 21%: 52.35", "VAT 4%: 11.07"), None),
        (("VAT 21%: 63.42", "VAT 0%: 0.00"), "63.42"),
        (("VAT 21%: 63.42",), "63.42"),
    ],
)
def test_the_tax_at_one_of_several_rates_is_not_all_the_tax(taxes: tuple[str, ...], tax_total: str | None) -> None:
    texts = ["Brelund Books", "14.03.2024", "Atlas 3 x 100.00 300.00", "Lamp 289.34", "Total 589.34", *taxes]
    lines: list[Line] = [(20.0, 20 + 16.0 * at, text) for at, text in enumerate(texts)]
    assert read_fields(page(lines, width=300), template("receipt"))["tax_total"].value == tax_total


def test_of_equal_amounts_the_closest() -> None:
    found = cells(*row(500, "19 %", "200,00", "38,00", "38,00"), *row(520, "7 %", "50,00", "3,50", "3,50"))
    assert found == ["200,00", "38,00", "50,00", "3,50"]


def test_a_row_of_many_hundred_numbers_costs_little() -> None:
    many = ["7 %", "0,01"] * 300
    assert cells(*row(500, *many), *row(520, "7 %", "50,00", "3,50"), width=60_000) == []


def test_many_rows_of_equal_numbers_cost_little() -> None:
    rows = [line for y in range(0, 6_000, 20) for line in row(y, *["7 %", "0,01"] * 25)]
    cells(*rows, width=6_000)


def test_amounts_of_the_taxed_part_beside_an_untaxed_one_are_no_subtotal() -> None:
    lines: list[Line] = [(50.0, 40.0, "Brelund Books"), (50.0, 56.0, "Invoice 4471")]
    for at, row in enumerate(
        [
            ("Description", "Quantity", "Unit price", "Amount"), ("Atlas", "3", "30.00", "90.00"), ("Lamp", "1", "250.00", "250.00"),
            ("VAT rate", "Net", "VAT", "Gross"), ("0%", "90.00", "0.00", "90.00"), ("20%", "250.00", "50.00", "300.00"),
            ("", "", "Amount payable", "390.00"),
        ]
    ):  # fmt: skip
        lines += [(x, 100.0 + 16 * at, cell) for x, cell in zip((50.0, 250.0, 350.0, 470.0), row, strict=True) if cell]
    claims = read_fields(page(lines), template("invoice"))
    assert claims["subtotal"].value is None
    assert claims["tax_total"].value == "50.00"
    assert claims["amount_due"].value == "390.00"

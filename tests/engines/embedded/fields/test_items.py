"""Rows of goods that no known heading explains: numbers are told apart by their places, products and sums."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.fields.items import cell_features, cell_network
from pipeline.records import Page
from tests.engines.embedded.fields.pages import Line, page, template, template_of


def rows(of: Page, name: str = "invoice") -> list[dict[str, Any]]:
    """The rows of the built-in template's table."""
    value = read_fields(of, template(name))["line_items"].value
    assert value is None or isinstance(value, list)
    return value or []


def numbers(of: Page, name: str = "invoice") -> list[tuple[str | None, ...]]:
    """Quantity, price and amount of each row."""
    return [(row["quantity"], row["unit_price"], row["amount"]) for row in rows(of, name)]


LETTERHEAD: list[Line] = [
    (50, 40, "Brelund & Ost Handel"), (50, 54, "Kvarngatan 14"), (50, 68, "Invoice 4471"), (350, 68, "12 March 2024"),
]  # fmt: skip
GOODS = [("Oak shelf", "4", "31.50", "126.00"), ("Brass hook", "12", "2.25", "27.00"), ("Delivery", "1", "18.00", "18.00")]
NUMBERS = [goods[1:] for goods in GOODS]


def goods(x: tuple[float, float, float, float], y: float, step: float = 16) -> list[Line]:
    """The rows of GOODS, their cells at ``x``."""
    return [(at, y + step * n, cell) for n, row in enumerate(GOODS) for at, cell in zip(x, row, strict=True)]


@pytest.mark.parametrize(
    "header", [[], [(50.0, 200.0, "Wurpel"), (300.0, 200.0, "Zind"), (380.0, 200.0, "Krapp"), (490.0, 200.0, "Olm")]]
)
def test_a_table_without_known_headings(header: list[Line]) -> None:
    of = page([*LETTERHEAD, *header, *goods((50, 300, 380, 490), 220), (380, 290, "Total"), (490, 290, "171.00")])
    assert numbers(of) == NUMBERS
    assert [row["description"] for row in rows(of)] == [goods[0] for goods in GOODS]


def test_columns_in_another_order_without_headings() -> None:
    lines: list[Line] = []
    for n, (name, quantity, price, amount) in enumerate(GOODS):
        lines += [
            (50, 220 + 16 * n, quantity),
            (100, 220 + 16 * n, name),
            (380, 220 + 16 * n, price),
            (490, 220 + 16 * n, amount),
        ]
    assert numbers(page([*LETTERHEAD, *lines, (380, 290, "Total"), (490, 290, "171.00")])) == NUMBERS


def test_numbers_of_the_letterhead_and_of_sums_are_no_rows() -> None:
    sums: list[Line] = [
        (380, 290, "Subtotal"), (490, 290, "171.00"), (380, 306, "VAT 20%"), (490, 306, "34.20"), (380, 322, "Total"), (490, 322, "205.20"),
    ]  # fmt: skip
    assert numbers(page([*LETTERHEAD, *goods((50, 300, 380, 490), 220), *sums])) == NUMBERS


def test_quantities_glued_to_a_sign_on_a_slip() -> None:
    lines: list[Line] = [
        (40, 40, "KORVALDS"), (40, 56, "Tax 9% incl."), (40, 90, "2x Rye bread"), (200, 90, "5.80"),
        (40, 104, "1x Oat milk"), (200, 104, "1.95"),
        (40, 118, "3x Apple juice"), (200, 118, "7.50"), (40, 140, "TOTAL"), (200, 140, "15.25"), (40, 154, "CASH"), (200, 154, "20.00"),
        (40, 168, "CHANGE"), (200, 168, "4.75"),
    ]  # fmt: skip
    of = page(lines, width=260)
    assert [(row["quantity"], row["amount"]) for row in rows(of, "receipt")] == [("2", "5.80"), ("1", "1.95"), ("3", "7.50")]
    assert [row["description"] for row in rows(of, "receipt")] == ["Rye bread", "Oat milk", "Apple juice"]


def test_quantity_and_price_on_the_line_below_the_name() -> None:
    lines: list[Line] = [(40, 40, "KORVALDS")]
    for n, (name, quantity, price, amount) in enumerate(GOODS):
        lines += [(40, 80 + 28 * n, name), (50, 94 + 28 * n, f"{quantity} x {price}"), (200, 94 + 28 * n, amount)]
    of = page([*lines, (40, 180, "TOTAL"), (200, 180, "171.00")], width=260)
    assert numbers(of, "receipt") == NUMBERS
    assert [row["description"] for row in rows(of, "receipt")] == [goods[0] for goods in GOODS]


def test_a_name_of_two_ideographs_is_a_name() -> None:
    lines: list[Line] = [(40, 40, "KORVALDS"), (40, 66, "Market day")]
    for n, (name, amount) in enumerate([("豆腐", "2.10"), ("米", "5.40"), ("お茶", "1.80")]):
        lines += [(40, 80 + 14 * n, name), (200, 80 + 14 * n, amount)]
    of = page([*lines, (40, 140, "TOTAL"), (200, 140, "9.30")], width=260)
    assert [row["description"] for row in rows(of, "receipt")] == ["豆腐", "米", "お茶"]


def test_a_template_of_ones_own_has_rows_by_the_types_of_its_columns() -> None:
    own = template_of(
        "name: works\nprompt: Read it.\nfields:\n  works:\n    type: table\n    columns:\n      what: {type: text, labels: {en: [Work]}}\n"
        "      hours: {type: number, labels: {en: [Hours]}}\n      rate: {type: money, labels: {en: [Rate]}}\n"
        "      sum: {type: money, labels: {en: [Sum]}}\n"
    )
    value = read_fields(page([*LETTERHEAD, *goods((50, 300, 380, 490), 220)]), own)["works"].value
    assert isinstance(value, list)
    assert [(row["hours"], row["rate"], row["sum"]) for row in value] == NUMBERS


def test_a_page_without_numbers_has_no_rows() -> None:
    assert rows(page([(50, 40, "Terms of delivery"), (50, 60, "Goods stay ours until they are paid.")])) == []


def test_weights_for_other_features_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_network, "NAMES", (*cell_features.NAMES, "another"))
    cell_network.weights.cache_clear()
    with pytest.raises(ValueError, match="fit it again"):
        cell_network.weights()
    cell_network.weights.cache_clear()


def test_the_weights_are_small() -> None:
    stored = files("pipeline.engines.embedded.fields.items") / cell_network.WEIGHTS
    assert len(stored.read_bytes()) < 1_000_000
    with stored.open("rb") as file:
        assert all(np.isfinite(array).all() for name, array in np.load(file, allow_pickle=False).items() if name != "features")

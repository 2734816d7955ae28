from __future__ import annotations

from typing import Any

import pytest

from pipeline.checks.arithmetic import check_document
from pipeline.records import Evidence

from .building import template_of

FIELDS: dict[str, Any] = {
    "subtotal": {"type": "money"},
    "discount": {"type": "money"},
    "tax_total": {"type": "money"},
    "total": {"type": "money"},
    "invoice_date": {"type": "date"},
    "delivery_date": {"type": "date"},
    "due_date": {"type": "date"},
    "vat_id": {"type": "identifier", "format": "vat"},
    "items": {"type": "table", "columns": {"amount": {"type": "money"}}},
}
TEMPLATE = template_of(
    FIELDS,
    checks=[
        {"name": "gross", "sum": ["subtotal", "-discount", "tax_total"], "equals": "total"},
        {"name": "lines", "sum": ["items.amount"], "equals": "subtotal"},
        {"name": "dates", "order": ["invoice_date", "delivery_date", "due_date"]},
    ],
)


def checked(**values: Any) -> dict[str, Evidence]:
    """The fields with the flags of failed checks. A value may be given with its evidence."""
    given = {name: values.get(name) for name in FIELDS}
    return check_document({n: v if isinstance(v, Evidence) else Evidence(v) for n, v in given.items()}, TEMPLATE)


def flags(**values: Any) -> dict[str, tuple[str, ...]]:
    """The failed checks by field, for fields with any."""
    found = {name: tuple(f for f in e.flags if not f.startswith("off-by:")) for name, e in checked(**values).items()}
    return {name: names for name, names in found.items() if names}


def test_a_correct_sum_gives_no_flag() -> None:
    assert flags(subtotal="100.00", discount="10.00", tax_total="17.10", total="107.10") == {}


@pytest.mark.parametrize(("total", "holds"), [("107.12", True), ("107.08", True), ("107.13", False), ("107.07", False)])
def test_rounding_is_allowed_up_to_the_tolerance(total: str, holds: bool) -> None:
    assert (flags(subtotal="100", discount="10", tax_total="17.1", total=total) == {}) is holds


def test_a_wrong_sum_flags_its_members() -> None:
    raised_flags = flags(subtotal="100.00", discount="10.00", tax_total="17.10", total="170.10")
    assert raised_flags == dict.fromkeys(("subtotal", "discount", "tax_total", "total"), ("sum:gross",))


@pytest.mark.parametrize("missing", ["subtotal", "discount", "tax_total", "total"])
def test_a_sum_with_a_missing_number_gives_no_flag(missing: str) -> None:
    values = {"subtotal": "100.00", "discount": "10.00", "tax_total": "17.10", "total": "170.10"}
    assert flags(**{**values, missing: None}) == {}


def test_a_column_counts_as_its_sum() -> None:
    rows = [{"amount": "60.00"}, {"amount": "40.00"}]
    assert flags(items=rows, subtotal="100.00") == {}
    assert flags(items=rows, subtotal="90.00") == {"items": ("sum:lines",), "subtotal": ("sum:lines",)}


def test_a_column_with_an_empty_cell_has_no_sum() -> None:
    assert flags(items=[{"amount": "60.00"}, {"amount": None}], subtotal="100.00") == {}
    assert flags(items=[{"amount": "60.00"}, {"amount": "n/a"}], subtotal="100.00") == {}


def test_amounts_are_added_exactly() -> None:
    assert flags(items=[{"amount": "0.10"}] * 3, subtotal="0.32") == {}
    assert flags(items=[{"amount": "0.10"}] * 3, subtotal="0.33") != {}


def test_dates_out_of_order_are_flagged() -> None:
    assert flags(invoice_date="2024-01-31", due_date="2024-02-14") == {}
    assert flags(invoice_date="2024-01-31", due_date="2024-01-31") == {}
    backwards = flags(invoice_date="2024-03-01", due_date="2024-02-14")
    assert backwards == {"invoice_date": ("order:dates",), "due_date": ("order:dates",)}


@pytest.mark.parametrize(
    "good", ["DE314159262", "FR40303265045", "CHE107787577IVA", "NO995525828MVA", "GB980780684", "EL094259216"]
)
def test_only_wrong_check_digits_are_flagged(good: str) -> None:
    assert flags(vat_id=good) == {}
    at = max(i for i, c in enumerate(good) if c.isdigit())
    wrong = good[:at] + str((int(good[at]) + 1) % 10) + good[at + 1 :]
    assert flags(vat_id=wrong) == {"vat_id": ("checksum",)}


def test_a_tax_number_of_another_country_is_not_checked() -> None:
    assert flags(vat_id="000944668672") == {}


def test_flags_are_added_once_to_existing_flags() -> None:
    evidence = {"vat_id": Evidence("DE123456789", flags=("ungrounded", "checksum"))}
    assert check_document(evidence, TEMPLATE)["vat_id"].flags == ("ungrounded", "checksum")


def test_a_wrong_sum_says_by_how_much() -> None:
    fields = checked(subtotal="100.00", discount="10.00", tax_total="17.10", total="170.10")
    assert fields["total"].flags == ("sum:gross", "off-by:gross:-63.00")


@pytest.mark.parametrize(
    ("total", "flagged"),
    [
        (Evidence("110.00", score=0.99), ["items"]),
        (Evidence("110.00", score=0.6), ["subtotal", "items"]),
        (Evidence("110.00"), ["subtotal", "items"]),
    ],
    ids=["sure", "unsure", "without a score"],
)
def test_rows_that_do_not_add_up_leave_a_total_that_was_read_for_sure_alone(total: Evidence, flagged: list[str]) -> None:
    assert list(flags(subtotal=total, items=[{"amount": "60.00"}, {"amount": "40.00"}])) == flagged


def test_rows_that_do_not_add_up_leave_a_total_that_another_sum_confirms_alone() -> None:
    rows = [{"amount": "60.00"}, {"amount": "39.00"}]
    assert list(flags(subtotal="100.00", discount="10.00", tax_total="17.10", total="107.10", items=rows)) == ["items"]

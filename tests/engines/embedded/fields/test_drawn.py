"""Nearly every value is found on random invoices of many layouts in eight languages."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.drawn.invoices import draw_invoice
from benchmarks.drawn.reading import read_page
from benchmarks.drawn.truth import is_right
from benchmarks.drawn.wording import LANGUAGES
from pipeline.checks.grounding import ground
from pipeline.engines.embedded.fields import read_fields
from tests import drawing
from tests.engines.embedded.fields.pages import template

SEEDS = range(1000, 1010)
INVOICE = template("invoice")


@pytest.mark.parametrize("language", LANGUAGES)
def test_drawn_invoices_are_read_with_at_most_three_mistakes(language: str, tmp_path: Path) -> None:
    wrong = []
    for seed in SEEDS:
        data, facts = draw_invoice(seed, language, scanned=False)
        claims = read_fields(read_page(data, tmp_path / "invoice.pdf"), INVOICE)
        wrong += [
            (seed, name, claims[name].value)
            for name, fact in facts.items()
            if not is_right(INVOICE.fields[name], claims[name].value, fact)
        ]
    assert len(wrong) <= 3, wrong


@pytest.mark.parametrize("language", drawing.LANGUAGES)
def test_a_deposit_is_subtracted_also_where_it_is_printed_with_a_minus(language: str, tmp_path: Path) -> None:
    data = drawing.invoice(language, prepaid=Decimal("100.00"))
    page = read_page(drawing.invoice_pdf(data), tmp_path / "invoice.pdf")
    evidence = ground(read_fields(page, INVOICE), page, INVOICE)
    values = {name: evidence[name].value for name in ("total", "prepaid", "amount_due")}
    assert values == {"total": "1400.40", "prepaid": "100.00", "amount_due": "1300.40"}
    assert evidence["prepaid"].printed != "100.00", "it is printed with a minus"

"""Invoices of many layouts in eight languages, drawn by chance: nearly every value is found, whatever the layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.drawn.invoices import draw_invoice
from benchmarks.drawn.reading import read_page
from benchmarks.drawn.truth import is_right
from benchmarks.drawn.wording import LANGUAGES
from pipeline.engines.embedded.fields import read_fields
from tests.engines.embedded.fields.pages import template

SEEDS = range(1000, 1010)
INVOICE = template("invoice")


@pytest.mark.parametrize("language", LANGUAGES)
def test_invoices(language: str, tmp_path: Path) -> None:
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

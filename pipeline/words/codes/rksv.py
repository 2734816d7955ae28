"""Machine-readable code of an Austrian receipt (RKSV, Annex Z 12: ``_R1-AT1_…``). Its signature is not verified."""

from __future__ import annotations

import re

from pipeline.words.codes.payload import Facts, amount, identifier, iso_date, present, sum_of

_SUITE = re.compile(r"R\d-(AT|DE)\d{1,3}", re.ASCII)
RATES = 5
"""Amounts by rate: normal, two reduced ones, none, special."""


def parse_rksv(text: str) -> Facts | None:
    """Number, day and total of the receipt; None for any other text."""
    parts = text.strip().removeprefix("_").split("_")
    if len(parts) < 12 or not _SUITE.fullmatch(parts[0]):
        return None
    return present(
        {
            "BT-1": identifier(parts[2]),
            "BT-2": iso_date(parts[3], "%Y-%m-%dT%H:%M:%S"),
            "BT-112": sum_of([amount(part) for part in parts[4 : 4 + RATES]]),
            "BT-5": "EUR",
        }
    )

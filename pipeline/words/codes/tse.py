"""QR code of a German receipt (DSFinV-K, Annex I: ``V0;…``). Its signature is not verified."""

from __future__ import annotations

from pipeline.words.codes.payload import Facts, amount, iso_date, present, sum_of

RATES = 5
"""Gross amounts by rate of tax."""
LATE = 22
"""From this hour UTC on it may be the next day in Germany."""


def parse_tse(text: str) -> Facts | None:
    """Day and total of a receipt; None for any other text, and for processes that are no receipts."""
    parts = text.strip().split(";")
    if len(parts) < 10 or parts[0] != "V0" or parts[2] != "Kassenbeleg-V1":
        return None
    kind, _, rest = parts[3].partition("^")
    gross, _, _ = rest.partition("^")
    if kind != "Beleg":
        return None
    rates = gross.split("_")
    return present(
        {
            "BT-2": _day(parts[7]),
            "BT-112": sum_of([amount(rate) for rate in rates]) if len(rates) == RATES else None,
        }
    )


def _day(stamp: str) -> str | None:
    """The day of a UTC time ``2019-07-10T18:41:04.000Z``."""
    day, _, time = stamp.partition("T")
    late = time[:2].isdecimal() and int(time[:2]) >= LATE
    return None if late else iso_date(day, "%Y-%m-%d")

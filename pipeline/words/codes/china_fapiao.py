"""QR code of a Chinese VAT invoice (State Taxation Administration: fields between commas, the first ``01``)."""

from __future__ import annotations

from pipeline.words.codes.payload import Facts, amount, identifier, iso_date, present

NET_KINDS = ("01", "04", "10")
"""Special, ordinary and electronic invoices with a code and a number: the amount is that without tax."""
GROSS_KINDS = ("31", "32")
"""Fully digital invoices: the number has twenty digits, the amount is that with tax."""


def parse_china_fapiao(text: str) -> Facts | None:
    """Number, day and amount of the invoice; None for any other text."""
    parts = [part.strip() for part in text.strip().split(",")]
    if not 7 <= len(parts) <= 10 or parts[0] != "01" or parts[1] not in (*NET_KINDS, *GROSS_KINDS):
        return None
    code, number, total, day = parts[2:6]
    issued = iso_date(day, "%Y%m%d")
    if not issued or not number.isdecimal() or not (code.isdecimal() if parts[1] in NET_KINDS else len(number) == 20):
        return None
    term = "BT-109" if parts[1] in NET_KINDS else "BT-112"
    return present({"BT-1": identifier(number), "BT-2": issued, term: amount(total)})

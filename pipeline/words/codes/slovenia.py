"""Slovenian codes: the 60 digits on a fiscal receipt (FURS), and the payment order UPN QR (Bank Association of Slovenia)."""

from __future__ import annotations

import re

from pipeline.words.codes.payload import Facts, amount_in_cents, iban, identifier, iso_date, plain_text, positive, present

_RECEIPT = re.compile(r"\d{39}(\d{8})(\d{6})\d{6}(\d)", re.ASCII)
UPN_LINES = 20


def parse_slovenian_receipt(text: str) -> Facts | None:
    """Tax number and day of a receipt; None for any other text, and where the control digit (the sum of the digits) is wrong."""
    digits = text.strip()
    match = _RECEIPT.fullmatch(digits)
    if not match or sum(map(int, digits[:-1])) % 10 != int(match[3]):
        return None
    day = iso_date(match[2], "%y%m%d")
    return present({"BT-31": match[1], "BT-2": day}) if day else None


def parse_upn(text: str) -> Facts | None:
    """Account, payee, amount, reference and due date of a payment order; None for any other text."""
    lines = [line.strip() for line in text.split("\n")[:UPN_LINES]]
    if lines[0] != "UPNQR" or len(lines) < 19:
        return None
    to_pay = positive(amount_in_cents(lines[8]))
    return present(
        {
            "BT-115": to_pay,
            "BT-5": "EUR" if to_pay else None,
            "BT-9": iso_date(lines[13], "%d.%m.%Y"),
            "BT-84": iban(lines[14]),
            "BT-83": identifier(lines[15]),
            "BT-85": plain_text(lines[16]),
        }
    )

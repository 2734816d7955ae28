"""QR code of a Saudi invoice (ZATCA, Security Features Implementation Standards: TLV in Base64, tags 1 to 5)."""

from __future__ import annotations

import re

from pipeline.words.codes.payload import Facts, amount, from_base64, iso_date, plain_text, present

MAX_TAGS = 20
TAX_NUMBER = re.compile(r"3\d{13}3", re.ASCII)
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):?\d{2}.*)?", re.ASCII | re.DOTALL)
UTC_AHEAD = 21
"""From this hour UTC on it is the next day in Riyadh; many programs put a ``Z`` behind the local time."""


def parse_zatca(text: str) -> Facts | None:
    """Seller, tax number, day, total and tax; None for any other text. Stamps and signatures (tags 6 to 9) are not verified."""
    content = from_base64(text)
    values = _values(content) if content else None
    if not values or not TAX_NUMBER.fullmatch(values.get(2, "").strip()):
        return None
    return present(
        {
            "BT-27": plain_text(values.get(1)),
            "BT-31": values[2].strip(),
            "BT-2": _day(values.get(3, "").strip()),
            "BT-112": amount(values.get(4)),
            "BT-110": amount(values.get(5)),
        }
    )


def _values(content: bytes) -> dict[int, str] | None:
    """Texts by tag of the first five; None where the lengths do not fit the content."""
    found: dict[int, str] = {}
    at = 0
    for _ in range(MAX_TAGS):
        if at >= len(content):
            return found
        if at + 2 > len(content):
            return None
        tag, length = content[at], content[at + 1]
        value = content[at + 2 : at + 2 + length]
        if tag <= 5:
            if tag in found or len(value) != length:
                return None
            found[tag] = value.decode("utf-8", "replace")
        elif len(found) >= 5:  # the public key and the stamp, whose lengths some programs write in other ways
            return found
        at += 2 + length
    return None


def _day(stamp: str) -> str | None:
    match = _STAMP.fullmatch(stamp)
    if not match or (stamp.endswith("Z") and int(match[2] or 0) >= UTC_AHEAD):
        return None
    return iso_date(match[1], "%Y-%m-%d")

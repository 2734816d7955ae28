"""Slovak PAY by square (Slovak Banking Association, specification 1.1): tab-separated text, LZMA, Base32hex."""

from __future__ import annotations

import base64
import binascii
import lzma
import zlib

from pipeline.words.codes.payload import Facts, amount, currency, iban, identifier, iso_date, plain_text, positive, present

MAX_LETTERS = 3_000
MAX_BYTES = 10_000
"""Bytes of the text that are unpacked."""
PAYMENT_ORDER = "1"
_FILTERS = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 17, "lc": 3, "lp": 0, "pb": 2}]


def parse_pay_by_square(text: str) -> Facts | None:
    """Account, amount, variable symbol and due date of a single payment; None for any other text, and where its CRC does not fit."""
    content = _unpacked(text.strip().upper())
    if content is None:
        return None
    fields = content.split("\t")
    if len(fields) < 14 or fields[1] != "1" or fields[2] != PAYMENT_ORDER:
        return None
    return present(
        {
            "BT-115": positive(amount(fields[3])),
            "BT-5": currency(fields[4]),
            "BT-9": iso_date(fields[5], "%Y%m%d"),
            "BT-83": identifier(fields[6]) or identifier(fields[9]) or plain_text(fields[10]),
            "BT-84": iban(fields[12]),
            "BT-86": plain_text(fields[13]) if len(fields[13]) in (8, 11) else None,
        }
    )


def _unpacked(text: str) -> str | None:
    """The text of a code: two bytes of header, the length of what follows, a CRC-32 and the text in raw LZMA."""
    if len(text) > MAX_LETTERS or not text.startswith("000"):  # by square, version 1.0 or 1.1, an order of payment
        return None
    usable = len(text) - (len(text) % 8 if len(text) % 8 in (1, 3, 6) else 0)
    try:
        packed = base64.b32hexdecode(text[:usable] + "=" * (-usable % 8))
    except (binascii.Error, ValueError):
        return None
    length = int.from_bytes(packed[2:4], "little")
    if not 4 < length <= MAX_BYTES:
        return None
    try:
        unpacked = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS).decompress(packed[4:], max_length=length)
    except (lzma.LZMAError, EOFError):
        return None
    crc, content = unpacked[:4], unpacked[4:]
    if len(unpacked) != length or zlib.crc32(content) != int.from_bytes(crc, "little"):
        return None
    return content.decode("utf-8", "replace")

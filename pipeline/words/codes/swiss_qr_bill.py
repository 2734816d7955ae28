"""Swiss QR bill (SIX, Implementation Guidelines QR-bill 2.x: ``SPC``, version 02) with the billing information of Swico (S1)."""

from __future__ import annotations

import re
from datetime import date, timedelta

from pipeline.words.codes.payload import Facts, amount, currency, iban, identifier, iso_date, plain_text, positive, present

MAX_LINES = 34
END = 30
"""Line ``EPD``, behind which the billing information stands."""
MAX_DAYS = 999
_TAGS = re.compile(r"(?<!\\)/")


def parse_swiss_qr_bill(text: str) -> Facts | None:
    """Account, creditor, amount, reference, and what the biller says of the invoice; None for any other text."""
    lines = [line.strip() for line in text.split("\n")[:MAX_LINES]]
    if len(lines) <= END or lines[0] != "SPC" or not lines[1].startswith("02") or lines[END] != "EPD":
        return None
    to_pay = positive(amount(lines[18]))
    reference = plain_text(lines[28]) if lines[27] in ("QRR", "SCOR") else None
    payment = {
        "BT-84": iban(lines[3]),
        "BT-85": plain_text(lines[5]),
        "BT-115": to_pay,
        "BT-5": currency(lines[19]),
        "BT-83": reference or plain_text(lines[29]),
    }
    billing = lines[END + 1] if len(lines) > END + 1 else ""
    return present(payment | _swico(billing))


def _swico(text: str) -> dict[str, str | None]:
    """The billing information in the form of Swico (S1, version 1.2); empty for others."""
    if not text.startswith("//S1/"):
        return {}
    parts = [part.replace("\\/", "/").replace("\\\\", "\\") for part in _TAGS.split(text[len("//S1/") :])]
    tags = dict(zip(parts[::2], parts[1::2], strict=False))
    issued = iso_date(tags.get("11"), "%y%m%d")
    tax = tags.get("30", "")
    return {
        "BT-1": identifier(tags.get("10")),
        "BT-2": issued,
        "BT-31": f"CHE{tax}" if tax.isdecimal() and len(tax) == 9 else None,
        "BT-9": _due(issued, tags.get("40", "")),
    }


def _due(issued: str | None, conditions: str) -> str | None:
    """The day until which the whole amount is due: of ``2:10;0:30`` the thirtieth day."""
    for condition in conditions.split(";")[:10]:
        share, _, days = condition.partition(":")
        if issued and share == "0" and days.isascii() and days.isdecimal() and int(days[:4]) <= MAX_DAYS:
            return (date.fromisoformat(issued) + timedelta(days=int(days[:4]))).isoformat()
    return None

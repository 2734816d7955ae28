"""Serbian codes: the link on a fiscal receipt (Tax Administration, SUF), and the payment NBS IPS QR (``K:PR|V:01|…``)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.words.codes.payload import (
    Facts,
    amount,
    currency,
    from_base64,
    identifier,
    is_host,
    link,
    plain_text,
    positive,
    present,
)

HEAD = 43
"""Bytes of the receipt in front of its buyer: version, requester, signer, counters, amount, time, two types."""
LATE = 22
"""From this hour UTC on it may be the next day in Serbia."""
MAX_FIELDS = 30


def parse_serbian_receipt(text: str) -> Facts | None:
    """Number, day and total of a receipt from the link that its code holds, which is not opened; None for any other text."""
    found = link(text)
    if not found or not is_host(found[0], "suf.purs.gov.rs") or not found[1].startswith("/v"):
        return None
    content = from_base64(found[2].get("vl", "").replace(" ", "+"))  # a plus sign of Base64 stands for a blank in a link
    if not content or len(content) < HEAD or content[0] != 3:
        return None
    requester, signer = content[1:9], content[9:17]
    if not requester.isalnum() or not signer.isalnum():
        return None
    hundredths = int.from_bytes(content[25:33], "little")  # of a hundredth
    counter = int.from_bytes(content[17:21], "little")
    return present(
        {
            "BT-1": f"{requester.decode()}-{signer.decode()}-{counter}",
            "BT-2": _day(int.from_bytes(content[33:41], "big")),
            "BT-112": amount(f"{hundredths // 10_000}.{hundredths % 10_000 // 100:02}"),
        }
    )


def parse_nbs_ips(text: str) -> Facts | None:
    """Account, payee, amount and reference of a payment; None for any other text."""
    parts = text.strip().split("|")
    values = {name: value for name, _, value in (part.partition(":") for part in parts[:MAX_FIELDS])}
    if values.get("K") not in ("PR", "PT", "PK", "EK") or "R" not in values or "V" not in values:
        return None
    total = values.get("I", "")
    return present(
        {
            "BT-84": identifier(values["R"]),
            "BT-85": plain_text(values.get("N")),
            "BT-5": currency(total[:3]),
            "BT-115": positive(amount(total[3:].rstrip(",") if total.endswith(",") else total[3:])),
            "BT-83": identifier(values.get("RO")),
        }
    )


def _day(milliseconds: int) -> str | None:
    """The day of a time since 1970 in UTC; None for one out of range."""
    if not 0 < milliseconds < 10**13:
        return None
    stamp = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return None if stamp.hour >= LATE else stamp.date().isoformat()

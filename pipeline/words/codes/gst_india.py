"""Signed QR code of an Indian e-invoice (GSTN): a JWT whose payload holds the invoice. Its signature is NOT verified."""

from __future__ import annotations

import json
import re

from pipeline.words.codes.payload import Facts, amount, from_base64, identifier, iso_date, present

MAX_JWT = 4_096
"""Letters of the token; a QR code holds hardly more."""
MAX_DEPTH = 20
KINDS = {"INV": "380", "CRN": "381", "DBN": "383"}
"""Types of documents as codes of BT-3 (UNTDID 1001)."""
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_GSTIN = re.compile(r"\d{2}[A-Z0-9]{13}", re.ASCII)


def parse_gst_india(text: str) -> Facts | None:
    """Number, day, kind, total and tax numbers of the invoice; None for any other text."""
    if len(text) > MAX_JWT or not _JWT.fullmatch(text.strip()):
        return None
    claims = _object(from_base64(text.strip().split(".")[1], url_safe=True))
    data = claims.get("data")
    invoice = _object(data.encode("utf-8", "replace")) if isinstance(data, str) else data if isinstance(data, dict) else {}
    values = {key: str(value) for key, value in invoice.items() if isinstance(value, str | int | float)}
    seller, buyer = values.get("SellerGstin", ""), values.get("BuyerGstin", "")
    if not _GSTIN.fullmatch(seller):
        return None
    return present(
        {
            "BT-1": identifier(values.get("DocNo")),
            "BT-2": iso_date(values.get("DocDt"), "%d/%m/%Y"),
            "BT-3": KINDS.get(values.get("DocTyp", "")),
            "BT-31": seller,
            "BT-48": buyer if _GSTIN.fullmatch(buyer) else None,
            "BT-112": amount(values.get("TotInvVal")),
        }
    )


def _object(content: bytes | None) -> dict[str, object]:
    """A JSON object; empty for anything else, and for one that is nested deeply."""
    if not content or content.count(b"{") + content.count(b"[") > MAX_DEPTH:
        return {}
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

"""QR code of a Portuguese invoice (AT, "Especificações técnicas do código QR", Portaria 195/2020): fields ``A:…*B:…`` with the ATCUD."""

from __future__ import annotations

import re

from pipeline.words.codes.payload import Facts, amount, identifier, iso_date, present

MAX_FIELDS = 60
KINDS = {"FT": "380", "FS": "380", "FR": "380", "NC": "381", "ND": "383"}
"""Types of documents as codes of BT-3 (UNTDID 1001)."""
FINAL_CONSUMER = "999999990"
_TAX_NUMBER = re.compile(r"\d{9}", re.ASCII)


def parse_portugal(text: str) -> Facts | None:
    """Number, day, kind, total, tax and tax numbers of the document; None for any other text, and for one that was cancelled."""
    parts = [part.partition(":") for part in text.strip().split("*")]
    values = {name: value for name, _, value in parts[:MAX_FIELDS]}
    seller, buyer = values.get("A", ""), values.get("B", "")
    if len(parts) > MAX_FIELDS or not _TAX_NUMBER.fullmatch(seller) or not {"D", "F", "G", "O"} <= set(values):
        return None
    if values.get("E") == "A":
        return None
    return present(
        {
            "BT-1": identifier(values["G"]),
            "BT-2": iso_date(values["F"], "%Y%m%d"),
            "BT-3": KINDS.get(values["D"]),
            "BT-31": seller,
            "BT-48": buyer if _TAX_NUMBER.fullmatch(buyer) and buyer != FINAL_CONSUMER else None,
            "BT-110": amount(values.get("N")),
            "BT-112": amount(values["O"]),
        }
    )

"""QR code of an Argentine invoice (AFIP, RG 4892/2020: a link with JSON in Base64). The link is not opened."""

from __future__ import annotations

import json

from pipeline.words.codes.payload import Facts, amount, from_base64, identifier, is_host, iso_date, link, present

MAX_BRACKETS = 4
CURRENCIES = {"PES": "ARS", "DOL": "USD", "060": "EUR"}
"""AFIP's codes of the most frequent currencies as ISO 4217."""


def parse_argentina_afip(text: str) -> Facts | None:
    """Number, day, total, currency and tax numbers of the invoice; None for any other text."""
    found = link(text)
    if not found or not is_host(found[0], "afip.gob.ar", "arca.gob.ar"):
        return None
    content = from_base64(found[2].get("p", "").replace(" ", "+"))
    if not content or content.count(b"{") + content.count(b"[") > MAX_BRACKETS:
        return None
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    values = {key: str(value) for key, value in data.items() if isinstance(value, str | int | float)}
    seller, point, number = values.get("cuit", ""), values.get("ptoVta", ""), values.get("nroCmp", "")
    if not (seller.isdecimal() and len(seller) == 11):
        return None
    numbered = point.isdecimal() and number.isdecimal() and len(point) <= 5 and len(number) <= 8
    return present(
        {
            "BT-1": f"{point.zfill(5)}-{number.zfill(8)}" if numbered else None,
            "BT-2": iso_date(values.get("fecha"), "%Y-%m-%d"),
            "BT-31": seller,
            "BT-48": identifier(values.get("nroDocRec")) if values.get("tipoDocRec") == "80" else None,
            "BT-112": amount(values.get("importe")),
            "BT-5": CURRENCIES.get(values.get("moneda", "")),
        }
    )

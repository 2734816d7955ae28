"""Czech QR payment (``SPD*1.0*``, Czech Banking Association) and QR invoice (``SID*1.0*``, qr-faktura.cz), also one in the other."""

from __future__ import annotations

from urllib.parse import unquote

from pipeline.words.codes.payload import Facts, amount, currency, iban, identifier, iso_date, plain_text, positive, present

MAX_FIELDS = 60


def parse_czech_spd(text: str) -> Facts | None:
    """Account, amount, variable symbol and dates; of a QR invoice also its number, day and tax numbers. None for any other text."""
    head, version, *parts = [*text.strip().split("*"), "", ""]
    if head not in ("SPD", "SID") or not version.startswith(("1.", "2.")) or len(parts) > MAX_FIELDS:
        return None
    values = {name: unquote(value) for name, _, value in (part.partition(":") for part in parts)}
    if head == "SID":
        return present(_invoice(values))
    inside = values.get("X-INV", "")
    invoice = parse_czech_spd(inside) if inside.startswith("SID*") else None
    return present(_payment(values) | (invoice or {}))


def _payment(values: dict[str, str]) -> dict[str, str | None]:
    account, _, bank = values.get("ACC", "").partition("+")
    return {
        "BT-84": iban(account),
        "BT-85": plain_text(values.get("RN")),
        "BT-86": plain_text(bank) if len(bank) in (8, 11) else None,
        "BT-115": positive(amount(values.get("AM"))),
        "BT-5": currency(values.get("CC")),
        "BT-83": identifier(values.get("X-VS")) or identifier(values.get("RF")),
        "BT-9": iso_date(values.get("DT"), "%Y%m%d"),
    }


def _invoice(values: dict[str, str]) -> dict[str, str | None]:
    account, _, _ = values.get("ACC", "").partition("+")
    return {
        "BT-1": identifier(values.get("ID")),
        "BT-2": iso_date(values.get("DD"), "%Y%m%d"),
        "BT-9": iso_date(values.get("DT"), "%Y%m%d"),
        "BT-31": identifier(values.get("VII")),
        "BT-48": identifier(values.get("VIR")),
        "BT-84": iban(account),
        "BT-83": identifier(values.get("VS")),
        "BT-115": positive(amount(values.get("AM"))),
        "BT-5": currency(values.get("CC")) or "CZK",
    }

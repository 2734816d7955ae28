"""QR code of a Mexican invoice (SAT, Anexo 20: the link to verify a CFDI). The link is not opened."""

from __future__ import annotations

from decimal import Decimal

from pipeline.words.codes.payload import Facts, identifier, is_host, link, present

MAX_DIGITS = 25


def parse_mexico_cfdi(text: str) -> Facts | None:
    """Tax numbers and total of the invoice; None for any other text."""
    found = link(text)
    if not found:
        return None
    host, _, values = found
    if not is_host(host, "facturaelectronica.sat.gob.mx", "sat.gob.mx") or not {"re", "rr"} <= set(values):
        return None
    return present(
        {"BT-31": identifier(values["re"]), "BT-48": identifier(values["rr"]), "BT-112": _total(values.get("tt", ""))}
    )


def _total(text: str) -> str | None:
    """A total that is filled with zeros on both sides, as ``0000001160.000000``."""
    whole, _, fraction = text.partition(".")
    if len(text) > MAX_DIGITS or not (whole + fraction).isdecimal() or not text.isascii() or not whole:
        return None
    return f"{Decimal(f'{whole}.{fraction or 0}'):.2f}"

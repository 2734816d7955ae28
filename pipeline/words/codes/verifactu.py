"""QR code of a Spanish invoice: the link of VERI*FACTU (AEAT, "Características del QR", 2024). The link is not opened."""

from __future__ import annotations

from pipeline.words.codes.payload import Facts, amount, identifier, is_host, iso_date, link, present


def parse_verifactu(text: str) -> Facts | None:
    """Tax number, number, day and total of the invoice; None for any other text."""
    found = link(text)
    if not found:
        return None
    host, path, values = found
    if not is_host(host, "agenciatributaria.gob.es", "aeat.es") or "/validarqr" not in path.lower():
        return None
    return present(
        {
            "BT-31": identifier(values.get("nif")),
            "BT-1": identifier(values.get("numserie")),
            "BT-2": iso_date(values.get("fecha"), "%d-%m-%Y"),
            "BT-112": amount(values.get("importe")),
        }
    )

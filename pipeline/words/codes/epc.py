"""EPC QR code of a SEPA credit transfer ("Girocode"; EPC069-12, versions 001 and 002)."""

from __future__ import annotations

from pipeline.words.codes.payload import Facts, amount, iban, plain_text, positive, present

LINES = 12


def parse_epc(text: str) -> Facts | None:
    """Account, payee, amount and remittance of the transfer; None for any other text."""
    lines = [line.strip() for line in text.splitlines()[: LINES + 1]]
    lines += [""] * (LINES - len(lines))
    if lines[0] != "BCD" or lines[1] not in ("001", "002") or lines[3] not in ("SCT", "INST"):
        return None
    to_pay = positive(amount(lines[7][3:])) if lines[7].startswith("EUR") else None
    return present(
        {
            "BT-84": iban(lines[6]),
            "BT-85": plain_text(lines[5]),
            "BT-86": plain_text(lines[4]) if len(lines[4]) in (8, 11) else None,
            "BT-115": to_pay,
            "BT-5": "EUR" if to_pay else None,
            "BT-83": plain_text(lines[9]) or plain_text(lines[10]),
        }
    )

"""Croatian codes: the link on a receipt with its JIR or ZKI (Tax Administration), and the payment slip HUB 3 (``HRVHUB30``)."""

from __future__ import annotations

from pipeline.words.codes.payload import (
    Facts,
    amount,
    amount_in_cents,
    currency,
    iban,
    identifier,
    is_host,
    iso_date,
    link,
    plain_text,
    positive,
    present,
)

SLIP_LINES = 14


def parse_croatian_receipt(text: str) -> Facts | None:
    """Day and total of a receipt from the link that its code holds, which is not opened; None for any other text.

    The total is in cents, in links with a comma or a point in euros.
    """
    found = link(text)
    if not found:
        return None
    host, path, values = found
    if not is_host(host, "porezna.gov.hr") or path.rstrip("/") != "/rn" or not {"jir", "zki"} & set(values):
        return None
    total = values.get("izn", "")
    return present(
        {
            "BT-2": iso_date(values.get("datv"), "%Y%m%d_%H%M"),
            "BT-112": amount(total) if {",", "."} & set(total) else amount_in_cents(total),
        }
    )


def parse_hub3(text: str) -> Facts | None:
    """Account, payee, amount and reference of a payment slip; None for any other text."""
    lines = [line.strip() for line in text.split("\n")[:SLIP_LINES]]
    lines += [""] * (SLIP_LINES - len(lines))
    if lines[0] != "HRVHUB30":
        return None
    return present(
        {
            "BT-5": currency(lines[1]),
            "BT-115": positive(amount_in_cents(lines[2])),
            "BT-85": plain_text(lines[6]),
            "BT-84": iban(lines[9]),
            "BT-83": identifier(" ".join(lines[10:12])),
        }
    )

"""What the texts of codes have in common: amounts, dates, account numbers and links, as the parsers of the standards read them.

Every function takes text that may be hostile, and gives None for what is not of the form that it reads. No link is ever opened.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

Facts = dict[str, str]
"""Values by business term of EN 16931, normalised as the values of fields are."""
MAX_TEXT = 140
"""Letters of a value: the longest remittance information (SEPA; Swiss QR bill)."""
MAX_PARAMETERS = 40
_AMOUNT = re.compile(r"([+-]?)(\d{1,15})(?:[.,](\d{1,4}))?", re.ASCII)
_CENTS = re.compile(r"([+-]?)(\d{1,15})", re.ASCII)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def plain_text(text: str | None, most: int = MAX_TEXT) -> str | None:
    """The text on one line without control characters; None where it is empty or longer than ``most``."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return line if 0 < len(line) <= most else None


def identifier(text: str | None, most: int = 60) -> str | None:
    """A number of a document or of a party; None for a text without a digit."""
    found = plain_text(text, most)
    return found if found and any(c in "0123456789" for c in found) else None


def amount(text: str | None) -> str | None:
    """A plain decimal string of an amount with a point or a comma, of two decimals at least where it has any."""
    match = _AMOUNT.fullmatch((text or "").strip())
    if not match:
        return None
    fraction = f".{match[3].ljust(2, '0')}" if match[3] else ""
    return f"{'-' if match[1] == '-' else ''}{int(match[2])}{fraction}"


def amount_in_cents(text: str | None) -> str | None:
    """A plain decimal string of an amount that is given in hundredths."""
    match = _CENTS.fullmatch((text or "").strip())
    return f"{Decimal(match[2]).scaleb(-2) * (-1 if match[1] == '-' else 1):.2f}" if match else None


def sum_of(amounts: list[str | None]) -> str | None:
    """The sum of amounts as ``amount`` gives them; None where one of them is none."""
    numbers = [Decimal(each) for each in amounts if each is not None]
    return f"{sum(numbers, Decimal(0)):.2f}" if numbers and len(numbers) == len(amounts) else None


def positive(text: str | None) -> str | None:
    """An amount above 0: codes for payments leave the amount open with 0."""
    return text if text is not None and Decimal(text) > 0 else None


def iso_date(text: str | None, form: str) -> str | None:
    """ISO 8601 of a date that has exactly a ``strptime`` form; None for impossible dates, and before 1990."""
    try:
        found = datetime.strptime((text or "").strip(), form).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
    return found.isoformat() if found >= date(1990, 1, 1) else None


def iban(text: str | None) -> str | None:
    """An account number of the shape of an IBAN without blanks. Its check digits do not count here: later checks name wrong ones."""
    plain = "".join((text or "")[:60].split()).upper()
    return plain if _IBAN.fullmatch(plain) else None


def currency(text: str | None) -> str | None:
    """An ISO 4217 code by its shape."""
    return text if text and _CURRENCY.fullmatch(text) else None


def present(facts: Mapping[str, str | None]) -> Facts | None:
    """The facts that are there; None without any."""
    return {term: value for term, value in facts.items() if value} or None


def link(text: str) -> tuple[str, str, dict[str, str]] | None:
    """Host (lower case), path and first values of the parameters of a web address; None for other texts."""
    if not text.lower().startswith(("https://", "http://")):
        return None
    try:
        parts = urlsplit(text.strip())
        host = (parts.hostname or "").lower()
        values = parse_qs(parts.query, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return None
    return host, parts.path, {name.lower(): found[0] for name, found in values.items()}


def is_host(host: str, *domains: str) -> bool:
    """Whether a host is one of the domains, or below one of them."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def from_base64(text: str, *, url_safe: bool = False) -> bytes | None:
    """The bytes of a Base64 text, also without its padding; None for any other text."""
    filled = text.strip() + "=" * (-len(text.strip()) % 4)
    try:
        return base64.b64decode(filled, altchars=b"-_" if url_safe else None, validate=True)
    except (binascii.Error, ValueError):
        return None

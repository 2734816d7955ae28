"""Identifiers: VAT ids, IBAN, BIC and creditor references with their check digits (python-stdnum), and document numbers."""

from __future__ import annotations

import re
import unicodedata

_VAT_SHAPE = re.compile(
    r"(AT)U\d{8}|(BE)[01]\d{9}|(BG)\d{9,10}|(CY)\d{8}[A-Z]|(CZ)\d{8,10}|(DE)\d{9}|(DK)\d{8}|(EE)\d{9}|(EL|GR)\d{9}|"
    r"(ES)[A-Z0-9]\d{7}[A-Z0-9]|(FI)\d{8}|(FR)[A-Z0-9]{2}\d{9}|(HR)\d{11}|(HU)\d{8}|(IE)\d[A-Z0-9+*]\d{5}[A-Z]{1,2}|(IT)\d{11}|"
    r"(LT)(?:\d{12}|\d{9})|(LU)\d{8}|(LV)\d{11}|(MT)\d{8}|(NL)\d{9}B\d{2}|(PL)\d{10}|(PT)\d{9}|(RO)\d{2,10}|(SE)\d{12}|(SI)\d{8}|"
    r"(SK)\d{10}|(XI|GB)(?:\d{12}|\d{9}|GD\d{3}|HA\d{3})|(CHE)\d{9}(?:MWST|TVA|IVA)?|(NO)\d{9}MVA",
    re.ASCII,
)
_VAT_OF_COUNTRY = {"EL": "GR", "XI": "GB"}
"""Letters of VAT ids that are no code of a country."""
VAT_COUNTRIES = [
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "EL",
    "ES",
    "FI",
    "FR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
    "XI",
    "GB",
    "CHE",
    "NO",
]


def normalise_identifier(text: str) -> str:
    """An identifier for comparisons: upper-case letters and digits only."""
    letters = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    return unicodedata.normalize("NFKC", letters)  # marks may have kept Korean letters apart that form one


def same_identifier(a: str, b: str) -> bool:
    """Whether two identifiers are equal but for blanks, marks and case."""
    return bool(normalise_identifier(a)) and normalise_identifier(a) == normalise_identifier(b)


def parse_vat(text: str) -> str | None:
    """A VAT id with its country prefix, normalised, when ``text`` has the shape of one; None for anything else.

    The check digits do not count here, since misread ids and printed examples fail them: see ``is_valid_vat``.
    """
    if len(text) > 40:
        return None
    plain = normalise_identifier(text)
    return plain if _VAT_SHAPE.fullmatch(plain) else None


def country_of_vat(text: str) -> str | None:
    """The country (ISO 3166) that the letters of a VAT id mean; None for anything else."""
    plain = parse_vat(text)
    return None if plain is None else _VAT_OF_COUNTRY.get(plain[:2], plain[:2])


def is_valid_vat(text: str) -> bool:
    """Whether the check digits of a European VAT id (with its country prefix) are right."""
    from stdnum.eu import vat as eu_vat  # imports pydoc: only documents that print a VAT id pay for it
    from stdnum.exceptions import ValidationError

    try:
        return bool(eu_vat.validate(text))
    except (ValidationError, ValueError, IndexError, KeyError):
        return False


def repair_vat(text: str) -> str | None:
    """A VAT id whose country prefix was misread by one letter ("LU" for "LV"), where the check digits prove the repair."""
    plain = normalise_identifier(text) if len(text) <= 40 else ""
    if not re.fullmatch(r"[A-Z0-9]{2}[0-9]{8,12}", plain) or parse_vat(plain):
        return None
    near = [c for c in VAT_COUNTRIES if len(c) == 2 and sum(a != b for a, b in zip(c, plain, strict=False)) == 1]
    numbers = [c + plain[2:] for c in near if parse_vat(c + plain[2:]) and is_valid_vat(c + plain[2:])]
    return numbers[0] if len(numbers) == 1 else None


def is_country_prefix(word: str) -> bool:
    """Whether letters are those that a tax number of some country begins with: "DE", "ATU", "CHE"."""
    plain = word.upper()
    return plain in VAT_COUNTRIES or plain in ("GR", "ATU")


def parse_iban(text: str) -> str | None:
    """An IBAN in the form for machines (ISO 13616, no blanks), where length and check digits are right; None for anything else."""
    if not re.match(r"\s*[A-Z]{2}\s?[0-9]", text) or len(text) > 60:
        return None
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    try:
        return str(iban.validate(normalise_identifier(text), check_country=False))
    except (ValidationError, ValueError, IndexError, KeyError):
        return None


def parse_creditor_reference(text: str) -> str | None:
    """A creditor reference (ISO 11649, ``RF18…``) without blanks, where the check digits are right; None for anything else."""
    if not re.match(r"\s*RF\s?[0-9]", text) or len(text) > 50:
        return None
    from stdnum import iso11649
    from stdnum.exceptions import ValidationError

    try:
        return str(iso11649.validate(normalise_identifier(text)))
    except (ValidationError, ValueError, IndexError, KeyError):
        return None


def parse_bic(text: str) -> str | None:
    """A BIC (ISO 9362) without blanks; None for anything else. It has no check digits: many words in capitals have its form."""
    plain = normalise_identifier(text) if text.isupper() and len(text) <= 20 else ""
    if len(plain) not in (8, 11):
        return None
    from stdnum import bic

    return plain if bic.is_valid(plain) else None

"""Values of the types with a grammar of their own, as people print them, in the one form in which results hold them.

| type | form |
| --- | --- |
| boolean | ``true``, ``false`` |
| integer | ``1250`` |
| percentage | ``7.5``: the number before the sign |
| quantity | ``2.5 kg``: the number, a blank, the unit as printed |
| period | ``2026-03-01/2026-03-31`` (ISO 8601) |
| duration | ``P14D``, ``PT2H30M`` (ISO 8601) |
| phone | ``+4930123456``; digits only where no country is given |
| mail | ``info@example.org``, the host in small letters |
| url | as printed, the host in small letters |
| iban, bic | ISO 13616 and ISO 9362 without blanks |
| country | ``DE`` (ISO 3166-1) |
| address | one line, parts joined by commas |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from pipeline.values.country_names import country_code
from pipeline.values.identifiers import normalise_identifier, parse_bic, parse_iban
from pipeline.values.money import parse_money
from pipeline.values.numbers import parse_number, plain_decimal
from pipeline.values.periods import parse_duration, parse_period

MAIL = re.compile(r"(?<![\w.+-])[\w+-](?:[\w.+-]{0,62}[\w+-])?@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
URL = re.compile(
    r"(?<![\w@.-])(?:https?://(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}|www\.(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w@-])"
    r"(?::\d{2,5})?(?:/[^\s<>\"]{0,200})?",
    re.IGNORECASE,
)
PHONE = re.compile(r"(?<![\w.,/-])(?:\+|00|\()?\(?\d[\d\s()./–-]{4,24}\d(?![\w,])")
MOST_PERCENT = 1000
"""A larger number is no percentage."""
_LEAST_PHONE, _MOST_PHONE = 6, 15
"""Digits of a telephone number; E.164 allows fifteen."""
QUANTITY = re.compile(r"(?P<number>[-−]?\d[\d.,' ]*?)\s*(?P<unit>[^\W\d_][\w²³/.%]{0,11}|%|°C)\.?")
_LONGEST_UNIT, _LONGEST_IBAN = 12, 60
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", re.ASCII)
_YES = "true yes y ja oui si sí sì da tak ano áno igen evet sim ναι да так 是 はい 예 x ✓ ✔ ☑ ☒ [x] 1"
_NO = "false no n nein non nee nie ne nem hayır não όχι нет ні 否 いいえ 아니요 ☐ [] 0"
_TRUE, _FALSE = frozenset(re.split(" ", _YES)), frozenset(re.split(" ", _NO))
_WHOLE = re.compile(r"-?\d{1,15}")


def parse_leaf(kind: str, text: str) -> str | None:
    """A text as a value of a type, in the form above; None where it is none. Types without a grammar keep the text."""
    parse = PARSERS.get(kind)
    return (text.strip() or None) if parse is None else parse(text.strip())


def _boolean(text: str) -> str | None:
    word = text.casefold().strip(" .:")
    return "true" if word in _TRUE else "false" if word in _FALSE else None


def _number(text: str) -> Decimal | None:
    number = parse_number(text)
    money = parse_money(text) if number is None else None
    return money.amount if money else number


def _integer(text: str) -> str | None:
    plain = re.sub(r"(?<=\d)[ .,'’](?=\d{3}(?!\d))", "", text)
    if _WHOLE.fullmatch(plain):
        return str(int(plain))
    number = _number(text)
    return str(int(number)) if number is not None and number == int(number) else None


def _percentage(text: str) -> str | None:
    number = parse_number(text.rstrip(" %").removesuffix("percent").strip())
    return None if number is None or abs(number) > MOST_PERCENT else plain_decimal(number)


def _quantity(text: str) -> str | None:
    match = QUANTITY.fullmatch(text)
    if match is None:
        number = _number(text)
        return None if number is None else plain_decimal(number)
    number = parse_number(match["number"].strip())
    return None if number is None else f"{plain_decimal(number)} {match['unit'].rstrip('.')[:_LONGEST_UNIT]}"


def parse_phone(text: str) -> str | None:
    """A telephone number: a plus sign and all digits, or only digits. The zero in brackets of "+49 (0) 30" is left out."""
    if len(text) > 40 or re.search(r"[^\d\s()+./–-]", text):
        return None
    plain = re.sub(r"\(0\)", "", text) if text.lstrip().startswith(("+", "00")) else text
    digits = re.sub(r"\D", "", plain)
    if not _LEAST_PHONE <= len(digits) <= _MOST_PHONE:
        return None
    if plain.lstrip(" (").startswith("+"):
        return f"+{digits}"
    return f"+{digits[2:]}" if digits.startswith("00") and len(digits) > 9 else digits


def parse_mail(text: str) -> str | None:
    """A mail address; its host is the same in capitals."""
    match = MAIL.fullmatch(text.strip(" <>,;.").removeprefix("mailto:"))
    if match is None or ".." in match[0]:
        return None
    local, _, host = match[0].rpartition("@")
    return f"{local}@{host.lower()}"


def parse_url(text: str) -> str | None:
    """A web address; its host is the same in capitals."""
    plain = text.strip(" <>,;").rstrip(".")
    match = URL.fullmatch(plain) or (URL.fullmatch(f"www.{plain}") if "." in plain and "/" not in plain[:4] else None)
    if match is None:
        return None
    scheme, mark, rest = plain.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{mark}{host.lower()}{slash}{path}"


def _iban(text: str) -> str | None:
    """An IBAN; also a text in the form of one whose check digits are wrong, which the checks flag."""
    plain = normalise_identifier(text) if len(text) <= _LONGEST_IBAN else ""
    return parse_iban(plain) or (plain if _IBAN.fullmatch(plain) else None)


def _address(text: str) -> str | None:
    lines = [" ".join(line.split()).strip(" ,;") for line in text.splitlines()]
    return ", ".join(line for line in lines if line) or None


PARSERS: Mapping[str, Callable[[str], str | None]] = {
    "boolean": _boolean,
    "integer": _integer,
    "percentage": _percentage,
    "quantity": _quantity,
    "period": parse_period,
    "duration": parse_duration,
    "phone": parse_phone,
    "mail": parse_mail,
    "url": parse_url,
    "iban": _iban,
    "bic": lambda text: parse_bic(text.upper()),
    "country": country_code,
    "address": _address,
}
"""By type, what makes the form of results of a text."""

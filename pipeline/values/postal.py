"""The parts of a postal address: street, post code, city and country, from its printed lines.

The forms follow the addressing sheets of the Universal Postal Union (S42): the post code before the city in most of Europe and Asia, behind
it in English-speaking countries, alone on a line in the United Kingdom. What has none of these forms is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.values.country_names import country_code

_CODE_LETTERS = {
    "D": "DE", "A": "AT", "F": "FR", "I": "IT", "L": "LU", "B": "BE", "E": "ES", "P": "PT", "S": "SE", "N": "NO", "H": "HU", "SF": "FI",
    "FL": "LI", "CH": "CH", "NL": "NL", "DK": "DK", "PL": "PL", "CZ": "CZ", "SK": "SK", "SI": "SI", "HR": "HR", "RO": "RO", "BG": "BG",
    "LT": "LT", "LV": "LV", "EE": "EE", "IE": "IE", "GR": "GR", "DE": "DE", "AT": "AT", "FR": "FR", "IT": "IT", "LU": "LU", "BE": "BE",
    "ES": "ES", "PT": "PT", "SE": "SE", "NO": "NO", "HU": "HU", "FI": "FI",
}  # fmt: skip
"""What stands before a post code and a hyphen, and the country that it means (CEPT, ISO 3166)."""
_WITH_COUNTRY = re.compile(r"(?P<letters>[A-Z]{1,2})(?:\s?[-–]\s?|\s)(?=\d{3,6}(?!\d))")
_UK = r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}"
_CANADA = r"[A-CEGHJ-NPR-TV-Z]\d[A-Z]\s?\d[A-Z]\d"
_FIRST = re.compile(
    r"(?P<code>\d{4}\s?[A-Z]{2}(?=\s+[A-Z])|\d{2}-\d{3}|\d{3}\s\d{2}|\d{4}-\d{3}|LV-\d{4}|LT-\d{5}|\d{4,6})[\s,]+(?P<city>[^\W\d_].{1,60})"
)
"""12345 City, 1234 AB City, 12-345 City, 123 45 City, 1234-567 City."""
_LAST = re.compile(
    rf"(?P<city>[^\W\d_][^\d]{{1,60}}?)[\s,]+(?P<region>[A-Z]{{2,3}}\.?\s+)?(?P<code>{_UK}|{_CANADA}|\d{{5}}-\d{{4}}|LV-\d{{4}}|\d{{3}}\s?\d{{3}}|\d{{4,6}})"
)
"""City, ST 12345, City AB1 2CD, City 110001."""
_ALONE = re.compile(rf"(?:{_UK}|{_CANADA})")
_PO_BOX = re.compile(r"(?:p\.?\s?o\.?\s?box|postfach|boîte postale|bp|apartado|casella postale|postbus)\b", re.IGNORECASE)
_LONG_CODE = 3
_BETWEEN = re.compile(r"\s*[,;|•·]\s+|\s+[-–—]\s+(?=[A-Z]{0,2}-?\d{4,5}\s)|\s{2,}")
_REGION = re.compile(r"[A-Z]{2,3}\.?\s+[A-Z\d][A-Z\d -]{3,9}")
_HOUSE = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Parts of an address, as printed; the country as its code (ISO 3166). None for what is not printed."""

    street: str | None = None
    post_code: str | None = None
    city: str | None = None
    country: str | None = None
    line: int = -1
    """The number of the line with the city."""


def stated_country(word: str) -> str | None:
    """The country that letters before a post code mean: DE for "D-12345"; None for any other text."""
    match = _WITH_COUNTRY.match(word)
    return _CODE_LETTERS.get(match["letters"]) if match else None


def parse_postal(lines: Sequence[str]) -> PostalAddress:
    """The parts of an address in printed lines, without the name above it. A line may hold several parts with commas between them."""
    parts = [(at, part) for at, line in enumerate(lines) for part in _pieces(line)]
    country = None
    if len(parts) > 1 and (named := country_code(parts[-1][1])):
        country, parts = named, parts[:-1]
    for place in range(len(parts) - 1, -1, -1):
        at, text = parts[place]
        stated = stated_country(text)
        country = country or stated
        bare = _WITH_COUNTRY.sub("", text) if stated else text
        match = _FIRST.fullmatch(bare) or (
            _LAST.fullmatch(bare) if place or len(parts) == 1 or not _HOUSE.search(bare[:6]) else None
        )
        if match:
            city = match["city"].strip(" ,-")
            street = _street(parts[:place])
            words = city.split()
            named = country_code(words[-1]) if country is None and len(words) > 1 and len(words[-1]) > _LONG_CODE else None
            if named:
                country, city = named, " ".join(words[:-1]).strip(" ,-")
            return PostalAddress(street, match["code"].strip(), city, country, at)
        if _ALONE.fullmatch(bare) and place:
            return PostalAddress(_street(parts[: place - 1]), bare, parts[place - 1][1], country, parts[place - 1][0])
    street = _street(parts)
    return PostalAddress(street=street, country=country) if street and _HOUSE.search(street) else PostalAddress(country=country)


def is_code_alone(line: str) -> bool:
    """Whether a line is a post code of a country where it stands alone on its line."""
    code = line.strip()
    return _ALONE.fullmatch(code) is not None and parse_postal(["x", line]).post_code == code


def _pieces(line: str) -> list[str]:
    pieces = [" ".join(piece.split()) for piece in _BETWEEN.split(line)]
    joined: list[str] = []
    for piece in pieces:
        if joined and _REGION.fullmatch(piece):  # "Springfield, IL 62704"
            joined[-1] = f"{joined[-1]}, {piece}"
        elif piece.strip(" ,;"):
            joined.append(piece.strip(" ,;"))
    return joined


def _street(parts: Sequence[tuple[int, str]]) -> str | None:
    """The lines before the city that have a house number, else the last one; a box at the post office counts, too."""
    texts = [text for _, text in parts]
    numbered = [text for text in texts if _HOUSE.search(text) or _PO_BOX.search(text)]
    if not texts:
        return None
    return numbered[-1] if numbered else texts[-1]

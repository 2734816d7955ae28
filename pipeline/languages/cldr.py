"""Names of months, currencies and countries in many languages, from Unicode's CLDR.

Babel puts each language together from its parents, which takes a quarter of a second for forty languages. ``cldr.json`` has the names
of the built-in languages, as ``python -m training.cldr_names`` takes them from babel; a test compares the two. Babel itself answers for
other languages, such as those of a user's own folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

FILE = Path(__file__).with_name("cldr.json")
Kind = Literal["months", "currencies", "countries"]
Context = Literal["format", "stand-alone"]
Width = Literal["wide", "abbreviated"]


def month_names(code: str, context: Context, width: Width) -> dict[int, str]:
    """The names of the months by number. Raises babel's UnknownLocaleError, as the other two do."""
    return dict(enumerate(_names("months", code)[context][width], 1))


def currency_names(code: str) -> dict[str, str]:
    """The names of currencies by ISO 4217 code."""
    return dict(_names("currencies", code))


def country_names(code: str) -> list[str]:
    """The names of countries and other regions."""
    return list(_names("countries", code))


@cache
def _file() -> Mapping[str, Mapping[str, Any]]:
    content: Mapping[str, Mapping[str, Any]] = json.loads(FILE.read_text("utf-8"))
    return content


def _names(kind: Kind, code: str) -> Any:
    known = _file()[kind].get(code)
    return names_of_babel(kind, code) if known is None else known


@cache
def names_of_babel(kind: Kind, code: str) -> Any:
    """What the file holds of one language, by babel. Raises UnknownLocaleError."""
    from babel import Locale

    locale = Locale.parse(code)
    if kind == "currencies":
        return dict(locale.currencies.items())
    if kind == "countries":
        return list(locale.territories.values())
    contexts: tuple[Context, ...] = ("format", "stand-alone")
    widths: tuple[Width, ...] = ("wide", "abbreviated")
    return {
        context: {width: [locale.months[context][width][number] for number in range(1, 13)] for width in widths}
        for context in contexts
    }

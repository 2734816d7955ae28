"""The languages of the pages: which one a request gets, and the texts in it.

The texts are English in the templates; ``locale/de/pages.po`` and its like hold the translations, in gettext's form. ``script.po`` has
those of the scripts, ``reasons.po`` those of reasons and cures, ``details.po`` those of failures and refusals, ``names.po`` the names of
templates and fields that come with the program.
One that is missing is shown in English, and a test lists it.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Literal

from babel.dates import format_date, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from pipeline.publish.review_words import ReviewWords
from pipeline.values.times import format_duration

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "zh": "中文",
}
"""Each by its code, with its own name."""
FOLDER = Path(__file__).parent / "locale"
_VALUE = re.compile(r"%\((\w+)\)s")
MAX_ACCEPTED = 50
"""Languages of a header Accept-Language that are looked at."""
MAX_DIGITS = 40
"""Of a number before or behind its point that is written with separators."""


def page_language(accepted: str, chosen: str = "") -> str:
    """The code of the language for a person: the one that was chosen, else what the browser prefers (Accept-Language), else English."""
    if chosen in LANGUAGES:
        return chosen
    wanted = []
    for place, part in enumerate(accepted.split(",")[:MAX_ACCEPTED]):
        tag, _, parameters = part.partition(";")
        try:
            quality = float(parameters.partition("q=")[2] or 1)
        except ValueError:
            quality = 0.0
        code = tag.strip().lower().partition("-")[0]
        if code in LANGUAGES and quality > 0:
            wanted.append((-quality, place, code))
    return min(wanted)[2] if wanted else "en"


CatalogueName = Literal["pages", "script", "reasons", "details", "names"]


def marked(text: str) -> str:
    """The text itself: one that a page translates when it is shown."""
    return text


@lru_cache(maxsize=2 * len(LANGUAGES))
def translations(language: str, name: CatalogueName = "pages") -> gettext.NullTranslations:
    """The texts of a language."""
    if language == "en" or language not in LANGUAGES:
        return gettext.NullTranslations()
    catalogue = read_catalogue(language, name)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@lru_cache(maxsize=len(LANGUAGES))
def script_texts(language: str) -> dict[str, str | list[str]]:
    """The texts of the scripts in a language, by the English ones; of those with a number, all forms. Empty for English."""
    if language == "en" or language not in LANGUAGES:
        return {}
    found: dict[str, str | list[str]] = {}
    for message in read_catalogue(language, "script"):
        if message.id and message.string:
            is_plural = isinstance(message.id, tuple)
            found[message.id[0] if is_plural else str(message.id)] = list(message.string) if is_plural else str(message.string)
    return found


def detail_text(text: str, language: str) -> str:
    """What is said of a failure or a refusal, in a language; a text that no catalogue has stays as it is.

    Such texts are made in English, by parts of the program that know no reader, and kept in the ledger. So a text is found by its words,
    and what stands at the places of values is a text of its own: "the page cannot be drawn: the file is empty".
    """
    for pattern, translated in _detail_patterns(language):
        if found := pattern.fullmatch(text):
            return translated % {name: detail_text(value, language) for name, value in found.groupdict().items()}
    return text


@lru_cache(maxsize=len(LANGUAGES))
def _detail_patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The texts as patterns with a group for each value, and their translations; those with most words of their own first."""
    if language == "en" or language not in LANGUAGES:
        return []
    found = []
    for message in read_catalogue(language, "details"):
        if message.id and message.string:
            parts = _VALUE.split(str(message.id))
            words = [re.escape(part) if at % 2 == 0 else f"(?P<{part}>.+?)" for at, part in enumerate(parts)]
            translated = str(message.string) if len(parts) > 1 else str(message.string).replace("%", "%%")
            found.append((sum(map(len, parts[::2])), re.compile("".join(words), re.DOTALL), translated))
    return [(pattern, text) for _, pattern, text in sorted(found, key=lambda item: -item[0])]


@lru_cache(maxsize=len(LANGUAGES))
def field_names(language: str) -> dict[str, str]:
    """The names of templates and fields in a language, by those in results. Empty for English."""
    if language == "en" or language not in LANGUAGES:
        return {}
    return {str(message.id): str(message.string) for message in read_catalogue(language, "names") if message.id}


def field_name(name: str, language: str) -> str:
    """A template or field for people: a known one in their language, any other with blanks for its underscores."""
    known = field_names(language)
    return " · ".join(known.get(part) or part.replace("_", " ") for part in name.split("."))


@dataclass(frozen=True)
class TranslatedWords(ReviewWords):
    """The words of reasons in a language of the pages."""

    language: str

    def say(self, text: str, **values: object) -> str:
        """See ReviewWords."""
        return super().say(translations(self.language, "reasons").gettext(text), **values)

    def detail(self, text: str) -> str:
        """See ReviewWords."""
        return detail_text(text, self.language)

    def name(self, field: str) -> str:
        """See ReviewWords."""
        return field_name(field, self.language)


def read_catalogue(language: str, name: CatalogueName) -> Catalog:
    """The translations of one kind of texts."""
    with (FOLDER / language / f"{name}.po").open("rb") as file:
        return read_po(file, locale=language)


def date_text(timestamp: str, language: str) -> str:
    """The day of a timestamp as people write it in a language; empty for none."""
    return format_date(date.fromisoformat(timestamp[:10]), "medium", locale=language) if timestamp else ""


def read_date_text(value: str, language: str) -> str:
    """A date that was read of a document, as people write it in a language; what is no date as it is. English ones stay as they are."""
    try:
        return value if language == "en" else date_text(value, language)
    except ValueError:
        return value


def number_text(value: int | str, language: str) -> str:
    """A number as people write it in a language, with as many decimals as it has; what is no number as it is."""
    try:
        number = Decimal(value)
        decimals = max(0, -int(number.as_tuple().exponent))
    except (InvalidOperation, ValueError):
        return str(value)
    if max(decimals, abs(number.adjusted())) > MAX_DIGITS:
        return str(value)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return str(format_decimal(number, pattern, locale=language, decimal_quantization=False))


def duration_text(seconds: float, language: str) -> str:
    """A duration in a language, rounded."""
    if language == "en":
        return format_duration(seconds)
    return str(format_timedelta(timedelta(seconds=seconds), threshold=2, format="short", locale=language))

"""The languages of the pages: which one a request gets, and the texts in it.

The texts are English in the templates; ``locale/de/pages.po`` and its like hold the translations, in gettext's form, and
``script.po`` those of the interface's script. One that is
missing is shown in English, and a test lists it.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

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
MAX_ACCEPTED = 50
"""Languages of a header Accept-Language that are looked at."""


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


@lru_cache(maxsize=len(LANGUAGES))
def translations(language: str) -> gettext.NullTranslations:
    """The texts of a language."""
    if language == "en" or language not in LANGUAGES:
        return gettext.NullTranslations()
    catalogue = read_catalogue(language, "pages")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@lru_cache(maxsize=len(LANGUAGES))
def script_texts(language: str) -> dict[str, str | list[str]]:
    """The texts of the interface's script in a language, by the English ones; of those with a number, all forms. Empty for English."""
    if language == "en" or language not in LANGUAGES:
        return {}
    found: dict[str, str | list[str]] = {}
    for message in read_catalogue(language, "script"):
        if message.id and message.string:
            is_plural = isinstance(message.id, tuple)
            found[message.id[0] if is_plural else str(message.id)] = list(message.string) if is_plural else str(message.string)
    return found


def read_catalogue(language: str, name: Literal["pages", "script"]) -> Catalog:
    """The translations of the templates, or of the script."""
    with (FOLDER / language / f"{name}.po").open("rb") as file:
        return read_po(file, locale=language)


def date_text(timestamp: str, language: str) -> str:
    """The day of a timestamp as people write it in a language; empty for none."""
    return format_date(date.fromisoformat(timestamp[:10]), "medium", locale=language) if timestamp else ""

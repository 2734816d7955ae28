"""Countries by their names in all languages (Unicode's CLDR) and by the codes that addresses print."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

from babel import Locale

from pipeline.languages import Languages, from_words

_SHORT = {
    "uk": "GB",
    "usa": "US",
    "uae": "AE",
    "unitedstatesofamerica": "US",
    "england": "GB",
    "scotland": "GB",
    "holland": "NL",
}
"""Names that CLDR lacks."""
_LONGEST = 60


def country_code(text: str) -> str | None:
    """The code (ISO 3166-1, two letters) of the country that a whole text names; None for any other text."""
    plain = text.strip(" .,;()")
    if len(plain) > _LONGEST or not plain:
        return None
    if len(plain) == 2 and plain.isupper() and plain.isascii():
        return "GB" if plain == "UK" else plain if plain in country_codes() else None
    return country_names().get(_folded(plain))


@from_words
def country_names(languages: Languages) -> Mapping[str, str]:
    """Folded names of countries, and their codes. A name that means two countries is left out."""
    names: dict[str, str] = dict(_SHORT)
    doubtful: set[str] = set()
    for code in ("en", *languages.codes("countries")):
        for country, name in Locale(code).territories.items():
            is_country = len(country) == 2 and country.isalpha() and country != "ZZ"
            if is_country and names.setdefault(_folded(name), country) != country:
                doubtful.add(_folded(name))
    return {name: code for name, code in names.items() if name not in doubtful}


@cache
def country_codes() -> frozenset[str]:
    """The codes of all countries that have a name."""
    return frozenset(code for code in Locale("en").territories if len(code) == 2 and code.isalpha()) - {
        "ZZ",
        "EU",
        "UN",
        "XA",
        "XB",
    }


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss").replace("ł", "l"))
    return "".join(c for c in plain if c.isalnum())

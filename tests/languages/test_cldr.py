"""The names that are stored in the package are those of CLDR, and other languages have them, too."""

from __future__ import annotations

import json

from pipeline.languages.cldr import FILE, country_names, currency_names, month_names
from training.cldr_names import cldr_names


def test_the_stored_names_are_those_of_babel() -> None:
    assert json.loads(FILE.read_text("utf-8")) == cldr_names(), "run: python -m training.cldr_names"


def test_a_language_that_is_not_stored_has_its_names_from_babel() -> None:
    assert "is" not in json.loads(FILE.read_text("utf-8"))["months"]
    assert month_names("is", "format", "wide")[5] == "maí"
    assert currency_names("is")["EUR"] == "evra"
    assert "Noregur" in country_names("is")

"""The texts of the pages in every language: none is missing, none is left in the templates, and each person gets the right one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from pipeline.web import page_languages
from pipeline.web.page_languages import LANGUAGES, date_text, page_language, translations

WEB = Path(page_languages.__file__).parent
ENGLISH_TEMPLATES = {"base.html", "home.html", "progress.html"}
"""Templates whose texts are not translated yet."""
TEMPLATES = sorted(path for path in (WEB / "html").glob("*.html") if path.name not in ENGLISH_TEMPLATES)
OWN_NAMES = {"pipeline", "pipeline serve"}


def texts() -> Iterator[tuple[str, str]]:
    """Place and text of everything that is to be translated."""
    for path in TEMPLATES:
        with path.open("rb") as file:
            for line, _, text, _ in babel_extract(file, ["_"], [], {"encoding": "utf-8"}):
                first = text if isinstance(text, str) or not text else text[0]
                if first:  # else it is a text of another place, e.g. of an error
                    yield f"{path.name}:{line}", str(first)
    for path in sorted(WEB.rglob("*.py")):
        with path.open("rb") as file:
            for line, text, _, _ in extract("python", file, keywords={"AccountError": None}):
                yield f"{path.name}:{line}", text if isinstance(text, str) else str(text[0])


def marks(text: str) -> list[str]:
    """What a translation keeps: the places of values, and markup."""
    return sorted(re.findall(r"%\(\w+\)s|</?\w+>", text))


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_text_is_translated_and_keeps_its_values(language: str) -> None:
    with (page_languages.FOLDER / language / "interface.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    translated = {message.id: message.string for message in catalogue if message.id}
    wanted = {text: place for place, text in texts()}
    assert len(wanted) > 50
    assert [f"{place}: {text}" for text, place in wanted.items() if not translated.get(text)] == []
    assert [text for text in translated if text not in wanted] == [], "texts that no page has any more"
    assert [text for text, string in translated.items() if marks(str(text)) != marks(str(string))] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_of_a_page_is_left_untranslated(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "\0", source, flags=re.DOTALL)
    attributes = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', source)
    visible = re.sub(r"<[^>]*>", "\0", source)
    left = [part.strip(" \n–:") for part in [*visible.split("\0"), *"\0".join(attributes).split("\0")]]
    assert [part for part in left if re.search(r"[^\W\d_]{2}", part) and part not in OWN_NAMES] == []


@pytest.mark.parametrize(
    ("accepted", "chosen", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "", "de"),
        ("ja,fr;q=0.5,pl;q=0.7", "", "pl"),
        ("zh-Hant-TW", "", "zh"),
        ("ja", "", "en"),
        ("de;q=0, it;q=nonsense, nl;q=0.1", "", "nl"),
        ("", "", "en"),
        ("de", "es", "es"),
        ("de", "../../etc", "de"),
        (",;,q=;" * 10_000, "", "en"),
    ],
)
def test_a_person_gets_the_language_of_choice_or_of_the_browser(accepted: str, chosen: str, language: str) -> None:
    assert page_language(accepted, chosen) == language


def test_a_text_without_a_translation_is_english_and_dates_are_those_of_the_language() -> None:
    assert translations("de").gettext("Sign in") == "Anmelden"
    assert translations("de").gettext("A text that nobody has translated") == "A text that nobody has translated"
    dates = [date_text("2026-03-24T08:15:00.000Z", code) for code in ("en", "de", "pl", "zh")]
    assert dates == ["Mar 24, 2026", "24.03.2026", "24 mar 2026", "2026年3月24日"]

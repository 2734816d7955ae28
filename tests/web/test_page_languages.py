"""The texts of the pages in every language: none is missing, none is left in the templates, and each person gets the right one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract, extract_python
from jinja2.ext import babel_extract

from pipeline.errors import CURES
from pipeline.publish import review_flags
from pipeline.settings import configs_folder
from pipeline.templates.load import load_templates
from pipeline.web import page_languages
from pipeline.web.page_languages import (
    LANGUAGES,
    CatalogueName,
    date_text,
    detail_text,
    page_language,
    script_texts,
    translations,
)
from tests.web.detail_texts import detail_texts_in_use

WEB = Path(page_languages.__file__).parent
TEMPLATES = sorted(path for name in ("html", "interface") for path in (WEB / name).glob("*.html"))
OWN_NAMES = {"pipeline", "pipeline serve", "JSON", "Enter", "Shift", "Esc", "Review", "Excel", "JSON Lines", "SQLite", "CSV"}
"""What is the same in every language; and the title of the static review, which is in English."""


def script_texts_in_use() -> Iterator[tuple[str, str]]:
    """Place and text of everything that the script of the interface translates."""
    for path in sorted([*(WEB / "interface" / "script").glob("*.js"), *(WEB / "list").glob("*.js")]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for text in re.findall(r'\bt\("((?:[^"\\]|\\.)*)"', line):
                yield f"{path.name}:{number}", text
            for noun in re.findall(r'\bplural\([^"`]*"([^"]*)"\)', line):
                yield f"{path.name}:{number}", f"{{count}} {noun}"


def page_texts_in_use() -> Iterator[tuple[str, str]]:
    """Place and text of everything that is to be translated."""
    for path in TEMPLATES:
        with path.open("rb") as file:
            for line, _, text, _ in babel_extract(file, ["_", "ngettext"], [], {"encoding": "utf-8"}):
                first = text if isinstance(text, str) or not text else text[0]
                if first:  # else it is a text of another place, e.g. of an error
                    yield f"{path.name}:{line}", str(first)
    for path in sorted(WEB.rglob("*.py")):
        with path.open("rb") as file:
            for line, text, _, _ in extract("python", file, keywords={"AccountError": None, "marked": None}):
                yield f"{path.name}:{line}", text if isinstance(text, str) else str(text[0])


def reason_texts_in_use() -> Iterator[tuple[str, str]]:
    """Place and text of everything that is said about doubtful values and failures."""
    for path in (Path(review_flags.__file__), *sorted(WEB.rglob("*.py"))):
        with path.open("rb") as file:
            for line, _, text, _ in extract_python(file, ["say"], [], {"encoding": "utf-8"}):
                first = text if isinstance(text, str) or not text else text[0]
                if first:  # else it is one of a table
                    yield f"{path.name}:{line}", first
    yield from (("review_flags.py", text) for text in (*review_flags.FLAG_TEXTS.values(), *review_flags.PLACES))
    yield from (("errors.py", text) for text in CURES.values())


def names_in_use() -> Iterator[tuple[str, str]]:
    """Template and name of the fields and columns that the program comes with, and the templates themselves."""
    for template in load_templates([configs_folder() / "templates"]).values():
        yield template.name, template.name
        for name, field in template.fields.items():
            yield template.name, name
            yield from ((template.name, column) for column in field.columns)


IN_USE = {
    "pages": page_texts_in_use,
    "script": script_texts_in_use,
    "reasons": reason_texts_in_use,
    "names": names_in_use,
    "details": detail_texts_in_use,
}


def marks(text: str) -> list[str]:
    """What a translation keeps: the places of values, and markup."""
    return sorted(re.findall(r"%\(\w+\)s|</?\w+>|\{\w+\}|`pipeline[^`]*`", text))


@pytest.mark.parametrize("name", list(IN_USE))
@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_text_is_translated_and_keeps_its_values(language: str, name: CatalogueName) -> None:
    translated: dict[str, list[str]] = {}
    for message in page_languages.read_catalogue(language, name):
        if message.id:
            is_plural = isinstance(message.id, tuple)
            translated[message.id[0] if is_plural else str(message.id)] = (
                list(message.string) if is_plural else [str(message.string)]
            )
    wanted = {text: place for place, text in IN_USE[name]()}
    assert len(wanted) > 40
    missing = [f"{place}: {text}" for text, place in wanted.items() if not all(translated.get(text, [""]))]
    assert missing == [], f"add them to pipeline/web/locale/{language}/{name}.po"
    assert [text for text in translated if text not in wanted] == [], "texts that nothing has any more"
    differing = [text for text, strings in translated.items() for string in strings if marks(text) != marks(string)]
    assert differing == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_of_a_page_is_left_untranslated(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "\0", source, flags=re.DOTALL)
    attributes = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', source)
    visible = re.sub(r"<[^>]*>", "\0", source)
    left = [part.strip(" \n–:·/<>") for part in [*visible.split("\0"), *"\0".join(attributes).split("\0")]]
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("there is no such document", "dieses Dokument gibt es nicht"),
        ("the password cannot be tried: the file is empty", "das Passwort lässt sich nicht prüfen: die Datei ist leer"),
        ("this is a video: it is no document", "das ist ein Video: es ist kein Dokument"),
        ("its reader crashed (100 % %(x)s)", "sein Leser stürzte ab (100 % %(x)s)"),
        ("a text that no catalogue has", "a text that no catalogue has"),
    ],
)
def test_what_failed_is_said_in_the_language_of_the_person(text: str, shown: str) -> None:
    assert detail_text(text, "de") == shown
    assert detail_text(text, "en") == text


def test_the_script_gets_its_texts_and_the_forms_of_its_nouns() -> None:
    texts = script_texts("pl")
    assert texts["{count} page"] == ["{count} strona", "{count} strony", "{count} stron"]
    assert texts["Save"] == "Zapisz"
    assert script_texts("en") == script_texts("xx") == {}

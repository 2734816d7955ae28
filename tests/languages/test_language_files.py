"""The built-in language files, and what a user's own files add to them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import languages
from pipeline.engines.embedded.classify import classify
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.engines.embedded.fields import read_fields
from pipeline.errors import LanguageError
from pipeline.languages.language_check import check_language
from pipeline.languages.language_files import BUILT_IN_FOLDER, built_in_languages, load_languages
from pipeline.run.job import recipe
from pipeline.settings import load_settings
from pipeline.templates.digest import digest
from pipeline.templates.load import load_template
from pipeline.templates.template import Template
from pipeline.values.dates import parse_date
from tests.engines.embedded.fields.pages import CONFIGS, page
from tests.engines.embedded.page_builder import Sheet
from tests.languages.pack_documents import PARTIES

FILES = sorted(BUILT_IN_FOLDER.glob("*.yaml"))
LABELLED = tuple(PARTIES)
"""Languages that have labels for every field of invoices and receipts."""


def invoice() -> Template:
    return load_template(CONFIGS / "invoice.yaml")


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(LanguageError) as caught:
        load_languages(folder)
    return [line.replace(f"{folder}{os.sep}", "") for line in caught.value.message.split("\n")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_built_in_file_has_no_mistakes_and_is_read_as_a_users_file_is(path: Path) -> None:
    reported: list[str] = []
    assert check_language(path, None, reported) == built_in_languages().by_code[path.stem]
    assert reported == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_every_section_of_a_file_has_a_comment(path: Path) -> None:
    lines = path.read_text("utf-8").split("\n")
    sections = [number for number, line in enumerate(lines) if line[:1].isalpha()]
    assert sections
    assert [lines[number] for number in sections if not lines[number - 1].startswith("#")] == []


def test_the_main_languages_have_labels_for_the_same_fields() -> None:
    labels = {code: set(built_in_languages().by_code[code].labels["invoice"]) for code in LABELLED}
    kinds = {code: {name for name in names if name.startswith("document_type.")} for code, names in labels.items()}
    names = {code: labels[code] - kinds[code] - {"vendor_name", "buyer_name"} for code in LABELLED}
    assert all(fields == names["en"] for fields in names.values())
    assert all("document_type.invoice" in kinds[code] for code in LABELLED)


def test_the_main_languages_have_labels_for_the_fields_of_receipts() -> None:
    labels = {code: set(built_in_languages().by_code[code].labels["receipt"]) for code in LABELLED}
    assert {code: labels["en"] - names for code, names in labels.items() if labels["en"] - names} == {}


@pytest.mark.parametrize("code", LABELLED)
def test_the_main_languages_have_words_of_every_kind(code: str) -> None:
    language = built_in_languages().by_code[code]
    assert all(getattr(language.other_labels, kind) for kind in ("money", "paid", "change", "date", "identifier"))
    assert language.titles
    assert language.organisations.legal_forms or language.organisations.words
    assert language.addresses.streets
    assert language.documents.invoice_terms
    assert language.documents.receipt_terms
    assert language.documents.other_titles


def test_labels_come_in_the_order_of_the_languages() -> None:
    assert list(built_in_languages().labels("invoice.total"))[:4] == ["en", "de", "fr", "es"]
    assert built_in_languages().labels("invoice.total")["en"][:2] == ["Total", "Grand total"]
    assert built_in_languages().labels("invoice.nothing") == {}


def test_without_a_folder_the_built_in_languages_are_in_force() -> None:
    assert languages.use(None) is built_in_languages()
    assert languages.active().additions == ""


def test_a_users_file_adds_labels_to_a_language(folder: Path) -> None:
    before = invoice()
    (folder / "de.yaml").write_text("labels:\n  invoice:\n    total: [Zahlsumme, Summe]\n", "utf-8")
    languages.use(folder)
    after = invoice()
    assert after.fields["total"].labels["de"] == [*before.fields["total"].labels["de"], "Zahlsumme"]
    assert after.fields["total"].labels["en"] == before.fields["total"].labels["en"]
    assert digest(after) != digest(before)
    assert languages.active().additions == "", "labels are part of the template's digest"


def test_a_users_file_adds_a_language(folder: Path) -> None:
    bill = page([(50, 50, "Jumla kuu 118.00"), (50, 80, "Tarehe 3 Agosti 2024"), (50, 110, "Kodi 18.00")])
    before = read_fields(bill, invoice())
    (folder / "sw.yaml").write_text(
        "cldr: [months]\nlabels:\n  invoice:\n    total: [Jumla kuu]\n    tax_total: [Kodi]\n    invoice_date: [Tarehe]\n",
        "utf-8",
    )
    languages.use(folder)
    claims = read_fields(bill, invoice())
    assert before["tax_total"].value is None
    # The largest amount of a page may be taken for its total without a label: unsure, and surer with the user's words
    assert before["total"].signals.get("label", 0.0) == 0.0
    assert claims["total"].signals["label"] == 1.0
    assert before["total"].score < 0.8 < claims["total"].score
    assert [claims[name].value for name in ("total", "tax_total", "invoice_date")] == ["118.00", "18.00", "2024-08-03"]


def test_a_users_words_tell_kinds_of_pages_apart(folder: Path) -> None:
    sheet = Sheet(800, 1130)
    for row, line in enumerate(("Ankara", "Ankara Nr. 2024-118", "Jumla 118.00")):
        sheet.text(70, 90 + 30 * row, line, 26 if row == 0 else 13)
    assert classify(sheet.page(), None) == "text"
    words = "documents: {invoice_terms: [ankara], invoice_names: [ankara], invoice_headings: [ankara]}\n"
    (folder / "sw.yaml").write_text(words, "utf-8")
    languages.use(folder)
    assert classify(sheet.page(), None) == "invoice"


def test_own_words_change_the_digest_of_additions(folder: Path) -> None:
    assert load_languages(folder).additions == ""
    (folder / "sw.yaml").write_text("titles: [ankara]\n", "utf-8")
    first = load_languages(folder).additions
    (folder / "sw.yaml").write_text("# a comment\ntitles: [ankara]\n", "utf-8")
    assert load_languages(folder).additions == first
    (folder / "sw.yaml").write_text("titles: [stakabadhi]\n", "utf-8")
    assert load_languages(folder).additions not in ("", first)


def test_a_started_process_has_the_same_languages(folder: Path) -> None:
    (folder / "sw.yaml").write_text("dates: {months: {mweziwanane: 8}}\n", "utf-8")
    languages.use(folder)
    program = "from pipeline.values.dates import parse_date; print(parse_date('3 mweziwanane 2024'))"
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "2024-08-03"
    languages.use(None)
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "None"
    assert parse_date("3 mweziwanane 2024") is None


def test_the_setting_is_a_folder_beside_the_settings_file(folder: Path) -> None:
    settings = folder.parent / "pipeline.yaml"
    settings.write_text("engine: embedded\n", "utf-8")
    assert load_settings(settings).languages == folder
    settings.write_text("languages: words\n", "utf-8")
    assert load_settings(settings).languages == folder.parent / "words"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("titles: [A]\nlables: {}\n", "de.yaml:2: unknown key `lables`, did you mean `labels`?"),
        ("adresses:\n  streets: [A]\n", "de.yaml:1: unknown key `adresses`, did you mean `addresses`?"),
        ("addresses:\n  street: [A]\n", "de.yaml:2: unknown key `street`, did you mean `streets`?"),
        (
            "labels:\n  invoice:\n    totl: [A]\n",
            "de.yaml:3: there are no labels `invoice.totl`, did you mean `invoice.total`?",
        ),
        ("labels:\n  invoice:\n    total: A\n", "de.yaml:3: `labels.invoice.total` must be a list, e.g. `[A]`"),
        ("\ncldr: [monts]\n", "de.yaml:2: unknown cldr `monts`, did you mean `months`?"),
        ("numbers: {currencies: {taler: TLRS}}\n", "de.yaml:1:"),
        ("dates:\n  months: {Hartung: 13}\n", "de.yaml:2: `dates.months.Hartung`: input should be less than or equal to 12"),
        ("titles:\n", "de.yaml:1: `titles` is empty"),
        ("- A\n", "de.yaml:1: a language file must hold keys"),
        ("titles: [A\n", "de.yaml:2: YAML syntax"),
        ("titles: [A]\ntitles: [B]\n", "de.yaml:2: `titles` is already on line 1: a key may stand only once"),
    ],
)
def test_a_mistake_is_reported_with_file_and_line_and_a_suggestion(folder: Path, text: str, expected: str) -> None:
    (folder / "de.yaml").write_text(text, "utf-8")
    assert [line for line in mistakes(folder) if line.startswith(expected)], mistakes(folder)


def test_labels_of_a_users_own_template_may_have_any_name(folder: Path) -> None:
    (folder / "de.yaml").write_text("labels: {delivery_note: {number: [Lieferschein Nr]}}\n", "utf-8")
    assert load_languages(folder).labels("delivery_note.number") == {"de": ["Lieferschein Nr"]}


def test_the_mistakes_of_all_files_are_reported_together(folder: Path) -> None:
    (folder / "german.yaml").write_text("titles: [A]\n", "utf-8")
    (folder / "fr.yaml").write_bytes(b"titles: [caf\xe9]\n")
    (folder / "es.yaml").write_text("title: [A]\n", "utf-8")
    (folder / "notes.txt").write_text("no language", "utf-8")
    assert mistakes(folder) == [
        "es.yaml:1: unknown key `title`, did you mean `titles`?",
        "fr.yaml:1: not UTF-8 (byte 12): save the file as UTF-8",
        "german.yaml:1: `german` is not a language: name the file after the language's two letters, such as `de.yaml`",
    ]


def test_a_language_has_one_file(folder: Path) -> None:
    for suffix in ("yaml", "yml"):
        (folder / f"sw.{suffix}").write_text("titles: [ankara]\n", "utf-8")
    assert mistakes(folder) == ["sw.yml:1: the language `sw` has two files"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(LanguageError, match="there is no such folder of languages"):
        load_languages(tmp_path / "missing")


def test_own_words_change_the_recipe_and_so_documents_are_read_again(folder: Path) -> None:
    engine, template = EmbeddedEngine(), invoice()
    before = recipe(template, engine)
    (folder / "sw.yaml").write_text("titles: [ankara]\n", "utf-8")
    languages.use(folder)
    assert recipe(invoice(), engine) != before
    languages.use(None)
    assert recipe(invoice(), engine) == before

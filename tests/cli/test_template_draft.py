"""``pipeline template draft``: a template from samples, checked by reading them with it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from pipeline.engines.embedded.draft import CorrectedValue, SampleDocument, draft_template
from pipeline.engines.embedded.form import read_form
from pipeline.ledger.corrections import record_correction
from pipeline.records import Correction, Page, Word
from pipeline.run.job import open_ledger
from pipeline.settings import Settings
from pipeline.templates.load import load_template, parse_template
from tests.cli.conftest import Pipeline

HEADINGS = ("Sort", "Bushels", "Price")
COLUMNS = (60, 260, 400)


def harvest(number: str, day: str, keeper: str, rows: list[tuple[str, str, str]], weather: str = "fair") -> bytes:
    """A form of an orchard: labels beside values, labels above values, a table."""
    buffer = io.BytesIO()
    canvas: Any = Canvas(buffer, pagesize=(595, 842), invariant=1)
    canvas.setFont("Helvetica", 11)
    lines = [
        (60, 780, "Orchard of Hollow Green"), (60, 740, f"Sheet no: {number}"), (60, 715, "Picked on:"), (200, 715, day),
        (60, 690, "Keeper"), (200, 690, keeper), (60, 665, "Weather:"), (200, 665, weather), (60, 640, "Gate: North"),
    ]  # fmt: skip
    for at, row in enumerate((HEADINGS, *rows)):
        lines += [(x, 590 - 20 * at, text) for x, text in zip(COLUMNS, row, strict=True)]
    for x, y, text in lines:
        canvas.drawString(x, y, text)
    canvas.save()
    return buffer.getvalue()


SHEETS = {
    "a.pdf": harvest("HG-101", "3 September 2025", "Ann Bell 7", [("Russet", "12", "30.00"), ("Pippin", "8", "24.50")]),
    "b.pdf": harvest("HG-102", "9 September 2025", "Tom Oak 3", [("Codlin", "3", "9.00"), ("Russet", "2", "5.00")], "rain"),
    "c.pdf": harvest("HG-119", "1 October 2025", "Eve Ash 12", [("Pippin", "20", "61.00"), ("Costard", "1", "2.75")], "fog"),
}


@pytest.fixture
def samples(pipeline: Pipeline, folder: Path) -> list[str]:
    pipeline("init")
    for name, content in SHEETS.items():
        (folder / "inbox" / name).write_bytes(content)
    return [f"inbox/{name}" for name in SHEETS]


def test_a_template_is_drafted_that_reads_its_samples(pipeline: Pipeline, folder: Path, samples: list[str]) -> None:
    drafted = pipeline("template", "draft", *samples, "--name", "harvest", "--json")
    assert drafted.code == 0, drafted.err
    template = load_template(folder / "templates" / "harvest.yaml")
    types = {name: field.type for name, field in template.fields.items()}
    assert types == {"sheet_no": "identifier", "picked_on": "date", "keeper": "identifier", "weather": "text", "rows": "table"}
    assert {name: column.type for name, column in template.fields["rows"].columns.items()} == {
        "sort": "text", "bushels": "integer", "price": "money",
    }  # fmt: skip
    read = drafted.json["read"]["b.pdf"]
    assert (read["sheet_no"], read["picked_on"], read["weather"]) == ("HG-102", "2025-09-09", "rain")
    assert read["rows"] == [
        {"sort": "Codlin", "bushels": "3", "price": "9.00"}, {"sort": "Russet", "bushels": "2", "price": "5.00"},
    ]  # fmt: skip
    assert "gate" not in types  # it is the same on every sheet
    text = (folder / "templates" / "harvest.yaml").read_text(encoding="utf-8")
    assert "# in 3 of 3: HG-101 · HG-102 · HG-119" in text
    assert pipeline("run", "--template", "harvest").code == 0


def test_the_command_shows_what_is_read_and_overwrites_nothing(pipeline: Pipeline, folder: Path, samples: list[str]) -> None:
    shown = pipeline("template", "draft", *samples, "--name", "harvest")
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "sheet_no identifier HG-119 1" in lines
    assert "rows table 2 rows 1" in lines
    again = pipeline("template", "draft", *samples, "--name", "harvest")
    assert (again.code, "exists" in again.err) == (2, True)
    assert pipeline("template", "draft", *samples, "--name", "documents").code == 2
    assert pipeline("template", "draft", "inbox/none.pdf").code == 2


def test_a_single_sample_gives_what_a_colon_marks(pipeline: Pipeline, folder: Path, samples: list[str]) -> None:
    fields = pipeline("template", "draft", samples[0], "--json").json["fields"]
    assert {"sheet_no", "picked_on", "weather", "gate"} <= set(fields)


def test_corrected_values_name_their_fields(pipeline: Pipeline, folder: Path, samples: list[str]) -> None:
    (folder / "templates" / "old.yaml").write_text(
        "name: old\nreader: form\nprompt: x\nfields:\n  gathered: {type: date, labels: {en: [Gathered]}}\n  way_in: {type: text}\n"
    )
    pipeline("run", "--template", "old")
    with open_ledger(Settings(inbox=folder / "inbox", outbox=folder / "outbox")) as ledger:
        file = ledger.file_by_name("a.pdf")
        assert file
        for field, value in (("gathered", "2025-09-03"), ("way_in", "North")):
            correction = Correction("old", field, 1, value, withdrawn=False, before=None, by="ann", at="2026-01-01T00:00:00Z")
            record_correction(ledger, file.sha256, correction)
    drafted = pipeline("template", "draft", *samples, "--name", "harvest", "--json").json
    assert drafted["read"]["c.pdf"]["gathered"] == "2025-10-01"
    assert drafted["read"]["a.pdf"]["way_in"] == "North"  # though it is the same everywhere
    assert "picked_on" not in drafted["fields"]


def test_documents_without_labels_give_no_template(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    buffer = io.BytesIO()
    canvas: Any = Canvas(buffer, pagesize=(595, 842))
    canvas.drawString(60, 700, "It was a quiet morning and nobody had come to the orchard before the sun was up.")
    canvas.save()
    (folder / "inbox" / "a.pdf").write_bytes(buffer.getvalue())
    refused = pipeline("template", "draft", "inbox/a.pdf")
    assert refused.code == 2
    assert "no label" in refused.err
    assert not (folder / "draft.yaml").exists()
    assert not list((folder / "templates").glob("*.yaml"))


def sample(name: str, lines: list[str], corrected: list[CorrectedValue] | None = None) -> SampleDocument:
    words = []
    for row, line in enumerate(lines):
        x = 50.0
        for text in line.split():
            words.append(Word(text, (x, 50.0 + 20 * row, x + 6.0 * len(text), 60.0 + 20 * row), row))
            x += 6.0 * len(text) + 4
    return SampleDocument(name, [Page(1, 600, 50 + 20.0 * len(lines), tuple(words), "textlayer")], corrected or [])


def test_texts_of_documents_stay_texts_in_the_yaml() -> None:
    hostile = 'Key"}} {% raw %} #: '
    lines = [[f"{hostile}: a\\{number} {{{{ 7 * 7 }}}}", f"file: x{number}", f"Ünit 'q: [{number}]"] for number in range(3)]
    draft = draft_template("hostile", [sample(f"{number}\n.pdf", own) for number, own in enumerate(lines)])
    template = parse_template(draft.as_yaml(), "hostile.yaml")
    assert len(template.fields) == 3
    assert "file" not in template.fields  # a column of every table of results


TEXTS = st.text(st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc"]), min_size=1, max_size=12)
WORDS = st.one_of(
    TEXTS,
    st.sampled_from(
        ["Total:", "No.", "Date", "12.03.2026", "45,00", "€", "DE02120300000000202051", ":", "{{", "'", "row", "file"]
    ),
)
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=8)


@given(st.lists(LINES, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_draft_is_a_valid_template_that_runs(documents: list[list[str]]) -> None:
    samples = [sample(f"{number}.pdf", lines) for number, lines in enumerate(documents)]
    draft = draft_template("any", samples)
    if not draft.fields:
        return
    template = parse_template(draft.as_yaml(), "any.yaml")
    for document in samples:
        for page in document.pages:
            assert set(read_form(page, template)) == set(template.fields)

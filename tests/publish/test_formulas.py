"""No output file holds a text that a spreadsheet runs, by whichever separator it opens the file."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import tempfile
import time
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.publish.csv_cells import defuse, true_text
from pipeline.publish.database import write_database
from pipeline.publish.excel import write_workbook
from pipeline.publish.frames import frame_batches
from pipeline.publish.json_lines import write_json_lines
from pipeline.publish.parquet import write_parquet
from pipeline.publish.rows import sheet_kinds
from tests.publish.building import BILL, SheetFolder, publication

TEMPLATES = {"bill": BILL}
SHEETS = {name: sheet_kinds(name, TEMPLATES) or {} for name in ("documents", "bill", "bill.items")}
ATTACKS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "＝1+1",
    "﹦1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b=1",
    "x;=1+1",
    "x; =1+1",
    'x;"=1+1"',
    'x;""=1+1',
    "x\t=1+1",
    "x|=1+1",
    "x\n=1+1",
    "x\r=1+1",
    "x;\n\t =1+1",
    "1;-5",
    "-5;1+cmd|' /C calc'!A0",
    "|---|=1|",
    "|---;1+cmd|",
    '";=1+1',
    "-5\n",
]


def written(documents: list[tuple[str, str]]) -> str:
    """The sheet of documents with these names and notes, as bytes decode to text."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = SheetFolder(Path(folder))
        assert sheet.append(*(publication(name, {"note": note}) for name, note in documents))
        return sheet.path.read_bytes().decode()


def begins_like_a_formula(cell: str) -> bool:
    """Whether a spreadsheet may run the cell: a sign behind blanks, invisible characters and quotes, that is no number and no rule."""
    seen = re.sub('^[\\s"\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+', "", cell)
    is_number, is_rule = re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?%?", cell), re.fullmatch(r"-+:?[ \t]*", seen)
    return seen.startswith(tuple("=+-@＝＋－＠﹦﹢﹣﹫")) and not (is_number or is_rule)


def assert_inert(text: str) -> None:
    for separator in ",;\t|":
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            if separator == "," and quoting == csv.QUOTE_NONE:
                continue  # every program honours the quotes of a file with commas
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting):
                assert not [cell for cell in row if begins_like_a_formula(cell)], (separator, quoting, row)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_separator_makes_a_formula_of_a_cell(attack: str) -> None:
    assert_inert(written([("a.pdf", attack), ("b.pdf", f"{attack},{attack}"), (attack, "c")]))


NASTY = st.text(st.sampled_from(list("=+-@＝﹦;|\t\n\r, \"'a1.:%\u00a0\u200b\ufeff\u2028")), max_size=20)


@given(st.lists(st.tuples(NASTY.filter(bool), NASTY), min_size=1, max_size=4))
@example([("a", "x;"), ("-5", "y")])
@example([("a", "p,q;"), ("-5", '"')])
@example([("a", "| -|")])
def test_no_text_becomes_a_formula(documents: list[tuple[str, str]]) -> None:
    assert_inert(written(documents))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_numbers_stay_numbers(number: Decimal) -> None:
    text = written([("a.pdf", format(number, "f"))])
    assert next(csv.DictReader(io.StringIO(text, newline="")))["note"] == format(number, "f")


@pytest.mark.parametrize(
    "text",
    ["Müller & Co. – Berlin", "a; b; c", "10-12 May", "a+b=c", "mail@example.com", "| a | b |\n| --- | ---: |\n| 1 | 2 |"],
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert next(csv.DictReader(io.StringIO(written([("a.pdf", text)]), newline="")))["note"] == text


@pytest.mark.parametrize("text", [attack for attack in ATTACKS if "\r" not in attack])
def test_truth_in_a_corrected_sheet_is_read_without_the_apostrophes(text: str) -> None:
    assert true_text(defuse(text)) == text
    assert true_text("rock 'n' roll; 'quoted'") == "rock 'n' roll; 'quoted'"


def test_the_search_for_formulas_takes_linear_time() -> None:
    began = time.process_time()
    written([("a.pdf", "\n; " * 300_000 + "x"), ("b.pdf", '"|' * 300_000 + "=")])
    assert time.process_time() - began < 5


def test_typed_formats_keep_true_values_as_text_that_never_runs(tmp_path: Path) -> None:
    documents = [
        publication(f"{number}.pdf", {"note": attack, "number": f"http://example.com/{number}"})
        for number, attack in enumerate(attack for attack in ATTACKS if "\r" not in attack)
    ]
    notes = [str(document.fields["bill"]["note"].value) for document in documents]
    batches = list(frame_batches(documents, TEMPLATES, SHEETS))
    write_workbook(tmp_path / "a.xlsx", SHEETS, [batch.frames for batch in batches], tmp_path)
    write_parquet(tmp_path, SHEETS, [batch.frames for batch in batches], tmp_path)
    write_database(tmp_path / "a.sqlite", SHEETS, batches)
    write_json_lines(tmp_path / "a.jsonl", documents)

    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["bill"]
    at = [cell.value for cell in sheet[1]].index("note")
    assert [row[at].value for row in sheet.iter_rows(min_row=2)] == notes
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}  # "f" is a formula
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        assert not [name for name in parts.namelist() if "externalLink" in name or b"<hyperlink" in parts.read(name)]
        assert not [name for name in parts.namelist() if name.startswith("xl/worksheets/") and b"<f>" in parts.read(name)]
    assert pq.read_table(tmp_path / "bill.parquet")["note"].to_pylist() == notes
    with sqlite3.connect(tmp_path / "a.sqlite") as database:
        assert [row[0] for row in database.execute("SELECT note FROM bill ORDER BY rowid")] == notes
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["results"]["bill"]["fields"]["note"]["value"] for line in lines] == notes


def test_a_rebuilt_sheet_is_as_inert(tmp_path: Path) -> None:
    documents = [publication(f"{number}.pdf", {"note": attack}) for number, attack in enumerate(ATTACKS)]
    sheet = SheetFolder(tmp_path)
    sheet.rebuild(*documents)
    assert_inert(sheet.path.read_bytes().decode())

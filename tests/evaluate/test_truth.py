"""The forms that truth can have, and what is said about mistakes in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SettingsError, TruthError
from pipeline.evaluate.truth import TruthRow, find_truth, fitting_template, read_truth, truths
from pipeline.run.job import all_templates
from pipeline.settings import Settings, configs_folder
from pipeline.templates.load import load_templates

INVOICE = load_templates([configs_folder() / "templates"])["invoice"]


def truth_rows(folder: Path, name: str, text: str) -> list[TruthRow]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_truth(path)


def expected(rows: list[TruthRow], *only: str) -> list[dict[str, Any]]:
    return [dict(truth.fields) for truth in truths(rows, Path(), INVOICE.fields, only)]


def mistake(rows: list[TruthRow]) -> str:
    with pytest.raises(TruthError) as raised:
        truths(rows, Path(), INVOICE.fields)
    return raised.value.message


def test_json_lines_may_be_flat_or_have_fields(tmp_path: Path) -> None:
    rows = truth_rows(
        tmp_path,
        "truth.jsonl",
        '{"file": "a.pdf", "fields": {"total": 119.50, "due_date": null}, "language": "de", "layout": "x", "mine": 5}\n\n'
        '{"file": "sub/b.pdf", "total": "1.234,50 €", "invoice_date": "24.03.2025", "vendor_name": ["A Ltd", "B Ltd", "A Ltd"]}\n',
    )
    assert [(row.file, row.language, row.layout) for row in rows] == [("a.pdf", "de", "x"), ("sub/b.pdf", "", "")]
    assert expected(rows) == [
        {"total": ("119.50",), "due_date": None},
        {"vendor_name": ("A Ltd", "B Ltd"), "invoice_date": ("2025-03-24",), "total": ("1234.50",)},
    ]


def test_lists_say_what_is_scored_and_what_the_document_does_not_print(tmp_path: Path) -> None:
    (row,) = truth_rows(
        tmp_path,
        "truth.jsonl",
        '{"file": "a.pdf", "fields": {"vendor_name": "A Ltd", "total": "5", "due_date": null, "page_colour": "red"}, '
        '"scored": ["vendor_name", "total"], "absent": ["prepaid"], "aliases": {"vendor_name": ["The A", "A"], "buyer_name": "B"}, '
        '"line_items": [{"amount": "5"}], "notes": [{"mine": 1}], "country": "GB", "medium": "scan"}\n',
    )
    (truth,) = truths([row], Path(), INVOICE.fields)
    assert dict(truth.fields) == {
        "vendor_name": ("A Ltd", "The A", "A"),
        "total": ("5",),
        "prepaid": None,
        "line_items": [{"amount": "5"}],
    }
    assert truth.uncounted == {"line_items"}, "it stands beside the fields, and `scored` does not name it"
    assert (truth.country, truth.medium) == ("GB", "scan")


def test_a_table_beside_the_fields_is_scored_where_scored_names_it(tmp_path: Path) -> None:
    text = '{"file": "a.pdf", "fields": {"total": "5"}, "scored": ["line_items"], "line_items": [{"amount": "5"}]}\n'
    (truth,) = truths(truth_rows(tmp_path, "truth.jsonl", text), Path(), INVOICE.fields)
    assert dict(truth.fields) == {"line_items": [{"amount": "5"}]}
    assert not truth.uncounted


def test_country_and_medium_are_fields_where_nothing_else_tells_them_from_fields(tmp_path: Path) -> None:
    (row,) = truth_rows(tmp_path, "truth.jsonl", '{"file": "a.pdf", "country": "GB", "absent": "x"}\n')
    assert row.fields == {"country": "GB", "absent": "x"}


def test_a_csv_from_a_spreadsheet(tmp_path: Path) -> None:
    rows = truth_rows(
        tmp_path,
        "truth.csv",
        "\ufefffile;language;total;due_date;vendor_name\r\n"
        "a.pdf;de;1.234,50;null;'=Gleich GmbH\r\n"
        'b.pdf;;;;"Semi; Colon"\r\n;;;;\r\n',
    )
    assert [row.language for row in rows] == ["de", ""]
    assert expected(rows) == [
        {"vendor_name": ("=Gleich GmbH",), "due_date": None, "total": ("1234.50",)},
        {"vendor_name": ("Semi; Colon",)},
    ], "an empty cell says nothing"


def test_rows_of_tables_in_dotted_columns_go_on_in_further_lines(tmp_path: Path) -> None:
    rows = truth_rows(
        tmp_path,
        "truth.csv",
        "file,total,line_items.description,line_items.amount\na.pdf,20,Nails,12\na.pdf,,Screws,8\nb.pdf,5,,\n",
    )
    lines = [{"description": "Nails", "amount": "12"}, {"description": "Screws", "amount": "8"}]
    assert expected(rows) == [{"total": ("20",), "line_items": lines}, {"total": ("5",)}]


def test_the_outboxs_own_sheets_are_truth_once_they_are_corrected(tmp_path: Path) -> None:
    (tmp_path / "truth.line_items.csv").write_text("file,row,description,quantity,unit_price,amount\na.pdf,1,Nails,2,6,12\n")
    rows = truth_rows(tmp_path, "truth.csv", "file,status,pages,vendor_name,total,flags\na.pdf,done,1,A Ltd,12,total: sum\n")
    line = {"description": "Nails", "quantity": "2", "unit_price": "6", "amount": "12"}
    assert expected(rows) == [{"vendor_name": ("A Ltd",), "total": ("12",), "line_items": [line]}]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("truth.jsonl", "\n", "holds no document"),
        ("truth.jsonl", '{"file": "a"}\n{"file":', "truth.jsonl:2: not JSON"),
        ("truth.jsonl", '{"fields": {}}', "truth.jsonl:1: not an object with a `file`"),
        ("truth.jsonl", '{"file": "a", "total": NaN}', "NaN is not a number"),
        ("truth.jsonl", '{"file": "a"}\n{"file": "a"}', "truth.jsonl:2: `a` is in the file twice"),
        ("truth.jsonl", "[" * 100_000, "truth.jsonl:1: not JSON"),
        (
            "truth.jsonl",
            '{"file": "a", "fields": {"total": 5}, "absent": ["total"]}',
            "`total` has a value and is `absent` at once",
        ),
        ("truth.jsonl", '{"file": "a", "fields": {}, "absent": "total"}', "`absent` is not a list of fields"),
        ("truth.jsonl", '{"file": "a", "fields": {"total": 5}, "scored": ["totl"]}', "`scored` names `totl`"),
        ("truth.jsonl", '{"file": "a", "fields": {}, "aliases": ["A"]}', "`aliases` is not an object"),
        ("truth.csv", "name,total\na,1\n", "no column `file`"),
        ("truth.csv", "file,total\na,1,2\n", "truth.csv:2: another number of cells"),
        ("truth.csv", "file,total\na,1\na,2\n", "truth.csv:3: `a` is in the file twice, with different values"),
        ("truth.csv", "file,total\n,2\n", "truth.csv:2: the cell `file` is empty"),
    ],
)
def test_mistakes_in_the_form_are_reported_with_their_line(tmp_path: Path, name: str, text: str, error: str) -> None:
    with pytest.raises(TruthError) as raised:
        truth_rows(tmp_path, name, text)
    assert error in raised.value.message


def test_mistakes_in_the_values_are_reported_together() -> None:
    fields = {
        "totl": "5",
        "total": "abc",
        "due_date": "tomorrow",
        "line_items": [{"price": "5"}],
        "currency": "shells",
        "subtotal": True,
    }
    error = mistake([TruthRow("truth.jsonl:7", "a.pdf", dict(fields))])
    assert error.splitlines() == [
        "truth.jsonl:7: totl: the template has no such field, did you mean `total`?",
        "truth.jsonl:7: total: `abc` is not of type money",
        "truth.jsonl:7: due_date: `tomorrow` is not of type date",
        "truth.jsonl:7: line_items: there is no column `price` (columns: description, quantity, unit_price, amount, "
        "position, code, gtin, unit, tax_rate, tax, discount)",
        "truth.jsonl:7: currency: `shells` is not of type currency",
        "truth.jsonl:7: subtotal: `True` is not a value",
    ]
    many = mistake([TruthRow(f"t:{n}", str(n), {"total": "x"}) for n in range(500)])
    assert many.endswith("… and 490 more")


def test_only_the_fields_named_are_scored() -> None:
    rows = [TruthRow("t:1", "a.pdf", {"total": "5", "notes": "mine"})]
    assert expected(rows, "total") == [{"total": ("5",)}]
    with pytest.raises(SettingsError, match="did you mean `total`"):
        expected(rows, "totl")
    with pytest.raises(TruthError, match="none of the fields"):
        expected(rows, "due_date")


def test_without_a_truth_file_it_is_said_where_one_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match=r"truth\.jsonl or truth\.csv"):
        find_truth(tmp_path)
    (tmp_path / "truth.csv").touch()
    (tmp_path / "truth.jsonl").touch()
    assert find_truth(tmp_path).name == "truth.jsonl"


def test_the_template_is_the_first_that_has_all_fields() -> None:
    templates = all_templates(Settings())
    assert fitting_template([TruthRow("t:1", "a", {"invoice_number": "1", "total": "2"})], templates).name == "invoice"
    assert fitting_template([TruthRow("t:1", "a", {"receipt_number": "1", "total": "2"})], templates).name == "receipt"
    assert fitting_template([TruthRow("t:1", "a", {"text": "1"})], templates).name == "transcript"
    with pytest.raises(TruthError, match="`invoice` lacks `colour`"):
        fitting_template([TruthRow("t:1", "a", {"invoice_number": "1", "due_date": None, "colour": "red"})], templates)


def test_truth_that_is_not_utf8_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"file\n\xff\n")
    with pytest.raises(TruthError, match="not UTF-8"):
        read_truth(tmp_path / "t.csv")
    with pytest.raises(TruthError, match="cannot be read"):
        read_truth(tmp_path / "gone.csv")

"""Excel workbooks, read back by openpyxl: types, limits, and text that looks like a formula or like markup."""

from __future__ import annotations

import datetime
import tracemalloc
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import OutboxError
from pipeline.publish.excel import write_workbook
from tests.publish.building import KINDS, frame


def write(folder: Path, rows: Iterable[Mapping[str, Any]], **more: Any) -> Path:
    """A workbook with one sheet, in batches of one row."""
    path = folder / "documents.xlsx"
    write_workbook(path, {"bill": KINDS}, ({"bill": frame(row)} for row in rows), folder / "scratch", **more)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path


def cells(folder: Path, **values: Any) -> dict[str, Any]:
    """The cells of a workbook with one row, by column."""
    sheet = openpyxl.load_workbook(write(folder, [{"file": "a.pdf", **values}])).active
    return {name.value: cell for name, cell in zip(sheet[1], sheet[2], strict=True)}


def display_text(cell: Any) -> str:
    """A number as Excel displays it by its format."""
    whole, _, decimals = cell.number_format.partition(".")
    return format(Decimal(repr(cell.value)), f"{',' if ',' in whole else ''}.{len(decimals)}f")


def test_every_type_is_kept(folder: Path) -> None:
    by_name = cells(folder, number="007", day="2025-09-12", at="09:42", total="1234.50", note="thanks")
    assert by_name["number"].value == "007"
    assert by_name["day"].value == datetime.datetime(2025, 9, 12)  # noqa: DTZ001
    assert by_name["day"].number_format == "yyyy-mm-dd"
    assert by_name["at"].value == datetime.time(9, 42)
    assert by_name["total"].data_type == "n"
    assert display_text(by_name["total"]) == "1,234.50"
    assert by_name["note"].value == "thanks"


def test_the_header_is_frozen_and_filters_all_rows(folder: Path) -> None:
    long = "a rather long note " * 20
    sheet = openpyxl.load_workbook(write(folder, [{"file": name, "note": long} for name in "ab"])).active
    assert [cell.value for cell in sheet[1]] == list(KINDS)
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:F3"
    widths = {letter: sheet.column_dimensions[letter].width for letter in "AF"}
    assert 8 <= widths["A"] < 20
    assert 50 <= widths["F"] <= 61


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(-99_999_999_999, 99_999_999_999, places=4), min_size=1, max_size=20))
def test_amounts_are_displayed_with_exactly_their_digits(folder: Path, amounts: list[Decimal]) -> None:
    texts = [format(amount, "f") for amount in amounts]
    sheet = openpyxl.load_workbook(write(folder, [{"file": "a", "total": text} for text in texts])).active
    assert [display_text(cell).replace(",", "") for cell in sheet["E"][1:]] == texts


@pytest.mark.parametrize("amount", ["12345678901234567.89", "-99999999999999999999999999999999", "0." + "3" * 40])
def test_an_amount_that_is_too_long_for_a_number_is_exact_as_text(folder: Path, amount: str) -> None:
    assert cells(folder, total=amount)["total"].value == amount


@pytest.mark.parametrize("day", ["1899-12-31", "1815-06-18", "1900-02-28", "0001-01-01", "2025-02-30", "soon"])
def test_a_day_before_the_first_day_of_excel_is_text(folder: Path, day: str) -> None:
    assert cells(folder, day=day)["day"].value == day


def test_the_first_day_that_all_programs_agree_on_is_a_date(folder: Path) -> None:
    assert cells(folder, day="1900-03-01")["day"].value == datetime.datetime(1900, 3, 1)  # noqa: DTZ001


HOSTILE = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2+3",
    "\t=1",
    '=HYPERLINK("http://x.invalid","x")',
    "{=1}",
    "=" + "1+" * 200 + "1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_formula_is_text_also_after_the_cell_is_edited(folder: Path, text: str) -> None:
    for column in ("note", "number", "total", "day"):
        cell = cells(folder, **{column: text})[column]
        assert (cell.data_type, cell.value, cell.number_format) == ("s", text, "@")


@pytest.mark.parametrize(
    "text",
    [
        "<r><t>x</t></r>",
        "<r></is></c><c r='F2'><f>1+1</f><v>2</v></c><c><is></r>",
        "</t></is></c><c><f>1+1</f></c>",
        "a & b < c > \"d\" 'e' ]]>",
        "&lt;&#x3D;1+1",
    ],
)
def test_markup_is_text(folder: Path, text: str) -> None:
    cell = cells(folder, note=text)["note"]
    assert (cell.data_type, cell.value.rstrip()) == ("s", text)
    with zipfile.ZipFile(folder / "documents.xlsx") as pack:
        assert b"<f>" not in pack.read("xl/worksheets/sheet1.xml")


def test_characters_that_xml_forbids_are_left_out(folder: Path) -> None:
    assert cells(folder, note="a\0b\x07c\x1bd\ufffee\n\tf 𝄞 \ud800")["note"].value == "abcde\n\tf 𝄞 ?"


@pytest.mark.parametrize("letter", ["x", "𝄞"])
def test_text_longer_than_a_cell_is_cut_and_says_so(folder: Path, letter: str) -> None:
    text = cells(folder, note=letter * 40_000)["note"].value
    assert len(text.encode("utf-16-le")) // 2 <= 32_767
    assert text.startswith(letter * 16_000)
    assert "cut" in text[-60:]


def test_links_are_not_made(folder: Path) -> None:
    assert cells(folder, note="https://x.invalid/a", number="mailto:a@x.invalid")["note"].hyperlink is None


def test_names_of_worksheets_are_names_that_excel_accepts(folder: Path) -> None:
    long = "a" * 40
    sheets = [
        "documents",
        "history",
        "History",
        f"{long}.items",
        f"{long}.items2",
        f"{long}b.items2",
        "Bill",
        "bill",
        "a[b]:c*?/\\",
        "'x'",
    ]
    path = folder / "documents.xlsx"
    write_workbook(path, {name: {"file": "text"} for name in sheets}, [], folder / "scratch")
    names = openpyxl.load_workbook(path).sheetnames
    assert len({name.casefold() for name in names}) == len(sheets)
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)
    assert not any(name.startswith("'") or name.casefold() == "history" for name in names)
    assert names[3].endswith(".items")


def test_rows_beyond_the_limit_of_a_worksheet_go_to_further_worksheets(folder: Path) -> None:
    workbook = openpyxl.load_workbook(write(folder, [{"file": str(n)} for n in range(7)], max_rows=4))
    assert workbook.sheetnames == ["bill", "bill (2)", "bill (3)"]
    values = [cell.value for sheet in workbook for cell in sheet["A"][1:]]
    assert values == [str(n) for n in range(7)]
    assert all(sheet["A1"].value == "file" and sheet.auto_filter.ref for sheet in workbook)


def test_a_failing_export_leaves_the_old_workbook(folder: Path) -> None:
    before = write(folder, [{"file": "a.pdf"}]).read_bytes()

    def broken_batches() -> Iterator[Mapping[str, pd.DataFrame]]:
        yield {"bill": frame({"file": "b.pdf"})}
        raise OSError("no space left on device")

    with pytest.raises(OutboxError, match="no space"):
        write_workbook(folder / "documents.xlsx", {"bill": KINDS}, broken_batches(), folder / "scratch")
    assert (folder / "documents.xlsx").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["documents.xlsx", "scratch"]


def test_rows_do_not_stay_in_memory(folder: Path) -> None:
    rows = ({"file": str(number), "note": f"{number} " * 400} for number in range(5_000))
    tracemalloc.start()
    path = write(folder, rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000  # the text alone is 10 MB
    assert openpyxl.load_workbook(path, read_only=True)["bill"].max_row == 5_001

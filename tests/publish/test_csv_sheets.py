"""CSV files: appended at constant cost, repaired after a crash, never a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.csv_sheets import append_rows, rebuild
from pipeline.publish.rows import defuse

COLUMNS = ["file", "total"]


class MemoryBook:
    """A book as the ledger keeps it."""

    def __init__(self) -> None:
        self.sheets: dict[str, tuple[list[str], int, bool]] = {}

    def sheet_state(self, name: str) -> tuple[list[str], int, bool] | None:
        return self.sheets.get(name)

    def record_sheet(self, name: str, columns: Sequence[str], size: int) -> None:
        self.sheets[name] = (list(columns), size, False)

    def mark_sheets_outdated(self, names: Iterable[str]) -> None:
        for name in names:
            self.sheets[name] = ([], 0, True)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "invoice.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def append(folder: Path, book: MemoryBook, *added: dict[str, str]) -> bool:
    size = append_rows(folder, book, "invoice", COLUMNS, added)
    if size is not None:
        book.record_sheet("invoice", COLUMNS, size)
    return size is not None


def test_rows_are_appended_and_a_torn_tail_is_cut_off(tmp_path: Path) -> None:
    book = MemoryBook()
    one, two = {"file": "a.pdf", "total": "1.00"}, {"file": 'b,"\n.pdf', "total": ""}
    assert append(tmp_path, book, one)
    with (tmp_path / "invoice.csv").open("ab") as file:
        file.write(b'b,"half a ro')
    assert append(tmp_path, book, two)
    assert rows(tmp_path) == [one, two]


def test_a_sheet_somebody_cut_or_that_is_dirty_is_not_appended_to_but_written_anew(tmp_path: Path) -> None:
    book = MemoryBook()
    row = {"file": "a.pdf", "total": "1.00"}
    assert append(tmp_path, book, row)
    (tmp_path / "invoice.csv").write_text("file\n")
    assert not append(tmp_path, book, row)
    rebuild(tmp_path, book, {"invoice": COLUMNS}, [{"invoice": [row]}])
    assert rows(tmp_path) == [row]
    book.mark_sheets_outdated(["invoice"])
    assert not append(tmp_path, book, row)


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1+1", "\r=1"])
def test_formulas_are_defused(cell: str) -> None:
    assert defuse(cell) == "'" + cell


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_numbers_stay_numbers(number: object) -> None:
    assert defuse(format(number, "f")) == format(number, "f")


@given(st.text())
def test_no_cell_ever_begins_with_what_starts_a_formula(cell: str) -> None:
    safe = defuse(cell)
    assert safe in (cell, "'" + cell)
    assert not safe.lstrip().startswith(("=", "@", "＝", "＠")) or safe.startswith("'")

"""CSV files: appended at constant cost, repaired after a crash, without formulas."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.publish.csv_sheets import append_rows, rebuild
from pipeline.publish.publication import Publication
from pipeline.publish.rows import sheet_columns, text_rows
from tests.publish.building import BILL, publication

TEMPLATES = {"bill": BILL}
COLUMNS = sheet_columns("bill", TEMPLATES) or []
DIFFICULT_TEXTS = ["=1+1", 'a,"b"', "two\nlines", "lone\rreturn", " padded ", "", "1.50", "\ud800 \0 ü 中", "-5%", "nan", "007"]


class MemoryLedger:
    """The sheets as the ledger knows them."""

    def __init__(self) -> None:
        self.sheets: dict[str, tuple[list[str], int, bool]] = {}

    def sheet_state(self, name: str) -> tuple[list[str], int, bool] | None:
        return self.sheets.get(name)

    def record_sheet(self, name: str, columns: Sequence[str], size: int) -> None:
        self.sheets[name] = (list(columns), size, False)

    def mark_sheets_outdated(self, names: Iterable[str]) -> None:
        for name in names:
            self.sheets[name] = ([], 0, True)


def files(folder: Path) -> list[str]:
    """The files that the sheet lists."""
    with (folder / "bill.csv").open(encoding="utf-8", newline="") as file:
        return [row["file"] for row in csv.DictReader(file)]


def append(folder: Path, ledger: MemoryLedger, *documents: Publication) -> bool:
    rows = [row for document in documents for row in text_rows(document, TEMPLATES)["bill"]]
    size = append_rows(folder, ledger, "bill", COLUMNS, rows)
    if size is not None:
        ledger.record_sheet("bill", COLUMNS, size)
    return size is not None


def test_rows_are_appended_and_an_incomplete_row_is_cut_off(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    assert append(tmp_path, ledger, publication("a.pdf", {"total": "1.00"}))
    with (tmp_path / "bill.csv").open("ab") as file:
        file.write(b'b,"half a ro')
    assert append(tmp_path, ledger, publication('b,"\n.pdf', {}))
    assert files(tmp_path) == ["a.pdf", 'b,"\n.pdf']


def test_a_shortened_or_outdated_sheet_is_not_appended_to_but_written_anew(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    document = publication("a.pdf", {"total": "1.00"})
    assert append(tmp_path, ledger, document)
    (tmp_path / "bill.csv").write_text("file\n")
    assert not append(tmp_path, ledger, document)
    rebuild(tmp_path, ledger, ["bill"], [document], TEMPLATES)
    assert files(tmp_path) == ["a.pdf"]
    assert append(tmp_path, ledger, publication("b.pdf", {}))
    ledger.mark_sheets_outdated(["bill"])
    assert not append(tmp_path, ledger, document)


def test_appended_rows_and_a_rebuilt_sheet_are_the_same_bytes(tmp_path: Path) -> None:
    documents = [
        publication(f"{n}.pdf", {"note": text, "number": text, "total": text, "day": text, "at": text, "tags": [text, "x"]})
        for n, text in enumerate(DIFFICULT_TEXTS)
    ]
    documents.append(publication("failed.pdf", None))
    appended, rebuilt = tmp_path / "appended", tmp_path / "rebuilt"
    assert append(appended, MemoryLedger(), *documents)
    rebuild(rebuilt, MemoryLedger(), ["bill"], documents, TEMPLATES)
    assert (appended / "bill.csv").read_bytes() == (rebuilt / "bill.csv").read_bytes()
    assert b"'=1+1" in (rebuilt / "bill.csv").read_bytes()


def test_a_sheet_without_rows_has_a_header(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    rebuild(tmp_path, ledger, ["bill"], [], TEMPLATES)
    assert (tmp_path / "bill.csv").read_text() == ",".join(COLUMNS) + "\n"
    assert ledger.sheet_state("bill") == (COLUMNS, len(",".join(COLUMNS)) + 1, False)


def test_appending_needs_no_pandas() -> None:
    program = "import pipeline.publish.csv_sheets, sys; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

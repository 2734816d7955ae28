"""CSV files: appended at constant cost, repaired after a crash."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

from pipeline.publish.csv_dialect import DIALECTS
from pipeline.publish.rows import sheet_columns
from tests.publish.building import BILL, SheetFolder, publication

COLUMNS = sheet_columns("bill", {"bill": BILL}) or []
DIFFICULT_TEXTS = ["=1+1", 'a,"b"', "two\nlines", "lone\rreturn", " padded ", "", "1.50", "\ud800 \0 ü 中", "-5%", "nan", "007"]


def test_rows_are_appended_and_what_a_crash_left_is_cut_off(tmp_path: Path) -> None:
    sheet = SheetFolder(tmp_path)
    assert sheet.append(publication("a.pdf", {"total": "1.00"}))
    state, content = sheet.ledger.sheets["bill"], sheet.path.read_bytes()
    assert sheet.append(publication("b.pdf", {}))
    with sheet.path.open("r+b") as file:
        file.truncate(len(content) + 5)  # a crash in the middle of the second row, before the ledger has it
    sheet.ledger.sheets["bill"] = state
    assert sheet.ledger.begun
    sheet.ledger.marks["bill.csv"] = sheet.ledger.begun
    assert sheet.append(publication('b,"\n.pdf', {}))
    assert (sheet.names(), sheet.lines) == (["a.pdf", 'b,"\n.pdf'], [])


def test_a_missing_or_outdated_sheet_is_not_appended_to_but_written_anew(tmp_path: Path) -> None:
    sheet = SheetFolder(tmp_path)
    document = publication("a.pdf", {"total": "1.00"})
    assert sheet.append(document)
    sheet.path.unlink()
    assert not sheet.append(document)
    sheet.rebuild(document)
    assert sheet.names() == ["a.pdf"]
    assert sheet.append(publication("b.pdf", {}))
    sheet.ledger.mark_sheets_outdated(["bill"])
    assert not sheet.append(document)
    sheet.rebuild(document)
    assert (sheet.names(), sheet.lines, len(list(tmp_path.iterdir()))) == (["a.pdf"], [], 1)


def test_appended_rows_and_a_rebuilt_sheet_are_the_same_bytes(tmp_path: Path) -> None:
    documents = [
        publication(f"{n}.pdf", {"note": text, "number": text, "total": text, "day": text, "at": text, "tags": [text, "x"]})
        for n, text in enumerate(DIFFICULT_TEXTS)
    ]
    documents.append(publication("failed.pdf", None))
    appended, rebuilt = SheetFolder(tmp_path / "appended"), SheetFolder(tmp_path / "rebuilt")
    assert appended.append(*documents)
    rebuilt.rebuild(*documents)
    assert appended.path.read_bytes() == rebuilt.path.read_bytes()
    assert b"'=1+1" in rebuilt.path.read_bytes()


def test_a_sheet_for_excel_in_german_has_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    documents = [
        publication("ä;b.pdf", {"total": "-1234.50", "number": "007", "note": "x,=1+1;@y, 5", "day": "2025-03-24"}),
        publication("c.pdf", {"total": "1.2.3"}),
    ]
    appended, rebuilt = (SheetFolder(tmp_path / name, dialect=DIALECTS["excel-de"]) for name in ("appended", "rebuilt"))
    assert appended.append(documents[0])
    assert appended.append(documents[1])
    rebuilt.rebuild(*documents)
    content = appended.path.read_bytes()
    assert rebuilt.path.read_bytes() == content
    assert content.startswith(b"\xef\xbb\xbffile;status;")
    text = content.decode("utf-8-sig")
    first, second = csv.DictReader(io.StringIO(text, newline=""), delimiter=";")
    assert (first["file"], first["total"], first["number"], first["day"]) == ("ä;b.pdf", "-1234,50", "007", "2025-03-24")
    assert second["total"] == "1.2.3", "no number stays as it is"
    for sign in ",;":  # by whichever sign a program splits the lines
        cells = [cell for line in text.splitlines() for cell in line.split(sign)]
        assert not [cell for cell in cells if cell.strip('" ')[:1] in ("=", "@")]


def test_a_sheet_without_rows_has_a_header(tmp_path: Path) -> None:
    sheet = SheetFolder(tmp_path)
    sheet.rebuild()
    assert sheet.path.read_text() == ",".join(COLUMNS) + "\n"
    assert sheet.ledger.sheet_state("bill") == (COLUMNS, len(",".join(COLUMNS)) + 1, False)


def test_appending_needs_no_pandas() -> None:
    program = "import pipeline.publish.csv_sheets, sys; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

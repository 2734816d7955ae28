"""Files that the program writes again: recognised at once, without reading them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.records import FileMark
from tests.publish.building import SheetFolder, publication


def bytes_read() -> int:
    """Bytes that this process has read from files until now."""
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])


def test_appending_to_a_large_sheet_does_not_read_it(tmp_path: Path) -> None:
    sheet = SheetFolder(tmp_path)
    sheet.append(*(publication(f"{number}.pdf", {"note": "x" * 1_000_000}) for number in range(40)))
    before = bytes_read()
    assert sheet.append(publication("last.pdf", {}))
    assert bytes_read() - before < 100_000
    os.utime(sheet.path)
    assert sheet.append(publication("more.pdf", {}))  # read once, because only its contents can tell now
    before = bytes_read()
    assert sheet.append(publication("end.pdf", {}))
    assert bytes_read() - before < 100_000


def test_a_crash_between_writing_a_file_and_recording_it_makes_no_copy(tmp_path: Path) -> None:
    sheet = SheetFolder(tmp_path)
    a, b = publication("a.pdf", {}), publication("b.pdf", {})
    sheet.append(a)
    for _ in range(2):
        state, mark = sheet.ledger.sheets["bill"], sheet.ledger.marks["bill.csv"]
        sheet.rebuild(a, b)
        assert sheet.ledger.begun
        sheet.ledger.sheets["bill"], sheet.ledger.marks["bill.csv"] = state, sheet.ledger.begun
        assert sheet.rebuild(b) == {}
        assert mark != sheet.ledger.marks["bill.csv"]
    assert sheet.names() == ["b.pdf"]
    assert [path.name for path in tmp_path.iterdir()] == ["bill.csv"]
    assert sheet.lines == []


def test_rows_that_were_added_by_hand_are_no_left_over_of_a_crash(tmp_path: Path) -> None:
    sheet = SheetFolder(tmp_path)
    sheet.append(publication("a.pdf", {}))
    with sheet.path.open("a") as file:
        file.write("x,done,1" + "," * 10 + "\n")
    assert not sheet.append(publication("b.pdf", {}))
    sheet.rebuild(publication("a.pdf", {}), publication("b.pdf", {}))
    assert sheet.names() == ["a.pdf", "b.pdf"]
    assert len(list(tmp_path.iterdir())) == 2
    assert "lengthened" in sheet.lines[0]


def test_a_sheet_that_the_ledger_does_not_know_is_kept_where_it_has_other_rows(tmp_path: Path) -> None:
    a, b = publication("a.pdf", {}), publication("b.pdf", {})
    for rows, copies in (((b, a), 0), ((a, publication("c.pdf", {})), 1)):
        folder = tmp_path / str(copies)
        SheetFolder(folder).rebuild(*rows)
        sheet = SheetFolder(folder)
        sheet.rebuild(a, b)
        assert sheet.names() == ["a.pdf", "b.pdf"]
        assert len(list(folder.iterdir())) == 1 + copies
        assert len(sheet.lines) == copies


def test_a_mark_whose_stamp_no_longer_holds_is_compared_by_its_checksum(tmp_path: Path) -> None:
    sheet = SheetFolder(tmp_path)
    sheet.append(publication("a.pdf", {}))
    mark = sheet.ledger.marks["bill.csv"]
    sheet.ledger.marks["bill.csv"] = FileMark(mark.size, mark.crc, "another mount")
    assert sheet.append(publication("b.pdf", {}))
    assert (sheet.names(), sheet.lines) == (["a.pdf", "b.pdf"], [])


@pytest.mark.parametrize("left", ["prefix", "holes", "foreign"])
def test_what_a_power_cut_left_of_an_append_is_ours_and_what_it_did_not_write_is_kept(tmp_path: Path, left: str) -> None:
    sheet = SheetFolder(tmp_path)
    a, b = publication("a.pdf", {"note": "x" * 50}), publication("b.pdf", {"note": "y" * 50})
    sheet.append(a)
    before = sheet.path.stat().st_size
    state = sheet.ledger.sheets["bill"]
    sheet.append(b)
    assert sheet.ledger.begun
    sheet.ledger.marks["bill.csv"], sheet.ledger.sheets["bill"] = sheet.ledger.begun, state
    whole = sheet.path.read_bytes()
    tail = {"prefix": whole[before:-30], "holes": b"\0" * 20 + whole[before + 20 : -5], "foreign": b"sum,,,,,\n"}[left]
    sheet.path.write_bytes(whole[:before] + tail)
    assert sheet.append(b) == (left != "foreign")
    if left == "foreign":
        sheet.rebuild(a, b)
    assert sheet.names() == ["a.pdf", "b.pdf"]
    assert len(list(tmp_path.glob("*(changed *"))) == len(sheet.lines) == (left == "foreign")

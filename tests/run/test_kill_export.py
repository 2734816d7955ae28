"""``kill -9`` of an export leaves every file complete: the earlier one or the new one."""

from __future__ import annotations

import csv
import json
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from tests.run.kills import CommandTime, KillFolders, kill_when, rows_of, share

pytestmark = pytest.mark.kills
DOCUMENTS = 40


def workbook_rows(folder: Path) -> list[str]:
    sheet = openpyxl.load_workbook(folder / "documents.xlsx", read_only=True)["documents"]
    names = [str(row[0]) for row in sheet.iter_rows(values_only=True)]
    return names[1:]


def database_rows(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "documents.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [name for (name,) in db.execute("SELECT file FROM documents")]


def parquet_rows(folder: Path) -> list[str]:
    return [str(name) for name in pq.read_table(folder / "documents.parquet")["file"].to_pylist()]


def line_rows(folder: Path) -> list[str]:
    lines = (folder / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["document"]["path"] for line in lines]


def json_rows(folder: Path) -> list[str]:
    return [json.loads(path.read_text(encoding="utf-8"))["document"]["path"] for path in folder.glob("*.json")]


def csv_rows(folder: Path) -> list[str]:
    with (folder / "transcript.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows_of(folder / "documents.csv"))
    return rows_of(folder / "documents.csv")


READERS: dict[str, Callable[[Path], list[str]]] = {
    "json": json_rows,
    "csv": csv_rows,
    "xlsx": workbook_rows,
    "sqlite": database_rows,
    "parquet": parquet_rows,
    "jsonl": line_rows,
}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_of_exports_leave_complete_files(tmp_path: Path) -> None:
    folders = KillFolders(tmp_path, tmp_path / "elsewhere")
    for number in range(DOCUMENTS):
        folders.put(f"{number:03}.pdf")
    folders.end_well("run")
    chance, kills = random.Random(3), max(len(READERS), share(0.14))
    durations: dict[str, CommandTime] = {}
    number = killed = 0
    while killed < kills:
        kind, number = list(READERS)[number % len(READERS)], number + 1
        assert number <= 6 * kills, "the kills must fall into the work"
        if kind not in durations:
            started = time.monotonic()
            folders.end_well("export", "--format", kind)
            durations[kind] = CommandTime(time.monotonic() - started)
        killed += durations[kind].kill_within(folders.start("export", "--format", kind), chance)
        for written in durations:
            assert sorted(READERS[written](folders.outbox)) == folders.names, f"{written} is damaged after a kill of {kind}"
    for kind, rows in READERS.items():
        folders.end_well("export", "--format", kind)
        assert sorted(rows(folders.outbox)) == folders.names
    folders.end_well("run")
    folders.check_all()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_of_exports_to_a_folder_leave_nothing_unfinished(tmp_path: Path) -> None:
    folders = KillFolders(tmp_path, tmp_path / "elsewhere")
    for number in range(DOCUMENTS):
        folders.put(f"{number:03}.pdf")
    folders.end_well("run")
    target, chance = tmp_path / "target", random.Random(4)
    started = time.monotonic()
    folders.end_well("export", "--format", "xlsx", "--format", "csv", "--to", str(target))
    duration = time.monotonic() - started
    for _ in range(share(0.05)):
        process = folders.start("export", "--format", "xlsx", "--format", "csv", "--to", str(target))
        unfinished = lambda: any(path.name.startswith(".") for path in target.iterdir())  # noqa: E731
        kill_when(process, unfinished, chance, duration)
        assert sorted(workbook_rows(target)) == sorted(csv_rows(target)) == folders.names
    folders.end_well("export", "--format", "xlsx", "--format", "csv", "--to", str(target))
    assert not [path.name for path in target.iterdir() if path.name.startswith(".")], "unfinished files are left"

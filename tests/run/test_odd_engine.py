"""Engines that hang or take the program with them: the page that does it ends as failed, all others are read, by themselves or at the
next start."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drawing import text_pdf

DOCUMENTS = 10


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """An inbox with documents that are harmless, and where the outbox will be."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(DOCUMENTS):
        put(inbox / f"{number}.pdf", f"Document {number}")
    return inbox, tmp_path / "outbox"


def put(path: Path, text: str) -> None:
    path.write_bytes(text_pdf([text]))
    os.utime(path, (1_000_000, 1_000_000))


def run(folders: tuple[Path, Path], seconds: float = 600) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.run.odd_engine", *map(str, folders), str(seconds)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=200)


def statuses(outbox: Path) -> dict[str, str]:
    with (outbox / "documents.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["file"] for row in rows}), "a document stands twice"
    return {row["file"]: f"{row['status']} {row['reason']}".strip() for row in rows}


def good() -> dict[str, str]:
    return {f"{number}.pdf": "done" for number in range(DOCUMENTS)}


@pytest.mark.slow
def test_a_page_that_kills_the_program_is_given_up_and_its_neighbours_are_read(folders: tuple[Path, Path]) -> None:
    put(folders[0] / "4b.pdf", "KILL")
    codes: list[int] = []
    while not codes or codes[-1]:
        codes.append(run(folders).returncode)
        assert len(codes) < 6, "it never gets past the page"
    assert codes == [-9, -9, -9, 0]
    assert statuses(folders[1]) == {**good(), "4b.pdf": "failed engine"}


@pytest.mark.slow
def test_an_engine_that_hangs_starts_the_program_anew_until_the_page_is_given_up(folders: tuple[Path, Path]) -> None:
    put(folders[0] / "4b.pdf", "HANG")
    done = run(folders, seconds=2)
    assert done.returncode == 0
    assert done.stderr.count("no sign of life") == 3
    assert statuses(folders[1]) == {**good(), "4b.pdf": "failed engine"}


@pytest.mark.slow
def test_a_page_that_fails_costs_itself_only(folders: tuple[Path, Path]) -> None:
    put(folders[0] / "4b.pdf", "FAIL")
    assert run(folders).returncode == 0
    assert statuses(folders[1]) == {**good(), "4b.pdf": "failed engine"}

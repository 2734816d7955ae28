"""Engines that hang or crash the program: the page that causes it ends as failed, and all others are read, in this run or the next."""

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
def inbox_and_outbox(tmp_path: Path) -> tuple[Path, Path]:
    """An inbox with harmless documents, and the path of the outbox."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(DOCUMENTS):
        put(inbox / f"{number}.pdf", f"Document {number}")
    return inbox, tmp_path / "outbox"


def put(path: Path, text: str) -> None:
    path.write_bytes(text_pdf([text]))
    os.utime(path, (1_000_000, 1_000_000))


def run(inbox_and_outbox: tuple[Path, Path], seconds: float = 600) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.run.odd_engine", *map(str, inbox_and_outbox), str(seconds)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=200)


def statuses(outbox: Path) -> dict[str, str]:
    with (outbox / "documents.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["file"] for row in rows}), "a document has two rows"
    return {row["file"]: f"{row['status']} {row['reason']}".strip() for row in rows}


def good() -> dict[str, str]:
    return {f"{number}.pdf": "done" for number in range(DOCUMENTS)}


@pytest.mark.slow
def test_a_page_that_kills_the_program_fails_and_all_other_pages_are_read(inbox_and_outbox: tuple[Path, Path]) -> None:
    put(inbox_and_outbox[0] / "4b.pdf", "KILL")
    codes: list[int] = []
    while not codes or codes[-1]:
        codes.append(run(inbox_and_outbox).returncode)
        assert len(codes) < 6, "every run dies over the page"
    assert codes == [-9, -9, -9, 0]
    assert statuses(inbox_and_outbox[1]) == {**good(), "4b.pdf": "failed engine"}


@pytest.mark.slow
def test_an_engine_that_hangs_restarts_the_program_until_the_page_fails(inbox_and_outbox: tuple[Path, Path]) -> None:
    put(inbox_and_outbox[0] / "4b.pdf", "HANG")
    done = run(inbox_and_outbox, seconds=2)
    assert done.returncode == 0
    assert done.stderr.count("no sign of life") == 3
    assert statuses(inbox_and_outbox[1]) == {**good(), "4b.pdf": "failed engine"}


@pytest.mark.slow
def test_a_page_that_fails_affects_no_other(inbox_and_outbox: tuple[Path, Path]) -> None:
    put(inbox_and_outbox[0] / "4b.pdf", "FAIL")
    assert run(inbox_and_outbox).returncode == 0
    assert statuses(inbox_and_outbox[1]) == {**good(), "4b.pdf": "failed engine"}

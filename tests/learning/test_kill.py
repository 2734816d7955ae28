"""A process that records and undoes lessons is killed: the ledger holds each lesson whole, or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.ledger.journal import JOURNAL_FILE
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lessons import recorded_lessons
from pipeline.ledger.recovery import replay_journal
from tests.run.processes import wait_for

ENDLESS = """
import sys
from pathlib import Path
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lessons import record_lesson, undo_lesson
from pipeline.records import FieldLesson, Lesson, Sender
with Ledger(Path(sys.argv[1])) as ledger:
    while True:
        fields = {f"field_{n}": FieldLesson(("word",) * 3, ((0.25,) * 25,) * 3, 4, 4) for n in range(20)}
        lesson = record_lesson(ledger, Lesson(0, "invoice", Sender(names=("A",), words=("b",) * 50), fields, "x"), {})
        if lesson.number % 2:
            undo_lesson(ledger, lesson.number)
"""


@pytest.mark.parametrize("lines", [1, 2, 9, 40])
def test_each_lesson_is_whole_or_absent(tmp_path: Path, lines: int) -> None:
    journal = tmp_path / JOURNAL_FILE
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)])
    wait_for(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= lines)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    with Ledger(tmp_path) as ledger:
        ledger.check_integrity()
        before = recorded_lessons(ledger)
        replay_journal(ledger, with_orders=False)
        after = recorded_lessons(ledger)
    assert [one.lesson.number for one in after] == list(range(1, len(after) + 1))
    assert after[: len(before) - 1] == before[:-1]  # the kill may have come between a step's journal line and its row
    for one in after:
        assert len(one.lesson.fields) == 20
        assert all(field.shift == ((0.25,) * 25,) * 3 for field in one.lesson.fields.values())
        assert one.undone_at is None or one.lesson.number % 2
    written = [json.loads(line) for line in journal.read_bytes().splitlines() if line.endswith(b"}")]
    assert len(after) == sum("lesson" in entry for entry in written)
    assert sum(one.undone_at is not None for one in after) == sum("undone" in entry for entry in written)

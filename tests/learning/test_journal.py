"""Lessons in the journal: damaged lines are passed over, whole ones come back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.journal import JOURNAL_FILE, append_entry
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lessons import record_lesson, recorded_lessons, undo_lesson
from pipeline.ledger.recovery import replay_journal
from pipeline.records import FieldLesson, Lesson, Sender

LESSON = Lesson(
    0, "invoice", Sender(names=("A",), words=("b",)), {"total": FieldLesson(("Sum",), ((0.5, -0.25),), 3, 2)}, "f00"
)


def entry(**changes: Any) -> dict[str, Any]:
    sender = {"vat_ids": [], "ibans": [], "names": ["A"], "read_as": [], "words": []}
    content = {"sender": sender, "fields": {}, "scorer": ""}
    whole = {"number": 7, "template": "invoice", "content": content, "replay": {}, "at": "2026-01-01T00:00:00.000Z"}
    return {"lesson": {**whole, **changes}}


@pytest.mark.parametrize(
    "damaged",
    [
        {"lesson": None},
        {"lesson": {"number": 7}},
        entry(number="seven"),
        entry(content={"sender": {}}),
        entry(content={"sender": {"colour": ["red"]}, "fields": {}, "scorer": ""}),
        entry(content={"sender": {}, "fields": {"total": 3}, "scorer": ""}),
        entry(template=None),
        {"undone": "x", "at": "y"},
        {"undone": 3},
    ],
)
def test_a_damaged_entry_costs_itself_only(tmp_path: Path, damaged: dict[str, Any]) -> None:
    append_entry(tmp_path, damaged)
    append_entry(tmp_path, entry(number=8))
    with Ledger(tmp_path) as ledger:
        assert replay_journal(ledger, with_orders=True) == 1
        assert [one.lesson.number for one in recorded_lessons(ledger)] == [8]


def test_lessons_come_back_as_they_were(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        for _ in range(3):
            record_lesson(ledger, LESSON, {"total": {"mended": 2}})
        undo_lesson(ledger, 2)
        before = recorded_lessons(ledger)
    for path in tmp_path.glob("ledger.sqlite*"):
        path.unlink()
    with Ledger(tmp_path) as ledger:
        assert recorded_lessons(ledger) == []
        replay_journal(ledger, with_orders=True)
        assert recorded_lessons(ledger) == before
        assert replay_journal(ledger, with_orders=True) == 0
    assert [json.loads(line).get("undone") for line in (tmp_path / JOURNAL_FILE).read_text().split("\n") if line] == [
        None,
        None,
        None,
        2,
    ]

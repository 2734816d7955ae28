"""What corrections have taught (``pipeline learn``): lessons by number, which are recorded, used, and undone.

Any process may record or undo one. Each step is written to the journal first, from which ``recovery.replay_journal`` restores it. A lesson
does not change what was read before; undoing one marks the documents whose values it changed to be read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.errors import SettingsError
from pipeline.ledger.journal import append_entry
from pipeline.ledger.ledger import Ledger
from pipeline.records import FieldLesson, Lesson, Sender
from pipeline.values.times import utc_timestamp


@dataclass(frozen=True)
class RecordedLesson:
    """A lesson with what the replay said of it, and the times at which it was recorded and undone."""

    lesson: Lesson
    replay: Mapping[str, Any]
    """By field: ``mended``, ``broken``, ``replayed`` and ``right``, numbers of documents."""
    at: str
    undone_at: str | None


def record_lesson(ledger: Ledger, lesson: Lesson, replay: Mapping[str, Any]) -> Lesson:
    """Record a lesson; it is used for every page that is read from now on. Returns it with its number."""
    with ledger.transaction():
        number = _next_number(ledger)
        numbered = replace(lesson, number=number)
        entry = {"number": number, "template": lesson.template, "replay": dict(replay), "at": utc_timestamp()}
        entry["content"] = _content(numbered)
        append_entry(ledger.path.parent, {"lesson": entry})
        restore_lesson(ledger, entry)
    return numbered


def undo_lesson(ledger: Ledger, number: int) -> list[str]:
    """Stop the use of a lesson. Documents with values that it changed are marked to be read again: returns the names of their results.

    Raises SettingsError where there is no such lesson in use.
    """
    with ledger.transaction():
        if not any(ledger.rows("SELECT 1 FROM lessons WHERE number = ? AND undone_at IS NULL", [number])):
            raise SettingsError(f"there is no lesson {number} in use", "`pipeline learn --list` shows the lessons")
        at = utc_timestamp()
        append_entry(ledger.path.parent, {"undone": number, "at": at})
        restore_undo(ledger, number, at)
        return names_with_lesson(ledger, number)


def recorded_lessons(ledger: Ledger) -> list[RecordedLesson]:
    """All lessons, also undone ones, by number."""
    return [
        RecordedLesson(_lesson(row), json.loads(row["replay"]), row["at"], row["undone_at"])
        for row in ledger.rows("SELECT * FROM lessons ORDER BY number")
    ]


def lessons_marker(ledger: Ledger) -> tuple[int, int]:
    """Changes whenever a lesson is recorded or undone."""
    row = next(ledger.rows("SELECT count(*) AS lessons, count(undone_at) AS undone FROM lessons"))
    return row["lessons"], row["undone"]


def names_with_lesson(ledger: Ledger, number: int) -> list[str]:
    """Names of the results of documents with values that a lesson changed."""
    query = """SELECT DISTINCT name FROM files JOIN units ON units.sha256 = files.sha256
               WHERE units.fields LIKE ? AND units.recipe IN (SELECT value FROM json_each(files.recipes)) ORDER BY name"""
    return [row["name"] for row in ledger.rows(query, [f'%"learned:{number}"%'])]


def is_whole_lesson(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of the journal holds a lesson with everything that belongs to it."""
    try:
        row = {**entry, "content": json.dumps(entry["content"]), "replay": json.dumps(entry["replay"]), "at": str(entry["at"])}
        texts = (row["template"], entry["at"], json.dumps([entry["content"], entry["replay"]], ensure_ascii=False))
        for text in texts:
            text.encode()  # a lone surrogate is no text for SQLite
        number = _lesson(row).number
        return isinstance(number, int) and 0 < number < 2**63
    except (KeyError, TypeError, ValueError, AttributeError):  # UnicodeEncodeError is a ValueError
        return False


def restore_lesson(ledger: Ledger, entry: Mapping[str, Any]) -> bool:
    """Write a lesson of the journal, as part of an open transaction. Returns False where the ledger has it."""
    if any(ledger.rows("SELECT 1 FROM lessons WHERE number = ?", [entry["number"]])):
        return False
    content, replay = (json.dumps(entry[key], ensure_ascii=False) for key in ("content", "replay"))
    ledger.change(
        "INSERT INTO lessons (number, template, content, replay, at) VALUES (?, ?, ?, ?, ?)",
        [entry["number"], entry["template"], content, replay, entry["at"]],
    )
    return True


def restore_undo(ledger: Ledger, number: int, at: str) -> bool:
    """Record that a lesson was undone, and mark its documents, as part of an open transaction. False where nothing is to do."""
    if not ledger.change("UPDATE lessons SET undone_at = ? WHERE number = ? AND undone_at IS NULL", [at, number]):
        return False
    flagged = f'%"learned:{number}"%'
    ledger.change(
        "UPDATE files SET stale = 1 WHERE sha256 IN (SELECT sha256 FROM units WHERE fields LIKE ?)",
        [flagged],
    )
    ledger.change("UPDATE units SET stale = 1 WHERE fields LIKE ?", [flagged])
    return True


def _next_number(ledger: Ledger) -> int:
    """One more than the last; rows are never deleted."""
    return int(next(ledger.rows("SELECT coalesce(max(number), 0) AS last FROM lessons"))["last"]) + 1


def _content(lesson: Lesson) -> dict[str, Any]:
    fields = {name: asdict(field) for name, field in lesson.fields.items()}
    return {"sender": asdict(lesson.sender), "fields": fields, "scorer": lesson.scorer}


def _lesson(row: Mapping[str, Any]) -> Lesson:
    content = json.loads(row["content"])
    sender = Sender(**{key: tuple(value) for key, value in content["sender"].items()})
    fields = {
        name: FieldLesson(**{**field, "labels": tuple(field["labels"]), "shift": tuple(map(tuple, field["shift"]))})
        for name, field in content["fields"].items()
    }
    return Lesson(row["number"], row["template"], sender, fields, content["scorer"])

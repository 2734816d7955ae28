"""Tasks: files that programs have sent to be read, with the webhooks that are told of them. Kept over restarts, in a file of their own."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.values.times import utc_timestamp

FILE = "tasks.sqlite"
RETENTION_DAYS = 30
"""How long a task is known. The document's result stays."""
BUSY_SECONDS = 30.0
_TABLE = """
CREATE TABLE IF NOT EXISTS tasks (
    id            TEXT PRIMARY KEY,
    file          TEXT NOT NULL,              -- below the inbox
    sha256        TEXT NOT NULL,
    at            TEXT NOT NULL,
    webhook       TEXT NOT NULL DEFAULT '',   -- URL; '' for none
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       TEXT,                       -- of the next attempt; NULL when there is none to come
    last_error    TEXT NOT NULL DEFAULT '',
    delivered_at  TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS undelivered ON tasks (next_at) WHERE next_at IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Task:
    """A file that a program has sent."""

    id: str
    file: str
    """Path below the inbox."""
    sha256: str
    at: str
    webhook: str = ""
    """URL that gets the result; empty for none."""
    attempts: int = 0
    """How often the webhook was called."""
    next_at: str | None = None
    """When it is called (again); None when that is over."""
    last_error: str = ""
    delivered_at: str | None = None


class TaskStore:
    """The tasks of an outbox, for any thread. A damaged file is put aside; tasks are forgotten then. Raises sqlite3.Error."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        try:
            self._make()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked, or the disk is full
                raise
            self._path.replace(self._path.with_suffix(".damaged"))
            self._make()

    def _make(self) -> None:
        if not self._path.exists():
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with self._open() as database:
            database.executescript(_TABLE)

    def add(self, file: str, sha256: str, webhook: str = "") -> Task:
        """Record a task. It is on the disk when this returns."""
        task = Task(secrets.token_hex(16), file, sha256, utc_timestamp(), webhook, next_at=utc_timestamp() if webhook else None)
        with self._open() as database:
            database.execute("DELETE FROM tasks WHERE at < ?", [utc_timestamp(-timedelta(days=RETENTION_DAYS))])
            values = [task.id, task.file, task.sha256, task.at, task.webhook, task.next_at]
            database.execute("INSERT INTO tasks (id, file, sha256, at, webhook, next_at) VALUES (?, ?, ?, ?, ?, ?)", values)
        return task

    def find(self, identifier: str) -> Task | None:
        """The task with this identifier."""
        with self._open() as database:
            return next((_task(row) for row in database.execute("SELECT * FROM tasks WHERE id = ?", [identifier])), None)

    def due(self, after: tuple[str, str] = ("", ""), limit: int = 1_000) -> list[Task]:
        """Tasks whose webhook is to be called as soon as they have ended, by ``next_at`` and ``id``; those that follow on ``after``."""
        query = "SELECT * FROM tasks WHERE next_at <= ? AND (next_at, id) > (?, ?) ORDER BY next_at, id LIMIT ?"
        with self._open() as database:
            return [_task(row) for row in database.execute(query, [utc_timestamp(), *after, limit])]

    def delivered(self, identifier: str) -> None:
        """The webhook has accepted the result."""
        with self._open() as database:
            query = "UPDATE tasks SET next_at = NULL, delivered_at = ?, attempts = attempts + 1, last_error = '' WHERE id = ?"
            database.execute(query, [utc_timestamp(), identifier])

    def failed(self, identifier: str, error: str, next_at: str | None) -> None:
        """An attempt has failed; the next one is at ``next_at``, or never."""
        with self._open() as database:
            query = "UPDATE tasks SET next_at = ?, last_error = ?, attempts = attempts + 1 WHERE id = ?"
            database.execute(query, [next_at, error, identifier])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as database, database:
            database.row_factory = sqlite3.Row
            yield database


def _task(row: sqlite3.Row) -> Task:
    return Task(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - iterating a row gives its values

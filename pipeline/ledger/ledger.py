"""The ledger: one SQLite file in the outbox, one writer. What is committed here is never done twice.

WAL mode with ``synchronous=NORMAL``: a commit survives ``kill -9`` at any instant; a power cut may undo the last commits but never
damages the file, and what was undone is simply done again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import LedgerError
from pipeline.ledger.migrations import MIGRATIONS
from pipeline.records import DocumentInfo, DocumentStatus, Evidence, Reason, Result, Source, UnitKey

FILE_NAME = "ledger.sqlite"
PASSING: tuple[Reason, ...] = ("engine", "timeout")
"""Reasons that may not hold the next time."""
_PASSING = f"status = 'failed' AND reason IN ({', '.join(map(repr, PASSING))})"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as the ledger last saw it, with what is published of it."""

    source: Source
    sha256: str
    size: int
    mtime_ns: int
    published: str | None
    """sha256 of the contents whose result is in the outbox; None when none is."""
    recipes: Mapping[str, str]
    """Template to recipe of that result."""
    status: DocumentStatus | None
    reason: str | None
    told: tuple[str, ...]
    """Templates that somebody named for it on the command line."""
    stale: bool
    """Whether somebody asked to read it again."""
    chosen: str | None
    """The template the classifier chose for its contents."""
    unreadable: bool
    """Whether its contents do not open at all."""
    retry_at: str | None = None
    """When it is due to be read again, as ``now`` writes times; None: not by itself."""
    published_at: str | None = None
    """When its result was published, as ``now`` writes times."""
    pinned: bool = False
    """Whether it was read in a way that somebody asked for, which holds whatever today's recipes are."""


def now(later: timedelta = timedelta(0)) -> str:
    """The time in UTC, ISO 8601 with milliseconds, or what it will be ``later``."""
    return (datetime.now(UTC) + later).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Ledger:
    """Everything the pipeline remembers. Raises LedgerError when the file cannot be opened."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._migrate()
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                f"{self.path}: {error}", "move the file away; `pipeline run` then reads the inbox again and rewrites the outbox"
            ) from error

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Fold the write-ahead log back and close."""
        self._db.close()

    def check(self) -> None:
        """Look whether the file is whole. Raises LedgerError when it is damaged."""
        try:
            found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise LedgerError(f"{self.path}: damaged: {error}", "run again: it is made anew from the outbox") from error

    @property
    def changes(self) -> int:
        """Rows that were changed since it was opened: the same number, the same contents."""
        return self._db.total_changes

    def copy_to(self, path: Path) -> None:
        """Write a copy that is whole, whatever is going on. Raises LedgerError."""
        try:
            with closing(sqlite3.connect(path)) as copy:
                self._db.backup(copy)
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(f"{path}: {error}", "free disk space or check permissions; nothing is lost, run again") from error

    def moved_folder(self, old: Path, new: Path) -> None:
        """Everything below ``old`` lies below ``new`` now."""
        before, after = os.fsencode(f"{old}/"), os.fsencode(f"{new}/")
        query = "SELECT path FROM files WHERE substr(path, 1, ?) = ?"
        with self.transaction():
            paths = [row[0] for row in self._db.execute(query, [len(before), before])]
            self._db.executemany(
                "UPDATE files SET path = ? WHERE path = ?", ((after + path[len(before) :], path) for path in paths)
            )

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise LedgerError(f"{self.path}: written by a newer pipeline (ledger version {version})", "upgrade the pipeline")
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self._db.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """Rows of a reading query as dicts; for `status` and reports."""
        cursor = self._db.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def named_rows(self, query: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The same with named parameters."""
        cursor = self._db.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor)

    def change(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Carry out a statement that changes something; how many rows, or the number of the one that was added."""
        cursor = self._db.execute(statement, parameters)
        return cursor.lastrowid or 0 if statement.startswith("INSERT") else cursor.rowcount

    # ---- files and documents ------------------------------------------------------------------

    def known_files(self) -> dict[str, KnownFile]:
        """All files by absolute path."""
        return {os.fsdecode(row["path"]): _known_file(row) for row in self.rows("SELECT * FROM known")}

    def known_file(self, path: Path) -> KnownFile | None:
        """One file by its absolute path."""
        query = "SELECT * FROM known WHERE path = ?"
        return next((_known_file(row) for row in self.rows(query, [os.fsencode(path)])), None)

    def named_file(self, name: str) -> KnownFile | None:
        """One file by the name of its result."""
        return next((_known_file(row) for row in self.rows("SELECT * FROM known WHERE name = ?", [name])), None)

    def mark_stale(self, path: Path) -> None:
        """The file is to be read again; units that have ended under the same recipe are not."""
        self.change("UPDATE files SET stale = 1, pinned = 0 WHERE path = ?", [os.fsencode(path)])

    def pin(self, path: Path) -> None:
        """What is published of the file stays, whatever today's recipes are."""
        self.change("UPDATE files SET pinned = 1 WHERE path = ?", [os.fsencode(path)])

    def saw_file(self, source: Source, sha256: str, size: int, mtime_ns: int, told: Sequence[str] = ()) -> None:
        """Remember a file and what it holds now; what is published of it stays until `published` is called again."""
        self._db.execute(
            """INSERT INTO files (path, name, relative, sha256, size, mtime_ns, told) VALUES (?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT (path) DO UPDATE SET relative = excluded.relative, size = excluded.size, mtime_ns = excluded.mtime_ns,
               pinned = pinned AND sha256 = excluded.sha256, sha256 = excluded.sha256, told = excluded.told""",
            [os.fsencode(source.path), source.name, source.relative, sha256, size, mtime_ns, json.dumps(list(told))],
        )

    def document(self, sha256: str, *, stale: bool = False) -> DocumentInfo | None:
        """A document that was opened before; ``stale`` also one that is to be opened again."""
        query = "SELECT kind, pages, reason, detail FROM documents WHERE sha256 = ? AND stale <= ?"
        row = self._db.execute(query, [sha256, stale]).fetchone()
        return DocumentInfo(sha256, *row) if row else None

    def saw_document(self, document: DocumentInfo) -> None:
        """Remember what opening a document told."""
        self._db.execute(
            """INSERT INTO documents (sha256, kind, pages, reason, detail, seen_at) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (sha256) DO UPDATE SET kind = excluded.kind, pages = excluded.pages, reason = excluded.reason,
               detail = excluded.detail, stale = 0""",
            [document.sha256, document.kind, document.pages, document.reason, document.detail, now()],
        )

    def chosen(self, sha256: str) -> str | None:
        """The template the classifier chose for a document."""
        row = self._db.execute("SELECT chosen FROM documents WHERE sha256 = ?", [sha256]).fetchone()
        return row[0] if row else None

    def choose(self, sha256: str, template: str) -> None:
        """Remember the classifier's choice."""
        self._db.execute("UPDATE documents SET chosen = ? WHERE sha256 = ?", [template, sha256])

    def ask(self, template: str, question: str) -> None:
        """Remember a question that became a template."""
        self._db.execute("INSERT OR REPLACE INTO questions VALUES (?, ?)", [template, question])

    def questions(self) -> list[str]:
        """All questions ever asked."""
        return [row[0] for row in self._db.execute("SELECT question FROM questions ORDER BY template")]

    def saw_recipes(self, recipes: Mapping[str, str], engine: str, versions: Mapping[str, str]) -> None:
        """Remember what these recipes (by template) stand for."""
        with self.transaction():
            for template, recipe in recipes.items():
                self.saw_recipe(recipe, template, engine, versions)

    def saw_recipe(self, recipe: str, template: str, engine: str, versions: Mapping[str, str]) -> None:
        """Remember what one recipe stands for."""
        self._db.execute("INSERT OR REPLACE INTO recipes VALUES (?, ?, ?, ?)", [recipe, template, engine, json.dumps(versions)])

    def made_by(self, recipes: Iterable[str]) -> tuple[str | None, dict[str, str]]:
        """Engine and library versions behind a document's recipes."""
        for recipe in recipes:
            row = self._db.execute("SELECT engine, versions FROM recipes WHERE recipe = ?", [recipe]).fetchone()
            if row:
                return row[0], json.loads(row[1])
        return None, {}

    # ---- units --------------------------------------------------------------------------------

    def commit(self, results: Iterable[Result]) -> None:
        """Commit units that have ended, together."""
        with self.transaction():
            self.insert_results(results)

    def insert_results(self, results: Iterable[Result]) -> None:
        """Units that have ended, as part of a transaction that is open."""
        rows = [
            (
                *(result.key.sha256, result.key.page, result.key.template, result.key.recipe),
                *(result.status, result.reason, result.detail, result.source),
                json.dumps({name: asdict(evidence) for name, evidence in result.fields.items()}, ensure_ascii=False),
                *(result.seconds, now(), result.turned),
            )
            for result in results
        ]
        self._db.executemany(
            """INSERT INTO units (sha256, page, template, recipe, status, reason, detail, source, fields, seconds, ended_at, turned)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET status = excluded.status, reason = excluded.reason, detail = excluded.detail,
               source = excluded.source, fields = excluded.fields, seconds = excluded.seconds, ended_at = excluded.ended_at,
               turned = excluded.turned, attempts = attempts + 1, stale = 0""",
            rows,
        )

    def ended_pages(self, sha256: str, template: str, recipe: str) -> set[int]:
        """Pages of a document whose unit has ended and is not to be read again."""
        query = "SELECT page FROM units WHERE sha256 = ? AND template = ? AND recipe = ? AND NOT stale"
        return {row[0] for row in self._db.execute(query, [sha256, template, recipe])}

    def results(self, sha256: str, template: str, recipe: str) -> list[Result]:
        """The ended units of a document under one template, by page."""
        query = """SELECT page, status, reason, detail, source, fields, seconds, turned FROM units
                   WHERE sha256 = ? AND template = ? AND recipe = ? ORDER BY page"""
        return [
            Result(
                key=UnitKey(sha256, page, template, recipe),
                status=status,
                fields={name: _evidence(value) for name, value in json.loads(fields or "{}").items()},
                reason=reason,
                detail=detail,
                source=source,
                seconds=seconds,
                turned=turned,
            )
            for page, status, reason, detail, source, fields, seconds, turned in self._db.execute(
                query, [sha256, template, recipe]
            )
        ]

    def span(self, sha256: str, recipes: Mapping[str, str]) -> tuple[str, str] | None:
        """When work on a document under these recipes began and when it ended."""
        marks = ",".join("?" * len(recipes))
        query = f"""SELECT min(strftime('%Y-%m-%dT%H:%M:%fZ', julianday(ended_at) - seconds / 86400.0)), max(ended_at)
                    FROM units WHERE sha256 = ? AND recipe IN ({marks})"""  # noqa: S608
        first, last = self._db.execute(query, [sha256, *recipes.values()]).fetchone()
        return (first, last) if first else None

    # ---- trying again -------------------------------------------------------------------------

    def attempts(self, sha256: str, recipes: Iterable[str], most: int) -> int | None:
        """How often what failed for a passing reason was tried, where that is less than ``most`` for some unit; None: nothing to try."""
        chosen = list(recipes)
        marks = ",".join("?" * len(chosen))
        query = f"SELECT min(attempts) FROM units WHERE sha256 = ? AND recipe IN ({marks}) AND {_PASSING} AND attempts < ?"  # noqa: S608
        found: int | None = self._db.execute(query, [sha256, *chosen, most]).fetchone()[0]
        return found

    def try_again(self, sha256: str, most: int) -> None:
        """Mark units that failed for a passing reason to be read again, unless they were tried ``most`` times."""
        self._db.execute(f"UPDATE units SET stale = 1 WHERE sha256 = ? AND {_PASSING} AND attempts < ?", [sha256, most])  # noqa: S608

    def died(self, keys: Iterable[UnitKey]) -> None:
        """A run died while these units were with the engine."""
        with self.transaction():
            self._db.executemany(
                "INSERT INTO deaths VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                [(key.sha256, key.page, key.template, key.recipe) for key in keys],
            )

    def deaths(self) -> dict[UnitKey, int]:
        """Units over which runs died, and how many."""
        return {UnitKey(*key): count for *key, count in self._db.execute("SELECT * FROM deaths")}

    def survived(self, key: UnitKey) -> None:
        """The unit was answered after all."""
        self._db.execute(
            "DELETE FROM deaths WHERE (sha256, page, template, recipe) = (?, ?, ?, ?)",
            [key.sha256, key.page, key.template, key.recipe],
        )

    # ---- publishing ---------------------------------------------------------------------------

    def published(
        self,
        path: Path,
        sha256: str,
        recipes: Mapping[str, str],
        status: str,
        reason: str | None,
        retry_at: str | None = None,
        *,
        review: Sequence[str] = (),
        corrected: Sequence[str] = (),
    ) -> None:
        """The result of these contents is safely in the outbox; ``retry_at`` when it is to be read again.

        ``review`` and ``corrected`` are the fields of it that a person should look at, and those that one corrected.
        """
        self._db.execute(
            """UPDATE files SET published = ?, recipes = ?, status = ?, reason = ?, published_at = ?, retry_at = ?, stale = 0,
               review = ?, corrected = ? WHERE path = ?""",
            [
                *(sha256, json.dumps(dict(sorted(recipes.items()))), status, reason, now(), retry_at),
                *(json.dumps(list(review)), json.dumps(list(corrected)), os.fsencode(path)),
            ],
        )

    def same_contents(self, sha256: str) -> list[KnownFile]:
        """All files with these contents."""
        return [_known_file(row) for row in self.rows("SELECT * FROM known WHERE sha256 = ?", [sha256])]

    def turned(self, sha256: str, page: int) -> int | None:
        """By how many degrees a page was turned to stand upright; None for one that was not read."""
        row = self._db.execute(
            "SELECT turned FROM units WHERE sha256 = ? AND page = ? AND status = 'done' ORDER BY ended_at DESC LIMIT 1",
            [sha256, page],
        ).fetchone()
        return row[0] if row else None

    def why(self, sha256: str) -> tuple[Reason | None, str]:
        """Reason and detail of what failed first of these contents."""
        row = self._db.execute(
            """SELECT reason, detail FROM documents WHERE sha256 = ?1 AND reason IS NOT NULL UNION ALL
               SELECT * FROM (SELECT reason, detail FROM units WHERE sha256 = ?1 AND reason IS NOT NULL ORDER BY page LIMIT 1)""",
            [sha256],
        ).fetchone()
        return (row[0], row[1]) if row else (None, "")

    def moved_file(self, old: Path, new: str) -> None:
        """The file lies elsewhere now (or nowhere); its result keeps its name."""
        self._db.execute("UPDATE files SET path = ? WHERE path = ?", [os.fsencode(new), os.fsencode(old)])

    def published_files(self) -> Iterator[KnownFile]:
        """Files with a published result, by name; a thousand at a time, so that memory does not grow with their number."""
        query, last = "SELECT * FROM known WHERE published IS NOT NULL AND name > ? ORDER BY name LIMIT 1000", ""
        while rows := list(self.rows(query, [last])):
            yield from map(_known_file, rows)
            last = rows[-1]["name"]

    def sheet(self, name: str) -> tuple[list[str], int, bool] | None:
        """Columns, good length in bytes and dirtiness of a spreadsheet."""
        row = self._db.execute("SELECT columns, bytes, dirty FROM sheets WHERE name = ?", [name]).fetchone()
        return (json.loads(row[0]), row[1], bool(row[2])) if row else None

    def wrote_sheet(self, name: str, columns: Sequence[str], size: int) -> None:
        """A spreadsheet is good up to ``size`` bytes."""
        self._db.execute("INSERT OR REPLACE INTO sheets VALUES (?, ?, ?, 0)", [name, json.dumps(list(columns)), size])

    def soil_sheets(self, names: Iterable[str]) -> None:
        """These spreadsheets hold rows that are out of date; they are rebuilt before the run ends."""
        self._db.executemany(
            "INSERT INTO sheets VALUES (?, '[]', 0, 1) ON CONFLICT (name) DO UPDATE SET dirty = 1", [(name,) for name in names]
        )

    def dirty_sheets(self) -> list[str]:
        """Names of spreadsheets to rebuild."""
        return [row[0] for row in self._db.execute("SELECT name FROM sheets WHERE dirty ORDER BY name")]

    # ---- reading again ------------------------------------------------------------------------

    def forget(self, files: Iterable[KnownFile], *, failed_only: bool = False) -> int:
        """Mark the units of these files to be read again; what is published stays until then. Returns how many files."""
        which = " AND status IN ('failed', 'skipped')" if failed_only else ""
        again = "" if failed_only else ", chosen = NULL"
        count = 0
        with self.transaction():
            for file in files:
                self._db.execute(f"UPDATE units SET stale = 1, attempts = 0 WHERE sha256 = ?{which}", [file.sha256])  # noqa: S608
                self._db.execute("DELETE FROM deaths WHERE sha256 = ?", [file.sha256])
                self._db.execute(f"UPDATE documents SET stale = 1{again} WHERE sha256 = ?", [file.sha256])  # noqa: S608
                self._db.execute("UPDATE files SET stale = 1, pinned = 0 WHERE sha256 = ?", [file.sha256])
                count += 1
        return count


@lru_cache(maxsize=1024)
def _loaded(text: str) -> Any:
    """A JSON value that is only read: most files share a few."""
    return json.loads(text)


def _known_file(row: Mapping[str, Any]) -> KnownFile:
    return KnownFile(
        source=Source(Path(os.fsdecode(row["path"])), row["name"], row["relative"]),
        sha256=row["sha256"],
        size=row["size"],
        mtime_ns=row["mtime_ns"],
        published=row["published"],
        recipes=_loaded(row["recipes"] or "{}"),
        status=row["status"],
        reason=row["reason"],
        told=tuple(_loaded(row["told"])),
        stale=bool(row["stale"]),
        chosen=row["chosen"],
        unreadable=bool(row["unreadable"]),
        retry_at=row["retry_at"],
        published_at=row["published_at"],
        pinned=bool(row["pinned"]),
    )


def _evidence(value: Mapping[str, Any]) -> Evidence:
    box, flags = value.get("box"), value.get("flags") or ()
    return Evidence(**{**value, "box": tuple(box) if box else None, "flags": tuple(flags)})

"""The index of documents: a file beside the ledger by which lists are sorted, filtered and searched without delay.

It holds nothing that the ledger does not have, and may be deleted at any time. The ledger numbers every change of a result in the
transaction that makes it, and the index records up to which number it has followed. So a kill at any instant leaves an index that is
behind, never a wrong one. After a restart of the machine, or for another ledger, it is made anew: a power cut may have undone changes.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any

from pipeline.ledger.document_states import STATE
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.search_terms import searchable
from pipeline.records import WRAPPER_KINDS

INDEX_FILE = "documents.sqlite"
FORM = "2"
"""Another form of the tables makes the index anew."""
BATCH = 500
"""Changes of one transaction."""
MAX_PAGES = 2_000
"""Pages of a document whose words are found."""
_TABLES = """
CREATE TABLE followed (source TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, relative TEXT, sha256 TEXT, status TEXT, reason TEXT, templates TEXT,
    pages INTEGER, published_at TEXT, review TEXT, corrected TEXT, doubtful INTEGER, state TEXT,
    vendor TEXT COLLATE NOCASE, date TEXT, number TEXT COLLATE NOCASE, total TEXT, currency TEXT,
    amount REAL, same_number TEXT, same_total TEXT, same_file TEXT, wrapper INTEGER
);
CREATE INDEX by_sha256 ON documents (sha256);
CREATE INDEX by_same_number ON documents (same_number) WHERE same_number IS NOT NULL;
CREATE INDEX by_same_total ON documents (same_total) WHERE same_total IS NOT NULL;
CREATE INDEX by_same_file ON documents (same_file) WHERE same_file IS NOT NULL;
CREATE INDEX by_state ON documents (state, doubtful, status);
CREATE INDEX by_time ON documents (published_at IS NOT NULL, published_at DESC, name);
CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = "unicode61 remove_diacritics 2");
"""
SORTED = {
    "vendor": "vendor",
    "date": "date",
    "number": "number",
    "total": "amount",
    "name": "name",
    "pages": "pages",
    "doubtful": "doubtful",
    "status": "status",
    "state": "state",
    "read": "published_at",
    "added": "id",
}
"""Columns of the index by what a list can be sorted by."""
_INDEXES = "".join(
    f"CREATE INDEX up_{name} ON documents ({sql} IS NULL, {sql}, id); CREATE INDEX down_{name} ON documents ({sql} DESC, id);\n"
    for name, sql in SORTED.items()
)
_AMOUNT = re.compile(r"-?\d{1,30}(\.\d{1,10})?", re.ASCII)
Values = Mapping[str, str]
ValuesOf = Callable[[str], Values]
"""The values that a list shows of the result with this name, where the ledger does not have them."""


class ListIndex:
    """The index of a ledger in the state folder ``folder``. Several threads and processes may use it at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / INDEX_FILE
        self._lock = Lock()

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """A connection whose rows have names. Raises sqlite3.Error."""
        try:
            db = self._open()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise
            # It holds nothing of its own.
            for ending in ("", "-wal", "-shm"):
                Path(f"{self._path}{ending}").unlink(missing_ok=True)
            db = self._open()
        with closing(db):
            yield db

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            with suppress(FileExistsError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(self._path, timeout=30.0, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def follow(self, ledger: Ledger, values_of: ValuesOf, seconds: float = float("inf")) -> int:
        """Bring the index up to the ledger, for at most about ``seconds``. Returns how many changes it is behind then.

        Raises sqlite3.Error, LedgerError.
        """
        until = time.monotonic() + seconds
        with self._lock, self.opened() as db:
            source = _source(ledger)
            self._begin(db, source)
            while True:
                number, last = db.execute("SELECT number, name FROM followed").fetchone()
                changed = [
                    (row["number"], row["name"])
                    for row in ledger.rows(
                        """SELECT number, name FROM list_changes WHERE (number, name) > (?, ?)
                           ORDER BY number, name LIMIT ?""",
                        [number, last, BATCH],
                    )
                ]
                if not changed:
                    return 0
                _apply(db, ledger, [name for _, name in changed], values_of, (number, last), changed[-1])
                if time.monotonic() > until:
                    number, last = changed[-1]
                    query = "SELECT count(*) AS n FROM list_changes WHERE (number, name) > (?, ?)"
                    return int(next(ledger.rows(query, [number, last]))["n"])

    @staticmethod
    def _begin(db: sqlite3.Connection, source: str) -> None:
        """Make the tables anew unless they are of this source."""
        with suppress(sqlite3.OperationalError):  # no table yet
            row = db.execute("SELECT source FROM followed").fetchone()
            if row and row[0] == source:
                return
        db.execute("BEGIN IMMEDIATE")
        try:
            for name in ("followed", "documents", "words"):
                db.execute(f"DROP TABLE IF EXISTS {name}")
            for statement in f"{_TABLES}{_INDEXES}".split(";"):
                db.execute(statement)
            db.execute("INSERT INTO followed VALUES (?, 0, '')", [source])
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


def _source(ledger: Ledger) -> str:
    """Which ledger it is, since which start of the machine, and the form of the index."""
    identity = next(ledger.rows("SELECT ledger FROM list_clock"))["ledger"]
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        start = ""
    return f"{identity} {start} {FORM}"


def _apply(
    db: sqlite3.Connection,
    ledger: Ledger,
    names: Iterable[str],
    values_of: ValuesOf,
    before: tuple[int, str],
    after: tuple[int, str],
) -> None:
    """Follow some changes in one transaction, unless another process has done it."""
    rows = [(name, _listed(ledger, name, values_of)) for name in names]
    db.execute("BEGIN IMMEDIATE")
    try:
        if tuple(db.execute("SELECT number, name FROM followed").fetchone()) == before:
            for name, row in rows:
                _replace(db, name, row)
            db.execute("UPDATE followed SET number = ?, name = ?", after)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _replace(db: sqlite3.Connection, name: str, row: Mapping[str, Any] | None) -> None:
    present = db.execute("SELECT id FROM documents WHERE name = ?", [name]).fetchone()
    if present:
        db.execute("DELETE FROM documents WHERE id = ?", [present[0]])
        db.execute("DELETE FROM words WHERE rowid = ?", [present[0]])
    if row is None:
        return
    stored = {key: value for key, value in row.items() if key != "text"}
    marks = ", ".join("?" * len(stored))
    number = db.execute(
        f"INSERT INTO documents (id, {', '.join(stored)}) VALUES (?, {marks})",  # noqa: S608 - inserted are names of columns
        [present[0] if present else None, *stored.values()],
    ).lastrowid
    db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", [number, row["text"]])


def _listed(ledger: Ledger, name: str, values_of: ValuesOf) -> dict[str, Any] | None:
    """The row of a result; None where there is none, or its documents are listed instead."""
    query = f"""SELECT name, relative, results.sha256, results.published, coalesce(status, 'waiting') AS status, results.reason, recipes,
        published_at, coalesce(review, '[]') AS review, coalesce(corrected, '[]') AS corrected, {STATE} AS state, results.part,
        coalesce(json_array_length(results.part, '$.pages'), documents.pages, 0) AS pages, key, kind,
        coalesce((SELECT listed FROM files WHERE files.name = results.name),
                 (SELECT listed FROM parts WHERE parts.name = results.name)) AS listed
        FROM results LEFT JOIN documents ON documents.sha256 = coalesce(results.published, results.sha256)
        WHERE name = ? AND NOT is_split"""  # noqa: S608 - inserted is a constant
    found = next(iter(list(ledger.rows(query, [name]))), None)
    if found is None:
        return None
    published = found["published"]
    values: Values = {}
    if published:
        recorded = json.loads(found["listed"] or "{}")
        values = recorded if "urgent" in recorded else {**values_of(name), **recorded}  # recorded by an older version
    pages = set(json.loads(found["part"])["pages"]) if found["part"] else None
    review = json.loads(found["review"])
    urgent = values["urgent"].split(",") if values.get("urgent") else [] if "urgent" in values else review
    number, total = values.get("number"), values.get("total")
    amount = Decimal(total) if total and _AMOUNT.fullmatch(total) else None
    vendor = values.get("vendor", "").casefold()
    return {
        **{key: found[key] for key in ("name", "relative", "sha256", "status", "reason", "pages", "published_at", "state")},
        "templates": json.dumps(list(json.loads(found["recipes"] or "{}"))),
        "review": json.dumps([*(name for name in review if name in urgent), *(name for name in review if name not in urgent)]),
        "corrected": found["corrected"],
        "doubtful": sum(name in urgent for name in review) if found["state"] == "to_check" else 0,
        **{key: values.get(key) or None for key in ("vendor", "date", "number", "total", "currency")},
        "amount": float(amount) if amount is not None else None,
        "wrapper": found["kind"] in WRAPPER_KINDS and found["status"] == "done",
        "same_file": None if found["part"] else found["sha256"],
        "same_number": f"{vendor}\n{number.casefold()}" if vendor and number else None,
        "same_total": f"{values['date']}\n{amount.normalize():f}\n{values.get('currency', '')}"
        if amount and values.get("date")
        else None,
        "text": searchable([name, *_texts(ledger, published or "", found["key"] or "", pages)]),
    }


def _texts(ledger: Ledger, sha256: str, key: str, pages: set[int] | None) -> Iterator[str]:
    """The words of a document's pages, its values, and those that people have entered."""
    for page, text in list(ledger.page_texts(sha256).items())[:MAX_PAGES]:
        if pages is None or page in pages:
            yield text
    query = """SELECT units.page, json_extract(field.value, '$.value') AS value FROM units, json_each(units.fields) AS field
               WHERE units.sha256 = ? AND units.fields IS NOT NULL"""
    for row in ledger.rows(query, [sha256]):
        if pages is None or row["page"] in pages:
            yield str(row["value"] or "")
    for row in ledger.rows("SELECT value FROM corrections WHERE sha256 = ?", [key]):
        yield str(json.loads(row["value"])) if row["value"] else ""

"""The SQLite file behind the ledger: opening, migrations, transactions, copies.

The file is in WAL mode with ``synchronous=NORMAL``. A commit survives ``kill -9`` at any instant. A power cut may undo the last commits
but never damages the file, and the work of a commit that was undone is done again. A ``synced_transaction`` brings itself and all commits
before it to the disk: it stands before everything that moves or deletes a file.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

from pipeline.backoff import Backoff
from pipeline.errors import LedgerError
from pipeline.ledger.migrations import MIGRATIONS
from pipeline.ledger.replacement import LEDGER_FILE, opening
from pipeline.permissions import is_shared, make_private_folder
from pipeline.runtime.file_system import sync_folder

BUSY_SECONDS = 30.0
"""How long a statement waits for another process that writes."""


class LedgerConnection:
    """An open ledger file, migrated to the present version. ``name`` is another file in the folder, for a ledger that is being made.

    Raises LedgerError when it cannot be opened.
    """

    def __init__(self, folder: Path, name: str = LEDGER_FILE) -> None:
        self.path = folder / name
        self._is_on_disk = False  # whether the names of its folders are
        try:
            make_private_folder(folder)
            with opening(folder) if name == LEDGER_FILE else nullcontext():
                self._open()
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                f"{self.path}: {error}", "move the file away; `pipeline run` then reads the inbox again and rewrites the outbox"
            ) from error

    def _open(self) -> None:
        if not self.path.exists():  # SQLite gives its other files the rights of this one
            mode = 0o660 if is_shared(self.path.parent.parent) else 0o600
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode))
        self._db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            self._use_write_ahead_log()
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._migrate()
        except BaseException:
            self._db.close()
            raise

    def _use_write_ahead_log(self) -> None:
        """Changes the mode of a new or old file. SQLite does not wait for other programs that do the same at this moment, so we do."""
        pauses, until = Backoff(0.005, 0.2, jitter=0.5), time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(pauses.next_seconds())

    def _migrate(self) -> None:
        if self._version > len(MIGRATIONS):
            raise LedgerError(
                f"{self.path}: written by a newer pipeline (ledger version {self._version})", "upgrade the pipeline"
            )
        while (version := self._version) < len(MIGRATIONS):
            # Another process may migrate the ledger at the same time: the version is checked once more inside of the transaction.
            check = f"""CREATE TEMP TABLE present (version CHECK (version = {version}));
                INSERT INTO present SELECT user_version FROM pragma_user_version; DROP TABLE present"""  # noqa: S608 - inserted are our own numbers and statements
            try:
                self._db.executescript(
                    f"BEGIN IMMEDIATE; {check}; {MIGRATIONS[version]}; PRAGMA user_version = {version + 1}; COMMIT;"
                )
            except sqlite3.IntegrityError:
                self._db.execute("ROLLBACK")
                if self._version == version:
                    raise

    @property
    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Merge the write-ahead log into the file and close it."""
        self._db.close()

    def close_whole(self) -> None:
        """Close the ledger so that everything is in the one file. Raises LedgerError when the log cannot be merged."""
        try:
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._db.close()
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: {error}", "free disk space or check permissions, then run again") from error
        if busy or self.path.with_name(f"{self.path.name}-wal").exists():
            raise LedgerError(f"{self.path}: another process has it open", "end that process, then run again")

    def check_integrity(self) -> None:
        """Raises LedgerError when SQLite finds the file damaged."""
        try:
            problem = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise sqlite3.DatabaseError(problem)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise LedgerError(f"{self.path}: damaged: {error}", "run again: it is rebuilt from the outbox") from error

    @property
    def change_count(self) -> int:
        """Rows that this connection changed since it was opened. The number stays the same while the contents stay the same."""
        return self._db.total_changes

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy, also while another process writes to the ledger. Raises LedgerError."""
        try:
            with closing(sqlite3.connect(path)) as copy:
                self._db.backup(copy)
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(f"{path}: {error}", "free disk space or check permissions; nothing is lost, run again") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside are committed together; none of them when an exception leaves the block."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def synced_transaction(self) -> Iterator[None]:
        """A transaction that is on the disk when the block has ended, and with it all earlier ones. Raises LedgerError.

        All commits go to one log, and with ``synchronous=FULL`` SQLite syncs that log.
        """
        if not self._is_on_disk:
            self._sync_folders()
        self._db.execute("PRAGMA synchronous=FULL")
        try:
            with self.transaction():
                yield
        finally:
            self._db.execute("PRAGMA synchronous=NORMAL")

    def _sync_folders(self) -> None:
        """Bring the names of the state folder, of the outbox and of the ledger in it to the disk. Raises LedgerError."""
        try:
            for folder in list(self.path.absolute().parents)[:3]:
                with suppress(PermissionError):  # a folder that may not be listed
                    sync_folder(folder)
        except OSError as error:
            raise LedgerError(
                f"{self.path}: cannot be synced: {error}", "check the disk; nothing is lost, run again"
            ) from error
        self._is_on_disk = True

    def rows(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Iterator[dict[str, Any]]:
        """The rows of a query, each as a dict by column name."""
        cursor = self._db.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def change(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Execute a statement that changes rows. Returns how many, or the row id of an INSERT."""
        cursor = self._db.execute(statement, parameters)
        return cursor.lastrowid or 0 if statement.startswith("INSERT") else cursor.rowcount

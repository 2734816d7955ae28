"""The file with accounts, invitations, sessions, tokens and failed sign-ins: ``outbox/.pipeline/accounts.sqlite``, for its owner alone.

There is none before the first invitation. Passwords are kept as argon2id hashes, and the random texts of links and cookies as SHA-256: a
copy of the file signs nobody in.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.permissions import make_private_folder

FILE = "accounts.sqlite"
BUSY_SECONDS = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
    key       TEXT PRIMARY KEY,     -- the name, case folded
    name      TEXT NOT NULL,
    role      TEXT NOT NULL,
    password  TEXT,                 -- argon2id; NULL: the proxy signs the person in
    at        TEXT NOT NULL,
    language  TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invitations (
    token     TEXT PRIMARY KEY,     -- SHA-256
    name      TEXT NOT NULL,
    role      TEXT NOT NULL,
    until     TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    token     TEXT PRIMARY KEY,     -- SHA-256
    key       TEXT NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    at        TEXT NOT NULL,
    used_at   TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    token     TEXT PRIMARY KEY,     -- SHA-256
    key       TEXT NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    label     TEXT NOT NULL,
    at        TEXT NOT NULL,
    used_at   TEXT NOT NULL,        -- empty before the first use
    UNIQUE (key, label)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
    key       TEXT PRIMARY KEY,     -- what failed to sign in: a name, an address, or both
    count     INTEGER NOT NULL,
    at        REAL NOT NULL         -- of the last one, in seconds since 1970
) WITHOUT ROWID;
"""


class AccountDatabase:
    """The file below one ``.pipeline`` folder, for any thread and process."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE

    @property
    def exists(self) -> bool:
        """Whether there is such a file."""
        return self._path.exists()

    @contextmanager
    def open(self, *, reading: bool = False) -> Iterator[sqlite3.Connection]:
        """The database in a transaction, made where there is none. With ``reading``, nothing is changed, and readers share it.

        Raises SettingsError where it is damaged: nobody is let in then.
        """
        try:
            if not self.exists:
                make_private_folder(self._path.parent)
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as database, database:
                database.row_factory = sqlite3.Row
                database.execute("PRAGMA foreign_keys = ON")
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'tokens'").fetchone():
                    database.executescript(_TABLES)
                database.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
                yield database
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked, or the disk is full
                raise
            raise SettingsError(
                f"{self._path}: the accounts cannot be read: {error}",
                "put a copy back, or delete the file and invite people again with `pipeline users invite`",
            ) from error


def new_token() -> str:
    """A random text for a link or a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()

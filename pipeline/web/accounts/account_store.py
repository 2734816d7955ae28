"""Accounts and invitations. A person is invited by a link, which is good for one account, and sets a password there."""

from __future__ import annotations

import sqlite3
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from pipeline.values.times import utc_timestamp
from pipeline.web.accounts.database import AccountDatabase, new_token, token_hash
from pipeline.web.accounts.roles import Role

MAX_NAME = 80
INVITATION_DAYS = 7


class AccountError(Exception):
    """What cannot be done with an account, for people. ``text`` is translated before the ``values`` go into it."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values if values else text)
        self.text, self.values = text, values


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account. ``used_at`` is the last use of a session; empty for none."""

    name: str
    role: Role
    at: str
    used_at: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation."""

    name: str
    role: Role
    until: str


class AccountStore:
    """The accounts of an outbox. Names differ by more than upper and lower case. Raises SettingsError where the file is damaged."""

    def __init__(self, database: AccountDatabase) -> None:
        self._database = database

    def is_used(self) -> bool:
        """Whether there are accounts or open invitations: then nobody comes in without one."""
        if not self._database.exists:
            return False
        with self._database.open(reading=True) as database:
            query = "SELECT EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM invitations WHERE until > ?)"
            return bool(database.execute(query, [utc_timestamp()]).fetchone()[0])

    def accounts(self) -> list[Account]:
        """All accounts by name."""
        if not self._database.exists:
            return []
        with self._database.open(reading=True) as database:
            return [_account(row) for row in database.execute(f"{_SELECT} GROUP BY accounts.key ORDER BY accounts.key")]

    def account(self, name: str) -> Account | None:
        """The account with this name."""
        if not self._database.exists:
            return None
        with self._database.open(reading=True) as database:
            rows = database.execute(f"{_SELECT} WHERE accounts.key = ? GROUP BY accounts.key", [account_key(name)])
            return next((_account(row) for row in rows), None)

    def invitations(self) -> list[Invitation]:
        """The open invitations by name."""
        if not self._database.exists:
            return []
        with self._database.open(reading=True) as database:
            rows = database.execute(
                "SELECT name, role, until FROM invitations WHERE until > ? ORDER BY name", [utc_timestamp()]
            )
            return [Invitation(*row) for row in rows]

    def invite(self, name: str, role: Role) -> str:
        """The token of a new invitation, in the place of an open one with this name. For a name with an account, it sets a new password.

        Raises AccountError.
        """
        name, token = checked_name(name), new_token()
        with self._database.open() as database:
            _delete_invitations(database, name)
            database.execute("DELETE FROM invitations WHERE until <= ?", [utc_timestamp()])
            values = [token_hash(token), name, role, utc_timestamp(timedelta(days=INVITATION_DAYS))]
            database.execute("INSERT INTO invitations VALUES (?, ?, ?, ?)", values)
        return token

    def invitation(self, token: str) -> Invitation | None:
        """The open invitation with this token."""
        if not self._database.exists:
            return None
        with self._database.open(reading=True) as database:
            query = "SELECT name, role, until FROM invitations WHERE token = ? AND until > ?"
            return next((Invitation(*row) for row in database.execute(query, [token_hash(token), utc_timestamp()])), None)

    def accept(self, token: str, password_hash: str) -> Account:
        """Make the account of an invitation, which is used up then, or give that account its new password. Its sessions and tokens end.

        Raises AccountError.
        """
        with self._database.open() as database:
            query = "DELETE FROM invitations WHERE token = ? AND until > ? RETURNING name, role"
            row = next(iter(database.execute(query, [token_hash(token), utc_timestamp()]).fetchall()), None)
            if row is None:
                raise AccountError("this invitation was used already, or is too old: ask for a new one")
            key = account_key(row["name"])
            for table in ("sessions", "tokens"):
                database.execute(f"DELETE FROM {table} WHERE key = ?", [key])  # noqa: S608 - inserted are constants
            database.execute(
                "INSERT INTO accounts (key, name, role, password, at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET role = excluded.role, password = excluded.password",
                [key, row["name"], row["role"], password_hash, utc_timestamp()],
            )
        account = self.account(row["name"])
        assert account  # noqa: S101 - it was just made
        return account

    def add_without_password(self, name: str, role: Role) -> Account:
        """The account of a person whom the proxy has signed in; made where there is none. Raises AccountError."""
        name = checked_name(name)
        with self._database.open() as database:
            values = [account_key(name), name, role, utc_timestamp()]
            database.execute("INSERT OR IGNORE INTO accounts (key, name, role, at) VALUES (?, ?, ?, ?)", values)
        account = self.account(name)
        assert account  # noqa: S101 - it was just made
        return account

    def password_hash(self, name: str) -> str | None:
        """The hash of a person's password; None without account or password."""
        if not self._database.exists:
            return None
        with self._database.open(reading=True) as database:
            row = database.execute("SELECT password FROM accounts WHERE key = ?", [account_key(name)]).fetchone()
            return row["password"] if row else None

    def set_password(self, name: str, password_hash: str) -> None:
        """Give an account a new password. Its sessions end."""
        with self._database.open() as database:
            database.execute("UPDATE accounts SET password = ? WHERE key = ?", [password_hash, account_key(name)])
            database.execute("DELETE FROM sessions WHERE key = ?", [account_key(name)])

    def set_language(self, name: str, language: str) -> None:
        """The language that a person has chosen; empty: that of the browser."""
        with self._database.open() as database:
            database.execute("UPDATE accounts SET language = ? WHERE key = ?", [language, account_key(name)])

    def set_role(self, name: str, role: Role, *, keep_admin: bool = False) -> None:
        """Change a role, from the next request on. With ``keep_admin``, the last admin stays one. Raises AccountError."""
        with self._database.open() as database:
            _require(database, name)
            if keep_admin and role != "admin":
                _require_other_admin(database, name)
            database.execute("UPDATE accounts SET role = ? WHERE key = ?", [role, account_key(name)])

    def remove(self, name: str, *, keep_admin: bool = False) -> None:
        """Delete an account with its sessions, or an open invitation. What the person has done keeps the name. Raises AccountError."""
        with self._database.open() as database:
            if not _delete_invitations(database, name):
                _require(database, name)
            if keep_admin:
                _require_other_admin(database, name)
            database.execute("DELETE FROM accounts WHERE key = ?", [account_key(name)])


_SELECT = (
    "SELECT accounts.name, role, accounts.at, coalesce(max(sessions.used_at), '') AS used_at, language "
    "FROM accounts LEFT JOIN sessions USING (key)"
)


def account_key(name: str) -> str:
    """What two names that count as the same have in common."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def checked_name(name: str) -> str:
    """The name as it is kept. Raises AccountError for one that could be mistaken, or that nobody can read."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise AccountError("a name has 1 to %(most)s letters that can be printed", most=MAX_NAME)
    return name


def _account(row: sqlite3.Row) -> Account:
    return Account(row["name"], row["role"], row["at"], row["used_at"], row["language"])


def _delete_invitations(database: sqlite3.Connection, name: str) -> int:
    """Delete the open invitations with a name. Returns how many there were."""
    key = account_key(name)
    tokens = [
        row["token"] for row in database.execute("SELECT token, name FROM invitations") if account_key(row["name"]) == key
    ]
    database.executemany("DELETE FROM invitations WHERE token = ?", [(token,) for token in tokens])
    return len(tokens)


def _require(database: sqlite3.Connection, name: str) -> None:
    if not database.execute("SELECT 1 FROM accounts WHERE key = ?", [account_key(name)]).fetchone():
        raise AccountError("there is no account `%(name)s`", name=name)


def _require_other_admin(database: sqlite3.Connection, name: str) -> None:
    query = "SELECT 1 FROM accounts WHERE role = 'admin' AND key != ?"
    if not database.execute(query, [account_key(name)]).fetchone():
        raise AccountError("the last admin stays one: somebody must be able to invite people")

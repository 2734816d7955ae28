"""Tokens with which a person's programs use the API, with the person's role of now. Their hashes are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.values.times import utc_timestamp
from pipeline.web.accounts.account_store import Account, AccountError, account_key, checked_name
from pipeline.web.accounts.database import AccountDatabase, new_token, token_hash

PREFIX = "pipeline_"
"""Beginning of every token, by which people and scanners of secrets know what it is."""
MAX_TOKENS = 20
"""Of one person."""
USE_MINUTES = 10
"""How exactly it is kept when a token was used last."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of a person. ``used_at`` is empty before its first use."""

    label: str
    at: str
    used_at: str


class ApiTokens:
    """The tokens of an outbox. Raises SettingsError where the file is damaged."""

    def __init__(self, database: AccountDatabase) -> None:
        self._database = database

    def make(self, name: str, label: str) -> str:
        """A new token of a person; it is shown only now. Raises AccountError."""
        label, token = checked_name(label), PREFIX + new_token()
        with self._database.open() as database:
            key = account_key(name)
            if not database.execute("SELECT 1 FROM accounts WHERE key = ?", [key]).fetchone():
                raise AccountError("there is no account `%(name)s`", name=name)
            labels = [row["label"] for row in database.execute("SELECT label FROM tokens WHERE key = ?", [key])]
            if label in labels:
                raise AccountError("there is a token `%(label)s` already", label=label)
            if len(labels) >= MAX_TOKENS:
                raise AccountError("there are %(most)s tokens already: revoke one", most=MAX_TOKENS)
            values = [token_hash(token), key, label, utc_timestamp(), ""]
            database.execute("INSERT INTO tokens (token, key, label, at, used_at) VALUES (?, ?, ?, ?, ?)", values)
        return token

    def of(self, name: str) -> list[ApiToken]:
        """The tokens of a person, by label."""
        if not self._database.exists:
            return []
        with self._database.open(reading=True) as database:
            query = "SELECT label, at, used_at FROM tokens WHERE key = ? ORDER BY label"
            return [ApiToken(*row) for row in database.execute(query, [account_key(name)])]

    def revoke(self, name: str, label: str) -> bool:
        """Revoke a token, from the next request on. Returns whether there was one."""
        with self._database.open() as database:
            query = "DELETE FROM tokens WHERE key = ? AND label = ?"
            return database.execute(query, [account_key(name), label]).rowcount > 0

    def account(self, token: str) -> Account | None:
        """Whose token it is, with the role of now; None for one that was revoked or never made."""
        if not token.startswith(PREFIX) or not self._database.exists:
            return None
        with self._database.open(reading=True) as database:
            query = (
                "SELECT name, role, accounts.at, used_at, language FROM tokens JOIN accounts USING (key) WHERE tokens.token = ?"
            )
            row = database.execute(query, [token_hash(token)]).fetchone()
        if row is None:
            return None
        if row["used_at"] < utc_timestamp(-timedelta(minutes=USE_MINUTES)):
            with self._database.open() as database:
                database.execute("UPDATE tokens SET used_at = ? WHERE token = ?", [utc_timestamp(), token_hash(token)])
        return Account(row["name"], row["role"], row["at"], row["used_at"], row["language"])

"""Sessions: who has signed in, over restarts. A session begins with a new random text at each sign-in, and with nothing else."""

from __future__ import annotations

from datetime import timedelta

from pipeline.values.times import utc_timestamp
from pipeline.web.accounts.account_store import Account, account_key
from pipeline.web.accounts.database import AccountDatabase, new_token, token_hash

IDLE_DAYS, LONGEST_DAYS = 14, 90
"""Days after which a session ends without use, and in any case."""
USE_MINUTES = 10
"""How exactly it is kept when a session was used last."""


class SessionStore:
    """The sessions of an outbox."""

    def __init__(self, database: AccountDatabase) -> None:
        self._database = database

    def begin(self, name: str) -> str:
        """The token of a new session of a person."""
        token, now = new_token(), utc_timestamp()
        with self._database.open() as database:
            database.execute("DELETE FROM sessions WHERE used_at < ? OR at < ?", _oldest())
            values = [token_hash(token), account_key(name), now, now]
            database.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", values)
        return token

    def account(self, token: str) -> Account | None:
        """Whose session it is, with the role of now; None for one that has ended or never began."""
        if not self._database.exists:
            return None
        with self._database.open(reading=True) as database:
            query = (
                "SELECT name, role, accounts.at, used_at, language FROM sessions JOIN accounts USING (key) "
                "WHERE token = ? AND used_at >= ? AND sessions.at >= ?"
            )
            row = database.execute(query, [token_hash(token), *_oldest()]).fetchone()
        if row is None:
            return None
        if row["used_at"] < utc_timestamp(-timedelta(minutes=USE_MINUTES)):
            with self._database.open() as database:
                database.execute("UPDATE sessions SET used_at = ? WHERE token = ?", [utc_timestamp(), token_hash(token)])
        return Account(row["name"], row["role"], row["at"], row["used_at"], row["language"])

    def end(self, token: str) -> None:
        """End a session."""
        with self._database.open() as database:
            database.execute("DELETE FROM sessions WHERE token = ?", [token_hash(token)])


def _oldest() -> list[str]:
    """The oldest ``used_at`` and ``at`` of a session that lasts."""
    return [utc_timestamp(-timedelta(days=days)) for days in (IDLE_DAYS, LONGEST_DAYS)]

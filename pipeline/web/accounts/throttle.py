"""Failed sign-ins make the next ones wait: by name and address together, by name, and by address. Kept over restarts.

A pair of name and address has to wait first, so that a stranger who fails on purpose does not lock a person out who signs in elsewhere.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time

from pipeline.backoff import Backoff
from pipeline.web.accounts.account_store import account_key
from pipeline.web.accounts.database import AccountDatabase

FREE_ATTEMPTS = {"both": 5, "address": 20, "name": 50}
"""Attempts without a pause. The pause then doubles with each."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 900.0
FORGET_SECONDS = 86_400.0
_IPV6_NETWORK = 64
"""Bits of an IPv6 address that one client cannot choose."""


class SignInThrottle:
    """Counts attempts before a password is looked at, so that many at once count, too."""

    def __init__(self, database: AccountDatabase) -> None:
        self._database = database
        self._backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)

    def attempt(self, name: str, address: str, now: float | None = None) -> float:
        """Count an attempt; 0. Or the seconds to wait before the next one, which is not counted then."""
        now = time.time() if now is None else now
        with self._database.open() as database:
            database.execute("DELETE FROM failures WHERE at < ? OR at > ?", [now - FORGET_SECONDS, now + FORGET_SECONDS])
            waits = [0.0]
            for kind, key in _keys(name, address).items():
                row = database.execute("SELECT count, at FROM failures WHERE key = ?", [key]).fetchone()
                if row and row["count"] >= FREE_ATTEMPTS[kind]:
                    waits.append(row["at"] + self._backoff.seconds_after(row["count"] - FREE_ATTEMPTS[kind] + 1) - now)
            if max(waits) > 0:
                return max(waits)
            for key in _keys(name, address).values():
                query = (
                    "INSERT INTO failures VALUES (?, 1, ?) ON CONFLICT (key) DO UPDATE SET count = count + 1, at = excluded.at"
                )
                database.execute(query, [key, now])
        return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """The last attempt was right. What others tried with this address stays counted."""
        keys = _keys(name, address)
        with self._database.open() as database:
            database.execute("DELETE FROM failures WHERE key IN (?, ?)", [keys["both"], keys["name"]])
            database.execute("UPDATE failures SET count = count - 1 WHERE key = ?", [keys["address"]])


def _keys(name: str, address: str) -> dict[str, str]:
    name, network = account_key(name)[:200], _network(address)
    texts = {"both": f"both {network} {name}", "address": f"address {network}", "name": f"name {name}"}
    return {kind: hashlib.sha256(text.encode(errors="replace")).hexdigest() for kind, text in texts.items()}


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ipaddress.ip_network(f"{parsed}/{_IPV6_NETWORK}", strict=False)) if parsed.version == 6 else str(parsed)

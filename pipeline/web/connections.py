"""The open connections of the server. Clients that have not shown the token never take room from those that have.

A connection begins as a stranger's, and becomes a known one with the first request that has the token. Strangers share a few places: when
they are taken, the oldest stranger goes. Known clients have places of their own; there the one that is idle for the longest goes.
"""

from __future__ import annotations

from typing import Protocol

MAX_STRANGERS = 128
MAX_KNOWN = 512
"""Fifty browsers have two to six each; with the strangers they are fewer than the files that a process may have open."""
ACCEPTED_AT_ONCE = 8
"""Connections that are accepted before their first bytes are looked at. With more, a burst would drive out clients unheard."""


class Connection(Protocol):
    """What is needed of a connection."""

    @property
    def is_idle(self) -> bool:
        """Whether it has no request in progress."""
        ...

    def abort(self) -> None:
        """Close it at once."""
        ...


class Connections:
    """Adds and removes connections, and closes one where there are too many. For one thread."""

    def __init__(self) -> None:
        self._strangers: dict[Connection, None] = {}
        """Oldest first."""
        self._known: dict[Connection, None] = {}
        """The one whose last request came first is first."""

    def add(self, connection: Connection) -> None:
        """A client has connected."""
        self._strangers[connection] = None
        if len(self._strangers) > MAX_STRANGERS:
            self._close(next(iter(self._strangers)))

    def has_token(self, connection: Connection) -> None:
        """A request with the token has come. Without room among the known ones, the connection stays a stranger's."""
        if connection not in self._known and len(self._known) >= MAX_KNOWN:
            idle = next((other for other in self._known if other.is_idle), None)
            if idle is None:
                return
            self._close(idle)
        if connection in self._strangers or connection in self._known:
            self.remove(connection)
            self._known[connection] = None

    def remove(self, connection: Connection) -> None:
        """It is closed."""
        self._strangers.pop(connection, None)
        self._known.pop(connection, None)

    def _close(self, connection: Connection) -> None:
        self.remove(connection)
        connection.abort()

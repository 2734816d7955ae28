"""Requests that wait for the engine. Documents take turns page by page, so that a long one does not hold up a short one."""

from __future__ import annotations

from collections import OrderedDict

from pipeline.engines.base import Request
from pipeline.records import UnitKey


class RequestTurns:
    """At most one request of each unit. The requests of one page stay together: an engine may keep what it made of the page."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, OrderedDict[UnitKey, Request]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, request: Request) -> None:
        """Queue a request behind those of its document."""
        requests = self._documents.setdefault(request.key.sha256, OrderedDict())
        self._count += request.key not in requests
        requests[request.key] = request

    def next_key(self) -> UnitKey | None:
        """The unit of the next request; None when none waits."""
        return next(iter(next(iter(self._documents.values()))), None) if self._documents else None

    def take(self, key: UnitKey) -> Request:
        """Remove a request and return it. The next document has its turn after the last request of a page. Raises KeyError."""
        requests = self._documents[key.sha256]
        request = requests.pop(key)
        self._count -= 1
        if not requests:
            del self._documents[key.sha256]
        elif next(iter(requests)).page != key.page:
            self._documents.move_to_end(key.sha256)
        return request

    def discard(self, key: UnitKey) -> None:
        """Remove the request of a unit, if it waits."""
        if key in self._documents.get(key.sha256, ()):
            self.take(key)

    def clear(self) -> None:
        """Remove all requests."""
        self._documents.clear()
        self._count = 0

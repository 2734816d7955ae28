"""Restores which documents are parts of which containers, from the results in an outbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.ledger.contained_records import record_part
from pipeline.ledger.ledger import Ledger
from pipeline.records import PartStatus

MAX_DEPTH = 50
"""Containers inside containers that are followed: results that name each other in a circle have no outermost one."""


@dataclass
class PartRecovery:
    """Collects what results say of their parts, and writes it into an empty ledger."""

    _parents: dict[str, str] = field(default_factory=dict)
    _parts: dict[str, list[PartStatus]] = field(default_factory=dict)
    _mails: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def add(self, name: str, published: Mapping[str, Any]) -> None:
        """Take the result ``name``. Raises the errors of values that have not the form of a result."""
        about = published["document"]
        self._names.add(name)
        if parent := about.get("parent"):
            self._parents[name] = str(parent)
        if mail := about.get("mail"):
            self._mails[name] = {str(key): str(value) for key, value in mail.items()}
        if "parts" in published:
            self._parts[name] = [
                PartStatus(
                    str(part["name"]), str(part["name"]), part["status"], part.get("reason"), str(part.get("detail", ""))
                )
                for part in published["parts"]
            ]

    def write(self, ledger: Ledger) -> None:
        """Record the parts of all containers that are in no other one."""
        with ledger.transaction():
            for root in self._parts:
                if root not in self._parents:
                    record_part(ledger, root, 0, "", PartStatus(root, root, None), self._mails.get(root))
                    for number, (parent, part) in enumerate(self._inside(root, 0), 1):
                        name = part.name if part.name in self._names and self._parents.get(part.name) == parent else None
                        known = PartStatus(name, part.shown, part.status, part.reason, part.detail)
                        record_part(ledger, root, number, parent, known, self._mails.get(part.shown, self._mails.get(parent)))

    def _inside(self, container: str, depth: int) -> Iterator[tuple[str, PartStatus]]:
        """All parts below a container, each with the name of the one that holds it."""
        for part in self._parts.get(container, ()) if depth < MAX_DEPTH else ():
            yield container, part
            if part.name and self._parents.get(part.name) == container:
                yield from self._inside(part.name, depth + 1)

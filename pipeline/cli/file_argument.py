"""Finds what a FILE of the command line means: a path, a path below the inbox, a name in the outbox, a part of a container."""

from __future__ import annotations

from pathlib import Path

from pipeline.ledger.contained_records import locked_parent
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.settings import Settings


def find_file(ledger: Ledger, settings: Settings, name: str) -> FileRecord | None:
    """The file that was read, as a whole where it is split; None for one that was not.

    For a part that was declined, it is the container that holds it.
    """
    path, inside = Path(name).resolve(), settings.outbox.resolve()
    result = path.relative_to(inside).as_posix() if path.is_relative_to(inside) else name
    found = ledger.file_by_name(result.removesuffix(".json")) or ledger.file_by_name(result)
    found = found or ledger.file_at(path) or ledger.file_at(settings.inbox.resolve() / name)
    if found is None and (parent := locked_parent(ledger, result)):
        found = ledger.file_by_name(parent)
    if found and found.part:
        found = ledger.file_by_name(found.part.file)
    return found if found and found.published_sha256 == found.sha256 else None

"""Finds what a FILE of the command line means: a path or URL, one below the inbox, a name in the outbox, a part of a container."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.ledger.contained_records import locked_parent
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.object_urls import is_url, local_path, parse_store_url
from pipeline.settings import Settings


def find_file(ledger: Ledger, settings: Settings, name: str) -> FileRecord | None:
    """The file that was read, as a whole where it is split; None for one that was not.

    For a part that was declined, it is the container that holds it.
    """
    if is_url(name):
        return _published(ledger, ledger.file_at(_object_path(settings, name)))
    path, inside = Path(name).resolve(), settings.outbox.resolve()
    result = path.relative_to(inside).as_posix() if path.is_relative_to(inside) else name
    found = ledger.file_by_name(result.removesuffix(".json")) or ledger.file_by_name(result)
    found = found or ledger.file_at(path) or ledger.file_at(settings.inbox.resolve() / name)
    if found is None and settings.inbox_url and not settings.is_mailbox:
        found = ledger.file_at(_object_path(settings, f"{settings.inbox_url}/{name}"))
    if found is None and (parent := locked_parent(ledger, result)):
        found = ledger.file_by_name(parent)
    return _published(ledger, found)


def _object_path(settings: Settings, url: str) -> Path:
    """The path that stands for an object. Raises SettingsError for what names none."""
    try:
        found = parse_store_url(url)
        return found if isinstance(found, Path) else local_path(settings.objects_folder, found)
    except ValueError as error:
        raise SettingsError(str(error), "name an object of the inbox, or its name in the outbox") from None


def _published(ledger: Ledger, found: FileRecord | None) -> FileRecord | None:
    """The whole file of a record, where its present contents were read."""
    if found and found.part:
        found = ledger.file_by_name(found.part.file)
    return found if found and found.published_sha256 == found.sha256 else None

"""The files of documents as they were read, for drawing or reading their pages once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pipeline.errors import DocumentError
from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.run.job import open_ledger
from pipeline.run.original_file import is_remote
from pipeline.run.part_cache import PartCache
from pipeline.run.part_file import find_part, is_part
from pipeline.settings import Settings


class PresentFiles:
    """Opens files, fetches those of stores and mailboxes, and unpacks parts of containers once more. From any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parts = PartCache(settings)

    def close(self) -> None:
        """Remove what was unpacked."""
        self._parts.close()

    @contextmanager
    def open(self, file: FileRecord) -> Iterator[InboxFile]:
        """The file with the size and time that it must have. Raises DocumentError, LedgerError, OutboxError."""
        if file.place == "deleted":  # another file may be at its path
            raise DocumentError("unreadable", "the file was deleted after it was read")
        place = None
        if is_part(file, self._settings):
            with open_ledger(self._settings) as ledger:
                place = find_part(ledger, file, self._settings)
        if place is None and is_remote(file, self._settings):
            with self._parts.originals.open(file) as path:
                yield InboxFile(replace(file.source, path=path), file.size, file.mtime_ns)
            return
        if place is None:
            yield InboxFile(file.source, file.size, file.mtime_ns)
            return
        with self._parts.open(place) as part:
            yield part

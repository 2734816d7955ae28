"""Whether the file of a result is still there, with the contents that were read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pipeline.errors import StoreError
from pipeline.intake.scan import file_location
from pipeline.ledger.file_records import FileRecord
from pipeline.object_urls import url_of
from pipeline.remote.object_store import ObjectGoneError, open_store
from pipeline.safe_open import file_status, open_file
from pipeline.settings import Settings
from pipeline.web.selection import SelectedDocument

MAX_FETCHED_BYTES = 500_000_000
"""Bytes of originals that are fetched from an object store to draw their pages; documents that need a review come first."""

OriginalState = Literal["there", "gone", "changed"]


@dataclass(frozen=True, slots=True)
class Original:
    """The present state of a file; ``size`` and ``mtime_ns`` are 0 when it is gone."""

    state: OriginalState
    size: int = 0
    mtime_ns: int = 0


def find_original(file: FileRecord, settings: Settings) -> Original:
    """The original of a published file. One with another time or size is compared by its contents. No link out of the inbox is followed."""
    if file.place == "deleted":  # another file may be at its path
        return Original("gone")
    try:
        path = file_location(file.source.path, settings.inbox)
        status = file_status(path)
        if not stat.S_ISREG(status.st_mode):
            return Original("gone")
        if (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns):
            sha256 = file.sha256
        else:
            with open_file(path) as opened:
                sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, ValueError):
        return Original("gone")
    return Original("there" if sha256 == file.published_sha256 else "changed", status.st_size, status.st_mtime_ns)


@contextmanager
def local_originals(settings: Settings, documents: Sequence[SelectedDocument]) -> Iterator[list[SelectedDocument]]:
    """The documents with their originals as local files: those in an object store are fetched, and removed when the block ends.

    A document keeps its remote path, and cannot be drawn, when its original cannot be fetched or ``MAX_FETCHED_BYTES`` is reached.
    """
    urls = {n: url for n, item in enumerate(documents) if (url := url_of(settings.objects_folder, item.file.source.path))}
    if not urls:
        yield list(documents)
        return
    room, to_fetch = MAX_FETCHED_BYTES, []
    for n in sorted(urls, key=lambda n: not documents[n].needs_review):
        if documents[n].file.size <= min(room, settings.limits.megabytes * 1_000_000):
            room -= documents[n].file.size
            to_fetch.append(n)
    with TemporaryDirectory(prefix="pipeline-") as folder, ThreadPoolExecutor(8) as pool:

        def fetch(n: int) -> Path | None:
            try:
                store, path = open_store(urls[n]), Path(folder) / str(n)
                if entry := store.entry(urls[n]):
                    store.fetch(entry, path)
                    os.utime(path, ns=(entry.stamp, entry.stamp))
                    return path
            except (ObjectGoneError, StoreError):
                pass
            return None

        local = dict(zip(to_fetch, pool.map(fetch, to_fetch), strict=True))
        yield [_with_path(item, path) if (path := local.get(n)) else item for n, item in enumerate(documents)]


def _with_path(document: SelectedDocument, path: Path) -> SelectedDocument:
    return replace(document, file=replace(document.file, source=replace(document.file.source, path=path)))

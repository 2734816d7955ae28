"""Whether the file that a result was read from is still there as it was."""

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
from pipeline.ledger.file_records import FileRecord
from pipeline.object_urls import url_of
from pipeline.remote.object_store import GoneError, open_store
from pipeline.settings import Settings
from pipeline.web.selection import Chosen

FETCHED_BYTES = 500_000_000
"""Of originals in an object store that are fetched to draw their pages; documents that need a look come first."""

State = Literal["there", "gone", "changed"]


@dataclass(frozen=True, slots=True)
class Original:
    """The file as it lies there now; ``size`` and ``mtime_ns`` mean nothing where it is gone."""

    state: State
    size: int = 0
    mtime_ns: int = 0


def look(file: FileRecord) -> Original:
    """The original of what is published; a file that was copied, moved or touched is known by its contents."""
    path = file.source.path
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Original("gone")
        same = (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)
        if same:
            contents = file.sha256
        else:
            with path.open("rb") as opened:
                contents = hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, ValueError):
        return Original("gone")
    return Original("there" if contents == file.published_sha256 else "changed", status.st_size, status.st_mtime_ns)


@contextmanager
def brought(settings: Settings, items: Sequence[Chosen]) -> Iterator[list[Chosen]]:
    """The documents, with originals that lie in an object store as files of this machine until the block ends.

    Those that cannot be had, or for which there is no room, stay where they are, and cannot be drawn.
    """
    urls = {n: url for n, item in enumerate(items) if (url := url_of(settings.objects_folder, item.file.source.path))}
    if not urls:
        yield list(items)
        return
    room, wanted = FETCHED_BYTES, []
    for n in sorted(urls, key=lambda n: not items[n].needs_review):
        if items[n].file.size <= min(room, settings.limits.megabytes * 1_000_000):
            room -= items[n].file.size
            wanted.append(n)
    with TemporaryDirectory(prefix="pipeline-") as folder, ThreadPoolExecutor(8) as pool:

        def fetch(n: int) -> Path | None:
            try:
                store, path = open_store(urls[n]), Path(folder) / str(n)
                if entry := store.look(urls[n]):
                    store.fetch(entry, path)
                    os.utime(path, ns=(entry.stamp, entry.stamp))
                    return path
            except (GoneError, StoreError):
                pass
            return None

        here = dict(zip(wanted, pool.map(fetch, wanted), strict=True))
        yield [_at(item, path) if (path := here.get(n)) else item for n, item in enumerate(items)]


def _at(item: Chosen, path: Path) -> Chosen:
    return replace(item, file=replace(item.file, source=replace(item.file.source, path=path)))

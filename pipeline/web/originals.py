"""Whether the file of a result is still there, with the contents that were read."""

from __future__ import annotations

import hashlib
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pipeline.errors import DocumentError, EngineUnavailableError, OutboxError
from pipeline.intake.container_worker import ContainerWorker
from pipeline.intake.scan import file_location
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.object_urls import url_of
from pipeline.run.original_file import fetch_original
from pipeline.run.part_file import PartFileError, PartPlace, container_location, find_part, is_part, unpack_parts
from pipeline.safe_open import file_status, open_file
from pipeline.settings import Settings
from pipeline.web.selection import SelectedDocument

MAX_FETCHED_BYTES = 500_000_000
"""Bytes of originals that are fetched from an object store, or unpacked, to draw their pages; documents that need a review come first."""

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
def local_originals(
    settings: Settings, ledger: Ledger, documents: Sequence[SelectedDocument]
) -> Iterator[list[SelectedDocument]]:
    """The documents with their originals as local files, which are removed when the block ends.

    Those in an object store are fetched, parts of containers are unpacked. A document keeps its path, and cannot be drawn, where that is
    not possible, or ``MAX_FETCHED_BYTES`` is reached.
    """
    places = _places_of_parts(settings, ledger, documents)
    remote = {n: url for n, item in enumerate(documents) if n not in places and (url := _url(settings, item.file))}
    if not (remote or places):
        yield list(documents)
        return
    room, chosen = MAX_FETCHED_BYTES, []
    for n in sorted({*remote, *places}, key=lambda n: not documents[n].needs_review):
        if documents[n].file.size <= min(room, settings.limits.megabytes * 1_000_000):
            room -= documents[n].file.size
            chosen.append(n)
    with TemporaryDirectory(prefix="pipeline-", ignore_cleanup_errors=True) as name, ThreadPoolExecutor(8) as pool:
        folder = Path(name).resolve()
        to_fetch = [n for n in chosen if n in remote]
        local = dict(zip(to_fetch, pool.map(lambda n: _fetched(remote[n], folder / str(n), settings), to_fetch), strict=True))
        local |= _unpacked({n: places[n] for n in chosen if n in places}, folder, settings)
        yield [_with_path(item, path) if (path := local.get(n)) else item for n, item in enumerate(documents)]


def _url(settings: Settings, file: FileRecord) -> str | None:
    return url_of(settings.objects_folder, file.source.path)


def _places_of_parts(settings: Settings, ledger: Ledger, documents: Sequence[SelectedDocument]) -> dict[int, PartPlace]:
    """Where the parts of containers among the documents come from, by their index."""
    places = {}
    for n, item in enumerate(documents):
        if is_part(item.file, settings):
            with suppress(PartFileError):
                if place := find_part(ledger, item.file, settings):
                    places[n] = place
    return places


def _fetched(url: str, path: Path, settings: Settings) -> Path | None:
    """A file of an object store or a mailbox as ``path``; None where it cannot be fetched."""
    try:
        fetch_original(url, path, settings)
    except DocumentError:
        return None
    return path


def _unpacked(places: Mapping[int, PartPlace], folder: Path, settings: Settings) -> dict[int, Path]:
    """The files of parts by their index, below ``folder``. Each container is opened once."""
    by_container: defaultdict[str, list[int]] = defaultdict(list)
    for n, place in places.items():
        by_container[place.container.source.name].append(n)
    files: dict[int, Path] = {}
    with ContainerWorker() as worker:
        for number, indexes in enumerate(by_container.values()):
            chosen, container = [places[n] for n in indexes], places[indexes[0]].container
            url = _url(settings, container)
            with suppress(PartFileError, OutboxError, EngineUnavailableError):
                archive = (
                    _fetched(url, folder / f"container {number}", settings) if url else container_location(chosen[0], settings)
                )
                if archive:
                    found, _ = unpack_parts(chosen, archive, folder / f"parts {number}", settings, worker)
                    files |= {n: found[name].source.path for n in indexes if (name := places[n].part.source.path.name) in found}
    return files


def _with_path(document: SelectedDocument, path: Path) -> SelectedDocument:
    return replace(document, file=replace(document.file, source=replace(document.file.source, path=path)))

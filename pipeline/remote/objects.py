"""An inbox in an object store or a mailbox. Objects become files of this machine while they are read, and are processed like all files.

An object is known by the path that stands for it (``pipeline.object_urls``). It is fetched there a few files ahead of the readers, under
another name until it is whole, and deleted when the loop is done with it. Objects are atomic, so no settling is needed. An object that
was replaced or deleted since it was listed is skipped, and listed again as it then is.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from pipeline.backoff import retry_store_call
from pipeline.errors import FILE_CHANGED, OutboxError, SettingsError, StoreError
from pipeline.ignored_names import IgnoredNames
from pipeline.intake.folder_walk import SkipCallback
from pipeline.intake.scan import MAX_NAME, FileStates, Inbox, InboxFile, OutboxNamer, outbox_name
from pipeline.monitoring.events import Observer
from pipeline.name_keys import name_key
from pipeline.object_urls import key_below, local_path, url_of
from pipeline.publish.atomic_files import atomic_path
from pipeline.records import Source
from pipeline.remote.object_store import ObjectGoneError, StoreEntry, open_store
from pipeline.settings import Settings

FETCHERS = 4
FETCH_AHEAD = 8
"""Objects that are fetched or wait for a reader; objects that readers have are not counted."""
HELD_BYTES = 8_000_000_000
"""No more objects are fetched while those that are still needed take so much of the disk."""
FETCH_AHEAD_BYTES = 500_000_000
"""No further object is fetched while this many bytes are fetched ahead."""
MAX_KEY_BYTES = 600
"""Bytes of a key that a result is named after; stores take keys of 1024 bytes, with prefix and suffix."""
MAX_FOLDERS = 100
MAX_SINGLE_LOOKUPS = 100
"""Up to so many objects are looked up one by one; for more, the whole inbox is listed."""
NAMESAKE = "its name differs from that of another object only in case or accents, which this machine's file system ignores"
_END = object()


class ReadableStore(Protocol):
    """What an inbox needs of an object store or a mailbox; see ObjectStore."""

    def entries(self, url: str) -> Iterator[StoreEntry]:
        """See ObjectStore."""
        ...

    def entry(self, url: str) -> StoreEntry | None:
        """See ObjectStore."""
        ...

    def fetch(self, entry: StoreEntry, path: Path) -> None:
        """See ObjectStore."""
        ...


class ObjectInbox(Observer):
    """The objects below the inbox's URL, and those that a ledger's paths stand for. As an observer it deletes files that are finished."""

    def __init__(self, settings: Settings, url: str, store: ReadableStore | None = None) -> None:
        self.url, self.root = url, settings.objects_folder
        self.store: ReadableStore = store or open_store(url)
        self._is_in_shard = Inbox(self.root, (), settings.shard_numbers).is_in_shard
        self._ignored = IgnoredNames(settings.intake.ignore)
        self._limit = settings.limits.megabytes * 1_000_000
        self._retry_seconds = settings.intake.wait_seconds
        outside = (settings.outbox_url, self._url(settings.archive_folder), self._url(settings.failed_folder))
        self._own_urls = tuple(f"{place}/" for place in outside if place and key_below(place, url) is not None)
        self._in_flight: dict[Path, int] = {}
        """Bytes of the objects that are fetched or being fetched and are still needed."""
        self._fetched_singly: set[Path] = set()
        self._last_finished = 0.0

    def _is_candidate(self, key: str) -> bool:
        return not self._ignored.ignores_path("/".join(part for part in key.split("/") if part not in ("", ".", "..")))

    def _url(self, path: Path) -> str | None:
        return url_of(self.root, path)

    def is_object(self, path: Path) -> bool:
        """Whether a path stands for an object."""
        return path.is_relative_to(self.root)

    def reaches(self, path: Path) -> bool:
        """Whether a path stands for an object of this inbox's store: what lies in another one is not gone because it is not found."""
        url = self._url(path)
        return url is not None and url.partition("://")[0] == self.url.partition("://")[0]

    # ---- what is there ------------------------------------------------------------------------------

    def scan(
        self, name: OutboxNamer, on_skip: SkipCallback, unchanged: FileStates | None = None, below: str | None = None
    ) -> Iterator[InboxFile]:
        """All objects of the inbox (``below`` a URL in it), sorted by key, without the ``unchanged`` ones. Raises StoreError."""
        for entry in self.store.entries(below or self.url):
            key = entry.name or key_below(entry.url, self.url)
            if key is None or entry.url.startswith(self._own_urls) or not (self._is_candidate(key) and self._is_in_shard(key)):
                continue
            if key.endswith("/"):
                if entry.size:
                    on_skip(key, "its name ends in a slash, as a folder's does")
                continue
            if key.count("/") > MAX_FOLDERS:
                on_skip(key, f"more than {MAX_FOLDERS} folders deep")
                continue
            path = local_path(self.root, entry.url)
            if (unchanged or {}).get(os.fspath(path)) != (entry.size, entry.stamp):
                yield self._file(path, key, entry, name)

    def _file(self, path: Path, key: str, entry: StoreEntry, name: OutboxNamer) -> InboxFile:
        return InboxFile(Source(path, name(path, result_name(key)), key), entry.size, entry.stamp)

    def named_files(self, urls: Sequence[str], name: OutboxNamer, on_skip: SkipCallback) -> Iterator[InboxFile]:
        """Objects and folders of the inbox that are named on the command line. Raises SettingsError for one that does not exist."""
        for url in urls:
            key = key_below(url, self.url) if url != self.url else ""
            if key is None:
                raise SettingsError(f"{url}: not below the inbox {self.url}", "name the store's folder with --inbox")
            entry = self.store.entry(url) if key else None
            if entry:
                yield self._file(local_path(self.root, url), entry.name or key, entry, name)
                continue
            count = 0
            for count, found in enumerate(self.scan(name, on_skip, below=url), 1):  # noqa: B007
                yield found
            if not count:
                raise SettingsError(f"{url}: no such object or folder", "check the URL; nothing was read of it")

    def restat_file(self, source: Source) -> InboxFile | None:
        """The object that a source's path stands for, as it is now; None when it is gone."""
        url = self._url(source.path)
        entry = self.store.entry(url) if url else None
        return InboxFile(source, entry.size, entry.stamp) if entry else None

    # ---- fetching -----------------------------------------------------------------------------------

    def fetch_ahead(
        self, files: Iterable[InboxFile | None], on_skip: Callable[[InboxFile, str], None]
    ) -> Generator[InboxFile | None, None, None]:
        """The files in their order, objects as files of this machine; None while none is ready.

        Objects above ``limits.megabytes`` come without their contents. Raises StoreError when the store cannot be reached for too long,
        OutboxError when the disk is full.
        """
        source, more = iter(files), True
        self._in_flight.clear()
        self._last_finished = time.monotonic()
        ahead: deque[tuple[InboxFile, Future[InboxFile]]] = deque()
        waiting: deque[InboxFile] = deque()  # for objects that some file systems give the same file
        end = threading.Event()
        pool = ThreadPoolExecutor(FETCHERS, thread_name_prefix="fetch")
        try:
            while more or ahead or waiting:
                idle = sum(list(self._in_flight.values())) >= HELD_BYTES
                for _ in range(0 if idle else len(waiting)):
                    if self._conflicts(later := waiting.popleft()):
                        waiting.append(later)
                    else:
                        ahead.append((later, self._begin(later, pool, end)))
                while (
                    more and not idle and len(ahead) < FETCH_AHEAD and sum(found.size for found, _ in ahead) < FETCH_AHEAD_BYTES
                ):
                    found = next(source, _END)
                    if found is _END:
                        more = False
                    elif found is None:
                        idle = True
                    elif isinstance(found, InboxFile) and not self.is_object(found.source.path):
                        yield found
                    elif (
                        isinstance(found, InboxFile) and found.source.path not in self._in_flight
                    ):  # else a rescan listed it again
                        if self._conflicts(found):
                            waiting.append(found)
                            idle = len(waiting) >= FETCH_AHEAD
                        else:
                            ahead.append((found, self._begin(found, pool, end)))
                if waiting and not (more or ahead) and time.monotonic() > self._last_finished + self._retry_seconds:
                    on_skip(waiting.popleft(), NAMESAKE)
                    continue
                if not ahead and not idle and not waiting:
                    continue
                if ahead and ahead[0][1].done():
                    found, fetching = ahead.popleft()
                    try:
                        yield fetching.result()
                    except ObjectGoneError:
                        on_skip(found, FILE_CHANGED)
                    except StoreError as error:
                        if error.passing:
                            raise
                        on_skip(found, f"cannot be fetched: {error.message}")
                else:
                    yield None
        finally:
            end.set()
            pool.shutdown(wait=True, cancel_futures=True)
            for found, _ in ahead:
                found.source.path.unlink(missing_ok=True)
            while self._fetched_singly:  # for questions: a reader may still need them until the round ends
                self._fetched_singly.pop().unlink(missing_ok=True)

    def _begin(self, found: InboxFile, pool: ThreadPoolExecutor, end: threading.Event) -> Future[InboxFile]:
        """Begin to fetch an object."""
        self._in_flight[found.source.path] = found.size if found.size <= self._limit else 0
        return pool.submit(self._fetch, found, end)

    def _conflicts(self, found: InboxFile) -> bool:
        """Whether an object that is still needed has the same file, on a file system that ignores case or the spelling of accents."""
        if not self._ignores_case:
            return False
        key = name_key(os.fspath(found.source.path))
        return any(path != found.source.path and name_key(os.fspath(path)) == key for path in list(self._in_flight))

    @cached_property
    def _ignores_case(self) -> bool:
        """Whether the file system of the objects' folder takes names for one that differ only in case."""
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            return self.root.samefile(self.root.with_name(self.root.name.swapcase()))
        except OSError:
            return False

    def fetch(self, found: InboxFile) -> InboxFile:
        """Fetch one object now, to the path that stands for it. Raises ObjectGoneError, StoreError, OutboxError."""
        url = self._url(found.source.path)
        if url is None:
            raise ObjectGoneError(str(found.source.path))
        with atomic_path(found.source.path, self.root, sync=False) as unfinished:
            self.store.fetch(StoreEntry(url, found.size, found.mtime_ns), unfinished)
            with unfinished.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                size = os.fstat(file.fileno()).st_size
            os.utime(unfinished, ns=(found.mtime_ns, found.mtime_ns))
            if unfinished.stat().st_mtime_ns != found.mtime_ns:
                raise OutboxError(
                    f"{self.root}: this file system keeps no nanoseconds", "name a folder on another one (`state` or `outbox`)"
                )
        return replace(found, size=size, sha256=sha256)

    def try_fetch(self, found: InboxFile) -> bool:
        """Fetch one object now, and keep it until the next round. Returns whether it is still what it was."""
        try:
            self.fetch(found)
        except (ObjectGoneError, StoreError):
            return False
        self._fetched_singly.add(found.source.path)
        return True

    def _fetch(self, found: InboxFile, end: threading.Event) -> InboxFile:
        if found.size > self._limit:
            url = self._url(found.source.path)
            placeholder = f"not read: {url} {found.size} {found.mtime_ns}"
            return replace(found, sha256=hashlib.sha256(placeholder.encode(errors="surrogatepass")).hexdigest())
        return retry_store_call(lambda: self.fetch(found), self._retry_seconds, end)

    def file_finished(self, found: InboxFile) -> None:
        """See Observer: the file is no longer needed here."""
        path = found.source.path
        if self.is_object(path) and not self._conflicts(found):
            self._in_flight.pop(path, None)
            self._last_finished = time.monotonic()
            path.unlink(missing_ok=True)


def result_name(key: str) -> str:
    """The name of a key's result below the outbox: the key, where that is a path that leads nowhere else and is not too long."""
    if len(key.encode(errors="replace")) > MAX_KEY_BYTES:
        digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]
        key = key.replace("/", "_").encode(errors="replace")[-(MAX_NAME - 40) :].decode(errors="ignore") + "~" + digest
    parts = ("_" if part in ("", ".", "..") else part for part in key.split("/"))
    return outbox_name("/".join(parts))

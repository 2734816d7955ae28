"""The words of pages with their boxes, read once more by a reader process that can be killed, with a cache of the latest pages.

The ledger holds values, not words, which would multiply its size. A text layer is read in a few hundredths of a second, a scan in a second
or two.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from pipeline.ledger.file_records import FileRecord
from pipeline.records import Page
from pipeline.run.page_requests import HANDLER, decode_reply, encode_request, words_request
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.settings import Settings
from pipeline.web.present_files import PresentFiles

CACHED_PAGES = 200


class PageWordsCache:
    """Reads the words of pages, one page at a time. Its methods may be called from any thread; close it at the end."""

    def __init__(self, settings: Settings, files: PresentFiles) -> None:
        self._settings, self._files = settings, files
        self._pool = WorkerPool(HANDLER, size=1, seconds=settings.limits.seconds, memory_mb=settings.limits.memory_mb)
        self._reading, self._caching = Lock(), Lock()
        self._pages: OrderedDict[tuple[str, int], Page] = OrderedDict()

    def close(self) -> None:
        """End the reader process."""
        self._pool.close()

    def get(self, file: FileRecord, number: int) -> Page:
        """The upright page with its words. Raises DocumentError, also for a file that has changed since; LedgerError, OutboxError."""
        key = (file.sha256, number)
        if page := self._lookup(key):
            return page
        with self._reading:
            if page := self._lookup(key):  # another thread has read it in the meantime
                return page
            with self._files.open(file) as present:
                request = words_request(self._settings, present, file.sha256, number)
                content, _ = decode_reply(self._pool.call(encode_request(request)), number)
        with self._caching:
            self._pages[key] = content.page
            while len(self._pages) > CACHED_PAGES:
                self._pages.popitem(last=False)
        return content.page

    def _lookup(self, key: tuple[str, int]) -> Page | None:
        with self._caching:
            if key in self._pages:
                self._pages.move_to_end(key)
            return self._pages.get(key)

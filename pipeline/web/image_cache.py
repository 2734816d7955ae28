"""Pages as pictures, drawn in reader processes that can be killed, a few at a time; the last ones are remembered."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass
from queue import LifoQueue
from threading import Lock

from pipeline.ledger.file_records import FileRecord
from pipeline.report.page_images import as_webp
from pipeline.run.page_requests import HANDLER, Picture, encode_request
from pipeline.run.reader_calls import picture_call
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.settings import Settings

TOKENS = 1_600
"""Pixels of a page in units of 32 x 32: about 130 dots an inch of a letter page."""
KEPT_BYTES = 64_000_000
QUALITY = 70
MOST_READERS = 2


@dataclass(frozen=True, slots=True)
class Drawn:
    """A WebP of a page; ``width`` and ``height`` in points of the page as a person reads it."""

    webp: bytes
    width: float
    height: float


class Drawing:
    """Draws pages. Use as a context manager; may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        limits = settings.limits
        count = min(MOST_READERS, settings.workers or len(os.sched_getaffinity(0)))
        self._pools = [WorkerPool(HANDLER, size=1, seconds=limits.seconds, memory_mb=limits.memory_mb) for _ in range(count)]
        self._idle: LifoQueue[WorkerPool] = LifoQueue()  # the last one first: a second process is started when it is needed
        for pool in self._pools:
            self._idle.put(pool)
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, int, int | None], Drawn] = OrderedDict()
        self._bytes = 0

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.close()

    def draw(self, file: FileRecord, page: int, turned: int | None) -> Drawn:
        """The page of a file that is still as it was read; ``turned`` as ``Page.turned``, None to find out. Raises DocumentError."""
        key = (file.sha256, page, turned)
        if drawn := self._remembered(key):
            return drawn
        pool = self._idle.get()
        try:
            if drawn := self._remembered(key):  # somebody else asked for it meanwhile
                return drawn
            wanted = picture_call(self._settings, file.source.path, file.size, file.mtime_ns, page, Picture(TOKENS, turned))
            drawn = Drawn(*as_webp(pool.call(encode_request(wanted)), page, QUALITY))
        finally:
            self._idle.put(pool)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = drawn
                self._bytes += len(drawn.webp)
            while self._bytes > KEPT_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1].webp)
        return drawn

    def _remembered(self, key: tuple[str, int, int | None]) -> Drawn | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

"""Page images, drawn by reader processes that can be killed, a few at a time, with a cache of the latest ones; and the pages' words."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from queue import LifoQueue
from tempfile import NamedTemporaryFile
from threading import Lock

from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.records import PageImage
from pipeline.report.page_images import drawn_image, encode_webp
from pipeline.run.page_requests import HANDLER, PictureRequest, drawing_request, encode_request
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.settings import Settings
from pipeline.web.page_words import PageWordsCache
from pipeline.web.present_files import PresentFiles

PAGE_PIXELS = 1_638_400
"""Pixels of a page: about 130 dots an inch of a letter page."""
CACHE_BYTES = 64_000_000
WEBP_QUALITY = 70
MAX_READERS = 2


@dataclass(frozen=True, slots=True)
class CachedImage:
    """A WebP of a page; ``width`` and ``height`` in points of the upright page."""

    webp: bytes
    width: float
    height: float


class PageImageCache:
    """Draws pages and caches their images. Use as a context manager; its methods may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._files = settings, PresentFiles(settings)
        self.words = PageWordsCache(settings, self._files)
        """The words of the same pages."""
        limits = settings.limits
        count = min(MAX_READERS, settings.workers or len(os.sched_getaffinity(0)))
        self._pools = [WorkerPool(HANDLER, size=1, seconds=limits.seconds, memory_mb=limits.memory_mb) for _ in range(count)]
        self._idle: LifoQueue[WorkerPool] = LifoQueue()  # last in, first out: a second process starts only when it is needed
        for pool in self._pools:
            self._idle.put(pool)
        self._lock = Lock()
        self._images: OrderedDict[tuple[str, int, int | None], CachedImage] = OrderedDict()
        self._bytes = 0

    def __enter__(self) -> PageImageCache:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.close()
        self.words.close()
        self._files.close()

    def get(self, file: FileRecord, page: int, rotation: int | None) -> CachedImage:
        """The image of a page, from the cache or drawn now.

        ``rotation`` is ``Page.turned``, or None to detect it. A part of a container is unpacked once more. Raises DocumentError, also when
        the file has changed since it was read; LedgerError, OutboxError.
        """
        key = (file.sha256, page, rotation)
        if image := self._lookup(key):
            return image
        with self._files.open(file) as present:
            return self._draw(present, key)

    def draw_picture(self, content: bytes, pixels: int) -> PageImage:
        """A picture of at most ``pixels`` pixels, from the bytes of an image file; it is not enlarged. Raises DocumentError, OSError."""
        with NamedTemporaryFile(prefix="pipeline-") as file:
            file.write(content)
            file.flush()
            status = os.fstat(file.fileno())
            request = drawing_request(
                self._settings, Path(file.name), "", status.st_size, status.st_mtime_ns, 1, PictureRequest(pixels, 0)
            )
            pool = self._idle.get()
            try:
                return drawn_image(pool.call(encode_request(request)), 1)
            finally:
                self._idle.put(pool)

    def _draw(self, file: InboxFile, key: tuple[str, int, int | None]) -> CachedImage:
        sha256, page, rotation = key
        pool = self._idle.get()
        try:
            if image := self._lookup(key):  # another thread has drawn it in the meantime
                return image
            request = drawing_request(
                *(self._settings, file.source.path, sha256, file.size, file.mtime_ns, page),
                PictureRequest(PAGE_PIXELS, rotation),
            )
            image = CachedImage(*encode_webp(pool.call(encode_request(request)), page, WEBP_QUALITY))
        finally:
            self._idle.put(pool)
        self._store(key, image)
        return image

    def _lookup(self, key: tuple[str, int, int | None]) -> CachedImage | None:
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
            return self._images.get(key)

    def _store(self, key: tuple[str, int, int | None], image: CachedImage) -> None:
        with self._lock:
            if key not in self._images:
                self._images[key] = image
                self._bytes += len(image.webp)
            while self._bytes > CACHE_BYTES:
                self._bytes -= len(self._images.popitem(last=False)[1].webp)

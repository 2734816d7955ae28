"""Pages as pictures, drawn in a reader process that can be killed, one at a time; the last ones are remembered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from pipeline.ledger.ledger import KnownFile
from pipeline.report.pictures import as_webp
from pipeline.run.calling import picture_call
from pipeline.run.reading import HANDLER, Picture, encode_request
from pipeline.settings import Settings
from pipeline.worker import Pool

TOKENS = 1_600
"""Pixels of a page in units of 32 x 32: about 130 dots an inch of a letter page."""
KEPT_BYTES = 64_000_000
QUALITY = 70


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
        self._pool = Pool(HANDLER, size=1, seconds=limits.seconds, memory_mb=limits.memory_mb)
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, int], Drawn] = OrderedDict()
        self._bytes = 0

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def draw(self, file: KnownFile, page: int) -> Drawn:
        """The page of a file that is still as it was read. Raises DocumentError."""
        key = (file.sha256, page)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            drawn = self._draw(file, page)
            self._kept[key] = drawn
            self._bytes += len(drawn.webp)
            while self._bytes > KEPT_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1].webp)
            return drawn

    def _draw(self, file: KnownFile, page: int) -> Drawn:
        wanted = picture_call(self._settings, file.source.path, file.size, file.mtime_ns, page, Picture(TOKENS, None))
        self._pool.submit(page, encode_request(wanted))
        return Drawn(*as_webp(self._pool.next_reply(), page, QUALITY))

"""Pages as pictures, drawn in a reader process that can be killed, one at a time; the last ones are remembered."""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from PIL import Image

from pipeline.errors import DocumentError
from pipeline.ledger.ledger import KnownFile
from pipeline.run.reading import HANDLER, Picture, ReadRequest, decode_reading, encode_request
from pipeline.settings import Settings
from pipeline.worker import Pool

TOKENS = 1_600
"""Pixels of a page in units of 32 x 32: about 130 dots an inch of a letter page."""
KEPT_BYTES = 64_000_000
QUALITY, EFFORT = 70, 2


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
        limits = self._settings.limits
        request = ReadRequest(
            str(file.source.path),
            file.size,
            file.mtime_ns,
            page,
            passwords=limits.passwords,
            megapixels=limits.megapixels,
            picture=Picture(TOKENS, None),
        )
        self._pool.submit(page, encode_request(request))
        reply = self._pool.next_reply()
        if reply is None or reply.error:
            raise (reply.error if reply and reply.error else DocumentError("unreadable", "its reader said nothing"))
        _, images = decode_reading(reply.parts, page)
        image = next(iter(images.values()), None)
        if image is None:
            raise DocumentError("unreadable", "its reader drew nothing")
        buffer = io.BytesIO()
        picture = Image.frombytes("RGB", (image.width, image.height), image.rgb)
        picture.save(buffer, "WEBP", quality=QUALITY, method=EFFORT)
        return Drawn(buffer.getvalue(), image.width / image.scale, image.height / image.scale)

"""Images of pages, or of parts of pages, for a report. Worker processes draw them, so that a hostile file can do no harm."""

from __future__ import annotations

import base64
import io
import os
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from PIL import Image

from pipeline.errors import DocumentError
from pipeline.records import PageImage
from pipeline.run.page_requests import HANDLER, PictureRequest, ReadRequest, decode_content, drawing_request, encode_request
from pipeline.runtime.worker_pool import Reply, WorkerPool
from pipeline.settings import Settings

K = TypeVar("K", bound=Hashable)
WEBP_QUALITY = 60
"""Letters of eight points stay sharp, and a page of text takes about 60 kB."""
WEBP_METHOD = 2
"""Higher methods save a twentieth of the bytes for twice the time."""
DATA_URI_PREFIX = "data:image/webp;base64,"


@dataclass(frozen=True, slots=True)
class PageImageRequest(Generic[K]):
    """A page to draw; ``size`` and ``mtime_ns`` are those of the file that was read: a changed file is not drawn."""

    key: K
    path: Path
    sha256: str
    """Of its contents; empty where that is not known. A password may be kept by it."""
    size: int
    mtime_ns: int
    page: int
    picture: PictureRequest


@dataclass(frozen=True, slots=True)
class EmbeddedImage:
    """An image as a data URI; ``width`` and ``height`` in points of the upright page."""

    uri: str
    width: float
    height: float


def draw_page_images(
    requests: Iterable[PageImageRequest[K]], settings: Settings, max_bytes: int
) -> Iterator[tuple[K, EmbeddedImage | DocumentError]]:
    """Keys with their images, or with the reason why a page cannot be drawn, in the order of the requests, up to ``max_bytes`` of URIs.

    Workers send pixels, which are encoded here: no bytes of a foreign file get into a report.
    """
    limits, room, remaining = settings.limits, max_bytes, iter(requests)
    processes = settings.workers or len(os.sched_getaffinity(0))
    in_flight: deque[PageImageRequest[K]] = deque()
    replies: dict[K, Reply] = {}
    with WorkerPool(HANDLER, size=processes, seconds=limits.seconds, memory_mb=limits.memory_mb) as pool:
        while True:
            while pool.room and len(in_flight) < 4 * processes and (request := next(remaining, None)):
                in_flight.append(request)
                pool.submit(encode_request(_call(request, settings)), partial(replies.__setitem__, request.key))
            if not in_flight:
                return
            while in_flight[0].key not in replies:
                if not pool.poll():
                    return
            request = in_flight.popleft()
            image = _embedded_image(replies.pop(request.key), request.page)
            if isinstance(image, EmbeddedImage):
                room -= len(image.uri)
                if room < 0:
                    return
            yield request.key, image


def _call(request: PageImageRequest[K], settings: Settings) -> ReadRequest:
    return drawing_request(
        settings, request.path, request.sha256, request.size, request.mtime_ns, request.page, request.picture
    )


def _embedded_image(reply: Reply, page: int) -> EmbeddedImage | DocumentError:
    try:
        webp, width, height = encode_webp(reply, page)
    except DocumentError as error:
        return error
    return EmbeddedImage(DATA_URI_PREFIX + base64.b64encode(webp).decode(), width, height)


def encode_webp(reply: Reply, page: int, quality: int = WEBP_QUALITY) -> tuple[bytes, float, float]:
    """The page that a reader drew as WebP, and its width and height in points. Raises DocumentError."""
    image = drawn_image(reply, page)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (image.width, image.height), image.rgb).save(buffer, "WEBP", quality=quality, method=WEBP_METHOD)
    return buffer.getvalue(), image.width / image.scale, image.height / image.scale


def drawn_image(reply: Reply, page: int) -> PageImage:
    """The page that a reader drew. Raises DocumentError."""
    if reply.error:
        raise reply.error
    _, images = decode_content(reply.parts, page)
    image = next(iter(images.values()), None)
    if image is None:
        raise DocumentError("unreadable", "its reader drew nothing")
    return image

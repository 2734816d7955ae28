"""Pages, or parts of them, as pictures for a report, drawn where a hostile one can do no harm."""

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
from pipeline.run.page_requests import HANDLER, Picture, ReadRequest, decode_reading, encode_request
from pipeline.run.reader_calls import picture_call
from pipeline.runtime.worker_pool import Reply, WorkerPool
from pipeline.settings import Settings

K = TypeVar("K", bound=Hashable)
QUALITY = 60
"""Of WebP: letters of eight points stay sharp, and a page of text takes about 60 kB."""
EFFORT = 2
"""WebP's ``method``: more saves a twentieth of the bytes for twice the time."""
HEAD = "data:image/webp;base64,"


@dataclass(frozen=True, slots=True)
class Wanted(Generic[K]):
    """A picture of a page; ``size`` and ``mtime_ns`` are those of the file that was read: another one is not drawn."""

    key: K
    path: Path
    size: int
    mtime_ns: int
    page: int
    picture: Picture


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as a data URI; ``width`` and ``height`` in points of the upright page."""

    uri: str
    width: float
    height: float


def draw(wanted: Iterable[Wanted[K]], settings: Settings, most_bytes: int) -> Iterator[tuple[K, Drawn | DocumentError]]:
    """Pictures in the order asked for, until ``most_bytes`` are used up; of what cannot be drawn, why.

    What a worker sends are pixels; they become a picture here, so that no file of a stranger goes into a report as it is.
    """
    limits, room, todo = settings.limits, most_bytes, iter(wanted)
    processes = settings.workers or len(os.sched_getaffinity(0))
    under_way: deque[Wanted[K]] = deque()
    replies: dict[K, Reply] = {}
    with WorkerPool(HANDLER, size=processes, seconds=limits.seconds, memory_mb=limits.memory_mb) as pool:
        while True:
            while pool.room and len(under_way) < 4 * processes and (item := next(todo, None)):
                under_way.append(item)
                pool.submit(encode_request(_call(item, settings)), partial(replies.__setitem__, item.key))
            if not under_way:
                return
            while under_way[0].key not in replies:
                if not pool.poll():
                    return
            item = under_way.popleft()
            found = _drawn(replies.pop(item.key), item.page)
            if isinstance(found, Drawn):
                room -= len(found.uri)
                if room < 0:
                    return
            yield item.key, found


def _call(item: Wanted[K], settings: Settings) -> ReadRequest:
    return picture_call(settings, item.path, item.size, item.mtime_ns, item.page, item.picture)


def _drawn(reply: Reply, page: int) -> Drawn | DocumentError:
    try:
        webp, width, height = as_webp(reply, page)
    except DocumentError as error:
        return error
    return Drawn(HEAD + base64.b64encode(webp).decode(), width, height)


def as_webp(reply: Reply, page: int, quality: int = QUALITY) -> tuple[bytes, float, float]:
    """The picture that a reader drew as WebP, and its width and height in points. Raises DocumentError."""
    if reply.error:
        raise reply.error
    _, images = decode_reading(reply.parts, page)
    image = next(iter(images.values()), None)
    if image is None:
        raise DocumentError("unreadable", "its reader drew nothing")
    buffer = io.BytesIO()
    Image.frombytes("RGB", (image.width, image.height), image.rgb).save(buffer, "WEBP", quality=quality, method=EFFORT)
    return buffer.getvalue(), image.width / image.scale, image.height / image.scale

"""What is asked of a reader process and what it replies; ``reader`` is the process's side.

Replies cross the process border as JSON and raw pixels, so that a reader taken over by a hostile file can send data and nothing
else. Requests go the other way, from the trusted side, and are pickled: paths need not be text.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from pipeline.errors import DocumentError
from pipeline.records import AnyImage, Box, Page, PageImage, RemoteImage
from pipeline.runtime.worker_pool import Reply
from pipeline.templates.model import PageKind
from pipeline.words.precision import Precision

VERSION = 3
"""Part of every recipe: raise it when pages are drawn or read differently."""
HANDLER = "pipeline.run.page_reader:handle"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, or a part of it, to be drawn once more."""

    tokens: int
    """Visual tokens of the image."""
    turned: int | None
    """As ``Page.turned``; None where that is to be found out."""
    part: Box | None = None
    """In points of the upright page; None is all of it."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One call to a reader. ``page`` 0 only opens the file."""

    path: str
    size: int
    mtime_ns: int
    page: int = 0
    choose: bool = False
    """Whether to tell what kind of page it is."""
    images: Mapping[str, int] = field(default_factory=dict)
    """Visual tokens of the image to draw, by template (by kind of page where ``choose``); 0 and absent: none."""
    whole: bool = True
    """Whether images show the whole page, or what is printed on it."""
    pictures: frozenset[str] = frozenset()
    """Templates (kinds of page where ``choose``) that want the text in the page's pictures, too."""
    passwords: tuple[str, ...] = ()
    megapixels: int = 400
    picture: Picture | None = None
    """Only draw this, read nothing."""
    einvoice: bool = True
    """Whether to read the data of an e-invoice inside the file."""
    precision: Precision = "float32"
    """How exactly the OCR reckons."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening told."""

    kind: str
    pages: int


@dataclass(frozen=True, slots=True)
class ImageHead:
    """Shape of one of the pixel parts that follow a Reading."""

    name: str
    width: int
    height: int
    scale: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One page as read; its images follow as parts of raw pixels, in this order."""

    page: Page
    kind: PageKind | None = None
    """None where nobody asked, or where the page does not tell: it is blank, or a cover."""
    images: tuple[ImageHead, ...] = ()


OPENED = TypeAdapter(Opened)
READING = TypeAdapter(Reading)


def encode_request(request: ReadRequest) -> bytes:
    """A request as bytes for ``WorkerPool``."""
    return pickle.dumps(request)


def decode_opened(parts: list[bytes]) -> Opened:
    """The reply to a request for page 0. Raises DocumentError for anything else."""
    try:
        return OPENED.validate_json(parts[0])
    except (ValueError, IndexError) as error:
        raise _nonsense(error) from error


def decode_reading(parts: list[bytes], page: int) -> tuple[Reading, dict[str, PageImage]]:
    """The reply to a request for ``page``, and its images by name. Raises DocumentError for anything else."""
    reading = _decode_head(parts, page, [len(pixels) for pixels in parts[1:]])
    return reading, {
        head.name: PageImage(head.width, head.height, pixels, head.scale)
        for head, pixels in zip(reading.images, parts[1:], strict=True)
    }


def decode_reply(reply: Reply, page: int) -> tuple[Reading, Mapping[str, AnyImage]]:
    """As ``decode_reading``, for a reply whose pixels may lie on another machine. Raises its error as DocumentError."""
    if reply.error:
        raise reply.error
    if not reply.remote_parts:
        return decode_reading(reply.parts, page)
    reading = _decode_head(reply.parts, page, [pixels.size for pixels in reply.remote_parts])
    return reading, {
        head.name: RemoteImage(head.width, head.height, pixels, head.scale)
        for head, pixels in zip(reading.images, reply.remote_parts, strict=True)
    }


def _decode_head(parts: list[bytes], page: int, sizes: list[int]) -> Reading:
    """The first part of a reply, checked against the number of bytes of each image."""
    try:
        reading = READING.validate_json(parts[0])
    except (ValueError, IndexError) as error:
        raise _nonsense(error) from error
    if reading.page.number != page or sizes != [3 * head.width * head.height for head in reading.images]:
        raise _nonsense(ValueError("another page, or pixels that do not fit their size"))
    return reading


def _nonsense(error: Exception) -> DocumentError:
    return DocumentError("unreadable", f"its reader replied nonsense: {error}"[:200])

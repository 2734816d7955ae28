"""Reads the barcodes and QR codes of a page's image, or of places on a page, with zxing-cpp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, PageImage
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.split_records import Barcode
from pipeline.words.painted_page import PaintedPage

MAX_BARCODES = 50
"""Codes of one page that are reported; a sheet of labels has more."""
MAX_TEXT = 4_296
"""Letters of a code that are reported: those of the largest QR code (ISO/IEC 18004)."""
MOST_PIXELS = 4_000_000
"""Pixels in which codes are looked for: an A4 page at 200 dpi."""
CODE_PIXELS, PREVIEW_PIXELS = 400, 120
"""Width of the drawing of a code, three pixels for each module of those that invoices carry, and of the one that shows if it may be one."""
MIN_CHANGES = 8
"""Changes between dark and light along a line through a code, on average: the smallest QR code has over ten. Most logos have fewer."""
MIN_CONTRAST = 60
Grey = NDArray[np.uint8]


def read_barcodes(image: PageImage, page: int = 0, *, of_data: bool = False) -> list[Barcode]:
    """The codes of an image in any direction, from the top down, with their boxes in points of that image.

    A code whose check digits fail is none, nor is one without text. ``of_data``: only QR codes and PDF417, which hold more than a
    number; that takes a tenth of the time.
    """
    grey, scale = _grey(image)
    decoded = _decode(grey, "QRCode", "PDF417") if of_data else _decode(grey)
    found = [Barcode(_format(code), code.text[:MAX_TEXT], _box(code, scale, 0, 0), page) for code in decoded]
    return sorted(found, key=lambda code: (code.box[1], code.box[0]))[:MAX_BARCODES]


def has_unread_code(image: PageImage) -> bool:
    """Whether an image shows a QR code that cannot be read at its resolution."""
    import zxingcpp

    kinds: Any = zxingcpp.BarcodeFormat.QRCode  # a single format is a set of them, too
    found = zxingcpp.read_barcodes(_grey(image)[0], formats=kinds, try_invert=False, return_errors=True)
    return any(not code.valid for code in found)


def read_barcodes_at(painted: PaintedPage, places: Sequence[Box], page: int = 0) -> list[Barcode]:
    """The QR codes in some boxes of a page (points), each of which is drawn by itself."""
    found = []
    for place in places:
        if not may_be_code(_drawn(painted, place, PREVIEW_PIXELS)[0]):
            continue
        grey, scale, left, top = _drawn(painted, place, CODE_PIXELS)
        codes = _decode(grey, "QRCode")
        found += [Barcode(_format(code), code.text[:MAX_TEXT], _box(code, scale, left, top), page) for code in codes]
    return found[:MAX_BARCODES]


def may_be_code(grey: Grey) -> bool:
    """Whether a small picture changes between dark and light as often as a code does, in lines across and down."""
    if min(grey.shape) < PREVIEW_PIXELS // 2:
        return False
    low, high = int(grey.min()), int(grey.max())
    dark = grey < (low + high) / 2
    inside = dark[len(dark) // 4 : -len(dark) // 4], dark[:, dark.shape[1] // 4 : -dark.shape[1] // 4].T
    changes = [float(np.count_nonzero(lines[:, 1:] != lines[:, :-1])) / max(1, len(lines)) for lines in inside]
    return high - low >= MIN_CONTRAST and min(changes) >= MIN_CHANGES


def _drawn(painted: PaintedPage, place: Box, pixels: int) -> tuple[Grey, float, float, float]:
    """A box of a page so many pixels wide, its pixels per point, and its left and upper edge in points."""
    scale = pixels / max(1.0, place[2] - place[0])
    matrix, clip = pymupdf.Matrix(scale, scale), pymupdf.Rect(place)
    pixmap = painted.display_list.get_pixmap(matrix=matrix, colorspace=pymupdf.csGRAY, alpha=0, clip=clip)
    grey = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)[:, : pixmap.width]
    return np.ascontiguousarray(grey), scale, pixmap.x / scale, pixmap.y / scale


def _decode(grey: Grey, *formats: str) -> list[Any]:
    """The codes of an image: of all formats, or of those named, dark on light."""
    import zxingcpp  # a page without pictures needs no reader of codes

    kinds: Any = [getattr(zxingcpp.BarcodeFormat, name) for name in formats]
    found = zxingcpp.read_barcodes(grey, formats=kinds, try_invert=False) if kinds else zxingcpp.read_barcodes(grey)
    return [code for code in found if code.valid and code.text]


def _grey(image: PageImage) -> tuple[Grey, float]:
    """One colour of an image with at most ``MOST_PIXELS``, and its pixels per point. Codes are printed black."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    grey = np.ascontiguousarray(pixels[:, :, 1])
    shrink = (MOST_PIXELS / max(1, image.width * image.height)) ** 0.5
    if shrink >= 1:
        return grey, image.scale
    size = max(1, round(image.width * shrink)), max(1, round(image.height * shrink))
    # Areas would take eight times as long, and as many drawn codes are read without them.
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR), np.uint8), image.scale * shrink


def _format(code: Any) -> str:
    return str(code.format).rpartition(".")[2].replace(" ", "")


def _box(code: Any, scale: float, left: float, top: float) -> Box:
    """The box around the four corners of a code, in points."""
    corners = [getattr(code.position, name) for name in ("top_left", "top_right", "bottom_right", "bottom_left")]
    across, down = [left + corner.x / scale for corner in corners], [top + corner.y / scale for corner in corners]
    return min(across), min(down), max(across), max(down)

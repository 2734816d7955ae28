"""Reads the barcodes and QR codes of a page's image with zxing-cpp."""

from __future__ import annotations

import numpy as np

from pipeline.records import PageImage
from pipeline.split_records import Barcode

MAX_BARCODES = 50
"""Codes of one page that are reported; a sheet of labels has more."""
MAX_TEXT = 4_000
"""Letters of a code that are reported; the largest QR code holds 4,296."""


def read_barcodes(image: PageImage, page: int = 0) -> list[Barcode]:
    """The codes of an image in any direction, from the top down, with their boxes in points of that image.

    A code whose check digits fail is none, nor is one without text.
    """
    import zxingcpp  # only files with several pages, and pages that ask for it, need it

    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    grey = np.ascontiguousarray(pixels[:, :, 1])  # printed black: one colour is enough, and a third of the work
    found = [
        Barcode(str(code.format).rpartition(".")[2], code.text[:MAX_TEXT], _box(code.position, image.scale), page)
        for code in zxingcpp.read_barcodes(grey)
        if code.valid and code.text
    ]
    return sorted(found, key=lambda code: (code.box[1], code.box[0]))[:MAX_BARCODES]


def _box(position: object, scale: float) -> tuple[float, float, float, float]:
    """The box around the four corners of a code, in points."""
    corners = [getattr(position, name) for name in ("top_left", "top_right", "bottom_right", "bottom_left")]
    across, down = [corner.x / scale for corner in corners], [corner.y / scale for corner in corners]
    return min(across), min(down), max(across), max(down)

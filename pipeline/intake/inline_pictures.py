"""Tells photographs and scans of documents from logos, icons and signatures, which mails and office files are full of."""

from __future__ import annotations

import io

from PIL import Image

LEAST_SIDE = 400
"""Pixels of the shorter side of a picture that may show a document: A6 at 100 dots per inch."""
LEAST_PIXELS = 500_000
MOST_ASPECT = 4.0
"""Longer side over shorter side. A till roll may be longer than a page; a banner is wider still."""


def is_small_picture(content: bytes) -> bool:
    """Whether these bytes are a picture in which no document can be read; False for other files, and for pictures that do not open."""
    size = picture_size(content)
    if size is None:
        return False
    short, long = sorted(size)
    return short < LEAST_SIDE or short * long < LEAST_PIXELS or (size[0] > size[1] and long / short > MOST_ASPECT)


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, from the header alone; None for what is no picture, or none that can be opened."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return max(1, picture.size[0]), max(1, picture.size[1])
    except MemoryError:
        raise
    except Exception:  # pillow raises many types on damaged pictures
        return None

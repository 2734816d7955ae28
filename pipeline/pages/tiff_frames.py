"""Which frames of a TIFF are pages. Scanners and viewers add reduced copies of a page, and masks.

Source: TIFF 6.0, tags NewSubfileType (254) and SubfileType (255).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

NEW_SUBFILE_TYPE, SUBFILE_TYPE = 254, 255
REDUCED, MASK = 1, 4
"""Bits of NewSubfileType: a reduced copy of another frame, and a transparency mask."""
OLD_REDUCED = 2
"""SubfileType of a reduced copy."""
MAX_COPY_SIZE = 0.7
"""Largest side of a copy without a tag, as a share of the side of its page."""
ASPECT_TOLERANCE = 0.03
MAX_COMPARED = 40
"""Frames of a file in which copies without a tag are looked for."""
COPY_SIDE = 48
"""Pixels per side in which a frame and its page are compared."""
MIN_CORRELATION = 0.9


@dataclass(frozen=True, slots=True)
class _Frame:
    index: int
    width: int
    height: int
    tagged: bool


def page_frames(image: Any, count: int, max_pixels: int) -> list[int]:
    """Indices of the frames of an opened TIFF that are pages; all of them where every frame says that it is a copy.

    Raises what Pillow raises on a damaged directory.
    """
    if count < 2:
        return list(range(count))
    frames = [_frame(image, index) for index in range(count)]
    pages = [frame for frame in frames if not frame.tagged] or frames
    if len({(frame.width, frame.height) for frame in pages}) > 1 and len(pages) <= MAX_COMPARED:
        pages = [page for page in pages if not _copies_a_neighbour(image, page, pages, max_pixels)] or pages
    image.seek(0)
    return [page.index for page in pages]


def _frame(image: Any, index: int) -> _Frame:
    image.seek(index)
    tags = image.tag_v2
    kind = tags.get(NEW_SUBFILE_TYPE, 0)
    tagged = (isinstance(kind, int) and bool(kind & (REDUCED | MASK))) or tags.get(SUBFILE_TYPE) == OLD_REDUCED
    width, height = image.size
    return _Frame(index, width, height, tagged)


def _copies_a_neighbour(image: Any, frame: _Frame, pages: Sequence[_Frame], max_pixels: int) -> bool:
    """Whether a frame without a tag is a smaller picture of the page before or after it."""
    at = pages.index(frame)
    for page in (*pages[max(0, at - 1) : at], *pages[at + 1 : at + 2]):
        share = frame.width / max(1, page.width)
        if share > MAX_COPY_SIZE or page.width * page.height > max_pixels:
            continue
        if abs(frame.height / max(1, page.height) - share) > ASPECT_TOLERANCE * share:
            continue
        if _are_alike(image, frame.index, page.index):
            return True
    return False


def _are_alike(image: Any, a: int, b: int) -> bool:
    """Whether two frames show the same; False where one is damaged, since its page says what is wrong."""
    try:
        return _correlation(_small(image, a), _small(image, b)) >= MIN_CORRELATION
    except MemoryError:
        raise
    except Exception:
        return False


def _small(image: Any, index: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    image.seek(index)
    return np.asarray(image.convert("L").resize((COPY_SIDE, COPY_SIDE), Image.Resampling.BOX), np.float64)


def _correlation(a: np.ndarray[Any, np.dtype[np.float64]], b: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm else 0.0

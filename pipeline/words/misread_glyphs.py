"""Letters of a text layer whose stored meaning is missing or wrong: such words are read from the page's picture.

A font's ToUnicode map says which letter a glyph is (ISO 32000-2, 9.10.3). It may lack a glyph, or give a wrong letter. A wrong digit makes
a wrong amount, so digits are compared with digits of known fonts. Fonts whose digit glyphs are numbered in the order of the digits, as most
fonts have them, are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.words.page_trace import Glyph
from pipeline.words.painted_page import PaintedPage

ReadPlaces = Callable[[Sequence[Box]], Sequence[tuple[str, float]]]
"""The text that OCR reads in each box of the page (points), and its confidence."""
UNMAPPED = "\ufffd"
DOUBTFUL_DIGIT = "\x00"
MAX_LOOKS = 200
"""Digits of a page that are compared with known fonts at most."""
SUSPICIOUS_MARGIN = 0.12
"""How much more a glyph looks like another digit than like its own, before its words are read by OCR."""
MIN_CONFIDENCE = 0.9
"""Lowest confidence of OCR that replaces a stored text."""
HEIGHT, WIDTH = 24, 16
"""Pixels of a digit in the comparison."""
REFERENCE_FONTS = ("helv", "hebo", "heit", "tiro", "tibo", "tiit", "cour", "cobo", "coit")
"""Fonts that come with MuPDF."""
GlyphKey = tuple[str, int]
"""Font and glyph number."""
_Picture = NDArray[np.float64]


def is_unmapped(text: str) -> bool:
    """Whether a glyph of the word has no letter."""
    return not text.isascii() and any(c == UNMAPPED or "\ue000" <= c <= "\uf8ff" for c in text)


def suspicious_digits(page: PaintedPage) -> set[GlyphKey]:
    """Glyphs of a MuPDF page that count as a digit and look like another one."""
    doubtful = [glyphs for glyphs in page.trace.digits().values() if not _in_order(glyphs)]
    if not doubtful:
        return set()
    return {
        (glyph.font, glyph.number)
        for glyphs in doubtful
        for char, by_number in glyphs.items()
        for glyph in list(by_number.values())[: MAX_LOOKS // 10]
        if _looks_like_another(_drawn(page.display_list, glyph), char)
    }


def repaired(text: str, stored: Sequence[str | None], read: str, confidence: float) -> str:
    """The word as OCR reads it, where that agrees with the letters that are known; else ``text``.

    ``stored`` has the word's letters: None for one without a meaning, DOUBTFUL_DIGIT for a digit that may be another one.
    """
    patterns = {None: ".{0,2}", DOUBTFUL_DIGIT: "[0-9]"}
    pattern = "".join(patterns[letter] if letter in patterns else re.escape(str(letter)) for letter in stored)
    candidate = read.replace(" ", "")
    if confidence >= MIN_CONFIDENCE and candidate and re.fullmatch(pattern, candidate, re.IGNORECASE):
        return candidate
    return text


def _in_order(glyphs: Mapping[str, Mapping[int, Glyph]]) -> bool:
    """Whether the numbers of a font's digit glyphs rise with the digits, as they do in nearly all fonts that were not renumbered."""
    return len({number - int(char) for char, by_number in glyphs.items() for number in by_number}) <= 1


def _drawn(drawing: Any, glyph: Glyph) -> _Picture | None:
    scale = HEIGHT / max(glyph.size, 0.5)
    matrix = pymupdf.Matrix(scale, scale)
    pixmap = drawing.get_pixmap(matrix=matrix, colorspace=pymupdf.csGRAY, alpha=0, clip=pymupdf.Rect(glyph.box))
    pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
    return _normalised(pixels)


def _normalised(pixels: NDArray[np.uint8]) -> _Picture | None:
    """The ink of one letter, stretched to one size, with mean 0 and length 1; its width is kept as a last value. None without ink."""
    if pixels.size < 12:
        return None
    background = float(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))
    ink = np.abs(pixels.astype(np.float64) - background)
    if ink.max() < 40:
        return None
    ys, xs = np.nonzero(ink > 0.4 * ink.max())
    part = ink[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    small = cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).ravel()
    small -= small.mean()
    norm = float(np.linalg.norm(small))
    aspect = min(1.0, part.shape[1] / part.shape[0])
    return np.append(small / norm, aspect) if norm else None


@cache
def _references() -> dict[str, list[_Picture]]:
    """The ten digits in several fonts."""
    pictures: dict[str, list[_Picture]] = {}
    for digit in "0123456789":
        pictures[digit] = []
        for font in REFERENCE_FONTS:
            with pymupdf.open() as document:
                page = document.new_page(width=40, height=40)
                page.insert_text((10, 30), digit, fontname=font, fontsize=HEIGHT)
                pixmap = page.get_pixmap(colorspace=pymupdf.csGRAY, alpha=False)
                picture = _normalised(np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width))
                if picture is not None:
                    pictures[digit].append(picture)
    return pictures


def _looks_like_another(picture: _Picture | None, char: str) -> bool:
    if picture is None:
        return False
    scores = {digit: max(_likeness(picture, known) for known in drawn) for digit, drawn in _references().items()}
    return max(scores.values()) - scores[char] > SUSPICIOUS_MARGIN


def _likeness(picture: _Picture, known: _Picture) -> float:
    """Correlation of two letters, less the difference of their widths."""
    return float(picture[:-1] @ known[:-1]) - abs(float(picture[-1] - known[-1]))

"""Reads the words of a PDF page's text layer from an open MuPDF or PDFium page.

Boxes are those of the page as displayed: rotation applied, origin at the top left of the crop box. Visible and invisible text are
separated: invisible text is an OCR layer over a scan, or an attempt to deceive, and counts only where it is sound.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import atan2, degrees
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from pipeline.records import Box, Word
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.words.lines import TextPiece, number_lines
from pipeline.words.soundness import is_sound

MAX_LETTERS = 200_000
"""More letters than a real page has. The rest is ignored."""
_PAINTED = 16 | 32
"""MuPDF's flags for letters that are filled or stroked."""
_PDFIUM_HYPHEN = 2
"""PDFium's code for a hyphen at the end of a line."""
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
"""Without TEXT_CID_FOR_UNKNOWN_UNICODE, which turns glyph numbers into letters and hides that they are unmapped."""

_Rotation = tuple[float, float, float, float, float, float]
"""A page's rotation as a matrix, its elements in PDF order."""


@dataclass(slots=True)
class _Letter:
    """One letter with the properties that its word gets."""

    char: str
    box: Box
    size: float
    bold: bool
    visible: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """Letters of one line from the library, left to right."""

    letters: list[_Letter]
    angle: float


def read_text_layer(page: pymupdf.Page) -> list[Word]:
    """Words of a MuPDF page in points, line by line, top to bottom; empty without a text layer.

    Form fields and annotations count as visible. Invisible words are returned only when they are sound by themselves.
    """
    return _words(_mupdf_runs(page), page.rect.width, page.rect.height)


def read_pdfium_text_layer(page: pypdfium2.PdfPage) -> list[Word]:
    """Words of a PDFium page, for pages that MuPDF cannot read. The result has the same form."""
    width, height = page.get_size()
    return _words(_pdfium_runs(page), width, height)


def _words(runs: Iterable[_Run], width: float, height: float) -> list[Word]:
    visible_pieces: list[TextPiece] = []
    hidden: list[TextPiece] = []
    places: set[tuple[str, int, int]] = set()
    for run in runs:
        words = [(w, v) for w, v in _split(run) if _inside(w.box, width, height) and _is_new(w, places)]
        visible_pieces.append(TextPiece(tuple(w for w, visible in words if visible), run.angle))
        hidden.append(TextPiece(tuple(w for w, visible in words if not visible), run.angle))
    hidden_words = [w for piece in hidden for w in piece.words]
    return number_lines(visible_pieces + hidden if is_sound(hidden_words, width, height) else visible_pieces)


def _is_new(word: Word, places: set[tuple[str, int, int]]) -> bool:
    """False for a word that was printed before in the same place. Some programs imitate bold this way."""
    x, y = round(word.box[0] / 2), round(word.box[1] / 2)
    if any((word.text, x + dx, y + dy) in places for dx in (-1, 0, 1) for dy in (-1, 0, 1)):
        return False
    places.add((word.text, x, y))
    return True


def _inside(box: Box, width: float, height: float) -> bool:
    return 0 <= (box[0] + box[2]) / 2 <= width and 0 <= (box[1] + box[3]) / 2 <= height


def _split(run: _Run) -> Iterator[tuple[Word, bool]]:
    """Words of a run, each with its visibility. A word ends at a blank and where the visibility changes."""
    group: list[_Letter] = []
    for letter in run.letters:
        if group and (letter.char.isspace() or letter.visible != group[0].visible):
            yield _word(group), group[0].visible
            group = []
        if not letter.char.isspace():
            group.append(letter)
    if group:
        yield _word(group), group[0].visible


def _clean(text: str) -> str:
    """The text as valid Unicode: UTF-16 surrogate pairs are joined; single surrogates and control characters become U+FFFD."""
    if text.isprintable():
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "".join("\ufffd" if unicodedata.category(c) == "Cc" else c for c in whole)


def _word(letters: list[_Letter]) -> Word:
    box = (
        round(min(c.box[0] for c in letters), 2),
        round(min(c.box[1] for c in letters), 2),
        round(max(c.box[2] for c in letters), 2),
        round(max(c.box[3] for c in letters), 2),
    )
    size, bold = max(c.size for c in letters), sum(c.bold for c in letters) * 2 > len(letters)
    return Word(_clean("".join(c.char for c in letters)), box, 0, size=round(size, 2), bold=bold)


def _mupdf_runs(page: pymupdf.Page) -> Iterator[_Run]:
    rotation: _Rotation = tuple(page.rotation_matrix)
    remaining = MAX_LETTERS
    for block in page.get_text("rawdict", flags=_FLAGS)["blocks"]:
        for line in block.get("lines", ()):
            (dx, dy), (a, b, c, d, _, _) = line["dir"], rotation
            angle = degrees(atan2(b * dx + d * dy, a * dx + c * dy))
            letters = [c for span in line["spans"] for c in _mupdf_letters(span, rotation, abs(angle) < 1)]
            remaining -= len(letters)
            if remaining < 0:
                return
            yield _Run(letters, angle)


def _mupdf_letters(span: dict[str, Any], rotation: _Rotation, level: bool) -> Iterator[_Letter]:
    size = span["size"]
    bold = bool(span["flags"] & pymupdf.TEXT_FONT_BOLD) or "bold" in span["font"].lower()
    visible = bool(span["char_flags"] & _PAINTED) and span["alpha"] > 0
    up, down = min(max(span["ascender"], 0.6), 0.95) * size, min(max(-span["descender"], 0.0), 0.3) * size
    for char in span["chars"]:
        x0, y0, x1, y1 = _rotated(char["bbox"], rotation)
        if level:
            x, y = char["origin"]
            base = rotation[1] * x + rotation[3] * y + rotation[5]
            y0, y1 = base - up, base + down
        yield _Letter(char["c"], (x0, y0, x1, y1), size, bold, visible)


def _rotated(box: Box, rotation: _Rotation) -> Box:
    """The box after a rotation by a multiple of 90 degrees. Plain numbers are fast enough for thousands of letters."""
    a, b, c, d, e, f = rotation
    x0, y0, x1, y1 = box
    left, right = a * x0 + c * y0 + e, a * x1 + c * y1 + e
    top, bottom = b * x0 + d * y0 + f, b * x1 + d * y1 + f
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def _pdfium_runs(page: pypdfium2.PdfPage) -> Iterator[_Run]:
    """Lines of PDFium's text. A line ends at a line break, and where a letter is not on the baseline of the one before."""
    geometry = _PdfiumGeometry(page)
    text = page.get_textpage()
    letters: list[_Letter] = []
    angle = 0.0
    for index in range(min(text.count_chars(), MAX_LETTERS)):
        letter = _pdfium_letter(text, index, geometry)
        if letter.char in "\r\n" or (letters and not letter.char.isspace() and not _level(letters[-1], letter, angle)):
            yield _Run(letters, angle)
            letters = []
        if letter.char not in "\r\n":
            angle = angle if letters else geometry.angle(pdfium.FPDFText_GetCharAngle(text.raw, index))
            letters.append(letter)
    yield _Run(letters, angle)


def _pdfium_letter(text: pypdfium2.PdfTextPage, index: int, geometry: _PdfiumGeometry) -> _Letter:
    code = pdfium.FPDFText_GetUnicode(text.raw, index)
    unmapped = pdfium.FPDFText_HasUnicodeMapError(text.raw, index) == 1
    char = "\ufffd" if unmapped else "-" if code == _PDFIUM_HYPHEN else chr(code)
    size, weight = pdfium.FPDFText_GetFontSize(text.raw, index), pdfium.FPDFText_GetFontWeight(text.raw, index)
    mode = pdfium.FPDFTextObj_GetTextRenderMode(pdfium.FPDFText_GetTextObject(text.raw, index))
    visible = mode != pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
    return _Letter(char, geometry.box(text.get_charbox(index, loose=True)), size, weight >= 600, visible)


def _level(a: _Letter, b: _Letter, angle: float) -> bool:
    """Whether ``b`` can follow ``a`` on a line. For inclined text, PDFium's own line breaks are used."""
    return a.char.isspace() or abs(angle) > 1 or min(a.box[3], b.box[3]) > max(a.box[1], b.box[1])


class _PdfiumGeometry:
    """Converts PDFium's page coordinates (origin at the bottom left, unrotated) to the page as displayed."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self._left, self._bottom, self._right, self._top = page.get_bbox()
        self._rotation = page.get_rotation()

    def angle(self, radians: float) -> float:
        """Degrees clockwise on the displayed page, -180 to 180, of a letter's own angle (counter-clockwise, unrotated)."""
        return float((self._rotation - degrees(max(radians, 0.0)) + 180) % 360 - 180)

    def box(self, chars: tuple[float, float, float, float]) -> Box:
        x0, y0, x1, y1 = chars[0] - self._left, chars[1] - self._bottom, chars[2] - self._left, chars[3] - self._bottom
        width, height = self._right - self._left, self._top - self._bottom
        if self._rotation == 90:
            return y0, x0, y1, x1
        if self._rotation == 180:
            return width - x1, y0, width - x0, y1
        if self._rotation == 270:
            return height - y1, width - x1, height - y0, width - x0
        return x0, height - y1, x1, height - y0

"""Reads the words of a PDF page's text layer from an open MuPDF or PDFium page.

Boxes are those of the page as displayed: rotation applied, origin at the top left of the crop box. Visible and invisible text are
separated: invisible text is an OCR layer over a scan, or an attempt to deceive, and counts only where it is sound.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import atan2, degrees, inf
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from rapidfuzz.fuzz import ratio

from pipeline.records import Box, Word
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.values.directions import has_right_to_left
from pipeline.words.drawn_accents import has_accents, join_accents
from pipeline.words.glued_words import glued_ends, has_long_word
from pipeline.words.letter_spacing import join_spaced_letters
from pipeline.words.lines import TextPiece, number_lines
from pipeline.words.misread_glyphs import DOUBTFUL_DIGIT, ReadPlaces, is_unmapped, repaired, suspicious_digits
from pipeline.words.painted_page import PaintedPage
from pipeline.words.raised_digits import MAX_RAISED_SIZE, MIN_RAISE, SUPERSCRIPTS, join_raised_cents
from pipeline.words.right_to_left import (
    NO_WIDTH,
    in_reading_order,
    is_ligature_alef,
    plain_letters,
    printed_order,
    written_order,
)
from pipeline.words.soundness import is_sound
from pipeline.words.visibility import PaintedWord, PaintOrder

MAX_LETTERS = 200_000
"""More letters than a real page has. The rest is ignored."""
MAX_REPAIRS = 400
"""Words of a page that are read by OCR because single letters are doubtful."""
MAX_LETTER_GAP = 0.4
"""Widest gap in a word of a line from right to left, in font sizes: such lines come without blanks between cells of a table."""
MIN_LIKENESS = 70
"""Of 100: how much alike a stored text and the text that OCR reads in its place are at least, where both are the same word."""
_WORD = re.compile(r"\S+")
_RAISED = frozenset(SUPERSCRIPTS)
SOFT_HYPHEN = "\u00ad"
_PAINTED = 16 | 32
"""MuPDF's flags for letters that are filled or stroked."""
_PDFIUM_HYPHEN = 2
"""PDFium's code for a hyphen at the end of a line."""
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
"""Without TEXT_CID_FOR_UNKNOWN_UNICODE, which turns glyph numbers into letters and hides that they are unmapped."""

_Repair = Callable[[Sequence["_PrintedWord"]], None]
_Places = dict[str, set[tuple[int, int]]]
"""Where each text was printed, in steps of two points."""
_Rotation = tuple[float, float, float, float, float, float]
"""A page's rotation as a matrix, its elements in PDF order."""
_UNTURNED: _Rotation = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(slots=True)
class _Letter:
    """One letter with the properties that its word gets."""

    char: str
    box: Box
    size: float
    bold: bool
    visible: bool
    baseline: float | None = None
    """Height of the line on which the letter stands, downwards; None for text that is not level."""
    colour: int = 0
    opacity: int = 255
    origin: tuple[float, float] = (0.0, 0.0)
    """Where the letter starts on its baseline, in the page's own coordinates (unrotated)."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Letters of one line from the library, left to right."""

    letters: list[_Letter]
    angle: float
    in_one_print: bool = False
    """Whether all letters have one font, size and colour."""


@dataclass(slots=True)
class _PrintedWord:
    """A word with the letters that make it."""

    word: Word
    letters: list[_Letter]

    @property
    def visible(self) -> bool:
        return self.letters[0].visible

    def painted(self) -> PaintedWord:
        first = self.letters[0]
        return PaintedWord(self.word.text, self.word.box, self.word.size, first.colour, first.opacity, first.origin)


def read_text_layer(page: pymupdf.Page | PaintedPage, read_places: ReadPlaces | None = None) -> list[Word]:
    """Words of a MuPDF page in points, line by line, top to bottom; empty without a text layer.

    Form fields and annotations count as visible. Invisible words are returned only when they are sound by themselves and lie on a picture.
    Words that are not seen on the page are left out. ``read_places`` is OCR for places where the layer is doubtful: words under a picture,
    glyphs without a letter or with a wrong one. Without it the layer is believed.
    """
    painted = page if isinstance(page, PaintedPage) else PaintedPage(page)
    order = PaintOrder(painted, partial(_stand_there, read_places) if read_places else lambda words: [True] * len(words))
    repair = partial(_repair, painted, read_places) if read_places else None
    rect = painted.page.rect
    return _words(_mupdf_runs(painted.page), rect.width, rect.height, order, repair)


def read_pdfium_text_layer(page: pypdfium2.PdfPage) -> list[Word]:
    """Words of a PDFium page, for pages that MuPDF cannot read. The result has the same form."""
    width, height = page.get_size()
    return _words(_pdfium_runs(page), width, height)


def _words(
    runs: Iterable[_Run], width: float, height: float, order: PaintOrder | None = None, repair: _Repair | None = None
) -> list[Word]:
    places: _Places = {}
    pieces = []
    for run in runs:
        words = [_PrintedWord(_word(letters), letters) for letters in _split(run)]
        pieces.append((run.angle, [w for w in words if _inside(w.word.box, width, height)]))
    printed = [word for _, words in pieces for word in words if word.visible]
    seen = order.visibility([word.painted() for word in printed]) if order else ["seen"] * len(printed)
    found = {id(word): visibility for word, visibility in zip(printed, seen, strict=True)}
    hidden = [word for _, words in pieces for word in words if not word.visible]
    over = order.painted_over([word.painted() for word in hidden]) if order else []
    found.update((id(word), "unseen") for word, is_over in zip(hidden, over, strict=False) if is_over)
    if repair:
        repair([word for word in printed if found[id(word)] == "seen"])

    def select(visibility: str) -> list[TextPiece]:
        """The pieces of words of this visibility. A text that is printed twice in one place is given once."""
        chosen = ((angle, [w.word for w in words if found.get(id(w), "under_scan") == visibility]) for angle, words in pieces)
        return [TextPiece(tuple(word for word in words if _is_new(word, places)), angle) for angle, words in chosen]

    visible, below = select("seen"), select("under_scan")
    if order and any(piece.words for piece in visible):
        below = [replace(piece, words=_on_pictures(piece.words, order)) for piece in below if piece.words]
    below_words = [word for piece in below for word in piece.words]
    lines = number_lines(visible + below if is_sound(below_words, width, height) else visible)
    return in_reading_order(join_raised_cents(join_spaced_letters(lines)))


def _stand_there(read_places: ReadPlaces, words: Sequence[PaintedWord]) -> list[bool]:
    """Whether OCR reads each of these words in its place."""
    read = read_places([word.box for word in words])
    return [ratio(_plain(word.text), _plain(text)) >= MIN_LIKENESS for word, (text, _) in zip(words, read, strict=True)]


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum()) or text


def _repair(page: PaintedPage, read_places: ReadPlaces, words: Sequence[_PrintedWord]) -> None:
    """Replace the text of words with missing or wrong letters by what OCR reads in their place."""
    wrong = suspicious_digits(page)

    def letters(word: _PrintedWord) -> list[str | None]:
        """The letters of the word, None for doubtful ones."""
        stored: list[str | None] = []
        for letter in word.letters:
            glyph = page.trace.glyph_at(letter.origin, letter.char) if wrong and letter.char.isdecimal() else None
            doubtful = bool(glyph and (glyph.font, glyph.number) in wrong)
            stored.append(None if is_unmapped(letter.char) else DOUBTFUL_DIGIT if doubtful else letter.char)
        return stored

    looked_at = words if wrong else [word for word in words if is_unmapped(word.word.text)]
    doubtful = [(word, stored) for word in looked_at if {None, DOUBTFUL_DIGIT} & set(stored := letters(word))][:MAX_REPAIRS]
    if doubtful:
        read = read_places([word.word.box for word, _ in doubtful])
        for (word, stored), (text, confidence) in zip(doubtful, read, strict=True):
            word.word = replace(word.word, text=repaired(word.word.text, stored, text, confidence))


def _on_pictures(words: Sequence[Word], order: PaintOrder) -> tuple[Word, ...]:
    """The words whose middle lies on a picture: invisible words belong to a scan, and have no meaning on a digital page."""
    boxes = order.picture_boxes
    return tuple(
        word
        for word in words
        for x, y in [((word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2)]
        if ((boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])).any()
    )


def _is_new(word: Word, places: _Places) -> bool:
    """False for a word that was printed before in the same place. Some programs imitate bold this way."""
    x, y = round(word.box[0] / 2), round(word.box[1] / 2)
    known = places.setdefault(word.text, set())
    if known and any((x + dx, y + dy) in known for dx in (-1, 0, 1) for dy in (-1, 0, 1)):
        return False
    known.add((x, y))
    return True


def _inside(box: Box, width: float, height: float) -> bool:
    return 0 <= (box[0] + box[2]) / 2 <= width and 0 <= (box[1] + box[3]) / 2 <= height


def _split(run: _Run) -> Iterator[list[_Letter]]:
    """The letters of each word of a run. A word ends at a blank, where the visibility changes and before a raised digit."""
    letters, widest_gap = run.letters, inf
    text = "".join([letter.char for letter in letters])
    if abs(run.angle) < 1 and has_right_to_left(text):
        letters, widest_gap = printed_order(letters), MAX_LETTER_GAP
        text = "".join([letter.char for letter in letters])
    starts = frozenset[int]()
    if has_long_word(text):
        starts = glued_ends([(letter.char, letter.box[0], letter.box[2]) for letter in letters], letters[0].size)
    if run.in_one_print and not starts and widest_gap == inf and _RAISED.isdisjoint(text) and len(text) == len(letters):
        yield from (letters[slice(*word.span())] for word in _WORD.finditer(text))  # only a smaller digit can be a raised one
        return
    group: list[_Letter] = []
    base: _Letter | None = None  # the letter before a raised mark
    for number, letter in enumerate(letters):
        raised = bool(group) and letter.char.isdigit() and _raised(base or group[-1], letter)
        apart = bool(group) and (number in starts or _left(letters, number) - group[-1].box[2] > widest_gap * letter.size)
        if group and (letter.char.isspace() or letter.visible != group[0].visible or raised != (base is not None) or apart):
            yield group
            base = group[-1] if raised else None
            group = []
        if not letter.char.isspace():
            group.append(letter)
    if group:
        yield group


def _left(letters: Sequence[_Letter], at: int) -> float:
    """The left edge of a letter; of one without width, that of the letter behind it, with which it shares a glyph."""
    letter = letters[at]
    return letters[at + 1].box[0] if letter.box[2] - letter.box[0] < NO_WIDTH and at + 1 < len(letters) else letter.box[0]


def _raised(before: _Letter, letter: _Letter) -> bool:
    """Whether a letter begins a raised mark behind a digit or a decimal mark: the number of a footnote, or cents without a point."""
    if letter.char in SUPERSCRIPTS:
        return before.char.isdecimal()
    if not (letter.char.isdecimal() and (before.char.isdecimal() or before.char in ".,")):
        return False
    if letter.size > MAX_RAISED_SIZE * before.size or letter.baseline is None or before.baseline is None:
        return False
    return before.baseline - letter.baseline > MIN_RAISE * before.size


def _clean(text: str) -> str:
    """The text as valid Unicode: UTF-16 surrogate pairs are joined; single surrogates and control characters become U+FFFD."""
    if text.isprintable():
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "".join("\ufffd" if unicodedata.category(c) == "Cc" else c for c in whole)


def _word(letters: list[_Letter]) -> Word:
    x0, y0, x1, y1 = zip(*[c.box for c in letters], strict=True)
    box = round(min(x0), 2), round(min(y0), 2), round(max(x1), 2), round(max(y1), 2)
    text = "".join([c.char for c in letters])
    if not text.isascii() or has_accents(text):
        printed = join_accents([c.char for c in letters], [(c.box[0], c.box[2]) for c in letters])
        text = plain_letters(written_order(printed))
    size, bold = max([c.size for c in letters]), sum([c.bold for c in letters]) * 2 > len(letters)
    return Word(_clean(text), box, 0, size=round(size, 2), bold=bold)


def _mupdf_runs(page: pymupdf.Page) -> Iterator[_Run]:
    rotation: _Rotation = tuple(page.rotation_matrix)
    remaining = MAX_LETTERS
    for block in _mupdf_blocks(page):
        for line in block.get("lines", ()):
            (dx, dy), (a, b, c, d, _, _) = line["dir"], rotation
            angle = degrees(atan2(b * dx + d * dy, a * dx + c * dy))
            letters = [c for span in line["spans"] for c in _mupdf_letters(span, rotation, abs(angle) < 1)]
            remaining -= len(letters)
            if remaining < 0:
                return
            yield _Run(letters, angle, len(line["spans"]) == 1)


def _mupdf_blocks(page: pymupdf.Page) -> list[dict[str, Any]]:
    """The blocks of a page as MuPDF gives them.

    Chromium names the letters of a lam-alef ligature in a text of its own (ActualText), over which MuPDF takes an alef before the ligature
    for a second print of the one in it, and leaves it out. Then the letters of the font are taken, where these are more.
    """
    blocks: list[dict[str, Any]] = page.get_text("rawdict", flags=_FLAGS)["blocks"]
    if not any(is_ligature_alef(char["c"], char["bbox"]) for char in _chars(blocks) if not char["c"].isascii()):
        return blocks
    others: list[dict[str, Any]] = page.get_text("rawdict", flags=_FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT)["blocks"]
    return max(blocks, others, key=lambda found: sum(has_right_to_left(char["c"]) for char in _chars(found)))


def _chars(blocks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (char for block in blocks for line in block.get("lines", ()) for span in line["spans"] for char in span["chars"])


def _mupdf_letters(span: dict[str, Any], rotation: _Rotation, level: bool) -> Iterator[_Letter]:
    size = span["size"]
    bold = bool(span["flags"] & pymupdf.TEXT_FONT_BOLD) or "bold" in span["font"].lower()
    colour, opacity = span["color"], span["alpha"]
    visible = bool(span["char_flags"] & _PAINTED) and opacity > 0
    up, down = min(max(span["ascender"], 0.6), 0.95) * size, min(max(-span["descender"], 0.0), 0.3) * size
    turned = rotation != _UNTURNED
    for char in span["chars"]:
        x0, y0, x1, y1 = _rotated(char["bbox"], rotation) if turned else char["bbox"]
        base = None
        if level:
            x, y = char["origin"]
            base = rotation[1] * x + rotation[3] * y + rotation[5] if turned else y
            y0, y1 = base - up, base + down
        box = (x0, y0, x1, y1)
        printed = char["c"] if char["c"] != SOFT_HYPHEN else _printed(SOFT_HYPHEN, x1 - x0)
        yield _Letter(printed, box, size, bold, visible, base, colour, opacity, char["origin"])


def _printed(char: str, width: float) -> str:
    """The sign that a person sees: a soft hyphen that takes room in a line is a printed hyphen, which some writers store so."""
    return "-" if char == SOFT_HYPHEN and width > 0 else char


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
    box = geometry.box(text.get_charbox(index, loose=True))
    return _Letter(_printed(char, box[2] - box[0]), box, size, weight >= 600, visible)


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

"""Reads the words of a page image by OCR: the networks of PP-OCRv6, whose weights are inside the rapidocr wheel.

Detection finds boxes of text in a picture of limited size. Recognition reads each box from the full picture. The wheel's line-angle
classifier is not used: it turns clear lines upside down, and pages are upright already (see ``orientation``).
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from pipeline.records import Box, PageImage, Word
from pipeline.words.detector import Detector, Pixels, Quad
from pipeline.words.fast_recogniser import FastRecogniser
from pipeline.words.foreign_lines import ForeignLines, with_marks
from pipeline.words.letter_spacing import join_spaced_letters, spaced_gaps
from pipeline.words.lines import TextPiece, number_lines
from pipeline.words.precision import Precision
from pipeline.words.raised_digits import Extent, find_raised_digits, join_raised_cents
from pipeline.words.recogniser import WIDE_GAP, LineRecogniser, LineText, LineWord, Recogniser
from pipeline.words.right_to_left import in_reading_order
from pipeline.words.small_print import suitable_scale
from pipeline.words.stray_lines import stray_lines

MIN_READABLE = 8
"""Smallest side in pixels of a picture with text."""
MIN_SIDE = 736
MAX_ENLARGEMENT = 4.0
"""Smaller pictures are enlarged to ``MIN_SIDE`` for the detector, by this factor at most and up to ``MAX_AREA``."""
MAX_AREA = 1_200_000
"""Pixels of the detector's usual input at most: enough for the small print of an A4 page."""
TILE_ASPECT = 3.0
"""Pictures whose height is more than this many times their width are read in tiles, so that a till roll keeps its resolution."""
TEXT_SCORE = 0.5
"""Lowest confidence of a line that is kept."""
SPACED_GAP = 8
"""Widest gap in columns inside a word with spaced letters: tills print totals in letters of double width."""
SPACED_RATIO = 1.5
"""A gap between spaced letters is at most this many times as wide as the narrower gap beside it."""
_GLUED = re.compile(r"(?:(?<=\d\d)|(?<=\d[A-Z]))(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]{3})")
"""Where OCR has lost the blank between a number and a word: "45901233Total", "12345678ZMaria"."""
THREADS_VARIABLE = "PIPELINE_OCR_THREADS"


@dataclass(frozen=True, slots=True)
class OcrLine:
    """A detected and recognised box of text. ``columns`` are the centres of the letters from 0 (left) to 1 (right)."""

    quad: Quad
    text: str
    columns: tuple[float, ...]
    """One for each letter of ``text`` except blanks."""
    confidence: float
    raised: Mapping[int, Extent] = field(default_factory=dict)
    """The raised digits, counted without blanks, with their top and bottom from 0 (top of the line) to 1."""
    words: tuple[LineWord, ...] = ()
    """In reading order; empty where ``columns`` say where words end."""


class PageText(NamedTuple):
    """What OCR reads on a page."""

    words: list[Word]
    """Line by line, with boxes in page points."""
    unread: bool = False
    """Whether lines are in a script that nothing here reads."""


class OcrReader:
    """The networks, loaded once for each process. Not thread-safe."""

    def __init__(self, threads: int = 1, precision: Precision = "float32") -> None:
        self._detector = Detector(threads, precision)
        self._recogniser: LineRecogniser = (
            Recogniser(threads) if precision == "float32" else FastRecogniser(cache(partial(Recogniser, threads)), threads)
        )

    def read(self, image: PageImage) -> list[Word]:
        """Words of the page, line by line, with boxes in page points."""
        return self.read_text(image).words

    def read_text(self, image: PageImage, foreign: ForeignLines | None = None) -> PageText:
        """The text of the page. ``foreign`` reads scripts that the network does not know."""
        lines, unread = self._lines(to_bgr(image), foreign)
        words = join_raised_cents(join_spaced_letters(number_lines([_piece(line, image.scale) for line in lines])))
        return PageText(in_reading_order(words), unread)

    def lines(self, pixels: Pixels) -> list[OcrLine]:
        """Every readable line of text of a BGR picture, in the order of detection."""
        return self._lines(pixels, None)[0]

    def _lines(self, pixels: Pixels, foreign: ForeignLines | None) -> tuple[list[OcrLine], bool]:
        """The lines, and whether they are in a script that nothing here reads."""
        orientations = [(n, turned) for n, quad in enumerate(self.detect(pixels)) for turned in _turns(quad)]
        best: dict[int, OcrLine] = {}
        upright: dict[int, OcrLine] = {}
        for n, line in zip(
            [n for n, _ in orientations], self.recognise(pixels, [quad for _, quad in orientations]), strict=True
        ):
            upright.setdefault(n, line)
            if line.text.strip() and line.confidence > (best[n].confidence if n in best else TEXT_SCORE):
                best[n] = line
        unread = False
        if foreign and upright:
            other = foreign.read(
                [LineText(line.text, line.columns, line.confidence) for line in upright.values()],
                [quad_size(line.quad) for line in upright.values()],
                lambda n: _crop(pixels, with_marks(upright[n].quad)),
                self._parts,
            )
            unread = other.unread
            best |= {n: _foreign_line(upright[n].quad, text) for n, text in other.lines.items()}
        lines = [best[n] for n in sorted(best)]
        stray = stray_lines(
            [line.quad for line in lines],
            [line.text for line in lines],
            [1.0 if line.words else line.confidence for line in lines],  # Tesseract's are in the page's script
            pixels.shape[1],
        )
        return [line for n, line in enumerate(lines) if n not in stray], unread

    def _parts(self, pictures: Sequence[Pixels]) -> list[LineText]:
        """What PP-OCR reads in pictures of single words."""
        return [replace(text, text=halfwidth(text.text)) for text in self._recogniser.read(pictures)]

    def detect(self, pixels: Pixels) -> list[Quad]:
        """Boxes of text in pixels of the picture."""
        quads: list[Quad] = []
        if min(pixels.shape[:2]) < MIN_READABLE:
            return quads
        for top, bottom in _tiles(*pixels.shape[:2]):
            tile: list[Quad] = []
            for quad in self._detect_tile(pixels[top:bottom]):
                cut = (top > 0 and quad[:, 1].min() < 2) or (bottom < len(pixels) and quad[:, 1].max() > bottom - top - 3)
                quad[:, 1] += top
                if not cut and not _overlaps(quad, quads):
                    tile.append(quad)
            quads += tile
        return quads

    def _detect_tile(self, tile: Pixels) -> list[Quad]:
        height, width = tile.shape[:2]
        usual = min(max(1.0, MIN_SIDE / min(height, width)), MAX_ENLARGEMENT, (MAX_AREA / (height * width)) ** 0.5)
        scale = suitable_scale(tile, usual)
        size = (max(32, round(width * scale)), max(32, round(height * scale)))
        resized = cv2.resize(tile, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        back = np.array([width / size[0], height / size[1]], np.float32)
        return [box * back for box in self._detector.boxes(resized)]

    def recognise(self, pixels: Pixels, quads: Sequence[Quad]) -> list[OcrLine]:
        """The text in each box, read from the first corner towards the second; empty text where nothing is readable."""
        crops = [_crop(pixels, quad) for quad in quads]
        lines = []
        for quad, crop, line in zip(quads, crops, self._recogniser.read(crops), strict=True):
            text = halfwidth(line.text)
            lines.append(OcrLine(quad, text, line.columns, line.confidence, find_raised_digits(crop, text, line.columns)))
        return lines


def line_pictures(pixels: Pixels, quads: Sequence[Quad]) -> list[Pixels]:
    """The picture of each line with room for marks above and below its letters, for readers of other scripts."""
    return [_crop(pixels, with_marks(quad)) for quad in quads]


@cache
def ocr_reader(precision: Precision = "float32") -> OcrReader:
    """The reader of this process. ``PIPELINE_OCR_THREADS`` sets its threads: by default 1, because each core runs a worker."""
    return OcrReader(int(os.environ.get(THREADS_VARIABLE, "1")), precision)


@cache
def foreign_lines(languages: tuple[str, ...] = ()) -> ForeignLines:
    """What reads other scripts in this process; ``languages`` narrows it to the scripts of some."""
    return ForeignLines(languages)


def read_page(image: PageImage, precision: Precision = "float32", languages: tuple[str, ...] = ()) -> PageText:
    """The text of an upright page image in any script of ``languages``; empty for all."""
    return ocr_reader(precision).read_text(image, foreign_lines(languages))


def read_image(image: PageImage, precision: Precision = "float32") -> list[Word]:
    """Words of an upright page image, in reading order, with boxes in page points. Only scripts that PP-OCR's network knows are read."""
    return ocr_reader(precision).read(image)


def read_places(image: PageImage, boxes: Sequence[Box], precision: Precision = "float32") -> list[tuple[str, float]]:
    """The text in each box (points) of an upright page image, and its confidence; each box holds one word or line."""
    lines = ocr_reader(precision).recognise(to_bgr(image), [_quad(box, image) for box in boxes])
    return [(line.text, line.confidence) for line in lines]


def read_strings(image: PageImage, boxes: Sequence[Box], precision: Precision = "float32") -> list[Word]:
    """The words in boxes (points) of an upright page image; each box holds one string of letters."""
    lines = ocr_reader(precision).recognise(to_bgr(image), [_quad(box, image) for box in boxes])
    return [word for line in lines if line.text.strip() for word in _piece(line, image.scale).words]


def _quad(box: Box, image: PageImage) -> Quad:
    """The corners of a box (points) in pixels, within the image."""
    x0, x1 = (min(max(side * image.scale, 0.0), float(image.width)) for side in (box[0], box[2]))
    y0, y1 = (min(max(side * image.scale, 0.0), float(image.height)) for side in (box[1], box[3]))
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def to_bgr(image: PageImage) -> Pixels:
    """The picture in OpenCV's channel order."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)


def halfwidth(text: str) -> str:
    """A text with full-width signs ("：", "％") replaced by ordinary ones, except in Chinese or Japanese text."""
    if any(unicodedata.category(c) == "Lo" for c in text):
        return text
    return "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in text)


def quad_size(quad: Quad) -> tuple[float, float]:
    """Width and height of a box along its own axes."""
    width = max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2]))
    height = max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))
    return float(width), float(height)


def _tiles(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Top and bottom of each tile. Tiles overlap by a quarter of the width, so that each line is complete in one of them."""
    max_height = int(width * TILE_ASPECT)
    if height <= max_height or width < MIN_READABLE:
        yield 0, height
        return
    count = -(-height // max_height)
    for n in range(count):
        yield max(0, n * height // count - width // 8), min(height, (n + 1) * height // count + width // 8)


def _overlaps(quad: Quad, others: Sequence[Quad]) -> bool:
    """Whether the box is already among those of the neighbouring tile.

    The boxes' own edges count: the upright box around an oblique line holds the middles of the lines above and below it.
    """
    x, y = (float(side) for side in quad.mean(axis=0))
    return any(cv2.pointPolygonTest(other, (x, y), measureDist=False) > 0 for other in others[-200:])


def _turns(quad: Quad) -> list[Quad]:
    """The orientations in which a box is read: upright, and a tall one also from both sides, because text along a margin is tall."""
    width, height = quad_size(quad)
    if height < 1.5 * width:
        return [quad]
    return [quad, np.roll(quad, 1, axis=0), np.roll(quad, -1, axis=0)]


def _crop(pixels: Pixels, quad: Quad) -> Pixels:
    width, height = (max(4, round(side)) for side in quad_size(quad))
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    warped = cv2.warpPerspective(
        pixels,
        cv2.getPerspectiveTransform(quad.astype(np.float32), flat),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, np.uint8)


def _piece(line: OcrLine, scale: float) -> TextPiece:
    quad = line.quad / scale
    height = quad_size(quad)[1]
    angle = float(np.degrees(np.arctan2(*(quad[1] - quad[0])[::-1])))
    if line.words:
        found = ((word, _span_box(quad, word.start, word.end)) for word in line.words)
        size = round(height, 2)
        return TextPiece(tuple(Word(w.text, box, 0, "ocr", round(w.confidence, 4), size) for w, box in found), angle)
    words = []
    for text, start, end, first in split_line(line.text, line.columns, quad_size(quad)[0] / max(height, 0.1), line.raised):
        top, bottom = line.raised.get(first, (0.0, 1.0))
        size = round(height * (bottom - top), 2)
        words.append(Word(text, _span_box(quad, start, end, top, bottom), 0, "ocr", round(line.confidence, 4), size))
    return TextPiece(tuple(words), angle)


def _foreign_line(quad: Quad, text: LineText) -> OcrLine:
    return OcrLine(quad, text.text, text.columns, text.confidence, words=text.words)


def split_line(
    text: str, columns: Sequence[float], aspect: float, raised: Collection[int] = ()
) -> list[tuple[str, float, float, int]]:
    """Words of a recognised line with start and end as fractions of its length, and the number of their first letter.

    A word ends at a blank and at a gap that is as wide as a letter is tall, except between spaced letters, and before ``raised`` digits.
    ``aspect`` is the line's length over its height.
    """
    text = _GLUED.sub(" ", text)
    letters = [c for c in text if not c.isspace()]
    if len(letters) != len(columns):
        columns = [(n + 0.5) / len(letters) for n in range(len(letters))]
    gaps = [(after - before) * aspect * 6 for before, after in pairwise(columns)]
    spaced = spaced_gaps(letters, gaps)
    groups: list[list[int]] = []
    at, blank = 0, True
    for letter in text:
        if letter.isspace():
            blank = True
            continue
        ends = at - 1 not in spaced and (blank or _ends_word(gaps, at - 1))
        if not groups or ends or (at in raised) != (at - 1 in raised):
            groups.append([])
        groups[-1].append(at)
        at, blank = at + 1, False
    return [("".join(letters[i] for i in group), *_extent(group, columns), group[0]) for group in groups]


def _ends_word(gaps: Sequence[float], at: int) -> bool:
    """Whether the gap after a letter, in recogniser columns, separates two words."""
    adjacent = [gaps[n] for n in (at - 1, at + 1) if 0 <= n < len(gaps)]
    spaced = bool(adjacent) and gaps[at] <= min(SPACED_GAP, SPACED_RATIO * min(adjacent))
    return gaps[at] > WIDE_GAP and not spaced


def _extent(group: Sequence[int], columns: Sequence[float]) -> tuple[float, float]:
    """From half a letter before the first centre to half a letter after the last, never into the neighbouring word."""
    first, last = group[0], group[-1]
    pitch = (columns[last] - columns[first]) / (last - first) if last > first else (columns[-1] - columns[0]) / len(columns)
    left = (columns[first - 1] + columns[first]) / 2 if first else 0.0
    right = (columns[last] + columns[last + 1]) / 2 if last + 1 < len(columns) else 1.0
    start, end = max(left, columns[first] - pitch * 0.6), min(right, columns[last] + pitch * 0.6)
    return (start, end) if end > start else (left, max(right, left))


def _span_box(quad: Quad, start: float, end: float, top: float = 0.0, bottom: float = 1.0) -> Box:
    """The upright box around the part of the line from ``start`` to ``end`` of its length and ``top`` to ``bottom`` of its height."""
    left, right = (
        quad[0] + (quad[1] - quad[0]) * np.array([[start], [end]]),
        quad[3] + (quad[2] - quad[3]) * np.array([[start], [end]]),
    )
    corners = np.concatenate([left + (right - left) * top, left + (right - left) * bottom])
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return round(float(x0), 2), round(float(y0), 2), round(float(x1), 2), round(float(y1), 2)

"""Joins the text pieces of MuPDF or the OCR into the printed lines of the page, in reading order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import radians, tan
from statistics import median

import numpy as np

from pipeline.records import Page, Word
from pipeline.words.baselines import find_course

MAX_MARK = 3
"""Digits of a raised number."""
MAX_SKEW = 15.0
"""Degrees. A piece with a larger angle is a line of its own."""
MAX_SIGN_HEIGHT, SIGN_REACH = 0.7, 0.35
"""Of punctuation with a box of its own: most height, and how far it may reach over a line, as multiples of the line's height."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """The words of one run of text from the source, left to right. ``angle`` is its direction in degrees."""

    words: tuple[Word, ...]
    angle: float = 0.0


@dataclass(slots=True)
class _Placed:
    """A piece with its position, corrected by the skew of the page."""

    words: tuple[Word, ...]
    x0: float
    x1: float
    y: float
    height: float


def number_lines(pieces: Sequence[TextPiece]) -> list[Word]:
    """The words with line numbers: lines top to bottom, words of a line left to right.

    Pieces on one baseline are one line at any distance: a label and its value, the cells of a table row.
    """
    pieces = [p for p in pieces if p.words]
    level = [p for p in pieces if abs(p.angle) <= MAX_SKEW]
    lines = _join(_levelled(level))
    lines += [[_place(p, 0.0)] for p in pieces if abs(p.angle) > MAX_SKEW]
    lines.sort(key=lambda line: median(piece.y for piece in line))
    return [_on_line(word, n) for n, line in enumerate(lines) for word in _ordered(line)]


def _on_line(word: Word, line: int) -> Word:
    """The word with the number of its line. ``replace`` takes three times as long, which counts on every page."""
    return Word(word.text, word.box, line, word.source, word.confidence, word.size, word.bold, word.place)


def without_picture_words(page: Page) -> Page:
    """The page without the lines that OCR read from pictures on it, when it has a text layer.

    A word that is drawn as a shape or a small picture stays: it stands in a line of the text layer.
    """
    if page.source != "textlayer" or all(word.source == "textlayer" for word in page.words):
        return page
    lines = [list(line) for _, line in groupby(page.words, key=lambda word: word.line)]
    lines = [line for line in lines if any(word.source == "textlayer" for word in line)]
    words = tuple(replace(word, line=number) for number, line in enumerate(lines) for word in line)
    return replace(page, words=words, regions=(), running=(), figures=None)  # all name words by their numbers


def _ordered(line: list[_Placed]) -> list[Word]:
    return [word for piece in sorted(line, key=lambda p: p.x0) for word in piece.words]


def _levelled(pieces: Sequence[TextPiece]) -> list[_Placed]:
    """The pieces at the heights that they would have on a flat page."""
    flat = [_place(piece, 0.0) for piece in pieces]
    slopes = [tan(radians(piece.angle)) for piece in pieces]
    middles = [((piece.x0 + piece.x1) / 2, piece.y) for piece in flat]
    course = find_course(middles, [(piece.x1 - piece.x0, piece.height) for piece in flat], slopes) if any(slopes) else None
    if course is None:
        skew = _skew(pieces)
        return [_place(piece, skew) for piece in pieces] if skew else flat
    heights = course.level(*np.array(middles, np.float64).T)
    return [replace(piece, y=float(y)) for piece, y in zip(flat, heights, strict=True)]


def _skew(pieces: Sequence[TextPiece]) -> float:
    """Slope of the page's lines: the median over long pieces."""
    angles = [p.angle for p in pieces if p.words[-1].box[2] - p.words[0].box[0] > 4 * max(p.words[0].size, 1.0)]
    return tan(radians(median(angles))) if angles else 0.0


def _place(piece: TextPiece, skew: float) -> _Placed:
    if len(piece.words) == 1:
        x0, y0, x1, y1 = piece.words[0].box
        return _Placed(piece.words, x0, x1, (y0 + y1) / 2 - skew * (x0 + x1) / 2, max(y1 - y0, 0.1))
    x0, x1 = min(w.box[0] for w in piece.words), max(w.box[2] for w in piece.words)
    heights = [w.box[3] - w.box[1] for w in piece.words]
    middles = [(w.box[1] + w.box[3]) / 2 - skew * (w.box[0] + w.box[2]) / 2 for w in piece.words]
    return _Placed(piece.words, x0, x1, median(middles), max(median(heights), 0.1))


def _join(pieces: list[_Placed]) -> list[list[_Placed]]:
    """Lines of pieces, built from the top. A piece joins the line whose nearest piece is on its baseline."""
    lines: list[list[_Placed]] = []
    lowest: list[float] = []
    reach = max((p.height for p in pieces), default=0.0)
    for piece in sorted(pieces, key=lambda p: p.y):
        recent = range(bisect_left(lowest, piece.y - 2 * reach), len(lines))
        fits = [(abs(near.y - piece.y), n) for n in recent if (near := _neighbour(lines[n], piece)) and _level(near, piece)]
        if fits:
            n = min(fits)[1]
            lines[n].append(piece)
        else:
            lines.append([piece])
            lowest.append(piece.y)
    return lines


def _neighbour(line: list[_Placed], piece: _Placed) -> _Placed | None:
    """The line's piece closest to this one; None where the line already has text in the same place."""
    if any(min(p.x1, piece.x1) - max(p.x0, piece.x0) > 0.3 * min(p.x1 - p.x0, piece.x1 - piece.x0) for p in line):
        return None
    return min(line, key=lambda p: max(p.x0 - piece.x1, piece.x0 - p.x1))


def _level(a: _Placed, b: _Placed) -> bool:
    """Whether two pieces share a baseline: their middles are closer than half the smaller letter, or one is raised beside the other."""
    if abs(a.y - b.y) < 0.5 * min(a.height, b.height) or _is_raised_beside(a, b) or _is_raised_beside(b, a):
        return True
    sign, base = (a, b) if a.height < b.height else (b, a)
    return sign.height <= MAX_SIGN_HEIGHT * base.height and _is_sign_of(base, sign)


def _is_sign_of(base: _Placed, sign: _Placed) -> bool:
    """Whether ``sign`` is punctuation close to ``base`` and within its height. Layers of old OCR give signs small boxes of their own."""
    if any(c.isalnum() for word in sign.words for c in word.text):
        return False
    top, bottom = sign.y - sign.height / 2, sign.y + sign.height / 2
    give = SIGN_REACH * base.height
    within = base.y - base.height / 2 - give <= top and bottom <= base.y + base.height / 2 + give
    return within and max(base.x0 - sign.x1, sign.x0 - base.x1) < base.height


def _is_raised_beside(base: _Placed, mark: _Placed) -> bool:
    """Whether ``mark`` is a small number that stands right behind ``base``, within its height: a footnote's, or cents."""
    if not all(word.text.isdigit() and len(word.text) <= MAX_MARK for word in mark.words):
        return False
    top, bottom = mark.y - mark.height / 2, mark.y + mark.height / 2
    within = base.y - 0.8 * base.height <= top and bottom <= base.y + base.height / 2
    return mark.height <= 0.8 * base.height and within and -0.1 * base.height <= mark.x0 - base.x1 <= 0.3 * base.height

"""Joins the text pieces of MuPDF or the OCR into the printed lines of the page, in reading order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import radians, tan
from statistics import median

from pipeline.records import Page, Word

MAX_SKEW = 15.0
"""Degrees. A piece with a larger angle is a line of its own."""


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
    skew = _skew(level)
    lines = _join([_place(p, skew) for p in level])
    lines += [[_place(p, 0.0)] for p in pieces if abs(p.angle) > MAX_SKEW]
    lines.sort(key=lambda line: median(piece.y for piece in line))
    return [replace(word, line=n) for n, line in enumerate(lines) for word in _ordered(line)]


def without_picture_words(page: Page) -> Page:
    """The page without words that OCR read from pictures on it, when it has a text layer."""
    if page.source != "textlayer" or all(word.source == "textlayer" for word in page.words):
        return page
    lines = groupby((word for word in page.words if word.source == "textlayer"), key=lambda word: word.line)
    return replace(page, words=tuple(replace(word, line=number) for number, (_, line) in enumerate(lines) for word in line))


def _ordered(line: list[_Placed]) -> list[Word]:
    return [word for piece in sorted(line, key=lambda p: p.x0) for word in piece.words]


def _skew(pieces: Sequence[TextPiece]) -> float:
    """Slope of the page's lines: the median over long pieces."""
    angles = [p.angle for p in pieces if p.words[-1].box[2] - p.words[0].box[0] > 4 * max(p.words[0].size, 1.0)]
    return tan(radians(median(angles))) if angles else 0.0


def _place(piece: TextPiece, skew: float) -> _Placed:
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
    """Whether two pieces share a baseline: their middles are closer than half the smaller letter."""
    return abs(a.y - b.y) < 0.5 * min(a.height, b.height)

"""Breaks a paragraph into lines of placed words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.pages.layout.blocks import Paragraph
from pipeline.pages.layout.fonts import breaks_anywhere, is_right_to_left, text_width

LINE_STEP = 1.25
"""Height of a line as a share of its font size."""
TAB_STOP, MIN_TAB = 36.0, 12.0
"""Points between tab stops, and the least gap that a tab makes."""
_TAB_COLUMNS = 8
_DROPPED = dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF))
"""Soft hyphens and signs without width."""


class PlacedWord(NamedTuple):
    """A word on its line. ``x0`` and ``x1`` are points from the left; ``base`` is the baseline, in points from the top."""

    text: str
    x0: float
    x1: float
    base: float
    size: float
    bold: bool
    fixed: bool
    place: str
    order: float
    """The left edge of the piece of text that it belongs to: pieces on one baseline are read from left to right."""

    def moved(self, dx: float, dy: float) -> PlacedWord:
        """The word at another place."""
        text, x0, x1, base, size, bold, fixed, place, order = self
        return PlacedWord(text, x0 + dx, x1 + dx, base + dy, size, bold, fixed, place, order + dx)


@dataclass(slots=True)
class _Piece:
    """A word before it is placed. ``gap`` is the blank in front of it in points; a negative one is a tab."""

    text: str
    bold: bool
    gap: float


_Line = list[tuple[float, _Piece, float]]
"""Left edge, piece, width."""


def break_lines(paragraph: Paragraph, width: float) -> Iterator[list[PlacedWord]]:
    """The lines of a paragraph, top to bottom; their words have the baseline of a line whose top is 0. Lines without words are empty."""
    room = max(paragraph.size, width - paragraph.indent)
    backwards = is_right_to_left(paragraph.text)
    for pieces in _hard_lines(paragraph):
        for line in _fill(pieces, room, paragraph):
            yield _placed(line, room, paragraph, backwards=backwards)


def natural_widths(paragraph: Paragraph) -> tuple[float, float]:
    """Points of its longest word and of its longest line, if nothing but its own line breaks ends a line."""
    longest_word = longest_line = 0.0
    for pieces in _hard_lines(paragraph):
        x = 0.0
        for piece in pieces:
            word = _piece_width(piece, paragraph)
            longest_word = max(longest_word, word)
            x = _start(x, piece) + word
        longest_line = max(longest_line, x)
    return longest_word + paragraph.indent, longest_line + paragraph.indent


def _hard_lines(paragraph: Paragraph) -> Iterator[list[_Piece]]:
    """The pieces between line breaks. Letters without a blank between them are one piece, also over runs."""
    blank = text_width(" ", paragraph.size, fixed=paragraph.fixed)
    pieces: list[_Piece] = []
    letters: list[str] = []
    gap, column, bold = 0.0, 0, False

    def end_word() -> None:
        nonlocal gap
        if letters:
            pieces.append(_Piece("".join(letters), bold, gap))
            letters.clear()
            gap = 0.0

    for run in paragraph.runs:
        if run.text.isprintable():  # only letters and blanks: the usual case, and the fast one
            column += len(run.text)
            for number, part in enumerate(run.text.split(" ")):
                if number:
                    end_word()
                    gap = gap + blank if paragraph.fixed else gap or (blank if pieces else 0.0)
                if part:
                    bold = run.bold if not letters else bold
                    letters.append(part)
            continue
        for letter in run.text.translate(_DROPPED):
            if letter in "\n\r\v\f\u2028\u2029\x85":
                end_word()
                yield pieces
                pieces, gap, column = [], 0.0, 0
                continue
            if letter == "\t" and paragraph.fixed:
                end_word()
                step = _TAB_COLUMNS - column % _TAB_COLUMNS
                gap, column = gap + step * blank, column + step
                continue
            column += 1
            if letter == "\t":
                end_word()
                gap = -1.0
            elif letter.isspace():
                end_word()
                gap = gap + blank if paragraph.fixed else gap or (blank if pieces else 0.0)
            elif letter.isprintable() or unicodedata.category(letter) in ("Cf", "Co", "Cn"):
                bold = run.bold if not letters else bold
                letters.append(letter)
    end_word()
    yield pieces


def _start(x: float, piece: _Piece) -> float:
    if piece.gap >= 0:
        return x + piece.gap
    return ((x + MIN_TAB) // TAB_STOP + 1) * TAB_STOP if x else TAB_STOP


def _piece_width(piece: _Piece, paragraph: Paragraph) -> float:
    return text_width(piece.text, paragraph.size, bold=piece.bold, fixed=paragraph.fixed)


def _fill(pieces: list[_Piece], room: float, paragraph: Paragraph) -> Iterator[_Line]:
    """Lines that fit into ``room``. A word that is wider is broken."""
    line: _Line = []
    x = 0.0
    for piece in pieces:
        start, width = _start(x, piece), _piece_width(piece, paragraph)
        while start + width > room + 0.01:
            breakable = width > room or any(map(breaks_anywhere, piece.text[:1] + piece.text[-1:]))
            head = _fitting(piece, room - start, paragraph) if breakable else 0
            if not head and not line:
                if start == 0 or piece.gap == 0:
                    head = max(1, head)
                else:  # the blanks in front take all the room
                    piece.gap = start = 0.0
                    continue
            if head >= len(piece.text):
                break
            if head:
                first = _Piece(piece.text[:head], piece.bold, 0.0)
                taken = _piece_width(first, paragraph)
                line.append((start, first, taken))
                width -= taken
                piece = _Piece(piece.text[head:], piece.bold, 0.0)
            yield line
            line, start = [], 0.0
            piece.gap = 0.0
        line.append((start, piece, width))
        x = start + width
    yield line


def _fitting(piece: _Piece, room: float, paragraph: Paragraph) -> int:
    """How many letters of a word fit into ``room``."""
    x = 0.0
    for number, letter in enumerate(piece.text):
        x += text_width(letter, paragraph.size, bold=piece.bold, fixed=paragraph.fixed)
        if x > room:
            return number
    return len(piece.text)


def _placed(line: _Line, room: float, paragraph: Paragraph, *, backwards: bool) -> list[PlacedWord]:
    if not line:
        return []
    end = line[-1][0] + line[-1][2]
    free = max(0.0, room - end)
    if backwards:
        line = _mirrored(line, end)
        shift = {"left": free, "center": free / 2, "right": 0.0}[paragraph.align]  # `left` is where a line begins
    else:
        shift = paragraph.indent + {"left": 0.0, "center": free / 2, "right": free}[paragraph.align]
    base, size = paragraph.size * LINE_STEP - 0.3 * paragraph.size, paragraph.size
    left = min(x for x, _, _ in line) + shift
    return [
        PlacedWord(piece.text, x + shift, x + shift + width, base, size, piece.bold, paragraph.fixed, paragraph.place, left)
        for x, piece, width in line
    ]


def _mirrored(line: _Line, end: float) -> _Line:
    """The line from right to left, in which neighbouring words of other scripts and numbers keep their own direction."""
    turned = [(end - x - width, piece, width) for x, piece, width in line]
    at = 0
    while at < len(turned):
        stop = at
        while stop < len(turned) and not _has_right_to_left(turned[stop][1].text):
            stop += 1
        if stop - at > 1:
            group = turned[at:stop]
            left, right = group[-1][0], group[0][0] + group[0][2]
            turned[at:stop] = [(left + right - x - width, piece, width) for x, piece, width in group]
        at = stop + 1
    return turned


def _has_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)

"""What is printed around a page's text: running heads, feet, page numbers, stamps along the edge.

A page is seen alone, so nothing can be learned from what repeats on the next one. What tells furniture is where it stands (at the edge
of the page), that it stands apart (white between it and the text), and its form: a page number, small print, an address on the web.
Titles are large, letterheads and addresses have many lines, footnotes begin with their mark: these stay in the text. In doubt a line
stays in the text, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.paragraphs import run_text
from pipeline.engines.embedded.transcript.word_runs import Row, Run, make_rows, make_runs, row_gap, row_height, space
from pipeline.records import Page

OUTER, INNER = 0.06, 0.13
"""Shares of the page's height from the edge: where hardly anything else stands, and beyond which nothing is furniture."""
SIDE = 0.08
"""Share of the page's width from the edge in which text that runs up or down is a stamp."""
ROWS = 8
"""On a page of fewer lines (a poster, a cover) hardly anything tells a running head from a title: only page numbers are taken."""
STAMP, STAMPS = 6, 8
"""Letters that the longest word of a stamp has at least, and how many stamps a side has at most."""
NEAR = 3.0
"""How far other words of a stamp stand from it, in its letters' heights."""
MARGIN = 0.025
"""Share of the width that a page leaves free on both sides; what has less is a screen or a cut-out, without edges to speak of."""
GROUPS = 3
"""How many groups of lines are taken from an edge."""
LINES, CELLS = 3, 3
"""How many lines a group has at most, and how many parts a line: more are a row of a table."""
LONGEST_NUMBER = 24
"""Letters of a page number with the words around it."""
TIGHT = 0.7
"""White space, in line heights, that keeps two lines in a group."""
LONE = 1.5
"""White space, in line heights beyond the usual, that parts a page number from the text wherever it stands."""
COMMON = 0.7
"""Share of the letters that are no larger than what counts as the size of the text: notes may be longer than the text itself."""
TITLE, LARGE, SMALL = 1.2, 1.6, 0.9
"""Sizes, in those of the text: a title's, what is too large for the foot of a page, and small print's."""
_NUMBER = r"(?:\d{1,5}|[ivxlc]{1,7})"
_PAGE_NUMBER = re.compile(
    rf"[-–—\[(|·• ]*(?:(?:page|pages|seite|pagina|página|pag\.?|pág\.?|p\.|s\.|стр\.?)\s*)?{_NUMBER}"
    rf"(?:\s*(?:/|\||of|von|de|sur|di|van|z|из)\s*\d{{1,4}})?[-–—\])|·• .]*",
    re.IGNORECASE,
)
_TELLING = re.compile(
    r"https?:|www\.|\bdoi\b|©|\(c\)\s*\d{4}|\bcopyright\b|\bISSN\b|\bISBN\b|\bVol(?:ume)?\.?\s*\d|\bet al\.|arXiv:|\bdownload(?:ed)?\b"
    r"|\b(?:page|seite|página|pagina)\s+\d+|\b\d+\s+(?:of|von|sur|de)\s+\d+\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\d{1,4}\s+[^\W\d].*|.*[^\W\d]\s+\d{1,4}")
"""A running title with the page's number before or behind it."""
_FOOTNOTE = re.compile(r"[*†‡§¶¹²³⁰-⁹]|\(?\d{1,3}[).]?\s")


@dataclass(frozen=True, slots=True)
class Furniture:
    """Runs above the text, below it, and along its sides."""

    header: tuple[Run, ...] = ()
    footer: tuple[Run, ...] = ()
    side: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class _Usual:
    """How many lines a page has and what they usually are: letter height in points, and white between them in heights."""

    rows: int
    size: float
    gap: float
    margins: bool


def furniture(page: Page) -> Furniture:
    """The page's furniture; none where nothing would be left, or too little to tell it by."""
    if page.width <= 0 or page.height <= 0:
        return Furniture()
    runs = make_runs(page.words, range(len(page.words)))
    stamps = _stamps(runs, page.width)
    beside = frozenset(stamps)
    rows = make_rows(run for run in runs if run not in beside)
    if len(rows) < LINES:
        return Furniture()
    usual = _usual(rows, page.width)
    top = _peel(rows, _Edge(page, usual, top=True))
    below = rows[top:][::-1]
    bottom = _peel(below, _Edge(page, usual, top=False))
    header = tuple(run for row in rows[:top] for run in row)
    return Furniture(header, tuple(run for row in below[:bottom][::-1] for run in row), tuple(stamps))


def _stamps(runs: Sequence[Run], width: float) -> list[Run]:
    """Text that runs up or down along a side, from bottom to top as it mostly does; single letters are something else."""
    found: list[Run] = []
    for left, right in ((0.0, SIDE), (1 - SIDE, 1.0)):
        strip = [run for run in runs if left <= (run.box[0] + run.box[2]) / 2 / width <= right]
        tall = [run for run in strip if run.height > 3 * run.width and run.letters >= STAMP]
        for stamp in sorted(tall, key=lambda run: -run.letters)[:STAMPS]:
            x0, y0, x1, y1 = stamp.box
            reach = NEAR * stamp.width
            near = [run for run in strip if run.box[3] > y0 - reach and run.box[1] < y1 + reach]
            found += [run for run in near if run.box[0] >= x0 - 1 and run.box[2] <= x1 + 1]
    return sorted(dict.fromkeys(found), key=lambda run: -run.box[3])


def _usual(rows: Sequence[Row], width: float) -> _Usual:
    runs = sorted((run for row in rows for run in row), key=lambda run: run.height)
    enough, count, size = COMMON * sum(run.letters for run in runs), 0, 1.0
    for run in runs:
        count, size = count + run.letters, max(run.height, 1.0)
        if count >= enough:
            break
    lefts, rights = sorted(run.box[0] for run in runs), sorted(run.box[2] for run in runs)
    tenth = len(runs) // 10
    margins = lefts[tenth] >= MARGIN * width and rights[-1 - tenth] <= (1 - MARGIN) * width
    gaps = [row_gap(above, below) for above, below in pairwise(rows)]
    return _Usual(len(rows), size, min(max(median(gaps), 0.0), 0.5), margins)


def _peel(rows: Sequence[Row], edge: _Edge) -> int:
    """How many rows, counted from the edge inwards, are furniture."""
    taken, numbered = 0, False
    for _ in range(GROUPS):
        end = taken + 1
        while end < len(rows) and _white(rows[end - 1], rows[end]) <= TIGHT * min(map(row_height, rows[end - 1 : end + 1])):
            end += 1
        alone = taken + 1 if edge.is_number(rows[taken]) else end
        stops = (stop for stop in dict.fromkeys((end, alone)) if stop < len(rows))
        stop = next((stop for stop in stops if edge.is_furniture(rows[taken:stop], rows[stop], numbered)), 0)
        if not stop:
            break
        numbered = numbered or any(edge.is_number(row) for row in rows[taken:stop])
        taken = stop
    return taken


@dataclass(frozen=True, slots=True)
class _Edge:
    """The upper or the lower edge of a page, seen from which a group's last row is its innermost."""

    page: Page
    usual: _Usual
    top: bool

    def is_furniture(self, group: Sequence[Row], inner: Row, numbered: bool) -> bool:
        """Whether a group of lines is furniture; ``inner`` is the next row inwards, ``numbered`` whether the page has its number."""
        if max(map(len, group)) > CELLS:
            return False
        gap = _white(group[-1], inner) / max(min(row_height(group[-1]), self.usual.size), 1.0) - self.usual.gap
        number, lone = any(self.is_number(row) for row in group), len(group) == 1 == len(group[0])
        if number and lone and gap > LONE and self.usual.rows >= ROWS:
            return True  # wherever the page ends: its text may be set high on the sheet
        far = self._depth(group[-1])
        if far > INNER or len(group) > LINES:
            return False
        if number and not numbered:
            return gap > (0.3 if lone else 0.7)
        return self._stands_apart(group, gap, far)

    def _stands_apart(self, group: Sequence[Row], gap: float, far: float) -> bool:
        """The same for lines without a page number, by their place and form."""
        lines, size = [self._line(row) for row in group], max(row_height(row) for row in group) / self.usual.size
        footnote = not self.top and len(lines[-1]) > 30 and _FOOTNOTE.match(lines[-1])
        if (
            not self.usual.margins
            or self.usual.rows < ROWS
            or size > (TITLE if self.top else LARGE)
            or footnote
            or lines[-1].endswith(":")
        ):
            return False
        told = any(_TELLING.search(line) for line in lines) or (len(lines) == 1 and bool(_NUMBERED.fullmatch(lines[0])))
        if far <= OUTER:
            return gap > (0.4 if told or size < SMALL else 1.2)
        return ((told or size < SMALL) and gap > 1.2) or (not self.top and gap > 3)

    def is_number(self, row: Row) -> bool:
        """Whether the row is a page number, or has one at an end or between two others."""
        candidates = row if len(row) == CELLS else [row[0], row[-1]]
        return any(
            _PAGE_NUMBER.fullmatch(run_text(run, self.page.words)) for run in candidates if run.letters <= LONGEST_NUMBER
        )

    def _depth(self, row: Row) -> float:
        """Distance from the edge, as a share of the page's height."""
        middles = [run.middle / self.page.height for run in row]
        return max(middles) if self.top else 1 - min(middles)

    def _line(self, row: Row) -> str:
        return "  ".join(run_text(run, self.page.words) for run in row)


def _white(a: Row, b: Row) -> float:
    """White between two neighbouring rows, whichever is above."""
    return space(a, b) if a[0].middle <= b[0].middle else space(b, a)

"""What is printed around a page's text: running heads, feet, page numbers, stamps along the edge.

A page is seen alone, so nothing can be learned from what repeats on the next one. What tells furniture is where it stands (at the edge
of the page), that it stands apart (white between it and the text), and its form: a page number, small print, an address on the web.
Titles are large, letterheads and addresses have many lines, footnotes begin with their mark: these stay in the text. In doubt a line
stays in the text, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.prose import run_text
from pipeline.engines.embedded.transcript.runs import Row, Run, make_rows, make_runs, row_gap, row_height, space
from pipeline.records import Page, Word

OUTER, INNER = 0.06, 0.13
"""Shares of the page's height from the edge: where hardly anything else stands, and beyond which nothing is furniture."""
SIDE = 0.08
"""Share of the page's width from the edge in which text that runs up or down is a stamp."""
MARGIN = 0.025
"""Share of the width that a page leaves free on both sides; what has less is a screen or a cut-out, without edges to speak of."""
GROUPS = 3
"""How many groups of lines are taken from an edge."""
LINES, CELLS = 3, 3
"""How many lines a group has at most, and how many parts a line: more are a row of a table."""
TIGHT = 0.7
"""White space, in line heights, that keeps two lines in a group."""
LONE = 1.5
"""White space, in line heights beyond the usual, that parts a page number from the text wherever it stands."""
TITLE, LARGE, SMALL = 1.2, 1.6, 0.9
"""Sizes, in those of the text: a title's, what is too large for the foot of a page, and small print's."""
_NUMBER = r"(?:\d{1,4}|[ivxlc]{1,7})"
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
    """Runs above and beside the text, and below it."""

    header: tuple[Run, ...] = ()
    footer: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class _Usual:
    """What lines of the page usually are: letter height in points, and white between them in heights."""

    size: float
    gap: float
    margins: bool


def furniture(page: Page) -> Furniture:
    """The page's furniture; none where nothing would be left, or too little to tell it by."""
    if page.width <= 0 or page.height <= 0:
        return Furniture()
    runs = make_runs(page.words, range(len(page.words)))
    stamps = [run for run in runs if _is_stamp(run, page.width)]
    rows = make_rows(run for run in runs if not _is_stamp(run, page.width))
    if len(rows) < LINES:
        return Furniture()
    usual = _usual(rows, page.width)
    top = _peel(rows, page.words, usual, lambda row: max(run.middle for run in row) / page.height, top=True)
    below = rows[top:][::-1]
    bottom = _peel(below, page.words, usual, lambda row: 1 - min(run.middle for run in row) / page.height, top=False)
    header = [run for row in rows[:top] for run in row]
    return Furniture((*header, *stamps), tuple(run for row in below[:bottom][::-1] for run in row))


def _is_stamp(run: Run, width: float) -> bool:
    """Text that runs up or down along a side."""
    x = (run.box[0] + run.box[2]) / 2 / width
    return run.letters > 5 and run.height > 4 * run.width and not SIDE <= x <= 1 - SIDE


def _usual(rows: Sequence[Row], width: float) -> _Usual:
    runs = sorted((run for row in rows for run in row), key=lambda run: run.height)
    half, count, size = sum(run.letters for run in runs) / 2, 0, 1.0
    for run in runs:
        count, size = count + run.letters, max(run.height, 1.0)
        if count >= half:
            break
    lefts, rights = sorted(run.box[0] for run in runs), sorted(run.box[2] for run in runs)
    tenth = len(runs) // 10
    margins = lefts[tenth] >= MARGIN * width and rights[-1 - tenth] <= (1 - MARGIN) * width
    gaps = [row_gap(above, below) for above, below in pairwise(rows)]
    return _Usual(size, min(max(median(gaps), 0.0), 1.5), margins)


def _peel(rows: Sequence[Row], words: Sequence[Word], usual: _Usual, depth: Callable[[Row], float], *, top: bool) -> int:
    """How many rows, counted from the edge inwards, are furniture; ``depth`` is a row's distance from that edge."""
    taken = 0
    for _ in range(GROUPS):
        end = taken + 1
        while end < len(rows) and _white(rows[end - 1], rows[end]) <= TIGHT * min(map(row_height, rows[end - 1 : end + 1])):
            end += 1
        alone = taken + 1 if _is_number(rows[taken], words) else end
        for stop in dict.fromkeys((end, alone)):
            if stop < len(rows) and _is_furniture(rows[taken:stop], rows[stop], words, usual, depth, top=top):
                taken = stop
                break
        else:
            break
    return taken


def _is_furniture(
    group: Sequence[Row], inner: Row, words: Sequence[Word], usual: _Usual, depth: Callable[[Row], float], *, top: bool
) -> bool:
    if max(map(len, group)) > CELLS:
        return False
    far, lines = depth(group[-1]), [_line(row, words) for row in group]
    gap = _white(group[-1], inner) / max(min(row_height(group[-1]), usual.size), 1.0) - usual.gap
    if len(group) == 1 == len(group[0]) and _is_number(group[0], words) and gap > LONE:
        return True  # wherever the page ends: its text may be set high on the sheet
    if far > INNER or len(group) > LINES:
        return False
    if any(_is_number(row, words) for row in group):
        return gap > (0.3 if len(group[0]) == 1 == len(group) else 0.7)
    size = max(row_height(row) for row in group) / usual.size
    if not usual.margins or size > (TITLE if top else LARGE) or (not top and _is_footnote(lines[-1])):
        return False
    told = any(_TELLING.search(line) for line in lines) or (len(lines) == 1 and bool(_NUMBERED.fullmatch(lines[0])))
    if far <= OUTER:
        return gap > (0.7 if told or size < SMALL else 1.2) and not lines[-1].endswith(":")
    return ((told or size < SMALL) and gap > 1.2) or (not top and gap > 3)


def _white(a: Row, b: Row) -> float:
    """White between two neighbouring rows, whichever is above."""
    return space(a, b) if a[0].middle <= b[0].middle else space(b, a)


def _line(row: Row, words: Sequence[Word]) -> str:
    return "  ".join(run_text(run, words) for run in row)


def _is_number(row: Row, words: Sequence[Word]) -> bool:
    """Whether the row is a page number, or has one at an end or between two others."""
    candidates = row if len(row) == 3 else [row[0], row[-1]]
    return any(_PAGE_NUMBER.fullmatch(run_text(run, words)) for run in candidates if run.letters <= 24)


def _is_footnote(line: str) -> bool:
    return len(line) > 30 and bool(_FOOTNOTE.match(line))

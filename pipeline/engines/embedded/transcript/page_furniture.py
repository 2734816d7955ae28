"""Finds what is printed around a page's text: running heads, feet, page numbers, stamps along the edge.

Lines that a page near it repeats in the same place are furniture; the reader knows them from PDFs with a text layer. Else three things
mark furniture: its position at the edge of the page, the white space between it and the text, and its form (a page number, small print,
a web address). Titles, letterheads, addresses and
footnotes stay in the text: titles are large, letterheads and addresses have many lines, footnotes begin with a mark. An uncertain line
stays in the text, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.paragraphs import run_text
from pipeline.engines.embedded.transcript.word_runs import (
    TextRow,
    WordRun,
    make_rows,
    make_runs,
    row_gap,
    row_height,
    row_space,
)
from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import plain_any_of
from pipeline.records import Page

OUTER_MARGIN, INNER_MARGIN = 0.06, 0.13
"""Distances from the edge, as shares of the page's height. Up to the first almost all is furniture, beyond the second nothing is."""
SIDE_MARGIN = 0.08
"""Share of the page's width, from the edge, in which vertical text is a stamp."""
MIN_ROWS = 8
"""A page of fewer lines (a poster, a cover) does not show what is a running head and what a title: only page numbers are taken."""
MIN_STAMP_LETTERS, MAX_STAMPS = 6, 8
"""Fewest letters of a stamp's longest word, and most stamps of a side."""
STAMP_DISTANCE = 3.0
"""Most distance between words of one stamp, in heights of its letters."""
MIN_PAGE_MARGIN = 0.025
"""Share of the width that a page leaves free on both sides. A picture with less is a screen or a cut-out and has no margins."""
MAX_GROUPS = 3
"""Most groups of lines that are taken from an edge."""
MAX_GROUP_LINES, MAX_CELLS = 3, 3
"""Most lines of a group, and most parts of a line. A line with more parts is a row of a table."""
MAX_NUMBER_LETTERS = 24
"""Most letters of a page number with the words around it."""
GROUP_GAP = 0.7
"""Most white space, in line heights, between two lines of a group."""
NUMBER_GAP = 1.5
"""White space beyond the usual, in line heights, that marks a page number at any height of the page."""
MAX_HEAD_SHARE, MIN_LINE_LETTERS, MIN_HEAD_WHITE = 0.7, 25, 0.25
"""Of a running head close above the text: most letters of its titles, as a share of the line below; fewest letters of that line; least
white between its parts, as a share of its width."""
TEXT_SHARE = 0.7
"""Share of the letters that are at most as large as the text. Small notes may be longer than the text itself."""
MAX_TITLE_SIZE, MAX_FOOTER_SIZE, SMALL_PRINT_SIZE = 1.2, 1.6, 0.9
"""Letter heights, as multiples of the text's: least of a title, least of what cannot be a foot, most of small print."""
_NUMBER = r"(?:\d{1,5}|[ivxlc]{1,7})"
_TITLE_WITH_NUMBER = re.compile(r"\d{1,4}\s+[^\W\d].*|.*[^\W\d]\s+\d{1,4}")
"""A running title with the page's number before or after it."""
FOOTNOTE_MARK = re.compile(r"[*†‡§¶¹²³⁰-⁹]|\(?\d{1,3}[).]?\s")
"""What a footnote begins with."""


@from_words
def _page_number(languages: Languages) -> re.Pattern[str]:
    """A line that holds a page number and nothing else."""
    words = languages.words.page_numbers
    page, of = plain_any_of([*words.page, *words.isolated_page]), plain_any_of([*words.of, *words.isolated_of])
    return re.compile(
        rf"[-–—\[(|·• ]*(?:(?:{page})\s*)?{_NUMBER}(?:\s*(?:/|\||{of})\s*\d{{1,4}})?[-–—\])|·• .]*", re.IGNORECASE
    )


@from_words
def _furniture_words(languages: Languages) -> re.Pattern[str]:
    """What running heads and feet print and text rarely does."""
    words = languages.words.page_numbers
    return re.compile(
        r"https?:|www\.|\bdoi\b|©|\(c\)\s*\d{4}|\bcopyright\b|\bISSN\b|\bISBN\b|\bVol(?:ume)?\.?\s*\d|\bet al\.|arXiv:"
        rf"|\bdownload(?:ed)?\b|\b(?:{plain_any_of(words.page)})\s+\d+|\b\d+\s+(?:{plain_any_of(words.of)})\s+\d+\b",
        re.IGNORECASE,
    )


@dataclass(frozen=True, slots=True)
class PageFurniture:
    """Word runs above the text, below it, and along its sides."""

    header: tuple[WordRun, ...] = ()
    footer: tuple[WordRun, ...] = ()
    side: tuple[WordRun, ...] = ()


@dataclass(frozen=True, slots=True)
class _PageNorms:
    """What is usual on a page: lines, letter height in points, white space between lines in heights, and whether it has margins."""

    rows: int
    size: float
    gap: float
    margins: bool


def find_furniture(page: Page) -> PageFurniture:
    """Return the page's furniture. A page with fewer than three rows has none."""
    if page.width <= 0 or page.height <= 0:
        return PageFurniture()
    runs = make_runs(page.words, range(len(page.words)))
    stamps = _find_stamps(runs, page.width)
    stamp_runs = frozenset(stamps)
    rows = make_rows(run for run in runs if run not in stamp_runs)
    if len(rows) < MAX_GROUP_LINES:
        return PageFurniture()
    norms = _page_norms(rows, page.width)
    running = frozenset(page.running)
    top = _count_furniture_rows(rows, _PageEdge(page, norms, True, running))
    inward = rows[top:][::-1]
    bottom = _count_furniture_rows(inward, _PageEdge(page, norms, False, running))
    header = tuple(run for row in rows[:top] for run in row)
    return PageFurniture(header, tuple(run for row in inward[:bottom][::-1] for run in row), tuple(stamps))


def _find_stamps(runs: Sequence[WordRun], width: float) -> list[WordRun]:
    """Return vertical text along both sides, from bottom to top. Single letters are no stamp."""
    stamps: list[WordRun] = []
    for left, right in ((0.0, SIDE_MARGIN), (1 - SIDE_MARGIN, 1.0)):
        margin_runs = [run for run in runs if left <= (run.box[0] + run.box[2]) / 2 / width <= right]
        tall = [run for run in margin_runs if run.height > 3 * run.width and run.letters >= MIN_STAMP_LETTERS]
        for stamp in sorted(tall, key=lambda run: -run.letters)[:MAX_STAMPS]:
            x0, y0, x1, y1 = stamp.box
            reach = STAMP_DISTANCE * stamp.width
            neighbours = [run for run in margin_runs if run.box[3] > y0 - reach and run.box[1] < y1 + reach]
            stamps += [run for run in neighbours if run.box[0] >= x0 - 1 and run.box[2] <= x1 + 1]
    return sorted(dict.fromkeys(stamps), key=lambda run: -run.box[3])


def _page_norms(rows: Sequence[TextRow], width: float) -> _PageNorms:
    runs = sorted((run for row in rows for run in row), key=lambda run: run.height)
    limit, count, size = TEXT_SHARE * sum(run.letters for run in runs), 0, 1.0
    for run in runs:
        count, size = count + run.letters, max(run.height, 1.0)
        if count >= limit:
            break
    gaps = [row_gap(above, below) for above, below in pairwise(rows)]
    return _PageNorms(len(rows), size, min(max(median(gaps), 0.0), 0.5), _have_margins(runs, width))


def has_margins(page: Page) -> bool:
    """Return whether a page leaves paper free on both sides. A screen or a cut-out does not, and has no heads and feet."""
    runs = make_runs(page.words, range(len(page.words)))
    return bool(runs) and _have_margins(runs, page.width)


def _have_margins(runs: Sequence[WordRun], width: float) -> bool:
    lefts, rights = sorted(run.box[0] for run in runs), sorted(run.box[2] for run in runs)
    tenth = len(runs) // 10
    return lefts[tenth] >= MIN_PAGE_MARGIN * width and rights[-1 - tenth] <= (1 - MIN_PAGE_MARGIN) * width


def _count_furniture_rows(rows: Sequence[TextRow], edge: _PageEdge) -> int:
    """Return how many rows, counted from the edge inwards, are furniture."""
    count, has_number = 0, False
    for _ in range(MAX_GROUPS):
        end = count + 1
        while end < len(rows) and _are_one_group(rows[end - 1], rows[end]):
            end += 1
        number_end = count + 1 if edge.is_number(rows[count]) else end
        running_end = count
        while running_end < len(rows) and edge.is_running(rows[running_end]):
            running_end += 1
        stops = (stop for stop in dict.fromkeys((end, number_end, running_end)) if count < stop < len(rows))
        stop = next((stop for stop in stops if edge.is_furniture(rows[count:stop], rows[stop], has_number)), 0)
        if not stop:
            break
        has_number = has_number or any(edge.is_number(row) for row in rows[count:stop])
        count = stop
    return count


def _are_one_group(a: TextRow, b: TextRow) -> bool:
    return _white_between(a, b) <= GROUP_GAP * min(row_height(a), row_height(b))


@dataclass(frozen=True, slots=True)
class _PageEdge:
    """The upper or the lower edge of a page. The last row of a group is the one farthest from the edge."""

    page: Page
    norms: _PageNorms
    top: bool
    running: frozenset[int]

    def is_furniture(self, group: Sequence[TextRow], inner: TextRow, has_number: bool) -> bool:
        """Return whether a group of lines is furniture.

        ``inner`` is the next row inwards; ``has_number`` says that the page number has been found.
        """
        if max(map(len, group)) > MAX_CELLS:
            return False
        if all(map(self.is_running, group)):
            return True
        gap = _white_between(group[-1], inner) / max(min(row_height(group[-1]), self.norms.size), 1.0) - self.norms.gap
        number, is_lone = any(self.is_number(row) for row in group), len(group) == 1 == len(group[0])
        if number and is_lone and gap > NUMBER_GAP and self.norms.rows >= MIN_ROWS:
            return True  # at any height: the text may end far above the foot of the page
        depth = self._depth(group[-1])
        if depth > INNER_MARGIN or len(group) > MAX_GROUP_LINES:
            return False
        if number and not has_number:
            return gap > (0.3 if is_lone else 0.7) or (self.top and len(group) == 1 and self._is_running_head(group[0], inner))
        return self._has_furniture_form(group, gap, depth)

    def _is_running_head(self, row: TextRow, inner: TextRow) -> bool:
        """Return whether a row close above the text is its running head: a page number at one end, and short titles far from it."""
        titles = [run for run in row if not _page_number().fullmatch(run_text(run, self.page.words))]
        letters = sum(run.letters for run in titles)
        starts = [self.page.words[run.words[0]].text.lstrip("[(")[:1] for run in titles]
        white = sum(after.box[0] - before.box[2] for before, after in pairwise(row))
        return (
            0 < letters < MAX_HEAD_SHARE * inner[0].letters
            and len(inner) == 1
            and inner[0].letters >= MIN_LINE_LETTERS
            and all(start.isupper() or start.isdigit() for start in starts)
            and white > MIN_HEAD_WHITE * (row[-1].box[2] - row[0].box[0])
        )

    def _has_furniture_form(self, group: Sequence[TextRow], gap: float, depth: float) -> bool:
        """Return the same for lines without a page number, by their position and form."""
        lines, size = [self._line(row) for row in group], max(row_height(row) for row in group) / self.norms.size
        footnote = not self.top and len(lines[-1]) > 30 and FOOTNOTE_MARK.match(lines[-1])
        if (
            not self.norms.margins
            or self.norms.rows < MIN_ROWS
            or size > (MAX_TITLE_SIZE if self.top else MAX_FOOTER_SIZE)
            or footnote
            or lines[-1].endswith(":")
        ):
            return False
        has_form = any(_furniture_words().search(line) for line in lines)
        has_form = has_form or (len(lines) == 1 and bool(_TITLE_WITH_NUMBER.fullmatch(lines[0])))
        if depth <= OUTER_MARGIN:
            return gap > (0.4 if has_form or size < SMALL_PRINT_SIZE else 1.2)
        return ((has_form or size < SMALL_PRINT_SIZE) and gap > 1.2) or (not self.top and gap > 3)

    def is_running(self, row: TextRow) -> bool:
        """Return whether a page near this one has the same row in the same place."""
        return all(self.running.issuperset(run.words) for run in row)

    def is_number(self, row: TextRow) -> bool:
        """Return whether the row is a page number, or has one at an end or between two other parts."""
        candidates = row if len(row) == MAX_CELLS else [row[0], row[-1]]
        return any(
            _page_number().fullmatch(run_text(run, self.page.words)) for run in candidates if run.letters <= MAX_NUMBER_LETTERS
        )

    def _depth(self, row: TextRow) -> float:
        """Return the distance from the edge, as a share of the page's height."""
        middles = [run.middle / self.page.height for run in row]
        return max(middles) if self.top else 1 - min(middles)

    def _line(self, row: TextRow) -> str:
        return "  ".join(run_text(run, self.page.words) for run in row)


def _white_between(a: TextRow, b: TextRow) -> float:
    """Return the white space between two neighbouring rows in points, in either order."""
    return row_space(a, b) if a[0].middle <= b[0].middle else row_space(b, a)

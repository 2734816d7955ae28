"""A page's words as rows and runs.

A *row* is all words at one height of the page. A *run* is a part of a row without a wide gap. Rows are built from the boxes only,
since the lines of a text layer may end at the borders of columns.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pipeline.languages.evidence import language_weights
from pipeline.languages.han import simplified
from pipeline.records import Box, Page, Word
from pipeline.values.boxes import bounding_box

RUN_GAP = 1.6  # a gap wider than this many letter heights ends a run
TIGHT_GAP = 0.75  # groups of thousands stand closer than this many letter heights
BLOCK_GAP = 1.3  # lines of one block stand closer than this many letter heights
# Hostile pages hold more, and would take minutes.
_LONGEST, _MOST_IN_ROW, _MOST_WORDS = 120, 150, 2500
_DOMAIN = re.compile(
    r"(?:@|www\.|https?://)([\w.-]+)|\b([\w-]{3,}\.(?:com|de|fr|es|it|nl|pl|eu|co\.uk|org|net|at|ch|be|my|sg|lv|pt|cn))\b",
    re.IGNORECASE,
)
_SUFFIXES = frozenset(("www", "com", "co", "net", "org"))
_PUBLIC_HOSTS = frozenset(
    (
        "gmail",
        "yahoo",
        "hotmail",
        "outlook",
        "gmx",
        "web",
        "tonline",
        "localhost",
        "local",
        "example",
        "icloud",
        "live",
        "facebook",
    )
)


@dataclass(frozen=True, eq=False)
class Run:
    """Neighbouring words of one row. ``words`` are indices into ``Page.words``; ``text`` joins them with single blanks."""

    number: int
    row: int
    words: tuple[int, ...]
    text: str
    starts: tuple[int, ...]
    """Where each word begins in ``text``."""
    box: Box
    size: float
    bold: bool = False

    @cached_property
    def folded(self) -> str:
        """Letters and digits of the run, folded, without blanks."""
        return label_key(self.text)

    @cached_property
    def letters(self) -> int:
        """How many letters it has."""
        return sum(map(str.isalpha, self.text))

    @cached_property
    def has_digit(self) -> bool:
        """Whether it has a digit, without which it is no date, time, amount or number."""
        return any(map(str.isdigit, self.text))

    def span(self, start: int, end: int) -> tuple[int, ...]:
        """The words (indices into the page) that the characters ``start`` to ``end`` of ``text`` touch."""
        if start >= len(self.text):
            return ()
        first = max(0, bisect_right(self.starts, start + 1) - 1)
        return self.words[first : max(first, bisect_left(self.starts, end))]


@dataclass(frozen=True, eq=False)
class Layout:
    """The rows and runs of one page, top to bottom and left to right."""

    page: Page
    rows: tuple[tuple[Run, ...], ...]
    runs: tuple[Run, ...]
    height: float
    """The usual height of letters."""

    def box(self, words: Iterable[int]) -> Box:
        """The box around some words."""
        boxes = [self.page.words[i].box for i in words]
        return boxes[0] if len(boxes) == 1 else bounding_box(boxes)

    def text(self, words: Iterable[int]) -> str:
        """Words as printed, with single blanks."""
        return " ".join(self.page.words[i].text for i in words)

    def chain(self, run: Run, step: int, most: int) -> Iterator[Run]:
        """The runs below (``step`` 1) or above (-1) of the same block: close by, aligned at the left or centred."""
        for _ in range(most):
            key = run.number, step
            if key not in self._neighbours:
                self._neighbours[key] = self._neighbour(run, step)
            following = self._neighbours[key]
            if following is None:
                return
            yield following
            run = following

    @cached_property
    def _neighbours(self) -> dict[tuple[int, int], Run | None]:
        """The neighbours that were found, by the number of a run and the step; names are asked many times for those around them."""
        return {}

    def _neighbour(self, run: Run, step: int) -> Run | None:
        row = run.row + step
        for _ in range(3):  # rows of other columns may lie between
            if not 0 <= row < len(self.rows):
                return None
            for other in self.rows[row]:
                upper, lower = (run, other) if step > 0 else (other, run)
                gap = (lower.box[1] - upper.box[3]) / max(4.0, min(run.size, other.size))
                if gap < BLOCK_GAP and stand_together(run.box, other.box, max(4.0, min(run.size, other.size))):
                    return other
            row += step
        return None

    @cached_property
    def _run_edges(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
        """The left and the right edge of each run, and the first run of each row."""
        firsts = np.cumsum([0, *(len(row) for row in self.rows)])[:-1]
        return np.array([run.box[0] for run in self.runs]), np.array([run.box[2] for run in self.runs]), firsts

    def rows_across(self, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each row of the page (a column) has text in the columns of each box (a row)."""
        left, right, firsts = self._run_edges
        return np.logical_or.reduceat((left < boxes[:, 2, None]) & (right > boxes[:, 0, None]), firsts, axis=1)

    @cached_property
    def languages(self) -> dict[str, float]:
        """The weights of the languages that the page is in."""
        return language_weights(run.text for run in self.runs)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Second-level names of the web and mail addresses on the page."""
        names = set()
        for run in self.runs:
            for match in _DOMAIN.finditer(run.text):
                parts = [p for p in (match[1] or match[2]).casefold().split(".") if p not in _SUFFIXES]
                if parts:
                    names.add(label_key(parts[-2] if len(parts) > 1 else parts[0]))
        return frozenset(host for host in names if len(host) >= 3 and host not in _PUBLIC_HOSTS)


def stand_together(a: Box, b: Box, height: float) -> bool:
    """Whether two lines are aligned at the left or centred on each other."""
    return abs(a[0] - b[0]) < 1.2 * height or abs(a[0] + a[2] - b[0] - b[2]) < 3.0 * height


_PLAIN = str.maketrans("łŁøØđĐıİ", "lLoOdDiI")
"""Letters that have no accent of their own in Unicode, and the letters that stand for them where a printer lacks them."""


_NO_KEY = re.compile(r"(?:[^\w#%]|_)+")
"""What ``label_key`` leaves out."""


@lru_cache(maxsize=16384)
def label_key(text: str) -> str:
    """Lower-case letters and digits (and # %) without accents and blanks, in simplified Chinese, for comparing labels."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", simplified(text).replace("°", "o").replace("ß", "ss").translate(_PLAIN))
    return _NO_KEY.sub("", text.casefold())


def lay_out(page: Page) -> Layout:
    """Rows and runs of a page."""
    sized = [i for i, word in enumerate(page.words) if word.text.strip() and len(word.text) <= _LONGEST][:_MOST_WORDS]
    heights = sorted(_height(page.words[i]) for i in sized)
    usual = heights[len(heights) // 2] if heights else 10.0
    rows: list[tuple[Run, ...]] = []
    runs: list[Run] = []
    for indices in _rows(page.words, sized, _lean(page.words, sized)):
        row = tuple(_runs(page.words, indices[:_MOST_IN_ROW], len(rows), len(runs)))
        rows.append(row)
        runs.extend(row)
    return Layout(page, tuple(rows), tuple(runs), max(1.0, usual))


def _height(word: Word) -> float:
    return word.size or word.box[3] - word.box[1]


def _lean(words: Sequence[Word], indices: list[int]) -> float:
    """Slope of a scan's lines, down to the right: the median over neighbours of one printed line, far enough apart to tell."""
    slopes: list[float] = []
    if not any(words[i].source == "ocr" for i in indices):
        return 0.0
    for i, j in pairwise(indices):
        a, b = words[i].box, words[j].box
        across = (b[0] + b[2] - a[0] - a[2]) / 2
        if words[i].line == words[j].line and words[i].source == "ocr" and across > 2 * _height(words[i]):
            slopes.append((b[1] + b[3] - a[1] - a[3]) / 2 / across)
    return median(slopes) if len(slopes) >= 5 else 0.0


def _rows(words: Sequence[Word], indices: list[int], lean: float) -> list[list[int]]:
    """Words whose boxes, with the page's lean taken out, share most of their height, for each row from left to right."""
    rows: list[list[int]] = []
    spans: list[tuple[float, float]] = []
    down = {i: lean * (words[i].box[0] + words[i].box[2]) / 2 for i in indices}
    for i in sorted(indices, key=lambda i: (words[i].box[1] + words[i].box[3] - 2 * down[i], words[i].box[0])):
        top, bottom = words[i].box[1] - down[i], words[i].box[3] - down[i]
        for at in range(len(rows) - 1, max(-1, len(rows) - 6), -1):
            above, below = spans[at]
            shared = min(bottom, below) - max(top, above)
            if shared > 0.5 * min(bottom - top, below - above) and (len(rows[at]) > _MOST_IN_ROW or _fits(words, rows[at], i)):
                rows[at].append(i)
                count = len(rows[at])
                spans[at] = (above + (top - above) / count, below + (bottom - below) / count)
                break
        else:
            rows.append([i])
            spans.append((top, bottom))
    order = sorted(range(len(rows)), key=lambda at: spans[at][0] + spans[at][1])
    return [sorted(rows[at], key=lambda i: words[i].box[0]) for at in order]


def _fits(words: Sequence[Word], row: list[int], new: int) -> bool:
    """Whether the new word lies beside those of the row, not on top of them."""
    x0, _, x1, _ = words[new].box
    for i in row:
        left, _, right, _ = words[i].box
        if min(x1, right) - max(x0, left) >= 0.5 * min(x1 - x0, right - left) + 0.1:
            return False
    return True


def _runs(words: Sequence[Word], indices: list[int], row: int, first: int) -> Iterable[Run]:
    group: list[int] = []
    number = first
    for i in indices:
        if group:
            before = words[group[-1]]
            letter = max(4.0, min(_height(before), _height(words[i])))
            gap = words[i].box[0] - before.box[2]
            if gap > RUN_GAP * letter:
                yield _run(words, group, row, number)
                number, group = number + 1, []
        group.append(i)
    if group:
        yield _run(words, group, row, number)


def _run(words: Sequence[Word], group: list[int], row: int, number: int) -> Run:
    starts, at = [], 0
    for i in group:
        starts.append(at)
        at += len(words[i].text) + 1
    return Run(
        number=number,
        row=row,
        words=tuple(group),
        text=" ".join(words[i].text for i in group),
        starts=tuple(starts),
        box=bounding_box(words[i].box for i in group),
        size=float(max(_height(words[i]) for i in group)),
        bold=all(words[i].bold for i in group),
    )

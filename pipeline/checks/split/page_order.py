"""A duplex stack that was fed twice, first all fronts, then all backs from the last to the first: its pages are put in order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipeline.checks.split.boundary_features import SURE
from pipeline.checks.split.file_page import FilePage, KeyFields
from pipeline.checks.value_comparison import same_value

MIN_JOINS = 2
"""Pairs of pages that belong together in the new order, at least, and more than in the old one."""
ORDER_NOTE = "fronts were scanned first, then backs from the last to the first; the pages are read in the order of the sheets"


def duplex_order(count: int) -> list[int]:
    """Indices of the pages 1, n, 2, n-1 …: each front with its back."""
    return [at for front in range((count + 1) // 2) for at in dict.fromkeys((front, count - 1 - front))]


def is_fed_twice(pages: Sequence[FilePage], keys: KeyFields) -> bool:
    """Whether the printed page numbers say that the fronts come first and the backs behind them in reverse.

    Numbers of documents support it; a page number that contradicts it decides against it.
    """
    if len(pages) < 4 or len(pages) % 2:
        return False
    natural, duplex = list(pages), [pages[at] for at in duplex_order(len(pages))]
    joins, breaks = _joins(duplex, keys), _breaks(duplex)
    return joins >= MIN_JOINS and joins > 2 * _joins(natural, keys) and breaks == 0 < _breaks(natural)


def _printed(page: FilePage) -> tuple[int, int]:
    return (page.marks.printed_page, page.marks.printed_pages) if page.marks else (0, 0)


def _goes_on(a: FilePage, b: FilePage) -> bool:
    (number, whole), (following, its_whole) = _printed(a), _printed(b)
    return bool(number and following == number + 1 and (not whole or not its_whole or whole == its_whole))


def _joins(pages: Sequence[FilePage], keys: KeyFields) -> int:
    """Neighbours whose printed page numbers follow each other, and that have no different document numbers."""
    return sum(_goes_on(a, b) and not _are_others(a, b, keys.number) for a, b in pairwise(pages))


def _are_others(a: FilePage, b: FilePage, number: str | None) -> bool:
    """Whether two pages have different document numbers."""
    sure = min(a.score(number), b.score(number)) >= SURE
    return sure and a.has(number) and b.has(number) and not same_value("identifier", a.value(number), b.value(number))


def _breaks(pages: Sequence[FilePage]) -> int:
    """Neighbours whose printed page numbers contradict each other: another page than the next one of a document, or than a first one."""
    read = [page for page in pages if not page.is_blank]
    return sum(
        bool(_printed(b)[0]) and _printed(b)[0] != 1 and not _goes_on(a, b) and bool(_printed(a)[0]) for a, b in pairwise(read)
    ) + bool(read and _printed(read[0])[0] > 1)

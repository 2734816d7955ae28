"""Reads how a person says what belongs together: ``1-3,4,5-6``, one document after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pipeline.split_records import PageRange, Split

WHOLE = "whole"
_PART = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?")


def parse_split(text: str, pages: int, sheets: Mapping[int, int] = MappingProxyType({})) -> Split:
    """The split that a text says: documents between commas; ``1+4`` or ``1+3-4`` for pages that do not follow each other.

    Pages that no document has are left out. ``sheets``: how many documents a page shows, where it shows several; it gives them where it
    stands alone. ``whole`` makes one document of all pages. Raises ValueError with what is wrong.
    """
    if text.strip() == WHOLE:
        return Split("person", (PageRange(tuple(range(1, pages + 1))),))
    documents: list[PageRange] = []
    used: set[int] = set()
    for part in text.split(","):
        numbers = [number for run in part.split("+") for number in _run(run, pages)]
        if repeated := next((n for n in numbers if n in used or numbers.count(n) > 1), None):
            raise ValueError(f"page {repeated} is in two documents")
        used.update(numbers)
        parts = range(1, sheets[numbers[0]] + 1) if len(numbers) == 1 and numbers[0] in sheets else (0,)
        documents += [PageRange(tuple(numbers), (), part) for part in parts]
    left_out = tuple((page, "person") for page in range(1, pages + 1) if page not in used)
    return Split("person", tuple(sorted(documents, key=lambda one: (min(one.pages), one.sheet_part))), (), left_out)  # type: ignore[arg-type]


def _run(text: str, pages: int) -> range:
    match = _PART.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text.strip()}` is no page and no range of pages: write 1-3,4,5-6")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= pages:
        raise ValueError(f"`{text.strip()}`: the file has the pages 1 to {pages}")
    return range(first, last + 1)

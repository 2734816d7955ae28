"""Pages that repeat earlier ones: the duplicate of an invoice, a page that went through the scanner twice. They count once."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.checks.split.boundary_features import share
from pipeline.checks.split.file_page import FilePage, KeyFields
from pipeline.checks.value_comparison import as_decimal, is_absent, same_value

SAME_PAGE = 0.85
"""Share of common words from which two pages are one page, whatever was read of them."""
LIKE_PAGE = 0.45
"""Share of common words of two readings of one page, where number and amounts agree as well."""
MIN_WORDS = 8


def copies_of(pages: Sequence[FilePage], known: Sequence[FilePage], keys: KeyFields) -> bool:
    """Whether all ``pages`` repeat pages of ``known``."""
    return bool(pages) and all(any(is_copy(page, other, keys) for other in known) for page in pages)


def without_copies(pages: Sequence[FilePage], keys: KeyFields) -> tuple[list[FilePage], list[FilePage]]:
    """The pages of a document, and those of them that repeat earlier ones."""
    kept: list[FilePage] = []
    copies: list[FilePage] = []
    for page in pages:
        (copies if any(is_copy(page, other, keys) for other in kept) else kept).append(page)
    return kept, copies


def is_copy(page: FilePage, other: FilePage, keys: KeyFields) -> bool:
    """Whether two pages are the same page: nearly the same words, or the same number and amounts and mostly the same words."""
    a, b = page.marks, other.marks
    alike = share(a.sketch, b.sketch) if a and b else None
    if a and b and a.printed_page and b.printed_page and a.printed_page != b.printed_page:
        return False
    if _contradict(page, other, keys):
        return False
    if alike is not None and min(len(a.sketch) if a else 0, len(b.sketch) if b else 0) >= MIN_WORDS and alike >= SAME_PAGE:
        return True
    equal = sum(
        as_decimal(page.value(name)) is not None and as_decimal(page.value(name)) == as_decimal(other.value(name))
        for name in keys.money
    )
    equal += sum(not is_absent(page.value(name)) and page.value(name) == other.value(name) for name in keys.tables)
    numbered = page.has(keys.number) and other.has(keys.number)
    return equal >= (2 if numbered else 3) and (alike is None or alike >= LIKE_PAGE)


def _contradict(page: FilePage, other: FilePage, keys: KeyFields) -> bool:
    """Whether both have a number, a date or a total, and these differ."""
    for name, kind in ((keys.number, "identifier"), (keys.date, "date"), *((total, "money") for total in keys.totals)):
        if page.has(name) and other.has(name) and not same_value(kind, page.value(name), other.value(name)):
            return True
    return False

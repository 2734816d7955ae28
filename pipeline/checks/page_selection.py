"""Which pages of a file are one document, and which of them gives the totals.

A file may hold several invoices, an original with its copies, a page of terms or a time sheet behind the totals. Only the fields are
compared: the number of a document says that another one begins, equal rows say that a page is a copy, and sums say which page has the
totals. What stands on the page with the number goes before what a cover letter or a time sheet before it prints. A template without an
identifier or without sums uses all pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.checks.arithmetic import confirmed_by_sums
from pipeline.checks.value_comparison import as_decimal, is_absent, same_value
from pipeline.records import Evidence, Json
from pipeline.templates.template import Check, Template

MIN_NUMBER_SCORE = 0.5
"""Lowest score of the number of another document; weaker ones may be any number of an annex."""
MAX_TAX_SHARE = Decimal("0.35")
"""By how much of it a total may exceed the sum of the rows."""
Fields = Mapping[str, Evidence]


@dataclass(frozen=True, slots=True)
class PageSelection:
    """Indices of pages, from 0. ``others``: pages of other documents in the file. ``totals``: the page with the totals. ``head``: the page
    on which the document begins."""

    own: tuple[int, ...]
    others: tuple[int, ...] = ()
    totals: int | None = None
    head: int = 0

    def from_head(self, count: int) -> list[int]:
        """The pages of a file in the order in which they say what the document begins with: its head, those after it, those before it."""
        return [*range(self.head, count), *range(self.head)]

    def without_annex(self, template: Template, pages: Sequence[Fields], table: str) -> tuple[int, ...]:
        """The pages whose rows of a table belong together: all of them, or those with which a sum of the template holds."""
        checks = [check for check in template.main_checks() if any(term.startswith(f"{table}.") for term in check.sum)]
        with_rows = [page for page in self.own if not is_absent(_value(pages[page], table))]
        if not checks or self.totals is None or len(with_rows) < 2:
            return self.own
        head = tuple(page for page in self.own if page <= self.totals)
        sums = [check.equals for check in template.main_checks() if check.equals]
        for choice in (self.own, head, (self.totals,), *((page,) for page in with_rows)):
            if any(_rows_add_up(template, check, pages, choice, self.totals, sums) for check in checks):
                # A delivery note repeats the rows without their amounts.
                return tuple(
                    p for p in choice if p not in with_rows or any(_amounts(template, check, pages, [p]) for check in checks)
                )
        return self.own


def select_pages(pages: Sequence[Fields], template: Template) -> PageSelection:
    """The pages of the first document in the file; ``pages`` has the fields of each page."""
    everything = tuple(range(len(pages)))
    number = next(
        (n for n, f in template.main_fields().items() if f.type == "identifier" and not f.format and f.merge == "first"), None
    )
    if number is None or len(pages) < 2:
        return PageSelection(everything)
    own, others = _first_document(pages, template, number)
    own = _without_copies(pages, template, number, own)
    return PageSelection(own, others, _totals_page(pages, template, number, own), _head(pages, template, number, own))


def _head(pages: Sequence[Fields], template: Template, number: str, own: Sequence[int]) -> int:
    """The first page with the document's number and a date or a total, else the first with its number, else the first."""
    others = [name for name, field in template.main_fields().items() if field.merge == "first" and field.type == "date"]
    others += [check.equals for check in template.main_checks() if check.equals]
    numbered = [p for p in own if not is_absent(_value(pages[p], number)) and pages[p][number].score >= MIN_NUMBER_SCORE]
    heads = [page for page in numbered if any(not is_absent(_value(pages[page], name)) for name in others)]
    return next(iter([*heads, *numbered, *own]), 0)


def _value(fields: Fields, name: str) -> Json:
    return fields[name].value if name in fields else None


def _first_document(pages: Sequence[Fields], template: Template, number: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The pages with the first number or none, up to the page with another number; and the other pages."""
    heads = [name for name, field in template.main_fields().items() if field.merge == "first" and field.type == "date"]
    totals = {check.equals for check in template.main_checks() if check.equals}
    document, of_document = 0, []
    numbers: list[Json] = [None]
    for fields in pages:
        own = _value(fields, number)
        begins = (
            not is_absent(own)
            and fields[number].score >= MIN_NUMBER_SCORE
            and any(not is_absent(_value(fields, name)) for name in heads)
            and any(not is_absent(_value(fields, str(name))) for name in totals)
        )
        if begins and numbers[document] is None:
            numbers[document] = own
        elif begins and not same_value("identifier", own, numbers[document]):
            known = next((at for at, other in enumerate(numbers) if other and same_value("identifier", own, other)), None)
            document = len(numbers) if known is None else known
            numbers += [own] if known is None else []
        of_document.append(document)
    first = tuple(page for page, at in enumerate(of_document) if at == 0)
    return first, tuple(page for page, at in enumerate(of_document) if at)


def _without_copies(pages: Sequence[Fields], template: Template, number: str, own: Sequence[int]) -> tuple[int, ...]:
    """The pages without those that repeat an earlier one: the same number or none, the same rows and the same amounts."""
    compared = [name for name, field in template.main_fields().items() if field.type in ("table", "money")]
    kept: list[int] = []
    for page in own:
        values = [_value(pages[page], name) for name in compared]
        numbered = not is_absent(_value(pages[page], number))
        copied = sum(not is_absent(value) for value in values) >= (2 if numbered else 3)
        if not (copied and any(_equal(pages[page], pages[other], [number, *compared]) for other in kept)):
            kept.append(page)
    return tuple(kept)


def _equal(a: Fields, b: Fields, names: Sequence[str]) -> bool:
    return all(_value(a, name) == _value(b, name) for name in names)


def _totals_page(pages: Sequence[Fields], template: Template, number: str, own: Sequence[int]) -> int | None:
    """The page whose totals count: a sum holds there, or the rows add up to it, or it has the document's number; the last of several."""
    totals = [check.equals for check in template.main_checks() if check.equals]
    with_totals = [page for page in own if any(not is_absent(_value(pages[page], name)) for name in totals)]
    if not with_totals:
        return None

    def rank(page: int) -> int:
        fields = pages[page]
        if confirmed_by_sums(fields, template) & set(totals):
            return 3
        if any(_close_to_rows(template, check, pages, own, page, totals) for check in template.main_checks() if check.sum):
            return 2
        return int(not is_absent(_value(fields, number)))

    return max(with_totals, key=lambda page: (rank(page), page))


def _amounts(template: Template, check: Check, pages: Sequence[Fields], choice: Sequence[int]) -> list[Decimal]:
    """The amounts of the columns in a check over these pages."""
    return [
        amount
        for name, column in map(template.split_term, check.sum)
        if column
        for page in choice
        for row in _value(pages[page], name) or ()
        if isinstance(row, Mapping) and (amount := as_decimal(row.get(column))) is not None
    ]


def _rows_up_to(template: Template, check: Check, pages: Sequence[Fields], choice: Sequence[int]) -> Decimal | None:
    """The sum of the columns in a check over these pages; None without a number in them."""
    amounts = _amounts(template, check, pages, choice)
    return sum(amounts, Decimal(0)) if amounts else None


def _close_to_rows(
    template: Template, check: Check, pages: Sequence[Fields], own: Sequence[int], page: int, totals: Sequence[str | None]
) -> bool:
    """Whether a total of the page is the sum of the rows up to it, or more by a tax."""
    rows = _rows_up_to(template, check, pages, [other for other in own if other <= page])
    if not rows:
        return False
    amounts = (as_decimal(_value(pages[page], str(name))) for name in totals)
    return any(amount is not None and 0 <= amount - rows <= MAX_TAX_SHARE * rows for amount in amounts)


def _rows_add_up(
    template: Template, check: Check, pages: Sequence[Fields], choice: Sequence[int], totals: int, sums: Sequence[str]
) -> bool:
    """Whether the rows of these pages are the check's total; where the page prints none, another one: without tax they are the same."""
    rows, printed = _rows_up_to(template, check, pages, choice), as_decimal(_value(pages[totals], check.equals or ""))
    targets = [printed] if printed is not None else [as_decimal(_value(pages[totals], name)) for name in sums]
    tolerance = as_decimal(check.tolerance) or Decimal(0)
    return rows is not None and any(target is not None and abs(rows - target) <= tolerance for target in targets)

"""What speaks for and against a new document at a page: number, sender, "page x of y", letterhead, closing sums.

A page is compared with the document before it as far as it is known, not with the last page alone: a page of terms has no number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import prod

from rapidfuzz import fuzz

from pipeline.checks.split.file_page import FilePage, KeyFields
from pipeline.checks.value_comparison import as_decimal, same_value
from pipeline.split_records import PageMarks

SURE = 0.5
"""Score from which a number, a name or a date counts; weaker ones may be anything on a page."""
NEAR_NUMBER = 75.0
"""Likeness of two numbers, 0 to 100, from which one of them may be misread."""
TOLERANCE = Decimal("0.02")
MAX_TAX = Decimal("0.35")
"""By how much of the sum of the rows a total may exceed it."""
SIZE_TOLERANCE = 0.04
FEW_WORDS = 25
"""A page with fewer words says little about itself."""

REASONS = {
    "number other": "another document number",
    "number near": "a document number that may be the same, misread",
    "number near printed": "a similar document number",
    "number same": "the same document number",
    "number new": "a document number where there was none",
    "number lost": "no document number",
    "seller other": "another sender",
    "seller same": "the same sender",
    "seller id other": "another tax number of the sender",
    "seller id same": "the same tax number of the sender",
    "date other": "another date",
    "date same": "the same date",
    "page continues": "the printed page number goes on",
    "page restarts": "the printed page number begins again",
    "page breaks": "the printed page number does not go on",
    "page first": "the page calls itself the first",
    "page last": "the page before calls itself the last",
    "page not last": "the page before says that more follow",
    "carried": "a sum is carried over",
    "closed": "the rows before add up to a total",
    "total before": "the document before has its total",
    "total same": "the same total",
    "total other": "a total of its own",
    "begins": "number, date and total stand on the page",
    "annex": "no number, date or total on the page",
    "blank between": "a blank page is between them",
    "size other": "paper of another size",
    "scan other": "one is a scan, the other is not",
    "head alike": "the same letterhead",
    "head unlike": "another letterhead",
    "foot alike": "the same foot",
    "foot unlike": "another foot",
    "alike": "nearly the same text",
    "copy": "the page calls itself a copy",
}
"""The features in words for people. Those that are missing here are for the model alone."""
Features = dict[str, float]


def boundary_features(before: Sequence[FilePage], page: FilePage, keys: KeyFields, *, blank_between: bool) -> Features:
    """What speaks for and against a new document at ``page``, 0 to 1 by name. ``before``: the pages of the document so far."""
    found = {"bias": 1.0, "blank between": float(blank_between)}
    found |= _numbers(before, page, keys) | _sender(before, page, keys) | _sums(before, page, keys)
    found |= _marks(before, page)
    found |= {
        f"alike, {name}": found.get("alike", 0.0) * found.get(name, 0.0) for name in ("number other", "number other printed")
    }
    found |= {
        f"all other, {name}": _product(found, "number other", "date other", name) for name in ("seller other", "total other")
    }
    return {name: value for name, value in found.items() if value}


def _product(found: Features, *names: str) -> float:
    return prod(found.get(name, 0.0) for name in names)


def _numbers(before: Sequence[FilePage], page: FilePage, keys: KeyFields) -> Features:
    own = page.value(keys.number) if page.has(keys.number) and page.score(keys.number) >= SURE else None
    known = [other for other in before if other.has(keys.number) and other.score(keys.number) >= SURE]
    if own is None:
        return {"number lost": float(bool(known))}
    if not known:
        return {"number new": page.score(keys.number)}
    sure = min(page.score(keys.number), max(other.score(keys.number) for other in known))
    if any(same_value("identifier", own, other.value(keys.number)) for other in known):
        return {"number same": sure}
    near = max(fuzz.ratio(str(own).casefold(), str(other.value(keys.number)).casefold()) for other in known) >= NEAR_NUMBER
    is_read = page.is_scan or any(other.is_scan for other in known)
    if is_read:
        return {"number other": sure, "number near": sure * near}
    return {"number other": sure, "number other printed": sure, "number near printed": sure * near}


def _sender(before: Sequence[FilePage], page: FilePage, keys: KeyFields) -> Features:
    found: Features = {}
    kinds = (("seller", keys.seller, "party"), ("seller id", keys.seller_id, "identifier"), ("date", keys.date, "date"))
    for name, field, kind in kinds:
        if page.has(field) and page.score(field) >= SURE:
            known = [other for other in before if other.has(field) and other.score(field) >= SURE]
            if known:
                same = any(same_value(kind, page.value(field), other.value(field)) for other in known)
                sure = min(page.score(field), max(other.score(field) for other in known))
                found[f"{name} {'same' if same else 'other'}"] = sure
    return found


def _sums(before: Sequence[FilePage], page: FilePage, keys: KeyFields) -> Features:
    earlier, own = _totals(before, keys), _totals([page], keys)
    rows = [amount for other in before for amount in other.amounts(keys.tables)]
    begins = sum(page.has(name) and page.score(name) >= SURE for name in (keys.number, keys.date)) + bool(own)
    return {
        "total before": float(bool(earlier)),
        "closed": float(_is_closed(sum(rows, Decimal(0)), earlier) if rows else False),
        "open rows": float(bool(rows) and not earlier),
        "total same": float(bool(earlier & own)),
        "total other": float(bool(own) and bool(earlier) and not earlier & own),
        "total first": float(bool(own) and not earlier),
        "rows follow total": float(bool(earlier) and bool(page.amounts(keys.tables))),
        "begins": float(begins >= (3 if keys.number else 2)),
        "annex": float(begins == 0),
    }


def _totals(pages: Iterable[FilePage], keys: KeyFields) -> set[Decimal]:
    amounts = (as_decimal(page.value(name)) for page in pages for name in keys.totals)
    return {amount for amount in amounts if amount}


def _is_closed(rows: Decimal, totals: Iterable[Decimal]) -> bool:
    """Whether the rows are one of the totals, or less by a tax."""
    return rows > 0 and any(-TOLERANCE <= total - rows <= MAX_TAX * rows for total in totals)


def _marks(before: Sequence[FilePage], page: FilePage) -> Features:
    own, last = page.marks, before[-1].marks
    if own is None or last is None:
        return {"no marks": 1.0}
    found = _page_numbers([other.marks for other in before if other.marks], own)
    found |= {
        "carried": float(own.is_carried_on and any(other.marks.is_carried_on for other in before if other.marks)),
        "copy": float(own.calls_itself_copy),
        "few words": float(own.words < FEW_WORDS),
        "size other": float(_differ(own.width, last.width) or _differ(own.height, last.height)),
        "scan other": float(own.is_scan != last.is_scan),
        "alike": max(share(own.sketch, other.marks.sketch) for other in before if other.marks),
    }
    for name in ("head", "foot"):
        mine, others = getattr(own, name), [getattr(other.marks, name) for other in before if other.marks]
        if len(mine) >= 3 and any(len(other) >= 3 for other in others):
            alike = max(share(mine, other) for other in others)
            found |= {f"{name} alike": alike, f"{name} unlike": 1 - alike}
    return found


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > SIZE_TOLERANCE * b


def _page_numbers(before: Sequence[PageMarks], own: PageMarks) -> Features:
    last = next((marks for marks in reversed(before) if marks.printed_page), None)
    adjacent = before[-1]
    found = {
        "page last": float(0 < adjacent.printed_page == adjacent.printed_pages),
        "page not last": float(0 < adjacent.printed_page < adjacent.printed_pages),
        "page first": float(own.printed_page == 1),
    }
    if own.printed_page and last:
        steps = len(before) - before.index(last)
        same_whole = not own.printed_pages or not last.printed_pages or own.printed_pages == last.printed_pages
        continues = same_whole and own.printed_page == last.printed_page + steps
        found |= {
            "page continues": float(continues),
            "page restarts": float(own.printed_page == 1 and not continues),
            "page breaks": float(own.printed_page > 1 and not continues),
        }
    elif own.printed_page > 1:
        found["page later"] = 1.0
    return found


def share(a: Sequence[int], b: Sequence[int]) -> float:
    """The share of common hashes among those of both, from sketches or sets (Jaccard)."""
    if not a or not b:
        return 0.0
    mine, other = set(a), set(b)
    smallest = sorted(mine | other)[: max(len(mine), len(other))]
    return sum(hash_ in mine and hash_ in other for hash_ in smallest) / len(smallest)


def reasons(features: Features, weights: dict[str, float], count: int = 3) -> tuple[str, ...]:
    """The features that count most, in words; those for and those against."""
    named = [name for name in features if name in REASONS and abs(features[name] * weights.get(name, 0.0)) > 0.1]
    named.sort(key=lambda name: -abs(features[name] * weights[name]))
    return tuple(REASONS[name] for name in named[:count])

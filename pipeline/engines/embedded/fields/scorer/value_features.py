"""What a typed value is by itself and among the others of its page, as numbers: form, place, size, order, sums."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import log10

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.page_rows import Layout

Numbers = NDArray[np.float32]
PLACE_FEATURES = (
    "quality",
    "repaired",
    "ocr",
    "depth",
    "depth among all",
    "left edge",
    "right edge",
    "alone in its row",
    "last in its row",
    "size",
    "largest size",
    "bold",
    "in a table",
    "below the tables",
    "copies",
    "first copy",
    "last copy",
    "candidates on the page",
    "words in its run",
    "letters beside it in its run",
)
AMOUNT_FEATURES = (
    "cents",
    "currency",
    "negative",
    "zero",
    "digits",
    "share of the largest",
    "rank",
    "largest",
    "second largest",
    "sum of two",
    "sum with a tax rate",
    "first term",
    "further term",
    "tax at a printed rate",
    "sum of the table",
    "sum of the table and more",
    "payment less change",
    "difference of two others",
    "of one rate",
    "percent in its row",
    "last of its page",
)
DATE_FEATURES = (
    "first in reading order",
    "rank in time",
    "latest",
    "earliest",
    "days after the earliest",
    "days before the latest",
    "same day elsewhere",
    "dates",
    "time beside it",
    "ends a discount",
    "behind a discount",
    "of another document",
    "likely year",
    "in a sentence",
)
IDENTIFIER_FEATURES = (
    "length",
    "digits",
    "letters first",
    "year in it",
    "marks",
    "amount",
    "only digits",
    "hash before it",
    "capital letters",
    "first in its run",
    "last in its run",
    "tax number",
    "valid tax number",
    "near a buyer",
    "seven digits",
    "taken by another type",
)


@dataclass(frozen=True)
class PageContext:
    """The facts of a page that features of values need besides the values."""

    layout: Layout
    table_words: frozenset[int]
    """Words of all tables."""
    table_end: int
    """The last row of the last table; -1 without one."""
    table_sums: frozenset[float]
    """Sums of the money columns of the tables."""
    rates: tuple[float, ...]
    """Percentages that the page prints."""
    rate_cells: frozenset[tuple[int, int, int]]
    percent_rows: frozenset[int]
    owed: frozenset[float]
    """Payments less change."""


def place_features(context: PageContext, candidates: Sequence[Candidate]) -> Numbers:
    """One row for each candidate, in the order of PLACE_FEATURES."""
    layout = context.layout
    width, rows = max(1.0, layout.page.width), max(1, len(layout.rows))
    height = max(1.0, layout.page.height)
    ocr, count = float(layout.page.source == "ocr"), log10(1 + len(candidates)) / 2
    copies = Counter(c.value for c in candidates)
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for at, c in enumerate(candidates):
        first.setdefault(c.value, at)
        last[c.value] = at
    in_row = Counter(c.run.row for c in candidates)
    rightmost: dict[int, float] = {}
    for c in candidates:
        rightmost[c.run.row] = max(rightmost.get(c.run.row, 0.0), c.box[2])
    sizes = [c.run.size / layout.height for c in candidates]
    top = max(sizes, default=1.0)
    found = [
        (
            c.quality,
            float(c.repaired),
            ocr,
            c.run.row / rows,
            c.box[1] / height,
            c.box[0] / width,
            c.box[2] / width,
            float(in_row[c.run.row] == 1),
            float(c.box[2] >= rightmost[c.run.row] - 0.5),
            min(3.0, sizes[at]) / 3,
            float(sizes[at] >= top - 1e-6),
            float(c.run.bold),
            float(not context.table_words.isdisjoint(c.words)),
            float(c.run.row > context.table_end >= 0),
            min(4, copies[c.value] - 1) / 4,
            float(first[c.value] == at),
            float(last[c.value] == at),
            count,
            min(12, len(c.run.words)) / 12,
            min(30, c.run.letters - sum(map(str.isalpha, c.printed))) / 30,
        )
        for at, c in enumerate(candidates)
    ]
    return np.array(found, np.float32).reshape(len(found), len(PLACE_FEATURES))


def amount_features(context: PageContext, candidates: Sequence[Candidate]) -> Numbers:
    """One row for each amount, in the order of AMOUNT_FEATURES."""
    values = np.array([float(c.value) for c in candidates])
    sound = np.array([c.quality >= 0.5 for c in candidates], bool)
    pool = np.unique(np.abs(values[sound]))[-60:] if sound.any() else np.zeros(0)
    pool = pool[pool > 0]
    most = float(pool[-1]) if len(pool) else 0.0
    second = float(pool[-2]) if len(pool) > 1 else 0.0
    of_two, with_rate, first_term, further = _sums(pool)
    order = {float(v): len(pool) - 1 - at for at, v in enumerate(pool)}
    last = max((at for at, c in enumerate(candidates) if c.quality >= 0.8), default=-1)
    sizes = np.abs(values)
    at_rate, differences = _at_a_rate(sizes, pool, context.rates), _are_differences(sizes, pool)
    found = []
    for at, c in enumerate(candidates):
        v = abs(float(c.value))
        found.append(
            (
                float(_CENTS.search(c.printed) is not None),
                float(c.currency is not None),
                float(c.value.startswith("-")),
                float(v == 0),
                min(8.0, log10(1 + v)) / 8,
                min(1.0, v / most) if most else 0.0,
                1 / (1 + order.get(v, 99)),
                float(v == most and v > 0),
                float(v == second and v > 0),
                float(v in of_two),
                float(v in with_rate),
                float(v in first_term),
                float(v in further),
                float(at_rate[at]),
                float(_near(v, context.table_sums)),
                float(any(0 < v - s < 0.35 * s for s in context.table_sums)),
                float(_near(v, context.owed)),
                float(differences[at]),
                float(c.place in context.rate_cells),
                float(c.run.row in context.percent_rows),
                float(at == last),
            )
        )
    return np.array(found, np.float32).reshape(len(found), len(AMOUNT_FEATURES))


_CENT = 0.021
_CENTS = re.compile(r"[.,]\s?\d\s?\d\D*$")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_AMOUNT = re.compile(r"[\d.,]+[.,]\d\d")
_MAX_RATE = 0.3


def _sums(pool: NDArray[np.float64]) -> tuple[set[float], set[float], set[float], set[float]]:
    """Amounts that are the sum of two others; such with a plausible rate of tax between the terms; those first and further terms."""
    of_two: set[float] = set()
    with_rate: set[float] = set()
    first: set[float] = set()
    further: set[float] = set()
    if len(pool) < 3:
        return of_two, with_rate, first, further
    sums = pool[:, None] + pool[None, :]
    at = np.searchsorted(pool, sums - _CENT)
    hit = (at < len(pool)) & (np.abs(pool[np.minimum(at, len(pool) - 1)] - sums) <= _CENT)
    for i, j in zip(*np.nonzero(hit), strict=True):
        if i < j:
            continue
        total, base, tax = float(pool[at[i, j]]), float(pool[i]), float(pool[j])
        of_two.add(total)
        if i != j and 0.01 <= tax / base <= _MAX_RATE:
            with_rate.add(total)
            first.add(base)
            further.add(tax)
    return of_two, with_rate, first, further


def _at_a_rate(values: NDArray[np.float64], pool: NDArray[np.float64], rates: tuple[float, ...]) -> NDArray[np.bool_]:
    """Whether each amount is a printed rate of another amount."""
    found = np.zeros(len(values), bool)
    for rate in rates:
        found |= (np.abs(pool * rate / 100 - values[:, None]) <= 0.0101).any(axis=1)
    return found & (values > 0)


def _near(v: float, others: frozenset[float]) -> bool:
    return v > 0 and any(abs(v - other) <= _CENT for other in others)


def _are_differences(values: NDArray[np.float64], pool: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each amount is the difference of two others."""
    if len(pool) < 3:
        return np.zeros(len(values), bool)
    larger = pool + values[:, None]
    at = np.minimum(np.searchsorted(pool, larger - _CENT), len(pool) - 1)
    hit = (np.abs(pool[at] - larger) <= _CENT) & (pool != values[:, None])
    return np.asarray(hit.any(axis=1) & (values > 0))


def date_features(
    candidates: Sequence[Candidate],
    times: Sequence[Candidate],
    discounts: frozenset[tuple[int, int, int]],
    payments: frozenset[tuple[int, int, int]],
    own: frozenset[tuple[int, int, int]],
) -> Numbers:
    """One row for each date, in the order of DATE_FEATURES.

    ``discounts`` are places of dates at which a discount ends, ``payments`` of those behind them, ``own`` of those that belong to
    no other document.
    """
    days = [date.fromisoformat(c.value).toordinal() for c in candidates]
    ordered = sorted(set(days))
    same = Counter(days)
    timed = {c.run.row for c in times}
    found = []
    for at, (c, day) in enumerate(zip(candidates, days, strict=True)):
        found.append(
            (
                float(at == 0),
                ordered.index(day) / max(1, len(ordered) - 1),
                float(day == ordered[-1]),
                float(day == ordered[0]),
                _span(day - ordered[0]),
                _span(ordered[-1] - day),
                min(3, same[day] - 1) / 3,
                min(6, len(ordered)) / 6,
                float(c.run.row in timed),
                float(c.place in discounts),
                float(c.place in payments),
                float(c.place not in own),
                float(2000 <= int(c.value[:4]) <= 2035),
                float(len(c.run.words) > 7),
            )
        )
    return np.array(found, np.float32).reshape(len(found), len(DATE_FEATURES))


def _span(days: int) -> float:
    return min(1.0, log10(1 + days) / 3)


def identifier_features(candidates: Sequence[Candidate], buyer: Sequence[float], taken: frozenset[tuple[int, int]]) -> Numbers:
    """One row for each identifier, in the order of IDENTIFIER_FEATURES. ``buyer`` says how near each stands to a buyer, 0 to 1."""
    found = []
    taken_in: dict[int, list[int]] = defaultdict(list)
    for number, start in taken:
        taken_in[number].append(start)
    for at, c in enumerate(candidates):
        text = c.value
        digits = sum(map(str.isdigit, text))
        before = c.run.text[: c.start].rstrip()
        found.append(
            (
                min(20, len(text)) / 20,
                digits / max(1, len(text)),
                float(text[:1].isalpha()),
                float(_YEAR.search(text) is not None),
                min(4, len(text) - sum(map(str.isalnum, text))) / 4,
                float(_AMOUNT.fullmatch(text) is not None),
                float(text.isdigit()),
                float(before.endswith(("#", "No", "Nr", "N°", "№", "no.", "Nr."))),
                float(text.upper() == text and digits < len(text)),
                float(c.start <= 1),
                float(c.end >= len(c.run.text.rstrip()) - 1),
                float(c.kind == "vat"),
                float(c.kind == "vat" and c.quality >= 1),
                buyer[at],
                float(digits >= 7),
                float(any(0 <= start - c.start < len(text) for start in taken_in.get(c.run.number, ()))),
            )
        )
    return np.array(found, np.float32).reshape(len(found), len(IDENTIFIER_FEATURES))

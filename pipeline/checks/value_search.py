"""Where on a page a value stands: the words that hold it, found by text, by value or nearly.

An index is built once a page, in time that grows with the page; looking up a value does not read the page again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property

from rapidfuzz import fuzz

from pipeline.checks.text_keys import Key, digits, fold, make_key, numeric_pieces
from pipeline.records import Grounding, Word
from pipeline.values.currencies import parse_currency, split_currency
from pipeline.values.dates import Order, find_dates, guess_order, parse_time
from pipeline.values.money import parse_money

FUZZY = 88.0
"""rapidfuzz ratio from which two texts are one text with OCR errors."""
FUZZY_LETTERS = 6
"""Shorter texts are too easily like another one."""
MOST_PLACES = 200
"""Occurrences of one value that are looked at."""
_NUMBER_WORDS = 4
_WORD = re.compile(r"[^\W\d_]{4}")
_OPEN = re.compile(r"[.,]\d{3}(?!\d)")
"""A mark that may stand before thousands or before decimals."""
_CURRENCY_PIECES = re.compile(r"[^\W\d_]+|[$€£¥￥₹₽₺₴₩฿₫₪₱]")
_SHARED_SIGNS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "COP", "CLP", "ARS"}),
    "¥": frozenset({"JPY", "CNY"}),
    "￥": frozenset({"JPY", "CNY"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "£": frozenset({"GBP", "EGP"}),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Words of the page that hold a value, by index, and how surely."""

    words: tuple[int, ...]
    grounding: Grounding


class PageIndex:
    """The words of a page, or some of them, made ready for looking values up."""

    def __init__(self, words: Sequence[Word], indices: Sequence[int] | None = None) -> None:
        self._numbers_in = tuple(range(len(words)) if indices is None else indices)
        self.words = tuple(words[i] for i in self._numbers_in)

    def find(self, kind: str, value: str) -> list[Place]:
        """Every place of a value of a template type, in reading order; the surest kind of match only.

        ``value`` is normalised as in ``Claim``. Numbers, dates, times, currencies and identifiers are never matched nearly.
        """
        finders = {
            "money": self._number,
            "number": self._number,
            "date": self._date,
            "time": self._time,
            "currency": self._currency,
            "identifier": self._identifier,
        }
        places = finders.get(kind, self._text)(value)
        return [Place(tuple(self._numbers_in[i] for i in place.words), place.grounding) for place in places[:MOST_PLACES]]

    # ---- text

    def _text(self, value: str) -> list[Place]:
        return self._literal(value) or self._down_a_column(value) or self._nearly(value)

    def _identifier(self, value: str) -> list[Place]:
        places = self._literal(value)
        if not places and value[:2].isalpha() and len(digits(value)) >= 7:
            # The national number of a VAT id is often printed without the country's letters.
            places = [Place(p.words, "value") for p in self._literal(value[2:])]
        return places

    def _literal(self, value: str) -> list[Place]:
        return [Place(self._key.owners(start, end), "exact") for start, end in self._key.occurrences(fold(value))]

    def _down_a_column(self, value: str) -> list[Place]:
        """A text of several lines in one column of a page whose lines go on in other columns."""
        tokens = [token for token in map(fold, value.split()) if token]
        if len(tokens) < 2:
            return []
        starts = [i for i, token in enumerate(self._tokens) if token == tokens[0]][:MOST_PLACES]
        walks = (self._walk(start, tokens) for start in starts)
        return [Place(walk, "exact") for walk in walks if walk]

    def _walk(self, start: int, tokens: Sequence[str]) -> tuple[int, ...] | None:
        walk = [start]
        for token in tokens[1:]:
            step = next((i for i in self._next(walk) if self._tokens[i] == token), None)
            if step is None:
                return None
            walk.append(step)
        return tuple(walk)

    def _next(self, walk: Sequence[int]) -> Iterator[int]:
        """The word to the right, then the first word below of the same column, up to three lines down."""
        here = self.words[walk[-1]]
        if walk[-1] + 1 < len(self.words):
            yield walk[-1] + 1
        left, right = min(self.words[i].box[0] for i in walk), max(self.words[i].box[2] for i in walk)
        slack = max(here.size, here.box[3] - here.box[1])
        for line in range(here.line + 1, here.line + 4):
            below = (i for i in self._lines.get(line, ()) if left - slack < self.words[i].box[0] < right)
            first = next(below, None)
            if first is not None:
                yield first

    def _nearly(self, value: str) -> list[Place]:
        """The stretch of text most like the value; every digit must agree, only letters may differ."""
        wanted = fold(value)
        if len(wanted) < FUZZY_LETTERS or len(wanted) > 500:
            return []
        near = fuzz.partial_ratio_alignment(wanted, self._key.text, score_cutoff=FUZZY)
        if near is None or len(self._key.text) < len(wanted) * 0.8:
            return []
        words = self._key.owners(near.dest_start, near.dest_end)
        found = "".join(self._tokens[i] for i in words)
        return [Place(words, "fuzzy")] if fuzz.ratio(wanted, found) >= FUZZY and digits(value) == digits(found) else []

    # ---- values

    def _number(self, value: str) -> list[Place]:
        with suppress(InvalidOperation):
            return [Place(words, self._grade(value, words)) for words in self._amounts.get(Decimal(value), ())]
        return []

    def _date(self, value: str) -> list[Place]:
        with suppress(ValueError):
            return [Place(words, self._grade(value, words)) for words in self._dates.get(date.fromisoformat(value), ())]
        return []

    def _grade(self, value: str, words: Sequence[int]) -> Grounding:
        return "exact" if " ".join(self.words[i].text for i in words) == value else "value"

    def _time(self, value: str) -> list[Place]:
        """Times equal as far as both are told: seconds only where both have them."""
        found = [words for words, time in self._times if time.startswith(value) or value.startswith(time)]
        return [Place(words, self._grade(value, words)) for words in found]

    def _currency(self, value: str) -> list[Place]:
        found = [i for i, word in enumerate(self.words) if self._names_currency(word.text, value)]
        return [Place((i,), self._grade(value, (i,))) for i in found]

    @staticmethod
    def _names_currency(text: str, value: str) -> bool:
        if split_currency(text)[0] == value:
            return True
        pieces = [text, *_CURRENCY_PIECES.findall(text)]
        named = (p for p in pieces if not (p.islower() and p.upper() == value))  # "try" and "all" are words
        return any(parse_currency(p) == value for p in named) or any(
            value in _SHARED_SIGNS.get(p.casefold(), ()) for p in pieces
        )

    # ---- the index

    @cached_property
    def _key(self) -> Key:
        return make_key([word.text for word in self.words])

    @cached_property
    def _tokens(self) -> list[str]:
        return [fold(word.text) for word in self.words]

    @cached_property
    def _lines(self) -> dict[int, list[int]]:
        lines: dict[int, list[int]] = defaultdict(list)
        for i, word in enumerate(self.words):
            lines[word.line].append(i)
        return dict(lines)

    @cached_property
    def _amounts(self) -> dict[Decimal, list[tuple[int, ...]]]:
        """Numbers that words, or neighbouring words together, print; the shortest reading of a place first."""
        amounts: dict[Decimal, list[tuple[int, ...]]] = defaultdict(list)
        for words, text in self._number_spans():
            for amount in _readings(text):
                places = amounts[amount]
                if any(set(known) <= set(words) for known in places[-_NUMBER_WORDS:]):
                    continue
                amounts[amount] = [known for known in places if not set(words) < set(known)] + [words]
        return dict(amounts)

    def _number_spans(self) -> Iterator[tuple[tuple[int, ...], str]]:
        for i, word in enumerate(self.words):
            for piece in numeric_pieces(word.text):
                yield (i,), piece
            span: tuple[int, ...] = (i,)
            text = word.text
            yield span, text
            while len(span) < _NUMBER_WORDS and not _WORD.search(text) and self._goes_on(span[-1]) and len(text) < 40:
                span, text = (*span, span[-1] + 1), f"{text} {self.words[span[-1] + 1].text}"
                yield span, text

    def _goes_on(self, i: int) -> bool:
        """Whether the next word stands close enough on the same line to belong to one number."""
        if i + 1 >= len(self.words):
            return False
        a, b = self.words[i], self.words[i + 1]
        return a.line == b.line and b.box[0] - a.box[2] < max(a.box[3] - a.box[1], b.box[3] - b.box[1])

    @cached_property
    def _dates(self) -> dict[date, list[tuple[int, ...]]]:
        lines = [(indices, _Joined([self.words[i].text for i in indices])) for indices in self._lines.values()]
        order = guess_order(joined.text for _, joined in lines)
        orders: tuple[Order, ...] = (order,) if order else ("DMY", "MDY", "YMD")
        dates: dict[date, list[tuple[int, ...]]] = defaultdict(list)
        for indices, joined in lines:
            for start, end, day in {hit for reading in orders for hit in find_dates(joined.text, reading)}:
                dates[day].append(tuple(indices[n] for n in joined.parts(start, end)))
        return {day: sorted(places) for day, places in dates.items()}

    @cached_property
    def _times(self) -> list[tuple[tuple[int, ...], str]]:
        halves = {i for i, token in enumerate(self._tokens[1:]) if token in ("am", "pm") and self._goes_on(i)}
        spans = [((i, i + 1) if i in halves else (i,)) for i in range(len(self.words))]
        texts = [(words, " ".join(self.words[i].text for i in words)) for words in spans]
        return [(words, time) for words, text in texts if ":" in text or "h" in text if (time := parse_time(text))]


class _Joined:
    """A line's words as one text, and back from places in it to words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.text = " ".join(texts)
        self._ends: list[int] = []
        for text in texts:
            self._ends.append((self._ends[-1] + 1 if self._ends else 0) + len(text))
        self._starts = [0, *(end + 1 for end in self._ends[:-1])]

    def parts(self, start: int, end: int) -> list[int]:
        return [n for n, (s, e) in enumerate(zip(self._starts, self._ends, strict=True)) if s < end and e > start]


def _readings(text: str) -> set[Decimal]:
    """The amounts that a text can mean: where "1.234" stands alone, both."""
    if not any(c.isdigit() for c in text):
        return set()
    plain = text.strip().rstrip("%").rstrip(":;*")
    found = (parse_money(plain, mark) for mark in ((None, ".", ",") if _OPEN.search(plain) else (None,)))
    return {money.amount for money in found if money}

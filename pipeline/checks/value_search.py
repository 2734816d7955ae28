"""Finds the words of a page that print a value: by text, by value, or by similarity.

The index of a page is built once, in time that is linear in its length. A search does not read the page again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property

from rapidfuzz import fuzz

from pipeline.checks.text_keys import Key, digits, letters_and_digits, make_key, numeric_pieces
from pipeline.languages.evidence import language_weights
from pipeline.records import Grounding, Word
from pipeline.values.country_names import country_code
from pipeline.values.currencies import parse_currency, split_currency
from pipeline.values.dates import Order, find_dates, guess_order, parse_time
from pipeline.values.identifiers import country_of_vat
from pipeline.values.money import parse_money
from pipeline.values.periods import find_periods
from pipeline.values.postal import stated_country

MIN_RATIO = 88.0
"""rapidfuzz ratio from which two texts are the same text with OCR errors."""
MIN_FUZZY_LETTERS = 6
"""Shorter texts are too often similar to another one."""
MAX_PLACES = 200
"""Occurrences of one value that are considered."""
_MAX_NUMBER_WORDS = 4
"""Words that one number may be printed in."""
_WORD = re.compile(r"[^\W\d_]{4}")
_AMBIGUOUS_MARK = re.compile(r"[.,]\d{3}(?!\d)")
"""A mark that may separate thousands or decimals."""
_LEAST_PHONE, _MOST_NAME_WORDS = 6, 4
_CURRENCY_PIECES = re.compile(r"[^\W\d_]+|[$€£¥￥₹₽₺₴₩฿₫₪₱]")
_SHARED_SIGNS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "COP", "CLP", "ARS"}),
    "¥": frozenset({"JPY", "CNY"}),
    "￥": frozenset({"JPY", "CNY"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "£": frozenset({"GBP", "EGP"}),
}


@dataclass(frozen=True, slots=True)
class ValuePlace:
    """The words of the page that print a value, by index, and the kind of match."""

    words: tuple[int, ...]
    grounding: Grounding


class PageIndex:
    """An index of a page's words, or of some of them, for finding values."""

    def __init__(self, words: Sequence[Word], indices: Sequence[int] | None = None) -> None:
        self._is_page = indices is None
        self._page_indices = tuple(range(len(words)) if indices is None else indices)
        self.words = tuple(words[i] for i in self._page_indices)

    def find(self, kind: str, value: str) -> list[ValuePlace]:
        """Every place of a value of a template type, in reading order, of the best kind of match only.

        ``value`` is normalised as in ``Claim``. Numbers, dates, times, currencies and identifiers are never matched by similarity.
        """
        places = self._finders.get(kind, self._text)(value) if kind != "boolean" else []
        if self._is_page:
            return places[:MAX_PLACES]
        return [ValuePlace(tuple(self._page_indices[i] for i in place.words), place.grounding) for place in places[:MAX_PLACES]]

    @cached_property
    def _finders(self) -> Mapping[str, Callable[[str], list[ValuePlace]]]:
        """The search of each template type; other types are found as texts."""
        return {
            "money": self._number,
            "number": self._number,
            "date": self._date,
            "time": self._time,
            "currency": self._currency,
            "identifier": self._identifier,
            "integer": self._number,
            "percentage": self._number,
            "quantity": self._quantity,
            "period": self._period,
            "duration": self._duration,
            "phone": self._phone,
            "iban": self._exact,
            "bic": self._exact,
            "mail": self._exact,
            "url": self._exact,
            "country": self._country,
        }

    # ---- text

    def _text(self, value: str) -> list[ValuePlace]:
        return self._exact(value) or self._in_a_column(value) or self._by_similarity(value)

    def _identifier(self, value: str) -> list[ValuePlace]:
        places = self._exact(value)
        if not places and value[:2].isalpha() and len(digits(value)) >= 7:
            # The national number of a VAT id is often printed without the country's letters.
            places = [ValuePlace(p.words, "value") for p in self._exact(value[2:])]
        return places

    def _exact(self, value: str) -> list[ValuePlace]:
        return [
            ValuePlace(self._key.owners(start, end), "exact") for start, end in self._key.occurrences(letters_and_digits(value))
        ]

    def _in_a_column(self, value: str) -> list[ValuePlace]:
        """A text over several lines of one column, on a page whose lines continue in other columns."""
        tokens = [token for token in map(letters_and_digits, value.split()) if token]
        if len(tokens) < 2:
            return []
        starts = [i for i, token in enumerate(self._tokens) if token == tokens[0]][:MAX_PLACES]
        walks = (self._walk(start, tokens) for start in starts)
        return [ValuePlace(walk, "exact") for walk in walks if walk]

    def _walk(self, start: int, tokens: Sequence[str]) -> tuple[int, ...] | None:
        walk = [start]
        for token in tokens[1:]:
            step = next((i for i in self._next(walk) if self._tokens[i] == token), None)
            if step is None:
                return None
            walk.append(step)
        return tuple(walk)

    def _next(self, walk: Sequence[int]) -> Iterator[int]:
        """The word to the right, then the first word of the same column in each of the next three lines."""
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

    def _by_similarity(self, value: str) -> list[ValuePlace]:
        """The part of the text that is most similar to the value. All digits must agree; letters may differ."""
        expected = letters_and_digits(value)
        if len(expected) < MIN_FUZZY_LETTERS or len(expected) > 500:
            return []
        near = fuzz.partial_ratio_alignment(expected, self._key.text, score_cutoff=MIN_RATIO)
        if near is None or len(self._key.text) < len(expected) * 0.8:
            return []
        words = self._key.owners(near.dest_start, near.dest_end)
        text = "".join(self._tokens[i] for i in words)
        return [ValuePlace(words, "fuzzy")] if fuzz.ratio(expected, text) >= MIN_RATIO and digits(value) == digits(text) else []

    # ---- values

    def _number(self, value: str) -> list[ValuePlace]:
        with suppress(InvalidOperation):
            return [ValuePlace(words, self._match_kind(value, words)) for words in self._amounts.get(Decimal(value), ())]
        return []

    def _date(self, value: str) -> list[ValuePlace]:
        with suppress(ValueError):
            return [
                ValuePlace(words, self._match_kind(value, words)) for words in self._dates.get(date.fromisoformat(value), ())
            ]
        return []

    def _match_kind(self, value: str, words: Sequence[int]) -> Grounding:
        return "exact" if " ".join(self.words[i].text for i in words) == value else "value"

    def _time(self, value: str) -> list[ValuePlace]:
        """Times that are equal in hours and minutes, and in seconds where both have them."""
        matches = [words for words, time in self._times if time.startswith(value) or value.startswith(time)]
        return [ValuePlace(words, self._match_kind(value, words)) for words in matches]

    def _quantity(self, value: str) -> list[ValuePlace]:
        """The text as it is, else its number."""
        return self._exact(value) or self._number(value.partition(" ")[0])

    def _period(self, value: str) -> list[ValuePlace]:
        """Both days; where a month or a part of a day stands for one of them, the lines of both are compared as texts."""
        first, _, last = value.partition("/")
        places = [(a, b) for a in self._date(first) for b in self._date(last) if a.words <= b.words][:MAX_PLACES]
        if places:
            a, b = min(places, key=lambda pair: pair[1].words[0] - pair[0].words[0])
            return [ValuePlace(tuple(dict.fromkeys((*a.words, *b.words))), "value")]
        return [ValuePlace(words, "value") for words in self._periods.get(value, ())]

    def _duration(self, value: str) -> list[ValuePlace]:
        numbers = re.findall(r"\d+", value)
        places = [self._number(number) for number in numbers]
        return [ValuePlace(tuple(i for found in places for i in found[0].words), "value")] if places and all(places) else []

    def _phone(self, value: str) -> list[ValuePlace]:
        """The number as printed, also with a zero for the country's code, or with both."""
        plain = digits(value)
        for start in range(min(4, max(1, len(plain) - _LEAST_PHONE))):
            for number in (plain[start:], "0" + plain[start:]):
                if places := self._exact(number):
                    return places if number == plain else [ValuePlace(place.words, "value") for place in places]
        return []

    def _country(self, value: str) -> list[ValuePlace]:
        """Words that name the country; up to four of them are one name."""
        found = []
        for indices in self._lines.values():
            for at in range(len(indices)):
                for length in range(1, _MOST_NAME_WORDS + 1):
                    words = indices[at : at + length]
                    if len(words) == length and country_code(" ".join(self.words[i].text for i in words)) == value:
                        found.append(ValuePlace(tuple(words), "value"))
        return found or [
            ValuePlace((i,), "value")
            for i, word in enumerate(self.words)
            if stated_country(word.text) == value or country_of_vat(word.text.strip(" .,:;()")) == value
        ]

    def _currency(self, value: str) -> list[ValuePlace]:
        matches = [i for i, word in enumerate(self.words) if self._names_currency(word.text, value)]
        return [ValuePlace((i,), self._match_kind(value, (i,))) for i in matches]

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
        return [letters_and_digits(word.text) for word in self.words]

    @cached_property
    def _lines(self) -> dict[int, list[int]]:
        lines: dict[int, list[int]] = defaultdict(list)
        for i, word in enumerate(self.words):
            lines[word.line].append(i)
        return dict(lines)

    @cached_property
    def _amounts(self) -> dict[Decimal, list[tuple[int, ...]]]:
        """Word indices by amount, for single words and for neighbours that print one number. The shortest span of a place comes first."""
        amounts: dict[Decimal, list[tuple[int, ...]]] = defaultdict(list)
        for words, text in self._number_spans():
            for amount in _possible_amounts(text):
                places = amounts[amount]
                if any(set(other) <= set(words) for other in places[-_MAX_NUMBER_WORDS:]):
                    continue
                amounts[amount] = [other for other in places if not set(words) < set(other)] + [words]
        return dict(amounts)

    def _number_spans(self) -> Iterator[tuple[tuple[int, ...], str]]:
        for i, word in enumerate(self.words):
            for piece in numeric_pieces(word.text):
                if piece != word.text:
                    yield (i,), piece
            span: tuple[int, ...] = (i,)
            text = word.text
            yield span, text
            while len(span) < _MAX_NUMBER_WORDS and not _WORD.search(text) and self._continues(span[-1]) and len(text) < 40:
                span, text = (*span, span[-1] + 1), f"{text} {self.words[span[-1] + 1].text}"
                yield span, text

    def _continues(self, i: int) -> bool:
        """Whether the next word is on the same line and close enough to belong to the same number."""
        if i + 1 >= len(self.words):
            return False
        a, b = self.words[i], self.words[i + 1]
        gap = max(b.box[0] - a.box[2], a.box[0] - b.box[2])  # the next word of a line from right to left is left of this one
        return a.line == b.line and gap < max(a.box[3] - a.box[1], b.box[3] - b.box[1])

    @cached_property
    def _dates(self) -> dict[date, list[tuple[int, ...]]]:
        lines = [(indices, _JoinedLine([self.words[i].text for i in indices])) for indices in self._lines.values()]
        order = guess_order(joined.text for _, joined in lines)
        orders: tuple[Order, ...] = (order,) if order else ("DMY", "MDY", "YMD")
        dates: dict[date, list[tuple[int, ...]]] = defaultdict(list)
        weights = language_weights(joined.text for _, joined in lines)
        for indices, joined in lines:
            for start, end, day in {hit for day_order in orders for hit in find_dates(joined.text, day_order, weights)}:
                dates[day].append(tuple(indices[n] for n in joined.parts(start, end)))
        return {day: sorted(places) for day, places in dates.items()}

    @cached_property
    def _periods(self) -> dict[str, list[tuple[int, ...]]]:
        periods: dict[str, list[tuple[int, ...]]] = defaultdict(list)
        for indices in self._lines.values():
            joined = _JoinedLine([self.words[i].text for i in indices])
            for found in find_periods(joined.text):
                periods[found.value].append(tuple(indices[n] for n in joined.parts(found.start, found.end)))
        return dict(periods)

    @cached_property
    def _times(self) -> list[tuple[tuple[int, ...], str]]:
        with_suffix = {i for i, token in enumerate(self._tokens[1:]) if token in ("am", "pm") and self._continues(i)}
        spans = [((i, i + 1) if i in with_suffix else (i,)) for i in range(len(self.words))]
        texts = [(words, " ".join(self.words[i].text for i in words)) for words in spans]
        return [(words, time) for words, text in texts if ":" in text or "h" in text if (time := parse_time(text))]


class _JoinedLine:
    """The words of a line as one text, with a way back from positions in the text to words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.text = " ".join(texts)
        self._ends: list[int] = []
        for text in texts:
            self._ends.append((self._ends[-1] + 1 if self._ends else 0) + len(text))
        self._starts = [0, *(end + 1 for end in self._ends[:-1])]

    def parts(self, start: int, end: int) -> list[int]:
        return [n for n, (s, e) in enumerate(zip(self._starts, self._ends, strict=True)) if s < end and e > start]


def _possible_amounts(text: str) -> set[Decimal]:
    """The amounts that a text can mean: "1.234" means both 1.234 and 1234."""
    if not any(map(str.isdigit, text)):
        return set()
    plain = text.strip().rstrip("%").rstrip(":;*")
    amounts = (parse_money(plain, mark) for mark in ((None, ".", ",") if _AMBIGUOUS_MARK.search(plain) else (None,)))
    return {money.amount for money in amounts if money}

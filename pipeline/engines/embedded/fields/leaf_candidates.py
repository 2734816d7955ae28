"""Texts on a page that have the grammar of a type: telephone numbers, mail and web addresses, IBANs, periods, quantities …"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from pipeline.engines.embedded.fields.bank_identifiers import find_bics
from pipeline.engines.embedded.fields.candidates import Candidate, Candidates, bank_candidate
from pipeline.engines.embedded.fields.labels import Label, cut_box
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.values.country_names import country_code
from pipeline.values.identifiers import normalise_identifier, parse_iban
from pipeline.values.leaf_values import MAIL, PHONE, QUANTITY, URL, parse_leaf, parse_phone
from pipeline.values.periods import find_periods, parse_duration

LABELLED_KINDS = (
    "time", "number", "integer", "percentage", "quantity", "period", "duration", "phone", "mail", "url", "iban", "bic", "country",
)  # fmt: skip
"""Types that are read by their grammar and their labels, without the scorer."""
UNPROVEN = 0.55
"""Quality of a text in the form of an IBAN whose check digits are wrong."""
_IBAN_FORM = re.compile(r"(?<![^\W_])[A-Z]{2}\s?\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,3})?(?![^\W_])")
_DURATION = re.compile(
    r"(?<![\d.,])\d{1,5}(?:[.,]\d{1,2})?\s?-?[^\W\d_]{1,12}(?:\s\d{1,2}\s?[^\W\d_]{1,8})?|(?<![\d:])\d{1,3}:\d{2}\s?(?:h|hrs|std)\b"
)
_HOST = re.compile(r"[\s:]*((?:[\w-]{1,63}\.){1,4}[A-Za-z]{2,12}(?:/\S{0,100})?)(?=\s|$)")
_NAME_WORDS = 4
_MOST_UNIT = 12
_WHOLE = re.compile(r"-?\d+(?:\.0+)?")


class LeafCandidates:
    """The candidates of each type with a grammar, found when they are first asked for."""

    def __init__(self, layout: Layout, candidates: Candidates, labels: Sequence[Label]) -> None:
        self._layout, self._typed, self._labels = layout, candidates, labels
        self._found: dict[str, list[Candidate]] = {}

    def of(self, kind: str) -> list[Candidate]:
        """The candidates of one of ``LABELLED_KINDS``, in reading order."""
        if kind not in self._found:
            finders: Mapping[str, Callable[[], Iterator[Candidate]]] = {
                "integer": self._integers,
                "percentage": self._percentages,
                "quantity": self._quantities,
                "period": self._periods,
                "duration": self._durations,
                "phone": self._phones,
                "mail": lambda: self._matches("mail", MAIL),
                "url": self._urls,
                "iban": self._ibans,
                "bic": self._bics,
                "country": self._countries,
            }
            self._found[kind] = list(finders[kind]()) if kind in finders else self._typed.of(kind)
        return self._found[kind]

    def _make(self, kind: str, value: str, run: Run, start: int, end: int, quality: float = 1.0) -> Candidate:
        words = run.span(start, end)
        return Candidate(kind, value, run, start, end, cut_box(self._layout, run, start, end), words, quality)

    def _matches(self, kind: str, pattern: re.Pattern[str]) -> Iterator[Candidate]:
        for run in self._layout.runs:
            for match in pattern.finditer(run.text):
                if value := parse_leaf(kind, match[0]):
                    yield self._make(kind, value, run, *match.span())

    def _urls(self) -> Iterator[Candidate]:
        """Web addresses with a scheme or ``www``; after a label a bare host is one, too."""
        yield from self._matches("url", URL)
        for label in self._labels:
            rest = label.run.text[label.end :]
            match = _HOST.match(rest)
            if match and "@" not in match[1] and not URL.match(match[1]) and (value := parse_leaf("url", match[1])):
                yield self._make("url", value, label.run, label.end + match.start(1), label.end + match.end(1), 0.9)

    def _phones(self) -> Iterator[Candidate]:
        taken = [*self._typed.dates, *self._typed.bank_identifiers, *self._typed.vats]
        sure = [c for c in self._typed.money if c.quality >= 0.8]
        for run in (run for run in self._layout.runs if run.has_digit):
            for match in PHONE.finditer(run.text):
                busy = any(c.run is run and c.start < match.end() and c.end > match.start() for c in [*taken, *sure])
                if not busy and (value := parse_phone(match[0])):
                    yield self._make("phone", value, run, *match.span(), 1.0 if value.startswith("+") else 0.8)

    def _ibans(self) -> Iterator[Candidate]:
        proven = [c for c in self._typed.bank_identifiers if c.kind == "iban"]
        for found in proven:
            value = parse_iban(found.value) or normalise_identifier(found.value)
            yield Candidate("iban", value, found.run, found.start, found.end, found.box, found.words, text=found.text)
        for run in (run for run in self._layout.runs if run.has_digit):
            for match in _IBAN_FORM.finditer(run.text):
                if not any(
                    c.run is run and c.start < match.end() and c.end > match.start() for c in self._typed.bank_identifiers
                ):
                    yield self._make("iban", normalise_identifier(match[0]), run, *match.span(), UNPROVEN)

    def _bics(self) -> Iterator[Candidate]:
        for found in find_bics(self._layout, self._labels):
            candidate = bank_candidate(self._layout, found)
            value = normalise_identifier(candidate.value)
            yield Candidate(
                "bic", value, candidate.run, candidate.start, candidate.end, candidate.box, candidate.words, text=found.text
            )

    def _percentages(self) -> Iterator[Candidate]:
        for found in self._typed.numbers:
            if found.kind == "percent":
                yield Candidate("percentage", found.value, found.run, found.start, found.end, found.box, found.words)

    def _integers(self) -> Iterator[Candidate]:
        for found in self._typed.numbers:
            if found.kind == "money" and _WHOLE.fullmatch(found.value) and found.currency is None:
                value = found.value.partition(".")[0]
                yield Candidate(
                    "integer", value, found.run, found.start, found.end, found.box, found.words, max(0.5, found.quality)
                )

    def _quantities(self) -> Iterator[Candidate]:
        """Numbers with the unit behind them."""
        for found in self._typed.numbers:
            match = QUANTITY.match(found.run.text, found.start)
            value = parse_leaf("quantity", match[0]) if match else None
            if match and value and found.kind != "percent" and found.currency is None:
                yield self._make("quantity", value, found.run, found.start, match.end())

    def _periods(self) -> Iterator[Candidate]:
        for run in (run for run in self._layout.runs if run.has_digit):
            for found in find_periods(run.text, self._typed.order, self._layout.languages):
                yield self._make("period", found.value, run, found.start, found.end)

    def _durations(self) -> Iterator[Candidate]:
        for run in (run for run in self._layout.runs if run.has_digit):
            for match in _DURATION.finditer(run.text):
                if value := parse_duration(match[0]) or parse_duration(match[0].split(" ")[0]):
                    yield self._make("duration", value, run, *match.span())

    def _countries(self) -> Iterator[Candidate]:
        """Names of countries, the longest of several that begin with one word. A code of two letters counts behind a label only."""
        after = {(label.run.number, at) for label in self._labels for at in _next_words(label)}
        for run in self._layout.runs:
            ends = [*(start - 1 for start in run.starts[1:]), len(run.text)]
            at = 0
            while at < len(run.starts):
                for last in range(min(len(ends), at + _NAME_WORDS) - 1, at - 1, -1):
                    start, text = run.starts[at], run.text[run.starts[at] : ends[last]]
                    code = country_code(text)
                    is_code = len(text.strip(" .,;()")) <= 3
                    if code and (not is_code or (run.number, start) in after or len(run.text) <= 3):
                        yield self._make("country", code, run, start, ends[last])
                        at = last
                        break
                at += 1


def _next_words(label: Label) -> Iterator[int]:
    """Where the word behind a label begins."""
    text = label.run.text
    at = label.end
    while at < len(text) and not text[at].isalnum():
        at += 1
    yield at

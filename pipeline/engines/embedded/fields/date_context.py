"""Dates that belong to something else than the fields of a template: another document, or a discount for early payment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import plain_any_of

_SEPARATOR = re.compile(r"[,;]|\s[–-]\s")
_NUMBER = r"(?:[\W_]{0,3}(?:n[o°ºr]?\.?|num\.?|č\.?|#)?[\W_]{0,3}[\w/-]*\d[\w/-]*)?"
"""The number of a document, between its name and its date."""


@dataclass(frozen=True, slots=True)
class _Patterns:
    of_other_document: re.Pattern[str]
    discount: re.Pattern[str]
    no_discount: re.Pattern[str]


@from_words
def _patterns(languages: Languages) -> _Patterns:
    words = languages.words.dates
    documents, dated = plain_any_of(words.other_documents), plain_any_of(words.dated)
    discounts, without = plain_any_of(words.discounts), plain_any_of(words.without)
    return _Patterns(
        re.compile(
            rf"(?<![^\W\d_])({documents})(?![^\W\d_]){_NUMBER}[\W_]{{0,3}}(?<![^\W\d_])({dated})[\W_]{{0,3}}$", re.IGNORECASE
        ),
        re.compile(rf"(?<![^\W\d_])(?:{discounts})(?![^\W\d_])", re.IGNORECASE),
        re.compile(rf"(?<![^\W\d_])(?:{without})\s(?:\w+\s)?(?:{discounts})(?![^\W\d_])", re.IGNORECASE),
    )


MAX_ROWS = 3
"""Rows between the end of a discount and the time for payment that the same terms give."""


def is_own_date(layout: Layout, date: Candidate, labels: Sequence[Label]) -> bool:
    """Whether the date is not that of another document: "Order 4711 of 3 May". ``labels`` are those of the template's dates."""
    return not _of_other_document(layout, date, labels)


def payment_dates(dates: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """The dates at which a discount ends, and the dates that the same terms give for the whole payment: later, and close behind."""
    discounts = [date for date in dates if _ends_discount(date, dates)]
    others = [date for date in dates if date not in discounts]
    payments = []
    for end in discounts:
        behind = [d for d in others if 0 <= d.run.row - end.run.row <= MAX_ROWS and d.value > end.value]
        payments += [min(behind, key=lambda d: (d.run.row, d.start))] if behind else []
    return discounts, payments


def _of_other_document(layout: Layout, date: Candidate, labels: Sequence[Label]) -> bool:
    """Whether the words before the date name another document: "Order 4711 of 3 May"."""
    prefix, run = date.run.text[: date.start], date.run
    if not prefix.strip():
        before = [other for other in layout.rows[run.row] if other.box[2] <= run.box[0]]
        prefix = before[-1].text + " " if before else ""
        run = before[-1] if before else run
    match = _patterns().of_other_document.search(prefix)
    return match is not None and not any(label.run is run and match.start() <= label.start < match.start(2) for label in labels)


def _ends_discount(date: Candidate, dates: Sequence[Candidate]) -> bool:
    """Whether the words around the date, up to the next date or to a comma before it, speak of a discount."""
    text, others = date.run.text, [other for other in dates if other.run is date.run and other is not date]
    begin = max((other.end for other in others if other.end <= date.start), default=0)
    end = min((other.start for other in others if other.start >= date.end), default=len(text))
    before, after = text[begin : date.start], text[date.end : end]
    if begin:  # the words between two dates belong to the first one, up to a comma
        parts = list(_SEPARATOR.finditer(before))
        before = before[parts[-1].end() :] if parts else ""
    if part := _SEPARATOR.search(after):  # what follows behind a comma is another condition
        after = after[: part.start()]
    patterns = _patterns()
    near = f"{before} {after}"
    return patterns.discount.search(near) is not None and patterns.no_discount.search(near) is None

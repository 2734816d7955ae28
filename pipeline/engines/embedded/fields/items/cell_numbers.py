"""The numbers of a page that may be cells of a table: also counts that are glued to a unit or a sign ("2x", "5kg")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.labels import cut_box
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.values.numbers import parse_number, plain_decimal

MOST = 600
"""Numbers of a page that are looked at. A page full of numbers has some hundreds."""
_GLUED = re.compile(
    r"(?:(?<![\w.,/-])|(?<=[xX×*@]))(?<![^\W\d_][xX])(?P<number>\d{1,6}(?:[.,]\d{1,4})?)"
    r"(?=[xX×*@]|[^\W\d_]{1,5}(?![\w.,/-])|[^\W\d_]{1,4}[xX×*@]\d|(?<=[xX×*@].)(?![\w.,/-]))"
)
_COUNT_BEHIND = re.compile(r"(?<!\w)[xX×](?P<number>\d{1,4})(?![\w.,/-])")


def cell_numbers(layout: Layout, candidates: Candidates) -> list[Candidate]:
    """At most MOST candidates in reading order."""
    taken: dict[int, list[tuple[int, int]]] = {}
    for c in [*candidates.numbers, *candidates.dates, *candidates.times, *candidates.vats]:
        taken.setdefault(c.run.number, []).append((c.start, c.end))
    glued = [c for run in layout.runs if run.has_digit for c in _glued(layout, candidates, run, taken.get(run.number, []))]
    return sorted([*candidates.numbers, *glued], key=lambda c: (c.run.row, c.box[0]))[:MOST]


def _glued(layout: Layout, candidates: Candidates, run: Run, taken: list[tuple[int, int]]) -> Iterator[Candidate]:
    for pattern in (_GLUED, _COUNT_BEHIND):
        for match in pattern.finditer(run.text):
            start, end = match.span("number")
            if any(start < stop and end > begin for begin, stop in taken):
                continue
            number = parse_number(match["number"], candidates.decimal_mark)
            if number is not None:
                taken.append((start, end))
                box, words = cut_box(layout, run, start, end), run.span(start, end)
                yield Candidate("money", plain_decimal(number), run, start, end, box, words, 0.3)

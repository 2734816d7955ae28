"""Compares the result of one document with its truth: an outcome for every field of the truth.

Values are compared by type: amounts by value, dates and times as such, identifiers without marks and blanks, texts and names by
likeness. The rules are stricter than those by which checks look for agreement: here a part of a name is not the name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Literal

from rapidfuzz import fuzz

from pipeline.checks.text_keys import digits, letters_and_digits
from pipeline.checks.value_comparison import NUMBERS, SAME_TEXT_RATIO, as_decimal, is_absent, same_value
from pipeline.evaluate.expected import Expected, Truth, is_list
from pipeline.evaluate.read_results import ReadDocument, ReadField
from pipeline.records import Json
from pipeline.templates.template import Column, TemplateField
from pipeline.values.identifiers import normalise_identifier, same_identifier

PART = 0.5
"""A name within a longer one is the same from this share of its letters: the trading name in "Trading Name Ltd"."""
LONGEST_TEXT = 200_000
"""Letters above which two texts are only compared as a whole."""
NEAR_ROWS = 50
"""Rows with which a true row is compared text by text."""
MAX_ROWS = 5_000
"""Rows of a result's table that are compared; further ones match none."""
Outcome = Literal["right", "wrong", "missing", "invented"]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table's rows that agree: indices into the truth's and into the result's."""

    expected: int
    read: int
    matched: tuple[tuple[int, int], ...]
    columns: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By column: cells that are right, and cells that the truth states; of true rows and the read rows most like them."""

    @property
    def f1(self) -> float:
        """Harmonic mean of the share of true rows that were read, and of read rows that are true."""
        return 2 * len(self.matched) / (self.expected + self.read) if self.expected + self.read else 1.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One scored field of one document."""

    file: str
    field: str
    outcome: Outcome
    truth: Expected
    read: ReadField
    rows: Rows | None = None
    """Of a table; None for every other field."""
    unread: str = ""
    """Why there is no value at all: the document, or its page, could not be read."""

    @property
    def right(self) -> bool:
        """Whether the field counts as right."""
        return self.outcome == "right"

    @property
    def marked(self) -> bool:
        """Whether something tells people to look: the field is named for review or has a flag, or nothing could be read."""
        return self.read.to_review or bool(self.read.flags or self.unread)


def score(truth: Truth, result: ReadDocument | None, fields: Mapping[str, TemplateField]) -> list[Cell]:
    """A cell for every field of the truth; of a document that was not read, all that should have a value are missing."""
    unread = "not read" if result is None else result.reason
    is_unread = result is None or result.status in ("failed", "skipped")
    cells = []
    for name, expected in truth.fields.items():
        read = (result.fields.get(name) if result else None) or ReadField(None)
        rows = _rows(expected, read.value, fields[name]) if fields[name].type == "table" else None
        outcome = _outcome(expected, read.value, fields[name], rows)
        if is_unread and outcome == "right":  # an unread document does not show that a value is absent
            outcome = "missing"
        cells.append(Cell(truth.file, name, outcome, expected, read, rows, unread if is_absent(read.value) else ""))
    return cells


def _outcome(expected: Expected, value: Json, field: TemplateField, rows: Rows | None) -> Outcome:
    if expected is None:
        return "right" if is_absent(value) else "invented"
    if is_absent(value):
        return "missing"
    if rows:
        return "right" if rows.f1 == 1 else "wrong"
    return "right" if _same(expected, value, field) else "wrong"


def _same(expected: Iterable[Json], value: Json, field: TemplateField) -> bool:
    if is_list(field):
        return _same_list([str(item) for item in expected], value if isinstance(value, list) else [value], field)
    if isinstance(value, list):  # a text a page
        value = "\n".join(str(item) for item in value)
    return any(same_as(field, str(choice), value) for choice in expected)


def _same_list(expected: Sequence[str], values: Sequence[Json], field: TemplateField) -> bool:
    """All values in any order, each once."""
    left = list(values)
    if len(left) != len(expected):
        return False
    for choice in expected:
        hit = next((value for value in left if same_as(field, choice, value)), None)
        if hit is None:
            return False
        left.remove(hit)
    return True


def same_as(field: TemplateField, truth: str, value: Json) -> bool:
    """Whether a value that was read is the true one, by the field's type."""
    read = str(value)
    if field.type in NUMBERS:
        return as_decimal(value) is not None and as_decimal(value) == as_decimal(truth)
    if field.type == "identifier":
        return same_identifier(truth, read) or (field.format == "vat" and _same_vat(truth, read))
    if field.type == "time":  # seconds only where both have them
        return bool(read) and (truth.startswith(read) or read.startswith(truth))
    if field.type in ("phone", "url"):
        return same_value(field.type, truth, read)
    if field.type in ("text", "party", "address"):
        return _same_text(letters_and_digits(truth), letters_and_digits(read), part=field.type == "party")
    return letters_and_digits(truth) == letters_and_digits(read)


def _same_vat(truth: str, read: str) -> bool:
    """Equal but for the country's letters, where one of the two is written without."""
    a, b = sorted((normalise_identifier(truth), normalise_identifier(read)), key=len)
    return len(a) >= 7 and len(b) - len(a) == 2 and b.endswith(a) and b[:2].isalpha()


def _same_text(a: str, b: str, *, part: bool) -> bool:
    """Equal letters and digits, or nearly; never with other digits."""
    if a == b:
        return True
    shorter, longer = sorted((a, b), key=len)
    if not shorter or len(longer) > LONGEST_TEXT or digits(a) != digits(b):
        return False
    if part and len(shorter) >= max(4, PART * len(longer)) and shorter in longer:
        return True
    return fuzz.ratio(a, b, score_cutoff=SAME_TEXT_RATIO) >= SAME_TEXT_RATIO


# ---- tables -------------------------------------------------------------------------------------

Line = dict[str, Decimal | str]
"""The cells of a row that say something, in a form in which equal ones are equal."""


def _rows(expected: Expected, value: Json, spec: TemplateField) -> Rows:
    """Which rows agree in every cell that the truth states; each is used once, in order."""
    true = [_line(row, spec) for row in expected or () if isinstance(row, dict)]
    read_rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    left = {number: _line(row, spec) for number, row in enumerate(read_rows[:MAX_ROWS])}
    matched = dict(_matches(true, left, spec))
    return Rows(len(true), len(read_rows), tuple(matched.items()), _columns(true, matched, left, spec))


def _line(row: Mapping[str, Json], spec: TemplateField) -> Line:
    cells = {name: _comparable(column, row.get(name)) for name, column in spec.columns.items() if not is_absent(row.get(name))}
    return {name: cell for name, cell in cells.items() if cell is not None}


def _comparable(column: Column, value: Json) -> Decimal | str | None:
    if column.type in NUMBERS:
        return as_decimal(value)
    return normalise_identifier(str(value)) if column.type == "identifier" else letters_and_digits(str(value))


def _alike(name: str, a: Line, b: Line, spec: TemplateField) -> bool:
    if name not in b:
        return False
    return a[name] == b[name] or (spec.columns[name].type == "text" and _same_text(str(a[name]), str(b[name]), part=False))


def _matches(true: Sequence[Line], left: dict[int, Line], spec: TemplateField) -> Iterator[tuple[int, int]]:
    """Pairs of rows that agree, taken out of ``left``. Rows are looked up by their exact cells; only texts are held side by side."""
    by_cells: dict[tuple[str, ...], dict[tuple[Decimal | str, ...], list[int]]] = {}
    for number, row in enumerate(true):
        exact = tuple(name for name in row if spec.columns[name].type != "text")
        if exact not in by_cells:
            index: dict[tuple[Decimal | str, ...], list[int]] = defaultdict(list)
            for n, read in left.items():
                index[tuple(read.get(name, "") for name in exact)].append(n)
            by_cells[exact] = index
        same_cells = [n for n in by_cells[exact].get(tuple(row[name] for name in exact), ()) if n in left]
        hit = next((n for n in same_cells[:NEAR_ROWS] if all(_alike(name, row, left[n], spec) for name in row)), None)
        if hit is not None:
            del left[hit]
            yield number, hit


def _columns(
    true: Sequence[Line], matched: Mapping[int, int], left: dict[int, Line], spec: TemplateField
) -> dict[str, tuple[int, int]]:
    """Cells by column. A true row without a partner is held against the row left over that has most of its cells."""
    counts = {name: [0, 0] for name in spec.columns}
    for number, row in enumerate(true):
        right = list(row)
        if number not in matched:
            near = {n: [name for name in row if _alike(name, row, left[n], spec)] for n in islice(left, NEAR_ROWS)}
            best = max(near, key=lambda n: len(near[n]), default=None)
            right = near[best] if best is not None else []
            if best is not None and right:
                del left[best]
        for name in row:
            counts[name][0] += name in right
            counts[name][1] += 1
    return {name: (right_cells, of) for name, (right_cells, of) in counts.items() if of}

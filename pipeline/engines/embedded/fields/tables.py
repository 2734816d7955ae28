"""Tables with a header: columns found by their labels, words put into columns by place, rows told by their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rapidfuzz import fuzz, process

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.labels import Label, flat
from pipeline.engines.embedded.fields.layout import Layout, Run, fold
from pipeline.records import Json
from pipeline.templates.model import Column, TemplateField

_NUMERIC = ("money", "number")
_MOST_WORDS = 8  # a longer run is a sentence
_LINES = 2.2  # letter heights between the lines of one row


@dataclass
class Table:
    """Rows read from a page, the words they came from and the rows of the page that they take up."""

    rows: list[dict[str, Json]] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    first: int = 0
    last: int = -1
    score: float = 0.0


@dataclass(frozen=True)
class _Head:
    column: str | None
    left: float
    right: float
    row: int
    length: int


def read_table(
    layout: Layout, candidates: Candidates, spec: TemplateField, headings: Mapping[str, str], totals: list[Label]
) -> Table:
    """The rows of the table ``spec`` on the page; empty when no header names its columns.

    ``headings`` are those of ``headings_of``; labels of ``totals`` end a table.
    """
    best = Table()
    for row in range(len(layout.rows)):
        heads = _heads(layout, row, headings, spec.columns)
        named = {head.column for head in heads if head.column}
        if len(named) < 2 or not any(spec.columns[name].type in _NUMERIC for name in named):
            continue
        table = _read_below(layout, candidates, spec.columns, heads, totals)
        table.score = len(named) / len(spec.columns)
        if len(table.rows) * table.score > len(best.rows) * best.score:
            best = table
    return best


def headings_of(columns: Mapping[str, Column]) -> dict[str, str]:
    """Folded heading to column; where two columns share one, the text column has it."""
    words: dict[str, str] = {}
    for name in sorted(columns, key=lambda name: columns[name].type in _NUMERIC):
        for label in flat(columns[name].labels):
            words.setdefault(fold(label), name)
    words.pop("", None)
    return words


def _heads(layout: Layout, row: int, headings: Mapping[str, str], columns: Mapping[str, Column]) -> list[_Head]:
    """The header cells of this row, left to right; none when it is no header."""
    heads = [head for run in layout.rows[row] for head in _cells(layout, run, headings)]
    if sum(head.column is not None for head in heads) < 2:
        return []
    return _with_amount(_distinct(heads), columns)


def _cells(layout: Layout, run: Run, headings: Mapping[str, str]) -> list[_Head]:
    """The run as one cell, or as several where each of its pieces is a heading ("Qty Price")."""
    whole = _head(layout, run, 0, len(run.words), headings)
    if len(run.words) > _MOST_WORDS or fold(run.text) in headings:
        return [whole]
    pieces = _pieces(layout, run, 0, headings)
    return pieces if sum(head.column is not None for head in pieces) > 1 else [whole]


def _pieces(layout: Layout, run: Run, first: int, headings: Mapping[str, str]) -> list[_Head]:
    """Headings from word ``first`` on, the longest first; words of no heading stand alone."""
    found: list[_Head] = []
    while first < len(run.words):
        for last in range(len(run.words), first, -1):
            head = _head(layout, run, first, last, headings, exact=True)
            if head.column or last == first + 1:
                found.append(head)
                first = last
                break
    return found


def _head(layout: Layout, run: Run, first: int, last: int, headings: Mapping[str, str], exact: bool = False) -> _Head:
    words = run.words[first:last]
    text = fold(layout.text(words)).strip("#%")
    box = layout.box(words)
    column = headings.get(text)
    if column is None and not exact and 0 < len(text) < 40:
        column = _like(text, headings)
    if column is None and layout.page.source == "ocr" and len(text) >= 5:
        close = process.extractOne(text, list(headings), scorer=fuzz.ratio, score_cutoff=85)
        column = headings[close[0]] if close else None
    return _Head(column, box[0], box[2], run.row, len(text))


def _like(text: str, headings: Mapping[str, str]) -> str | None:
    """The column whose heading makes up most of the text, or begins it."""
    best: tuple[float, str | None] = (0.0, None)
    for label, name in headings.items():
        if label in text:
            share = len(label) / len(text)
            if share > best[0] and (share >= 0.5 or (len(label) > 2 and text.startswith(label))):
                best = (share, name)
    return best[1]


def _distinct(heads: list[_Head]) -> list[_Head]:
    """Each column once, the first header of that name."""
    seen: set[str] = set()
    result = []
    for head in heads:
        result.append(replace(head, column=None) if head.column in seen else head)
        seen |= {head.column} if head.column else set()
    return result


def _with_amount(heads: list[_Head], columns: Mapping[str, Column]) -> list[_Head]:
    """The template's last money column is the total of a row: unless named, it is the last header after the other prices."""
    money = [name for name, column in columns.items() if column.type == "money"]
    named = [head.column for head in heads]
    if len(money) < 2 or money[-1] in named or not set(money[:-1]) & set(named):
        return heads
    at = max(i for i, head in enumerate(heads) if head.column in money)
    if at + 1 < len(heads):
        at = len(heads) - 1
        return [*heads[:at], replace(heads[at], column=money[-1])]
    return [*heads[:at], replace(heads[at], column=money[-1])] if len([h for h in named if h]) > 2 else heads


def _read_below(
    layout: Layout, candidates: Candidates, columns: Mapping[str, Column], heads: list[_Head], totals: list[Label]
) -> Table:
    table = Table(first=heads[0].row, last=heads[0].row)
    stops = {label.row for label in totals if label.cover >= 0.5 and label.row > heads[0].row}
    gap = 0
    open_row: dict[str, Json] | None = None
    for row in range(heads[0].row + 1, len(layout.rows)):
        values = _values(layout, candidates, columns, heads, row)
        numeric = [name for name in values if columns[name].type in _NUMERIC]
        if row in stops and not (len(numeric) >= 2 and "description" in values) and (table.rows or numeric):
            break
        starts = _is_row(columns, values, heads)
        if open_row is not None and not starts and not _follows(layout, row):
            gap = max(gap, 3)
        if starts:
            open_row = dict.fromkeys(columns) | {name: value for name, (value, _) in values.items()}
            table.rows.append(open_row)
            gap = 0
        else:
            gap += 1
            if gap > 6:
                break
            if open_row is not None and gap <= 3:
                _continue(columns, open_row, values)
        if open_row is not None and (starts or gap <= 3):
            table.words += [word for _, words in values.values() for word in words]
            table.last = row if starts else max(table.last, row)
    return table


def _follows(layout: Layout, row: int) -> bool:
    """Whether a row stands close below the one before."""
    above = max(run.box[3] for run in layout.rows[row - 1])
    return min(run.box[1] for run in layout.rows[row]) - above < _LINES * layout.height


def _is_row(columns: Mapping[str, Column], values: Mapping[str, tuple[str, tuple[int, ...]]], heads: list[_Head]) -> bool:
    money = [name for name in values if columns[name].type == "money"]
    last_money = [head.column for head in heads if head.column and columns[head.column].type == "money"][-1:]
    if not money:
        return not last_money and any(columns[name].type == "number" for name in values) and len(values) >= 2
    return bool(set(last_money) & set(money)) or len(money) + ("quantity" in values) >= 2


def _continue(
    columns: Mapping[str, Column], open_row: dict[str, Json], values: Mapping[str, tuple[str, tuple[int, ...]]]
) -> None:
    for name, (value, _) in values.items():
        if columns[name].type == "text" and open_row.get(name):
            open_row[name] = f"{open_row[name]} {value}"
        elif open_row.get(name) is None:
            open_row[name] = value


def _values(
    layout: Layout, candidates: Candidates, columns: Mapping[str, Column], heads: list[_Head], row: int
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Column name to value and words of one printed row."""
    found: dict[str, tuple[str, tuple[int, ...]]] = {}
    numbers = [c for c in candidates.numbers if c.run.row == row and c.kind == "money"]
    used: set[int] = set()
    for name, head in ((h.column, h) for h in heads if h.column and columns[h.column].type in _NUMERIC):
        best = _nearest(heads, head, numbers)
        if best is not None and name is not None:
            found[name] = (best.value, best.words)
            used |= set(best.words)
    for head in heads:
        if head.column and columns[head.column].type not in _NUMERIC:
            words = [i for run in layout.rows[row] for i in _under(layout, run, heads, head) if i not in used]
            if any(c.isalnum() for i in words for c in layout.page.words[i].text):
                found[head.column] = (layout.text(words), tuple(words))
    return found


def _under(layout: Layout, run: Run, heads: list[_Head], head: _Head) -> list[int]:
    """The words of a run that stand in a text column: from a little left of its heading to the next heading."""
    end = min((other.left for other in heads if other.left > head.left), default=1e9)
    begin = max((other.right for other in heads if other.right < head.left), default=head.left - 4 * layout.height)
    if run.box[2] < head.left - layout.height:
        return []
    boxes = [(i, layout.page.words[i].box) for i in run.words]
    return [i for i, box in boxes if begin < (box[0] + box[2]) / 2 < end]


def _nearest(heads: list[_Head], head: _Head, numbers: list[Candidate]) -> Candidate | None:
    near = [c for c in numbers if _head_of(heads, c.box) is head]
    return max(near, key=lambda c: (c.quality, -abs(c.box[2] - head.right)), default=None)


def _head_of(heads: list[_Head], box: tuple[float, float, float, float]) -> _Head:
    """The header cell that a value stands under: by shared width, else by the nearest edge."""

    def distance(head: _Head) -> float:
        shared = min(head.right, box[2]) - max(head.left, box[0])
        if shared > 0:
            return -shared / max(1.0, min(head.right - head.left, box[2] - box[0]))
        return min(abs(head.right - box[2]), abs(head.left - box[0]), -shared)

    return min(heads, key=distance)

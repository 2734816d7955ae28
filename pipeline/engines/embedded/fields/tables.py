"""Tables with a header: columns found by their labels, words put into columns by place, rows told by their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.labels import Label, flat
from pipeline.engines.embedded.fields.layout import Layout, Run, fold
from pipeline.records import Json
from pipeline.templates.model import Column, TemplateField

_NUMERIC = ("money", "number")


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
        heads = _heads(layout, row, headings)
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


def _heads(layout: Layout, row: int, headings: Mapping[str, str]) -> list[_Head]:
    """The header cells of this row, left to right; none when it is no header."""
    heads = [_head(run, headings) for run in layout.rows[row]]
    return _distinct(heads) if sum(head.column is not None for head in heads) >= 2 else []


def _head(run: Run, headings: Mapping[str, str]) -> _Head:
    text = run.folded.strip("#%")
    best: tuple[float, str | None] = (0.0, None)
    for label, name in headings.items() if len(text) < 40 else ():
        if label in text:
            share = len(label) / len(text)
            if share > best[0] and (share >= 0.5 or text.startswith(label)):
                best = (share, name)
    return _Head(best[1], run.box[0], run.box[2], run.row, len(text))


def _distinct(heads: list[_Head]) -> list[_Head]:
    """Each column once: for amounts the last header of that name, for others the first."""
    seen: dict[str, int] = {}
    for at, head in enumerate(heads):
        if head.column and head.column not in seen:
            seen[head.column] = at
    return [
        head if head.column is None or seen[head.column] == at else _Head(None, head.left, head.right, head.row, head.length)
        for at, head in enumerate(heads)
    ]


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
            words = [
                i
                for run in layout.rows[row]
                for i in run.words
                if i not in used and _belongs(heads, head, layout.page.words[i].box)
            ]
            if words and any(c.isalnum() for i in words for c in layout.page.words[i].text):
                found[head.column] = (layout.text(words), tuple(words))
    return found


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


def _belongs(heads: list[_Head], head: _Head, box: tuple[float, float, float, float]) -> bool:
    """Whether a word lies in a text column: from its header's left edge to the next header."""
    if _head_of(heads, box) is head:
        return True
    following = [other.left for other in heads if other.left > head.left]
    return head.left - 3 <= box[0] and box[2] < min(following, default=1e9)

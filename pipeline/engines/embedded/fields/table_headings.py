"""The header of a table: the column that each of its cells names, also where a heading takes two lines."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from pipeline.engines.embedded.fields.label_index import Meanings, by_language, likely, tree_of, words_in
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.engines.embedded.fields.similar_texts import SimilarTexts
from pipeline.languages.evidence import Weights
from pipeline.templates.template import Column

NUMERIC = ("money", "number")
NONE = ""
"""Marks headings that are labels of other fields: "Total VAT" is no column of amounts."""
_MOST_WORDS = 8  # a longer run is a sentence
_CLOSE = 1.0  # letter heights between the lines of one header
_MISREAD = 85
_SHORTEST = 5


class HeaderCell(NamedTuple):
    """One cell of a header. ``column`` is None where it names no column of the template."""

    column: str | None
    text: str
    left: float
    right: float
    row: int
    known: bool = False
    """The text is a heading or a label of the template."""


class Headings:
    """The headings of a table's columns in all languages, folded."""

    def __init__(self, columns: Mapping[str, Column], others: Mapping[str, frozenset[str]]) -> None:
        """``others`` are the folded labels of the template's other fields, and the languages that have them."""
        meanings: dict[str, dict[str, set[str]]] = {}
        for name in sorted(columns, key=lambda name: columns[name].type in NUMERIC):
            for code, label in by_language(columns[name].labels):
                meanings.setdefault(label_key(label), {}).setdefault(name, set()).add(code)
        for label, codes in others.items():
            meanings.setdefault(label, {}).setdefault(NONE, set()).update(codes)
        meanings.pop("", None)
        frozen = {label: {name: frozenset(codes) for name, codes in names.items()} for label, names in meanings.items()}
        self._plain = {label: next(iter(names)) for label, names in frozen.items()}
        self._ambiguous = {label: names for label, names in frozen.items() if len(names) > 1}
        self._similar = SimilarTexts(self._plain, _MISREAD)
        self.tree = tree_of(frozen)

    def __contains__(self, text: object) -> bool:
        """Whether a folded text is a heading or a label in some language."""
        return text in self._plain

    def on(self, layout: Layout) -> PageHeadings:
        """What the headings mean in the languages of a page: a text column comes before the first other column."""
        return PageHeadings(self._plain, self._ambiguous, self.tree, self._similar, layout.languages)


@dataclass(frozen=True, slots=True, eq=False)
class PageHeadings:
    """Folded heading to column, for one page."""

    plain: Mapping[str, str]
    ambiguous: Mapping[str, Meanings]
    """Headings that mean several columns, those of a few languages each."""
    tree: Mapping[str, Any]
    similar: SimilarTexts
    """The headings, for texts that are misread."""
    languages: Weights

    def __contains__(self, text: object) -> bool:
        return text in self.plain

    def column(self, text: str) -> str | None:
        """The column that a heading names, NONE for a label of something else; None for any other text."""
        names = self.ambiguous.get(text)
        return likely(names, self.languages)[0] if names else self.plain.get(text)

    def within(self, text: str) -> Iterator[tuple[str, str]]:
        """The headings that begin in the first half of a text, and their columns, where they name one; later ones are less than half."""
        for _, label in words_in(self.tree, text, range(len(text) // 2 + 1)):
            if name := self.column(label):
                yield label, name


@dataclass(frozen=True)
class HeaderRow:
    """A row that names at least two columns of a table."""

    cells: tuple[HeaderCell, ...]

    @cached_property
    def last(self) -> int:
        """The last line of the header."""
        return max(cell.row for cell in self.cells)


def header_rows(layout: Layout, headings: Headings, columns: Mapping[str, Column], apart: Container[int]) -> list[HeaderRow]:
    """The rows of a page that name columns, top to bottom, without the lines ``apart``."""
    on_page = headings.on(layout)
    rows = (row for row in range(len(layout.rows)) if row not in apart)
    found = (HeaderRow(tuple(find_header_cells(layout, row, on_page, columns))) for row in rows)
    return [header for header in found if sum(cell.column is not None for cell in header.cells) >= 2]


def find_header_cells(layout: Layout, row: int, headings: PageHeadings, columns: Mapping[str, Column]) -> list[HeaderCell]:
    """The cells of the header whose main line is this row, left to right; none when it is no header."""
    if sum(len(run.words) if len(run.words) <= _MOST_WORDS else 1 for run in layout.rows[row]) < 2:
        return []
    cells = _line(layout, row, headings)
    if sum(cell.column is not None for cell in cells) < 2:
        return []
    for other in (row - 1, row + 1):
        if _beside(layout, row, other):
            cells = _stacked(cells, _line(layout, other, headings), headings, above=other < row)
    return _with_amount(_distinct(sorted(cells, key=lambda cell: cell.left)), columns)


def _line(layout: Layout, row: int, headings: PageHeadings) -> list[HeaderCell]:
    cells = [cell for run in layout.rows[row] for cell in _run_cells(layout, run, headings, False)]
    if layout.page.source == "ocr" and any(cell.column for cell in cells):
        return [cell for run in layout.rows[row] for cell in _run_cells(layout, run, headings, True)]
    return cells


def _beside(layout: Layout, row: int, other: int) -> bool:
    """Whether another row is a line of the same header: close by and without digits."""
    if not 0 <= other < len(layout.rows) or any(c.isdigit() for run in layout.rows[other] for c in run.text):
        return False
    upper, lower = sorted((row, other))
    gap = min(run.box[1] for run in layout.rows[lower]) - max(run.box[3] for run in layout.rows[upper])
    return gap < _CLOSE * layout.height


def _stacked(cells: list[HeaderCell], others: list[HeaderCell], headings: PageHeadings, above: bool) -> list[HeaderCell]:
    """The cells of two lines: joined where they stand over each other, else side by side."""
    result = list(cells)
    for other in others:
        at = next((i for i, cell in enumerate(result) if cell.left < other.right and other.left < cell.right), None)
        if at is None:
            if other.column is not None:
                result.append(other)
            continue
        text = other.text + result[at].text if above else result[at].text + other.text
        column = headings.column(text) or result[at].column or other.column
        left, right = min(result[at].left, other.left), max(result[at].right, other.right)
        result[at] = HeaderCell(column, text, left, right, max(result[at].row, other.row))
    return result


def _run_cells(layout: Layout, run: Run, headings: PageHeadings, misread: bool) -> list[HeaderCell]:
    """The run as one cell, or as several where more than one of its pieces is a heading ("Qty Price").

    Pieces that name one column alone are one heading: "Item / Article", in two languages.
    """
    keys = [label_key(layout.page.words[word].text) for word in run.words]
    whole = _cell(layout, run, keys, 0, len(run.words), headings, misread, loose=True)
    if len(run.words) > _MOST_WORDS or whole.text in headings:
        return [whole]
    pieces = list(_pieces(layout, run, keys, headings, misread))
    if sum(cell.known for cell in pieces) <= 1:
        return [whole]
    named = {cell.column for cell in pieces if cell.known}
    return [whole._replace(column=named.pop(), known=True)] if len(named) == 1 else pieces


def _pieces(layout: Layout, run: Run, keys: Sequence[str], headings: PageHeadings, misread: bool) -> Iterator[HeaderCell]:
    """Headings from the first word on, the longest first; words of no heading stand alone. ``keys`` are the folded words."""
    text, ends = "".join(keys), [*accumulate(map(len, keys))]
    is_exact = not misread and "#" not in text and "%" not in text
    first = 0
    while first < len(run.words):
        begin = ends[first] - len(keys[first])
        lengths = {len(label) for _, label in words_in(headings.tree, text, (begin,))} if is_exact else set()
        for last in range(len(run.words), first, -1):
            if last == first + 1 or (
                ends[last - 1] - begin in lengths
                if is_exact
                else _column(_joined(keys[first:last]), headings, misread) is not None
            ):
                yield _cell(layout, run, keys, first, last, headings, misread)
                first = last
                break


def _cell(
    layout: Layout,
    run: Run,
    keys: Sequence[str],
    first: int,
    last: int,
    headings: PageHeadings,
    misread: bool,
    loose: bool = False,
) -> HeaderCell:
    words = run.words[first:last]
    text = _joined(keys[first:last])
    column = _column(text, headings, misread, loose)
    box = layout.box(words)
    return HeaderCell(column or None, text, box[0], box[2], run.row, column is not None)


def _joined(keys: Sequence[str]) -> str:
    """The folded text of some words."""
    return "".join(keys).strip("#%")


def _column(text: str, headings: PageHeadings, misread: bool, loose: bool = False) -> str | None:
    """The column that a text names, NONE where it is a label of something else, None where it is unknown."""
    column = headings.column(text)
    if column is None and loose and 0 < len(text) < 40:
        column = _like(text, headings)
    if column is None and misread and len(text) >= _SHORTEST:
        close = headings.similar.best(text)
        column = headings.column(close) if close else None
    return column


def _like(text: str, headings: PageHeadings) -> str | None:
    """The column whose heading makes up most of the text, or begins it."""
    best: tuple[float, str | None] = (0.0, None)
    for label, name in headings.within(text):
        share = len(label) / len(text)
        if share > best[0] and (share >= 0.5 or (len(label) > 2 and text.startswith(label))):
            best = (share, name)
    return best[1]


def _distinct(cells: list[HeaderCell]) -> list[HeaderCell]:
    """Each column once, the first header of that name."""
    used: set[str | None] = {None}
    result = []
    for cell in cells:
        result.append(cell._replace(column=None) if cell.column in used else cell)
        used.add(cell.column)
    return result


def _with_amount(cells: list[HeaderCell], columns: Mapping[str, Column]) -> list[HeaderCell]:
    """The template's last money column is the total of a row: unless named, it is the last cell, after the other prices."""
    money = [name for name, column in columns.items() if column.type == "money" and not column.detail]
    named = [cell.column for cell in cells if cell.column]
    if len(money) < 2 or money[-1] in named or not set(money[:-1]) & set(named):
        return cells
    last = len(cells) - 1
    if cells[last].column is not None and (len(named) < 3 or columns[str(cells[last].column)].type != "money"):
        return cells
    return [*cells[:last], cells[last]._replace(column=money[-1])]

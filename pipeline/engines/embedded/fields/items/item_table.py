"""The rows of a table of goods on a page: the learned cells, and the texts around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from unicodedata import east_asian_width

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.item_tables import ItemTable, cell_values, read_table, stands_close_below
from pipeline.engines.embedded.fields.items.cell_features import TablePage, features
from pipeline.engines.embedded.fields.items.cell_network import cell_probabilities
from pipeline.engines.embedded.fields.items.item_rows import ItemRow, item_rows
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.engines.embedded.fields.row_arithmetic import AMOUNT, column_roles, complete_row
from pipeline.engines.embedded.fields.table_headings import NUMERIC, HeaderCell, Headings, header_rows
from pipeline.records import Json
from pipeline.templates.template import Column
from pipeline.values.carried_sums import is_carried_sum

_MOST_LINES_BELOW = 3  # lines of text below an item that belong to it
_FEW_LETTERS = 3
_SURE_AMOUNT = 0.8
"""Quality of an amount from which its line names no columns."""
_WHOLE_LABEL = 0.5
_SIGNS = frozenset("xX×*@=")


def read_item_table(page: TablePage, columns: Mapping[str, Column]) -> ItemTable:
    """The rows of a table with these columns on the page, empty where it has none.

    A table with a column of money is read by its learned cells; any other by the header that names its columns.
    """
    roles = column_roles(columns)
    if AMOUNT not in roles:
        return read_table(page.layout, page.candidates, columns, page.headers, page.totals)
    numbers = page.numbers
    rows = [
        row for row in item_rows(numbers, cell_probabilities(features(page, numbers))) if not _carries_a_sum(page.layout, row)
    ]
    learned = _Assembly(page, columns, roles, rows).table()
    printed = _labelled_amounts(page, numbers)
    if learned.rows and abs(_sum(learned, roles[AMOUNT])) in printed:
        return learned
    by_header = read_table(page.layout, page.candidates, columns, page.headers, page.totals)
    proven = by_header.rows and abs(_sum(by_header, roles[AMOUNT])) in printed
    return by_header if proven or not learned.rows else learned


def table_page(
    layout: Layout,
    candidates: Candidates,
    columns: Mapping[str, Column],
    headings: Headings,
    totals: Sequence[Label],
    labels: Sequence[Label],
) -> TablePage:
    """The page with the rows that name columns of the table.

    ``totals`` are labels of amounts that are no rows, ``labels`` all labels of the page.
    """
    roles = {name: role - 1 for role, name in column_roles(columns).items()}
    amounts = {c.run.row for c in candidates.money if c.quality >= _SURE_AMOUNT}
    return TablePage(layout, candidates, header_rows(layout, headings, columns, amounts), roles, totals, labels)


def _carries_a_sum(layout: Layout, row: ItemRow) -> bool:
    return len(row.cells) < 2 and is_carried_sum(" ".join(run.text for run in layout.rows[row.line]))


def _labelled_amounts(page: TablePage, numbers: Sequence[Candidate]) -> set[Decimal]:
    """The amounts that stand in a line with a label of a total, without signs and zeros."""
    lines = {label.row for label in page.totals}
    return {abs(Decimal(c.value)) for c in numbers if c.run.row in lines and c.kind == "money"} - {Decimal(0)}


def _sum(table: ItemTable, column: str) -> Decimal:
    return sum((Decimal(str(row[column])) for row in table.rows if row.get(column) is not None), Decimal(0))


class _Assembly:
    """Puts rows together from their cells, and from the texts in their lines and between them."""

    def __init__(
        self, page: TablePage, columns: Mapping[str, Column], roles: Mapping[int, str], rows: Sequence[ItemRow]
    ) -> None:
        self.page, self.layout, self.columns, self.roles, self.rows = page, page.layout, columns, roles, rows
        self.texts = [name for name, column in columns.items() if column.type not in NUMERIC]
        self.taken = {word for row in rows for cell in row.cells.values() for word in cell.words}
        self.lines = {line for row in rows for line in row.lines}
        self.stops = {label.row for label in page.totals if label.cover >= _WHOLE_LABEL}

    def table(self) -> ItemTable:
        """All rows, with the words they came from."""
        table = ItemTable()
        for row in self.rows:
            record, words = self._record(row)
            table.rows.append(record)
            table.lines.append(tuple(sorted(row.lines)))
            table.likely.append({self.roles[role]: likely for role, likely in row.likely.items() if role in self.roles})
            table.words += words
        if self.rows:
            table.first, table.last = min(self.lines), max(self.lines)
            cells = [likely for row in self.rows for likely in row.likely.values()]
            table.score = sum(cells) / len(cells)
        return table

    def _record(self, row: ItemRow) -> tuple[dict[str, Json], list[int]]:
        record: dict[str, Json] = dict.fromkeys(self.columns)
        words: list[int] = []
        for role, cell in row.cells.items():
            if role in self.roles:
                record[self.roles[role]] = cell.value
                words += cell.words
        header = self._header(row.line)
        values = cell_values(self.layout, self.page.candidates, self.columns, header, row.line) if header else {}
        for name, (value, of) in values.items():
            if name not in self.roles.values() and not self.taken.intersection(of):
                record[name] = value
                words += of
        if self.texts and record[self.texts[0]] is None:
            text = self._own_text(row)
            record[self.texts[0]] = self.layout.text(text) or None
            words += text
        self._extend(record, words, row, header)
        in_line = [c for c in self.page.candidates.money if c.run.row in row.lines]
        complete_row(record, self.columns, in_line)
        return record, words

    def _header(self, line: int) -> Sequence[HeaderCell]:
        """The nearest header above a line."""
        return next((header.cells for header in reversed(self.page.headers) if header.last < line), ())

    def _own_text(self, row: ItemRow) -> list[int]:
        """The longest text of the row's lines that is no cell; where these say nothing, that of the line above."""
        above = min(row.lines) - 1
        lines = [sorted(row.lines)]
        if above >= 0 and above not in self.lines and above not in self.stops:
            lines.append([above])
        for group in lines:
            text = max(
                (self._free_words(run) for line in group for run in self.layout.rows[line]), key=self._letters, default=[]
            )
            if self._letters(text) >= _FEW_LETTERS:
                return text
        return []

    def _free_words(self, run: Run) -> list[int]:
        """The words of a run that are no cells, without the signs at its ends that stand between cells."""
        words = [i for i in run.words if i not in self.taken]
        while words and self._is_sign(words[0]):
            words.pop(0)
        while words and self._is_sign(words[-1]):
            words.pop()
        return words

    def _is_sign(self, word: int) -> bool:
        return self.layout.page.words[word].text.strip(".") in _SIGNS

    def _letters(self, words: Sequence[int]) -> int:
        """How many letters some words have; a wide one (an ideograph) says as much as three."""
        letters = (c for i in words for c in self.layout.page.words[i].text if c.isalpha())
        return sum(3 if east_asian_width(c) in "WF" else 1 for c in letters)

    def _extend(self, record: dict[str, Json], words: list[int], row: ItemRow, header: Sequence[HeaderCell]) -> None:
        """Adds the lines of text that stand close below a row, in its text columns."""
        line = max(row.lines) + 1
        for _ in range(_MOST_LINES_BELOW):
            if line >= len(self.layout.rows) or line in self.lines or line in self.stops or not header:
                return
            if not stands_close_below(self.layout, line) or is_carried_sum(
                " ".join(run.text for run in self.layout.rows[line])
            ):
                return
            for name, (value, of) in cell_values(self.layout, self.page.candidates, self.columns, header, line).items():
                if name in self.texts and record.get(name):
                    record[name] = f"{record[name]} {value}"
                    words += of
            line += 1

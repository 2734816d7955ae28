"""Rows of tables of any kind: below a heading that names their columns, or of lines that are a text with numbers behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.engines.embedded.form.balance_rows import balance_rows
from pipeline.engines.embedded.form.cells import grid_column
from pipeline.engines.embedded.form.form_values import choice_in
from pipeline.engines.embedded.form.table_headers import Header, Heading, find_headers
from pipeline.languages import Languages, from_words
from pipeline.records import Claim, Json
from pipeline.templates.template import Column, Template, TemplateField
from pipeline.values.dates import parse_date
from pipeline.values.leaf_values import parse_leaf

NUMERIC = ("number", "money", "integer", "percentage")
GRAMMAR_TYPES = ("quantity", "period", "country", "boolean")
"""Types of cells whose whole text has a grammar."""
PROVEN = 0.8
"""Score of rows without a heading whose balances prove what each number is."""
FAR = 4.0
"""Letter heights of empty space below a row, from which the table has ended."""
MOST_TEXT_LINES = 4
"""Lines without a number after which a table with numbers has ended."""
MOST_ROWS = 2000
MIN_QUALITY = 0.3
"""Quality of a number that may be an amount of a list."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_NOTE = re.compile(r"\(\d{1,2}\)|-?\(?\d{1,2}\)?")
"""A number of one or two digits: of a note, rarely an amount."""
TITLE_LIKENESS = 80
_TOTAL_WORDS = (  # parts of words in languages that join them
    "total",
    "sum",
    "subtotal",
    "balance",
    "grandtotal",
    "summe",
    "gesamt",
    "totale",
    "totaal",
    "סהכ",
    "合計",
    "小計",
    "合计",
    "المجموع",
)


@from_words
def _total_keys(languages: Languages) -> frozenset[str]:
    names = ("invoice.total", "invoice.subtotal", "invoice.amount_due", "receipt.total")
    labels = (label for name in names for texts in languages.labels(name).values() for label in texts)
    return frozenset(key for key in map(label_key, labels) if len(key) >= 4) | frozenset(_TOTAL_WORDS)


def _balance_keys(template: Template, table: str) -> frozenset[str]:
    """Folded labels of the balances before the first row of a table and behind its last one, which often stand in rows of their own."""
    checks = [check for check in template.checks if check.running and template.split_term(check.running)[0] == table]
    names = {term.lstrip("-") for check in checks for term in (*check.sum, check.equals or "")}
    fields = [field for name, field in template.fields.items() if name in names]
    labels = (label for field in fields for listed in field.labels.values() for label in listed)
    return frozenset(key for key in map(label_key, labels) if len(key) >= 4)


@dataclass
class _Table:
    rows: list[dict[str, Json]] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    score: float = 0.0


class TableReader:
    """Reads the tables of a template from one page."""

    def __init__(self, layout: Layout, candidates: Candidates, template: Template) -> None:
        self._layout, self._candidates, self._template = layout, candidates, template
        self._numbers: dict[int, list[Candidate]] = {}
        for number in candidates.numbers:
            self._numbers.setdefault(number.run.row, []).append(number)
        self._dates: dict[int, list[Candidate]] = {}
        for date in candidates.dates:
            self._dates.setdefault(date.run.row, []).append(date)
        self._columns_of_row: dict[int, Header] = {}

    def claims(self) -> dict[str, Claim]:
        """A claim for every table that has rows on the page."""
        tables = {name: spec for name, spec in self._template.fields.items() if spec.type == "table"}
        headers = {name: find_headers(self._layout, _plain(spec.columns)) for name, spec in tables.items()}
        owners = _owners(headers)
        read: dict[str, _Table] = {}
        for name, spec in tables.items():
            parts = [
                self._below(header, _plain(spec.columns), _balance_keys(self._template, name))
                for header in headers[name]
                if owners.get((header.first, header.last)) == name
            ]
            parts = [part for part in parts if part.rows]
            if parts:
                best = max(part.score for part in parts)
                kept = [part for part in parts if part.score >= 0.7 * best]
                rows = [row for part in kept for row in part.rows]
                read[name] = _Table(rows, [word for part in kept for word in part.words], best)
        for name in tables.keys() - read.keys():
            if proven := balance_rows(self._layout, self._dates, self._numbers, self._template, name):
                read[name] = _Table([row.cells for row in proven], [word for row in proven for word in row.words], PROVEN)
        used = {word for table in read.values() for word in table.words}
        read |= self._lists({name: spec for name, spec in tables.items() if name not in read}, used)
        return {name: self._claim(table, tables[name]) for name, table in read.items() if table.rows}

    def _claim(self, table: _Table, spec: TemplateField) -> Claim:
        words = tuple(dict.fromkeys(table.words))
        rows = [dict.fromkeys(spec.columns) | row for row in table.rows[:MOST_ROWS]]
        score = round(min(1.0, table.score), 3)
        cells = [{column: score for column, value in row.items() if value is not None} for row in rows]
        return Claim(rows, self._layout.text(words[:50]), words, score, cells=cells)

    # ---- below a heading ----------------------------------------------------------------------------

    def _below(self, header: Header, columns: Mapping[str, Column], balances: frozenset[str]) -> _Table:
        """The rows below a heading. Rows that begin with one of the folded labels ``balances`` are none of them."""
        cells = _with_missing(header, columns)
        table = _Table(score=0.3 + 0.7 * header.strength)
        named = [cell for cell in cells if cell.column]
        numeric = {cell.column for cell in named if columns[str(cell.column)].type in NUMERIC}
        bottom = max(run.box[3] for run in self._layout.rows[header.last])
        idle = 0
        for row in range(header.last + 1, len(self._layout.rows)):
            runs = self._layout.rows[row]
            top = min(run.box[1] for run in runs)
            if top - bottom > FAR * self._layout.height * (1.0 if table.rows else 1.6):
                break
            if table.rows and len(runs) >= 3 and not any(run.has_digit for run in runs) and not self._is_heading(runs, header):
                break  # the heading of another table
            if self._is_heading(runs, header):
                bottom = max(run.box[3] for run in runs)
                continue
            values, words = self._cells_of(row, cells, columns)
            filled = set(values)
            is_row = bool(filled & numeric) if numeric else len(filled) >= min(2, len(named))
            is_row = is_row and (bool(filled - numeric) or len(filled) >= 2 or len(named) == 1)
            is_row = is_row or (len(filled) >= 2 and len(filled) >= 0.6 * len(named))
            if is_row and (_is_total(runs) or any(run.folded.startswith(tuple(balances)) for run in runs)):
                if table.rows and len(filled & numeric) >= 1:
                    idle += 1
                    bottom = max(run.box[3] for run in runs)
                    if idle > 2:
                        break
                continue
            if is_row:
                table.rows.append(dict(values))
                table.words += words
                idle = 0
            elif table.rows and filled and self._continues(values, columns, bottom, top, idle):
                _extend(table.rows[-1], values)
                table.words += words
                idle += 1
            else:
                idle += 1
                if idle > MOST_TEXT_LINES:
                    break
            bottom = max(run.box[3] for run in runs)
        return table

    def _continues(
        self, values: Mapping[str, Json], columns: Mapping[str, Column], bottom: float, top: float, idle: int
    ) -> bool:
        texts = all(columns[name].type in ("text", "identifier") for name in values)
        return texts and top - bottom < 0.9 * self._layout.height and idle < 2

    def _is_heading(self, runs: Sequence[Run], header: Header) -> bool:
        """Whether a row repeats the heading."""
        keys = {label_key(cell.text) for cell in header.cells if cell.column}
        return sum(run.folded in keys for run in runs) >= max(2, len(keys) // 2)

    def _cells_of(self, row: int, cells: Sequence[Heading], columns: Mapping[str, Column]) -> tuple[dict[str, Json], list[int]]:
        """The values of one row by column, and their words."""
        by_cell: dict[int, list[int]] = {}
        placed: set[int] = set()
        gridded = any(cell.grid for cell in cells)
        for candidate in [*self._dates.get(row, ()), *self._numbers.get(row, ())]:
            at = self._grid_cell(cells, candidate.words[0]) if gridded else _cell_at(cells, candidate.box[0], candidate.box[2])
            column = cells[at].column if at is not None else None
            if column and columns[column].type in (*NUMERIC, "date") and not placed.intersection(candidate.words):
                by_cell.setdefault(at or 0, []).extend(candidate.words)
                placed.update(candidate.words)
        for run in self._layout.rows[row]:
            for word in run.words:
                box = self._layout.page.words[word].box
                if word in placed:
                    continue
                at = self._grid_cell(cells, word) if gridded else _cell_of_text(cells, box[0], box[2], run)
                if at is not None:
                    by_cell.setdefault(at, []).append(word)
        values: dict[str, Json] = {}
        words: list[int] = []
        for at, inside in by_cell.items():
            column = cells[at].column
            if column and (
                value := self._value(row, sorted(inside, key=lambda w: self._layout.page.words[w].box[0]), columns[column])
            ):
                values[column] = value
                words += inside
        return values, words

    def _grid_cell(self, cells: Sequence[Heading], word: int) -> int | None:
        """The heading of a word's column in the file's own table."""
        grid = grid_column(self._layout.page.words[word].place)
        return next((at for at, cell in enumerate(cells) if grid and cell.grid == grid), None)

    def _value(self, row: int, words: Sequence[int], column: Column) -> Json:
        """The value of a cell by its column's type; None where it has none of this type."""
        text = self._layout.text(words).strip(" |:")
        inside = set(words)
        if column.type in NUMERIC:
            found = [c for c in self._numbers.get(row, ()) if inside.issuperset(c.words)]
            number = max(found, key=lambda c: c.quality).value if found else None
            return parse_leaf("integer", number) if number and column.type == "integer" else number
        if column.type == "date":
            dates = [c for c in self._dates.get(row, ()) if inside.intersection(c.words)]
            parsed = None if dates else parse_date(text)
            return dates[0].value if dates else parsed.isoformat() if parsed else None
        if column.type in GRAMMAR_TYPES:
            return parse_leaf(column.type, text)
        if not any(char.isalnum() for char in text):
            return None
        if column.type == "enum":
            spec = TemplateField(type="enum", values=column.values, synonyms=column.synonyms)
            return choice_in(text, spec)
        return [text] if column.many else text

    # ---- lines without a heading --------------------------------------------------------------------

    def _lists(self, tables: Mapping[str, TemplateField], used: set[int]) -> dict[str, _Table]:
        """Tables of a text and numbers whose columns no heading names: lines that are a text with numbers behind it."""
        fitting = {name: spec for name, spec in tables.items() if _is_list(_plain(spec.columns))}
        if not fitting:
            return {}
        lines = self._amount_lines(used)
        if len(lines) < 2:
            return {}
        begins = self._titles(fitting)
        parts = _lists_of(lines)
        if not begins and len(fitting) > 1 and len(parts) == len(fitting):
            return {name: self._list(part, _plain(fitting[name].columns)) for name, part in zip(fitting, parts, strict=True)}
        if not begins:
            begins = {next(iter(fitting)): 0} if len(fitting) == 1 or self._layout.page.number == 1 else {}
            if not begins and self._layout.page.number <= len(fitting):
                begins = {list(fitting)[self._layout.page.number - 1]: 0}
        order = sorted(begins.items(), key=lambda item: item[1])
        read: dict[str, _Table] = {}
        for at, (name, begin) in enumerate(order):
            end = order[at + 1][1] if at + 1 < len(order) else len(self._layout.rows)
            part = _longest([row for row in lines if begin <= row < end], after=begin if begin else None)
            read[name] = self._list(part, _plain(fitting[name].columns))
        return read

    def _titles(self, tables: Mapping[str, TemplateField]) -> dict[str, int]:
        """The rows where titles of tables stand: a line that is like a label of the table."""
        found: dict[str, tuple[float, int]] = {}
        for name, spec in tables.items():
            keys = [label_key(label) for labels in spec.labels.values() for label in labels]
            for run in self._layout.runs:
                if not 3 <= len(run.folded) <= 60 or self._numbers.get(run.row):
                    continue
                likeness = max((fuzz.ratio(run.folded, key) for key in keys if len(key) >= 4), default=0.0)
                if likeness >= TITLE_LIKENESS and likeness > found.get(name, (0.0, 0))[0]:
                    found[name] = (likeness, run.row)
        return {name: row for name, (_, row) in found.items()}

    def _amount_lines(self, used: set[int]) -> list[int]:
        """Rows that begin with a text and have an amount behind it; a row of years is a heading."""
        lines = []
        for row, runs in enumerate(self._layout.rows):
            amounts = [c for c in self._amounts(row) if not used.intersection(c.words)]
            texts = runs[0].letters >= 2 and any(c.run is not runs[0] or c.start > 2 for c in amounts)
            if amounts and texts and not all(_YEAR.fullmatch(c.printed) for c in amounts):
                lines.append(row)
        return lines

    def _amounts(self, row: int) -> list[Candidate]:
        """Numbers of a row that may be amounts, left to right; numbers of notes, as "(4)" or "14", are none."""
        found = [c for c in self._numbers.get(row, ()) if c.kind == "money" and c.quality >= MIN_QUALITY]
        return sorted((c for c in found if not _NOTE.fullmatch(c.printed)), key=lambda c: c.box[2])

    def _list(self, lines: Sequence[int], columns: Mapping[str, Column]) -> _Table:
        table = _Table(score=0.45)
        texts = [name for name, column in columns.items() if column.type not in NUMERIC]
        numeric = [name for name, column in columns.items() if column.type in NUMERIC]
        edges = self._edges(lines, numeric)
        for row in lines:
            if _is_total(self._layout.rows[row]):
                continue
            values: dict[str, Json] = {}
            words: list[int] = []
            amounts = self._amounts(row)
            for name, own in edges.items():
                near = [c for c in amounts if any(abs(c.box[2] - edge) < 2.5 * self._layout.height for edge in own)]
                if near:
                    values[name] = near[-1].value
                    words += near[-1].words
            numbers = [c for c in self._numbers.get(row, ()) if c.run is not self._layout.rows[row][0]]
            first = min((c.box[0] for c in [*amounts, *numbers]), default=1e9)
            before = [w for run in self._layout.rows[row] for w in run.words if self._layout.page.words[w].box[2] <= first + 1]
            text = re.sub(r"[ .·…_]{3,}$", "", self._layout.text(before)).strip(" .:·…_")
            if values and any(char.isalpha() for char in text):
                values[texts[0]] = text
                table.rows.append(values)
                table.words += [*before, *words]
        return table

    def _edges(self, lines: Sequence[int], numeric: Sequence[str]) -> dict[str, list[float]]:
        """The right edges of the amounts of each column. Amounts may be printed in two columns a period, details left of their sums."""
        edges: list[list[float]] = []
        for row in lines:
            for candidate in self._amounts(row):
                near = next((edge for edge in edges if abs(edge[-1] - candidate.box[2]) < 2 * self._layout.height), None)
                if near is None:
                    edges.append([candidate.box[2]])
                else:
                    near.append(candidate.box[2])
        most = max((len(edge) for edge in edges), default=0)
        kept = sorted(sum(edge) / len(edge) for edge in edges if len(edge) >= 0.2 * most)
        if not numeric or not kept:
            return {}
        periods = max(len(numeric), 2) if len(kept) > len(numeric) else len(numeric)
        each = max(1, len(kept) // periods) if len(kept) % periods == 0 else 1
        return {name: kept[at * each : (at + 1) * each] for at, name in enumerate(numeric) if kept[at * each : (at + 1) * each]}


def _lists_of(lines: Sequence[int]) -> list[list[int]]:
    """Lists that two other rows part: a title and a heading."""
    parts: list[list[int]] = []
    for row in lines:
        if parts and row - parts[-1][-1] <= 2:
            parts[-1].append(row)
        else:
            parts.append([row])
    return [part for part in parts if len(part) >= 2]


def _longest(lines: Sequence[int], after: int | None) -> list[int]:
    """The lines of one list: they follow each other with few others between. The first list behind a title, else the longest."""
    parts: list[list[int]] = []
    for row in lines:
        if parts and row - parts[-1][-1] <= MOST_TEXT_LINES:
            parts[-1].append(row)
        else:
            parts.append([row])
    long = [part for part in parts if len(part) >= 2]
    if after is not None:
        return [row for part in long for row in part]
    return max(long, key=len, default=[])


def _plain(columns: Mapping[str, Column]) -> dict[str, Column]:
    """The columns without tables within rows."""
    return {name: column for name, column in columns.items() if column.type != "table"}


def _is_list(columns: Mapping[str, Column]) -> bool:
    numeric = sum(column.type in NUMERIC for column in columns.values())
    texts = len(columns) - numeric
    return 1 <= texts <= 2 and 1 <= numeric <= 3


def _owners(headers: Mapping[str, Sequence[Header]]) -> dict[tuple[int, int], str]:
    """The table that each heading belongs to, where several have columns of these names: the one whose columns it names best."""
    owners: dict[tuple[int, int], str] = {}
    everything = [(header, name) for name, found in headers.items() for header in found]
    taken: list[Header] = []
    for header, name in sorted(everything, key=lambda pair: -pair[0].strength):
        if any(header.first <= other.last and other.first <= header.last for other in taken):
            continue
        taken.append(header)
        owners[header.first, header.last] = name
    return owners


def _with_missing(header: Header, columns: Mapping[str, Column]) -> list[Heading]:
    """The cells of a heading; a cell that names no column gets the one that stands between its neighbours' in the schema."""
    cells = list(header.cells)
    order = list(columns)
    named = {cell.column for cell in cells if cell.column}
    texts = [name for name, column in columns.items() if column.type == "text"]
    if texts and not named.intersection(texts) and cells[0].column is None:  # what the rows are is mostly not said above them
        first = texts[-1] if len(texts) > 1 and order.index(texts[-1]) < len(order) - 1 else texts[0]
        cells[0] = replace(cells[0], column=first)
        named.add(first)
    for at, cell in enumerate(cells):
        if cell.column is not None:
            continue
        before = next((order.index(str(other.column)) for other in cells[:at][::-1] if other.column), None)
        after = next((order.index(str(other.column)) for other in cells[at + 1 :] if other.column), None)
        if before is not None and after is not None and after - before == 2 and order[before + 1] not in named:
            cells[at] = replace(cell, column=order[before + 1])
            named.add(order[before + 1])
    return cells


def _cell_at(cells: Sequence[Heading], left: float, right: float) -> int | None:
    """The heading that a value stands under: by shared width, else by the nearest edge."""
    best, least = None, 60.0
    for at, cell in enumerate(cells):
        shared = min(cell.right, right) - max(cell.left, left)
        apart = -1000.0 * shared / max(1.0, min(cell.right - cell.left, right - left)) if shared > 0 else -shared
        if apart < least:
            best, least = at, apart
    return best


def _cell_of_text(cells: Sequence[Heading], left: float, right: float, run: Run) -> int | None:
    """The heading whose column a word stands in: from its left edge to the next heading's; its run decides where it begins."""
    under = _cell_at(cells, run.box[0], min(run.box[2], run.box[0] + 40.0))
    if under is not None and len([cell for cell in cells if cell.left < run.box[2] and cell.right > run.box[0]]) <= 1:
        return under
    middle = (left + right) / 2
    inside = [at for at, cell in enumerate(cells) if cell.left - 4 <= middle]
    at = inside[-1] if inside else 0
    following = cells[at + 1] if at + 1 < len(cells) else None
    if following and following.left - middle < middle - cells[at].right and cells[at].right < left:
        return at + 1
    return at


def _is_total(runs: Sequence[Run]) -> bool:
    """Whether a row is a sum: it begins with a word for one."""
    keys = [run.folded for run in runs if run.letters >= 3][:3]
    return any(key.startswith(word) for key in keys for word in _total_keys() if len(key) <= 40)


def _extend(row: dict[str, Json], values: Mapping[str, Json]) -> None:
    for name, value in values.items():
        old = row.get(name)
        row[name] = f"{old} {value}" if isinstance(old, str) and isinstance(value, str) else old or value

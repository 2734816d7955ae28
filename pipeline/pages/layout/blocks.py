"""What a file without pages holds: paragraphs, tables, sheets, in their order. The layout draws pages from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Align = Literal["left", "center", "right"]
BODY_SIZE = 10.0
"""Font size in points of text whose size is not known."""


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one style. A tab moves to the next tab stop, a line break ends the line."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, a heading, an item of a list, or a line of a text file."""

    runs: tuple[Run, ...]
    place: str
    """Where it stands in the file, in words: ``paragraph 12``, ``footnote 3``."""
    size: float = BODY_SIZE
    align: Align = "left"
    indent: float = 0.0
    """Points from the left edge (of text from right to left: from the right one)."""
    space: float = 4.0
    """Points above it."""
    fixed: bool = False
    """Whether letters are equally wide and blanks are kept, as in a text file."""

    @property
    def text(self) -> str:
        """Its letters."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; ``columns`` is how many columns it takes."""

    blocks: tuple[Paragraph | Table, ...]
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table. A ``heading`` is repeated on each further page of the table."""

    cells: tuple[Cell, ...]
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a document. ``widths`` are those of its columns in points, where the file says so."""

    rows: tuple[Row, ...]
    widths: tuple[float, ...] = ()
    ruled: bool = True
    """Whether lines are drawn between the rows; a table that only places other things has none."""


@dataclass(frozen=True, slots=True)
class SheetCell:
    """A cell of a spreadsheet as it is displayed."""

    text: str
    place: str
    """Sheet and cell: ``Sheet1!B7``."""
    bold: bool = False
    align: Align = "left"
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with its number in the sheet, from 1, and its cells by column, from 0."""

    number: int
    cells: Mapping[int, SheetCell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a spreadsheet. Its rows are read once, while they are laid out."""

    rows: Iterable[SheetRow]
    widths: Mapping[int, float]
    """Widths of columns in points, where the file gives them."""
    heading_rows: tuple[int, ...] = ()
    """Numbers of the rows that the file repeats on each printed page; empty where it names none."""


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins on a new page."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something of the file that was left out on purpose, in words for the result's ``detail``."""

    text: str


Block = Paragraph | Table | Sheet | PageBreak | Remark

"""OpenDocument texts (odt, ott, fodt): paragraphs, lists, tables, headers, footers, notes and text boxes.

Source: OASIS OpenDocument 1.3, part 3. Deleted text (tracked changes) and hidden text is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from pipeline.pages.formats.odf_text import MAX_DEPTH, OdfStyles, boxes_in, load, notes_in, text_runs
from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xml_safety import attribute, child, children, local_name
from pipeline.pages.layout.blocks import Block, Cell, PageBreak, Paragraph, Row, Run, Table

_GROUPS = frozenset(("section", "index-body", "table-of-content", "user-index", "alphabetical-index", "bibliography", "illustration-index",
                     "object-index", "table-index", "index-title", "numbered-paragraph"))  # fmt: skip
_HEADING_SIZES = (16.0, 14.0, 12.0)
_INDENT = 18.0
MAX_REPEATED = 100
"""How often a cell or row of a table is repeated."""


def odt_blocks(package: Package | None, root: etree._Element | None = None) -> Iterator[Block]:
    """A document from its header to its footer."""
    content, styles_root, styles = load(package, root)
    reader = _Reader(styles)
    pages = list(children(child(styles_root, "master-styles"), "master-page"))[:1]
    for page in pages:
        for header in children(page, "header-first", "header"):
            yield from reader.blocks(header, _Story("header"), 0)
    body = child(content, "body", "text")
    if body is not None:
        yield from reader.blocks(body, _Story(""), 0)
    for number, note in enumerate(reader.notes, 1):
        kind = "endnote" if attribute(note, "note-class") == "endnote" else "footnote"
        if (inside := child(note, "note-body")) is not None:
            yield from reader.blocks(inside, _Story(f"{kind} {number}"), 0)
    for page in pages:
        for footer in children(page, "footer-first", "footer"):
            yield from reader.blocks(footer, _Story("footer"), 0)


@dataclass
class _Story:
    """A part of the document with its own numbers of paragraphs and tables."""

    name: str
    paragraphs: int = 0
    tables: int = 0
    boxes: int = 0

    def place(self, inside: str) -> str:
        return f"{self.name}, {inside}" if self.name else inside


class _Reader:
    def __init__(self, styles: OdfStyles) -> None:
        self._styles = styles
        self.notes: list[etree._Element] = []

    def blocks(self, parent: etree._Element, story: _Story, depth: int, indent: float = 0.0) -> Iterator[Block]:
        """Everything inside of an element that holds paragraphs."""
        if depth > MAX_DEPTH:
            return
        for element in parent:
            name = local_name(element)
            if name in ("p", "h"):
                story.paragraphs += 1
                yield from self._paragraph(element, story, story.place(f"paragraph {story.paragraphs}"), depth, indent)
            elif name == "list":
                yield from self._list(element, story, depth, indent)
            elif name == "table":
                story.tables += 1
                if not self._styles.get("table", attribute(element, "style-name")).hidden:
                    yield self._table(element, story, story.place(f"table {story.tables}"), depth)
            elif name in _GROUPS and attribute(element, "display") not in ("none", "condition"):
                yield from self.blocks(element, story, depth + 1, indent)
            elif name in ("frame", "custom-shape", "rect"):
                for box in [element] if name != "frame" else children(element, "text-box"):
                    story.boxes += 1
                    yield from self.blocks(box, _Story(story.place(f"text box {story.boxes}")), depth + 1)

    def _paragraph(
        self, element: etree._Element, story: _Story, place: str, depth: int, indent: float, label: str = ""
    ) -> Iterator[Block]:
        style = self._styles.get("paragraph", attribute(element, "style-name"))
        if style.breaks_page and story.paragraphs > 1:
            yield PageBreak()
        if not style.hidden:
            is_heading = local_name(element) == "h"
            runs = tuple(text_runs(element, self._styles, style.bold or is_heading))
            level = attribute(element, "outline-level", "3")
            size = max(style.size, _HEADING_SIZES[min(2, int(level) - 1)]) if is_heading and level in "123" else style.size
            if any(run.text.strip() for run in runs):
                runs = (Run(f"{label} "), *runs) if label else runs
                yield Paragraph(runs, place, size, style.align, indent)
            elif depth == 0 and not len(element):
                yield Paragraph((), place, style.size, space=0.0)
            self.notes += notes_in(element)
        for box in boxes_in(element):
            story.boxes += 1
            yield from self.blocks(box, _Story(story.place(f"text box {story.boxes}")), depth + 1)

    def _list(self, element: etree._Element, story: _Story, depth: int, indent: float) -> Iterator[Block]:
        if depth > MAX_DEPTH:
            return
        for item in children(element, "list-item", "list-header"):
            label = "•" if local_name(item) == "list-item" else ""
            for inner in item:
                if local_name(inner) in ("p", "h"):
                    story.paragraphs += 1
                    place = story.place(f"paragraph {story.paragraphs}")
                    yield from self._paragraph(inner, story, place, depth, indent + _INDENT, label)
                    label = ""
                elif local_name(inner) == "list":
                    yield from self._list(inner, story, depth + 1, indent + _INDENT)

    def _table(self, element: etree._Element, story: _Story, place: str, depth: int) -> Table:
        widths = []
        for column in element.iter("{*}table-column"):
            width = self._styles.get("table-column", attribute(column, "style-name")).width
            widths += [width] * _repeated(column, "number-columns-repeated")
        rows: list[Row] = []
        for row, is_heading in _rows(element):
            for _ in range(_repeated(row, "number-rows-repeated")):
                number = len(rows) + 1
                cells: list[Cell] = []
                column_number = 1
                for cell in children(row, "table-cell", "covered-table-cell"):
                    for _ in range(_repeated(cell, "number-columns-repeated")):
                        where = f"{place}, row {number}, column {column_number}"
                        cells.append(Cell(tuple(self._cell_blocks(cell, story, where, depth))))
                        column_number += 1
                rows.append(Row(_with_spans(row, cells), is_heading))
        return Table(tuple(rows), tuple(widths) if all(widths) else ())

    def _cell_blocks(self, cell: etree._Element, story: _Story, place: str, depth: int) -> Iterator[Paragraph | Table]:
        if depth > MAX_DEPTH or local_name(cell) == "covered-table-cell":
            return
        for element in cell:
            name = local_name(element)
            if name in ("p", "h"):
                found = self._paragraph(element, story, place, depth + 1, 0.0)
            elif name == "list":
                found = self._list(element, story, depth + 1, 0.0)
            elif name == "table":
                found = iter([self._table(element, story, f"{place}, table inside", depth + 1)])
            else:
                continue
            for block in found:
                if isinstance(block, Paragraph):
                    yield Paragraph(block.runs, place, block.size, block.align, block.indent, 0.0)
                elif isinstance(block, Table):
                    yield block


def _with_spans(row: etree._Element, cells: list[Cell]) -> tuple[Cell, ...]:
    """The cells of a row, those over several columns in place of the covered ones behind them."""
    spanned: list[Cell] = []
    skip = index = 0
    for element in children(row, "table-cell", "covered-table-cell"):
        for _ in range(_repeated(element, "number-columns-repeated")):
            if skip:
                skip -= 1
            else:
                columns = _repeated(element, "number-columns-spanned")
                skip = columns - 1
                spanned.append(Cell(cells[index].blocks, columns))
            index += 1
    return tuple(spanned)


def _rows(table: etree._Element, is_heading: bool = False, depth: int = 0) -> Iterator[tuple[etree._Element, bool]]:
    for element in table:
        name = local_name(element)
        if name == "table-row":
            yield element, is_heading
        elif name in ("table-header-rows", "table-rows", "table-row-group") and depth < MAX_DEPTH:
            yield from _rows(element, name == "table-header-rows", depth + 1)


def _repeated(element: etree._Element, name: str) -> int:
    count = attribute(element, name, "1")
    return min(MAX_REPEATED, max(1, int(count))) if count.isdecimal() and len(count) < 9 else 1

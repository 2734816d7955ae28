"""Web pages and the bodies of mails: the text that a browser shows. Nothing is run or fetched.

Scripts, style sheets and hidden elements are left out. Tables that only place other things are taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree, html

from pipeline.errors import DocumentError
from pipeline.pages.formats.html_hidden import HiddenElements
from pipeline.pages.layout.blocks import Align, Block, Cell, PageBreak, Paragraph, Row, Run, Table

_SKIPPED = frozenset(
    ("script", "style", "noscript", "template", "head", "title", "meta", "link", "object", "embed", "applet", "iframe", "svg", "math",
     "canvas", "audio", "video", "map", "datalist", "frameset", "base", "xml")
)  # fmt: skip
_BLOCKS = frozenset(
    ("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt",
     "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend",
     "li", "main", "menu", "nav", "ol", "optgroup", "option", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot",
     "th", "thead", "tr", "ul")
)  # fmt: skip
_HEADINGS = {"h1": 18.0, "h2": 15.0, "h3": 13.0, "h4": 11.0, "h5": 10.0, "h6": 10.0}
_BOLD = frozenset(("b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary", "legend"))
_INDENT = 18.0
_INPUTS = ("", "text", "number", "date", "email", "tel", "url", "search", "time", "month", "datetime-local")
MAX_DEPTH = 200
"""Elements inside elements that are looked into; browsers stop at 512."""
MAX_SPAN = 500
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(bold|[6-9]00)", re.IGNORECASE)
_ALIGN_STYLE = re.compile(r"text-align\s*:\s*(left|right|center|end)", re.IGNORECASE)
_PAGE_BREAK = re.compile(r"(page-)?break-(before|after)\s*:\s*(always|page)", re.IGNORECASE)
_ALIGN: dict[str, Align] = {"right": "right", "end": "right", "center": "center"}


def declared_encoding(content: bytes) -> str:
    """The encoding that a page names itself; empty where it names none."""
    match = _CHARSET.search(content[:4096])
    return match[1].decode("ascii", "replace") if match else ""


def html_blocks(text: str, within: str = "") -> Iterator[Block]:
    """The blocks of a page; their places begin with ``within``. Raises DocumentError ``unreadable`` where nothing can be parsed."""
    # `huge_tree` allows 2,048 levels; with fewer, what is deeper would be lost without a word
    parser = html.HTMLParser(no_network=True, huge_tree=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        if text.strip():
            raise DocumentError("unreadable", "a web page that cannot be parsed") from None
        return
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        detail = (
            "a web page with more levels than browsers show: damaged or hostile; print it to PDF in a browser and drop the PDF"
        )
        raise DocumentError("unreadable", detail)
    yield from _Reader(HiddenElements(root), within).blocks(root)


@dataclass(slots=True)
class _Line:
    """The paragraph that is being collected."""

    runs: list[Run] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Context:
    """What an element takes from those around it."""

    bold: bool = False
    size: float = 10.0
    align: Align = "left"
    indent: float = 0.0
    preserve: bool = False
    place: str = ""
    """Of a cell; empty outside of tables."""
    depth: int = 0


class _Reader:
    """Walks through the elements. Its recursion is limited: deeper elements give their text alone."""

    def __init__(self, hidden: HiddenElements, within: str) -> None:
        self._hidden, self._within = hidden, within
        self._paragraphs = self._tables = 0

    def blocks(self, root: etree._Element) -> Iterator[Block]:
        line = _Line()
        yield from self._walk(root, _Context(), line)
        yield from self._end(line, _Context())

    def _walk(self, element: etree._Element, context: _Context, line: _Line) -> Iterator[Block]:
        tag = element.tag.lower() if isinstance(element.tag, str) else ""
        if tag and tag not in _SKIPPED and not self._hidden.hides(element):
            yield from self._element(element, tag, context, line)
        if element.tail and element.getparent() is not None:
            self._add(line, element.tail, context)

    def _element(self, element: etree._Element, tag: str, context: _Context, line: _Line) -> Iterator[Block]:
        inner = _inside(element, tag, context)
        is_block = tag in _BLOCKS
        if is_block:
            yield from self._end(line, context)
        breaks = _PAGE_BREAK.search(element.get("style") or "") if is_block and not context.place else None
        if breaks and breaks[2] == "before":
            yield PageBreak()
        if tag == "br":
            line.runs.append(Run("\n"))
        elif tag == "li":
            line.runs.append(Run(_marker(element), inner.bold))
        elif tag in ("input", "textarea", "select"):
            self._add(line, f" {_form_value(element, tag)} ", inner)
        if context.depth >= MAX_DEPTH:
            self._add(line, " ".join(_texts(element)), inner)
        elif tag == "table":
            yield from self._table(element, inner)
        elif tag not in ("input", "textarea", "select", "br"):
            if element.text:
                self._add(line, element.text, inner)
            for child in element:
                yield from self._walk(child, inner, line)
        if is_block:
            yield from self._end(line, inner)
        if breaks and breaks[2] == "after":
            yield PageBreak()

    @staticmethod
    def _add(line: _Line, text: str, context: _Context) -> None:
        if not context.preserve:
            text = _BLANKS.sub(" ", text)
        if text:
            line.runs.append(Run(text, context.bold))

    def _end(self, line: _Line, context: _Context) -> Iterator[Block]:
        """The collected paragraph, if it has text."""
        runs, line.runs = tuple(line.runs), []
        if not any(run.text.strip() for run in runs):
            return
        if not context.place:
            self._paragraphs += 1
        place = context.place or f"{self._within}paragraph {self._paragraphs}"
        space = 0.0 if context.place or context.preserve else 4.0
        yield Paragraph(_stripped(runs), place, context.size, context.align, context.indent, space, context.preserve)

    # ---- tables

    def _table(self, table: etree._Element, context: _Context) -> Iterator[Block]:
        rows = [row for row in _rows(table) if not self._hidden.hides(row)]
        grid = [[cell for cell in row if _tag(cell) in ("td", "th") and not self._hidden.hides(cell)] for row in rows]
        for caption in (each for each in table if _tag(each) == "caption"):
            yield from self._walk(caption, context, line := _Line())
            yield from self._end(line, context)
        if _only_places(table, grid):
            for cell in (cell for row in grid for cell in row):
                yield from self._cell(cell, context)
            return
        if not context.place:
            self._tables += 1
        place = f"{context.place}, table inside" if context.place else f"{self._within}table {self._tables}"
        placed = tuple(self._table_rows(grid, place, context))
        if any(cell.blocks for row in placed for cell in row.cells):
            nested = any(isinstance(block, Table) for row in placed for cell in row.cells for block in cell.blocks)
            yield Table(placed, ruled=not nested and table.get("role") != "presentation" and len(placed) > 1)

    def _table_rows(self, grid: list[list[etree._Element]], place: str, context: _Context) -> Iterator[Row]:
        taken: dict[int, int] = {}
        """Columns that cells of rows above take, and for how many rows."""
        for number, row in enumerate(grid, 1):
            cells: list[Cell] = []
            column = 0
            for cell in row:
                while taken.get(column, 0) > 0:
                    taken[column] -= 1
                    cells.append(Cell(()))
                    column += 1
                columns, height = _span(cell, "colspan"), _span(cell, "rowspan")
                where = _Context(place=f"{place}, row {number}, column {column + 1}", depth=context.depth + 1)
                blocks = tuple(each for each in self._cell(cell, where) if isinstance(each, (Paragraph, Table)))
                cells.append(Cell(blocks, columns))
                for each in range(column, column + columns):
                    taken[each] = height - 1
                column += columns
            for each in [each for each in taken if each >= column and taken[each] > 0]:
                taken[each] -= 1
            yield Row(tuple(cells), heading=number == 1 and bool(row) and all(_tag(cell) == "th" for cell in row))

    def _cell(self, cell: etree._Element, context: _Context) -> Iterator[Block]:
        inner = _inside(cell, _tag(cell), context)
        line = _Line()
        if cell.text:
            self._add(line, cell.text, inner)
        for child in cell:
            yield from self._walk(child, inner, line)
        yield from self._end(line, inner)


def _texts(element: etree._Element) -> Iterator[str]:
    """All text inside of an element that is too deep to be laid out."""
    for node in element.iter():
        if isinstance(node.tag, str) and node.tag.lower() not in _SKIPPED:
            yield node.text or ""
        if node is not element:
            yield node.tail or ""


def _tag(element: etree._Element) -> str:
    return element.tag.lower() if isinstance(element.tag, str) else ""


def _inside(element: etree._Element, tag: str, context: _Context) -> _Context:
    style = element.get("style") or ""
    bold = context.bold or tag in _BOLD or bool(style and _BOLD_STYLE.search(style))
    found = _ALIGN_STYLE.search(style) if style else None
    named = (found[1] if found else element.get("align") or ("center" if tag == "center" else "")).lower()
    align: Align = _ALIGN.get(named, "left") if named else context.align
    indent = context.indent + (_INDENT if tag in ("ul", "ol", "dd", "blockquote", "menu") else 0.0)
    preserve = context.preserve or tag == "pre"
    return _Context(
        bold, _HEADINGS.get(tag, context.size), align, min(indent, 180.0), preserve, context.place, context.depth + 1
    )


def _stripped(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """The runs without blank lines at the end."""
    kept = list(runs)
    while kept and not kept[-1].text.strip():
        kept.pop()
    while kept and not kept[0].text.strip():
        kept.pop(0)
    return tuple(kept)


def _marker(item: etree._Element) -> str:
    """What a browser prints in front of an item of a list."""
    parent = item.getparent()
    if parent is None or _tag(parent) != "ol":
        return "• "
    start = parent.get("start") or "1"
    first = int(start) if start.isdecimal() and len(start) < 9 else 1
    before = sum(1 for _ in item.itersiblings("li", preceding=True)) if len(parent) < 2_000 else 0
    return f"{first + before}. "


def _form_value(element: etree._Element, tag: str) -> str:
    if tag == "textarea":
        return element.text or ""
    if tag == "input":
        return (element.get("value") or "") if (element.get("type") or "").lower() in _INPUTS else ""
    chosen = [each for each in element.iter("option") if each.get("selected") is not None] or list(element.iter("option"))[:1]
    return " ".join(each.text or "" for each in chosen)


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    """Rows of this table, not those of tables inside; a foot that stands first is last."""
    feet = []
    for element in table:
        if _tag(element) == "tr":
            yield element
        elif _tag(element) in ("tbody", "thead"):
            yield from (row for row in element if _tag(row) == "tr")
        elif _tag(element) == "tfoot":
            feet += [row for row in element if _tag(row) == "tr"]
    yield from feet


def _only_places(table: etree._Element, grid: list[list[etree._Element]]) -> bool:
    """Whether a table has no more than one cell with content in each row: it only places what is in it."""
    del table
    return all(sum(_has_content(cell) for cell in row) <= 1 for row in grid)


def _has_content(cell: etree._Element) -> bool:
    return bool((cell.text or "").strip()) or any(True for text in cell.itertext() if isinstance(text, str) and text.strip())


def _span(cell: etree._Element, name: str) -> int:
    text = (cell.get(name) or "1").strip()
    return min(MAX_SPAN, max(1, int(text))) if text.isascii() and text.isdecimal() and len(text) < 8 else 1

"""Word documents (docx, docm, dotx): paragraphs, tables, headers, footers, notes and text boxes.

Source: ECMA-376-1, 17 (WordprocessingML). Deleted and hidden text is not read, inserted text is. Fields give the text that was stored last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lxml import etree

from pipeline.pages.formats.docx_styles import Numbering, Style, Styles
from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xml_safety import attribute, child, children, local_name
from pipeline.pages.layout.blocks import Align, Block, Cell, PageBreak, Paragraph, Row, Run, Table

_MATHS = frozenset(
    ("oMath", "oMathPara", "acc", "bar", "box", "borderBox", "d", "deg", "den", "e", "eqArr", "f", "fName", "func", "groupChr", "lim",
     "limLow", "limUpp", "m", "mr", "nary", "num", "phant", "rad", "sPre", "sSub", "sSubSup", "sSup", "sub", "sup")
)  # fmt: skip
"""Parts of formulas (ECMA-376-1, 22.1), whose letters are read in their order."""
_TRANSPARENT = _MATHS | frozenset(
    ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "hyperlink", "fldSimple", "dir", "bdo", "ruby", "rubyBase", "r",
     "AlternateContent", "Choice")
)  # fmt: skip
"""Elements whose contents count as if they stood alone."""
_DELETED = frozenset(("del", "moveFrom", "rPrChange", "pPrChange", "instrText", "delText", "delInstrText", "rt"))
_TWENTIETHS = 20.0
_EDGES: dict[str, Align] = {"right": "right", "end": "right", "center": "center"}
_BULLET = "•"
_MAX_DEPTH = 40
"""Levels of tables in tables, and of boxes in boxes."""


def docx_blocks(package: Package) -> Iterator[Block]:
    """A document from its first page's header to its footer."""
    main = package.main_part()
    reader = _Reader(Styles(package, main), Numbering(package, main))
    root = package.xml(main)
    body = child(root, "body")
    relations = package.relations(main)
    parts = list(_headers_and_footers(root, relations))
    for name in [name for kind, name in parts if kind == "header" and name in package]:
        yield from reader.story(package.xml(name), "header")
    yield from reader.story(body if body is not None else root, "")
    for kind in ("footnote", "endnote"):
        for name in package.related(main, f"{kind}s"):
            for note in children(package.xml(name), kind):
                if not attribute(note, "type"):  # the others are the lines above the notes
                    yield from reader.story(note, f"{kind} {attribute(note, 'id')}")
    for name in [name for kind, name in parts if kind == "footer" and name in package]:
        yield from reader.story(package.xml(name), "footer")


def _headers_and_footers(root: etree._Element, relations: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Kind and part of those that the sections show, each part once, that of the first page first."""
    found: dict[str, tuple[str, bool]] = {}
    for section in root.iter("{*}sectPr"):
        shows_first = child(section, "titlePg") is not None
        for reference in children(section, "headerReference", "footerReference"):
            kind = attribute(reference, "type")
            if kind == "even" or (kind == "first" and not shows_first):
                continue
            _, part = relations.get(attribute(reference, "id"), ("", ""))
            if part:
                found.setdefault(part, (local_name(reference)[:6], kind == "first"))
    for part, (story, _) in sorted(found.items(), key=lambda each: not each[1][1]):
        yield story, part


@dataclass
class _Story:
    """A part of the document with its own numbers of paragraphs and tables."""

    name: str
    paragraphs: int = 0
    tables: int = 0
    boxes: int = 0

    def place(self, inside: str) -> str:
        return f"{self.name}, {inside}" if self.name else inside


@dataclass
class _Content:
    """What the runs of a paragraph hold."""

    runs: list[Run] = field(default_factory=list)
    boxes: list[etree._Element] = field(default_factory=list)
    breaks_page: bool = False


class _Reader:
    def __init__(self, styles: Styles, numbering: Numbering) -> None:
        self._styles, self._numbering = styles, numbering

    def story(self, root: etree._Element, name: str) -> Iterator[Block]:
        yield from self._blocks(root, _Story(name), 0)

    def _blocks(self, parent: etree._Element, story: _Story, depth: int) -> Iterator[Block]:
        for element in parent:
            name = local_name(element)
            if name == "p":
                yield from self._paragraph(element, story, depth)
            elif name == "tbl":
                story.tables += 1
                yield self._table(element, story, story.place(f"table {story.tables}"), depth)
            elif name in _TRANSPARENT and depth < _MAX_DEPTH:
                yield from self._blocks(element, story, depth + 1)

    def _paragraph(self, element: etree._Element, story: _Story, depth: int, place: str = "") -> Iterator[Block]:
        properties = child(element, "pPr")
        style = self._styles.of_paragraph(properties)
        if not place:
            story.paragraphs += 1
        where = place or story.place(f"paragraph {story.paragraphs}")
        content = _Content()
        self._collect(element, style, content, 0)
        if child(properties, "pageBreakBefore") is not None and story.paragraphs > 1 and not place:
            yield PageBreak()
        label, indent = self._numbering.label(properties, style)
        runs = tuple(content.runs)
        if any(run.text.strip() for run in runs):
            if label:
                runs = (Run(f"{label} ", style.bold), *runs)
            align = _EDGES.get(
                attribute(child(properties, "jc"), "val") if child(properties, "jc") is not None else style.align, "left"
            )
            yield Paragraph(runs, where, style.size, align, indent, style.space)
        elif not place and not content.boxes:
            yield Paragraph((), where, style.size, space=0.0)
        for box in content.boxes:
            if depth < _MAX_DEPTH:
                story.boxes += 1
                inside = _Story(story.place(f"text box {story.boxes}"))
                yield from self._blocks(box, inside, depth + 1)
        if content.breaks_page and not place:
            yield PageBreak()

    def _collect(self, parent: etree._Element, style: Style, content: _Content, depth: int) -> None:
        """The text of a paragraph's runs, in order."""
        if depth > _MAX_DEPTH:
            return
        bold = style.bold
        if local_name(parent) == "r":
            properties = child(parent, "rPr")
            run_style = self._styles.of_run(properties, style)
            if run_style.hidden:
                return
            bold = run_style.bold
        for element in parent:
            name = local_name(element)
            if name == "t":
                content.runs.append(Run(element.text or "", bold))
            elif name in ("tab", "ptab") and local_name(parent) == "r":
                content.runs.append(Run("\t"))
            elif name in ("br", "cr"):
                if attribute(element, "type") == "page":
                    content.breaks_page = True
                else:
                    content.runs.append(Run("\n"))
            elif name == "noBreakHyphen":
                content.runs.append(Run("-", bold))
            elif name == "sym":
                content.runs.append(Run(_symbol(attribute(element, "char")), bold))
            elif name in ("footnoteReference", "endnoteReference"):
                content.runs.append(Run(f"[{attribute(element, 'id')}]"))
            elif name in ("drawing", "pict", "object"):
                content.boxes += list(element.iter("{*}txbxContent"))[:100]
            elif name in _TRANSPARENT and name not in _DELETED:
                self._collect(element, style, content, depth + 1)

    def _table(self, element: etree._Element, story: _Story, place: str, depth: int) -> Table:
        widths = tuple(
            _number(attribute(column, "w")) / _TWENTIETHS for column in children(child(element, "tblGrid"), "gridCol")
        )
        rows = []
        for number, row in enumerate(_through(element, "tr"), 1):
            properties = child(row, "trPr")
            if child(properties, "del") is not None:
                continue
            is_heading = child(properties, "tblHeader") is not None
            cells, column = [], 1
            skipped = child(properties, "gridBefore")
            if skipped is not None:
                cells.append(Cell((), columns := max(1, int(_number(attribute(skipped, "val"))))))
                column += columns
            for cell in _through(row, "tc"):
                cell_properties = child(cell, "tcPr")
                span = child(cell_properties, "gridSpan")
                columns = min(500, max(1, int(_number(attribute(span, "val"))))) if span is not None else 1
                merge = child(cell_properties, "vMerge")
                continues = merge is not None and attribute(merge, "val") != "restart"
                where = f"{place}, row {number}, column {column}"
                blocks = () if continues else tuple(self._cell_blocks(cell, story, where, depth))
                cells.append(Cell(blocks, columns))
                column += columns
            rows.append(Row(tuple(cells), is_heading))
        return Table(tuple(rows), widths)

    def _cell_blocks(self, cell: etree._Element, story: _Story, place: str, depth: int) -> Iterator[Paragraph | Table]:
        for element in _inside(cell):
            name = local_name(element)
            if name == "p":
                for block in self._paragraph(element, story, depth + 1, place):
                    if isinstance(block, (Paragraph, Table)):
                        yield replace(block, space=0.0) if isinstance(block, Paragraph) else block
            elif name == "tbl" and depth < _MAX_DEPTH:
                yield self._table(element, story, f"{place}, table inside", depth + 1)


def _through(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """Children of a name, also inside of content controls and of marks of insertion."""
    return (element for element in _inside(parent) if local_name(element) == name)


def _inside(parent: etree._Element, depth: int = 0) -> Iterator[etree._Element]:
    for element in parent:
        if local_name(element) in _TRANSPARENT and depth < _MAX_DEPTH:
            yield from _inside(element, depth + 1)
        else:
            yield element


def _symbol(code: str) -> str:
    """A letter of a symbol font, whose codes begin at F000."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    return (
        _BULLET
        if 0xF000 <= number <= 0xF0FF
        else chr(number)
        if 32 <= number < 0x110000 and not 0xD800 <= number < 0xE000
        else ""
    )


def _number(text: str) -> float:
    try:
        return max(0.0, min(float(text), 1e6))
    except ValueError:
        return 0.0

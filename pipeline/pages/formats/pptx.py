"""PowerPoint presentations (pptx, pptm, ppsx): the texts and tables of each visible slide, then its notes.

Source: ECMA-376-1, 19 (PresentationML) and 21 (DrawingML). A slide begins on a page of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xlsx import all_text_of_runs
from pipeline.pages.formats.xml_safety import attribute, child, children, local_name
from pipeline.pages.layout.blocks import Block, Cell, PageBreak, Paragraph, Remark, Row, Run, Table

TITLE_SIZE, BODY_SIZE, NOTE_SIZE = 18.0, 12.0, 9.0
MAX_SLIDES = 10_000
_FOOTERS = ("dt", "ftr", "sldNum", "hdr")
"""Placeholders of date, footer and number, which slides repeat."""
_INDENT = 14.0
_MAX_DEPTH = 30


def pptx_blocks(package: Package) -> Iterator[Block]:
    """The slides in the order of the presentation."""
    main = package.main_part()
    relations = package.relations(main)
    hidden = []
    for number, entry in enumerate(list(children(child(package.xml(main), "sldIdLst"), "sldId"))[:MAX_SLIDES], 1):
        relation = next((str(value) for key, value in entry.attrib.items() if str(key).endswith("}id")), "")
        _, part = relations.get(relation, ("", ""))
        if part not in package:
            continue
        slide = package.xml(part)
        if attribute(slide, "show") in ("0", "false"):
            hidden.append(str(number))
            continue
        yield PageBreak()
        yield from _slide(slide, f"slide {number}")
        for notes in package.related(part, "notesSlide"):
            for paragraph in _notes(package.xml(notes)):
                yield Paragraph((Run(paragraph),), f"slide {number}, notes", NOTE_SIZE)
    if hidden:
        yield Remark(f"hidden slides that were not read: {', '.join(hidden[:20])}")


def _slide(slide: etree._Element, place: str) -> Iterator[Block]:
    shapes = list(_shapes(child(slide, "cSld", "spTree"), 0))
    tables = 0
    for shape in sorted(shapes, key=_position):
        if local_name(shape) == "graphicFrame":
            for table in shape.iter("{*}tbl"):
                tables += 1
                yield _table(table, f"{place}, table {tables}")
            continue
        kind = _placeholder(shape)
        name = child(shape, "nvSpPr", "cNvPr")
        label = attribute(name, "name") if name is not None else ""
        is_title = kind in ("title", "ctrTitle")
        for paragraph in children(child(shape, "txBody"), "p"):
            text = all_text_of_runs(paragraph)
            if text.strip():
                where = f'{place}, "{label[:60]}"' if label else place
                level = _level(paragraph)
                yield Paragraph((Run(text, is_title),), where, TITLE_SIZE if is_title else BODY_SIZE, indent=level * _INDENT)


def _shapes(tree: etree._Element | None, depth: int) -> Iterator[etree._Element]:
    """Shapes with text and frames with tables, also inside of groups; not those that every slide repeats, nor hidden ones."""
    for shape in tree if tree is not None else ():
        name = local_name(shape)
        if name in ("grpSp", "AlternateContent", "Choice") and depth < _MAX_DEPTH:
            yield from _shapes(shape, depth + 1)
        elif name in ("sp", "graphicFrame") and _placeholder(shape) not in _FOOTERS and not _is_hidden(shape):
            yield shape


def _placeholder(shape: etree._Element) -> str:
    for element in shape.iter("{*}ph"):
        return attribute(element, "type", "body")
    return ""


def _is_hidden(shape: etree._Element) -> bool:
    return any(attribute(element, "hidden") in ("1", "true") for element in shape.iter("{*}cNvPr"))


def _position(shape: etree._Element) -> tuple[int, int]:
    """Titles first, then from top to bottom; shapes without a place of their own (it is the layout's) keep their order at the top."""
    if _placeholder(shape) in ("title", "ctrTitle"):
        return (-1, 0)
    for offset in shape.iter("{*}off"):
        x, y = attribute(offset, "x"), attribute(offset, "y")
        rows = 127_000  # ten points, in the units of DrawingML
        return (int(y) // rows if y.isdecimal() and len(y) < 12 else 0, int(x) if x.isdecimal() and len(x) < 12 else 0)
    return (0, 0)


def _level(paragraph: etree._Element) -> int:
    properties = child(paragraph, "pPr")
    level = attribute(properties, "lvl") if properties is not None else ""
    return min(8, int(level)) if level.isdecimal() and len(level) < 3 else 0


def _table(table: etree._Element, place: str) -> Table:
    rows = []
    for number, row in enumerate(children(table, "tr"), 1):
        cells = []
        for column, cell in enumerate(children(row, "tc"), 1):
            if attribute(cell, "hMerge") in ("1", "true"):
                continue
            span = attribute(cell, "gridSpan", "1")
            texts = [all_text_of_runs(each) for each in children(child(cell, "txBody"), "p")]
            where = f"{place}, row {number}, column {column}"
            blocks = tuple(Paragraph((Run(text),), where, space=0.0) for text in texts if text.strip())
            cells.append(Cell(blocks, min(500, max(1, int(span))) if span.isdecimal() and len(span) < 6 else 1))
        rows.append(Row(tuple(cells)))
    return Table(tuple(rows))


def _notes(root: etree._Element) -> Iterator[str]:
    for shape in root.iter("{*}sp"):
        if _placeholder(shape) == "body":
            for paragraph in children(child(shape, "txBody"), "p"):
                if (text := all_text_of_runs(paragraph)).strip():
                    yield text

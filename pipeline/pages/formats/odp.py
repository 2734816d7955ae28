"""OpenDocument presentations (odp, otp, fodp) and drawings (odg): the texts and tables of each slide, then its notes.

Source: OASIS OpenDocument 1.3, part 3, 10 (graphic content).
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from pipeline.pages.formats.odf_text import MAX_DEPTH, OdfStyles, length, load, text_runs
from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xml_safety import attribute, child, children, local_name
from pipeline.pages.layout.blocks import Block, Cell, PageBreak, Paragraph, Remark, Row, Table

TITLE_SIZE, BODY_SIZE, NOTE_SIZE = 18.0, 12.0, 9.0
MAX_SLIDES = 10_000
_INDENT = 14.0
_REPEATED = ("date-time", "footer", "page-number", "header")
"""Frames that slides repeat."""


def odp_blocks(package: Package | None, root: etree._Element | None = None) -> Iterator[Block]:
    """The slides one after the other."""
    content, _, styles = load(package, root)
    body = child(content, "body", "presentation")
    pages = children(body if body is not None else child(content, "body", "drawing"), "page")
    hidden = []
    for number, page in enumerate(pages, 1):
        if number > MAX_SLIDES:
            return
        if _is_hidden(content, page):
            hidden.append(str(number))
            continue
        yield PageBreak()
        place = f"slide {number}"
        shapes = sorted((shape for shape in page if local_name(shape) not in ("notes", "forms")), key=_position)
        for shape in shapes:
            yield from _shape_blocks(shape, styles, place, 0)
        for paragraph in (p for notes in children(page, "notes") for p in notes.iter("{*}p")):
            runs = tuple(text_runs(paragraph, styles, False))
            if any(run.text.strip() for run in runs):
                yield Paragraph(runs, f"{place}, notes", NOTE_SIZE)
    if hidden:
        yield Remark(f"hidden slides that were not read: {', '.join(hidden[:20])}")


def _is_hidden(content: etree._Element, page: etree._Element) -> bool:
    name = attribute(page, "style-name")
    for style in children(child(content, "automatic-styles"), "style"):
        if attribute(style, "name") == name and attribute(style, "family") == "drawing-page":
            properties = child(style, "drawing-page-properties")
            return properties is not None and attribute(properties, "visibility") == "hidden"
    return False


def _position(shape: etree._Element) -> tuple[int, float]:
    if attribute(shape, "class") == "title":
        return (-1, 0.0)
    return (int(length(attribute(shape, "y")) // 10), length(attribute(shape, "x")))


def _shape_blocks(shape: etree._Element, styles: OdfStyles, place: str, depth: int) -> Iterator[Block]:
    kind = attribute(shape, "class")
    if kind in _REPEATED or depth > MAX_DEPTH:
        return
    name = attribute(shape, "name")
    where = f'{place}, "{name[:60]}"' if name else place
    for element in [shape] if local_name(shape) in ("custom-shape", "rect", "ellipse") else shape:
        inner = local_name(element)
        if inner in ("text-box", "custom-shape", "rect", "ellipse"):
            yield from _paragraphs(element, styles, where, 0.0, kind == "title", depth + 1)
        elif inner == "table":
            yield _table(element, styles, f"{place}, table")
        elif inner in ("frame", "g", "a"):
            yield from _shape_blocks(element, styles, place, depth + 1)


def _paragraphs(
    parent: etree._Element, styles: OdfStyles, place: str, indent: float, is_title: bool, depth: int
) -> Iterator[Paragraph]:
    if depth > MAX_DEPTH:
        return
    for element in parent:
        name = local_name(element)
        if name in ("p", "h"):
            runs = tuple(text_runs(element, styles, is_title))
            if any(run.text.strip() for run in runs):
                yield Paragraph(runs, place, TITLE_SIZE if is_title else BODY_SIZE, indent=indent)
        elif name == "list":
            for item in children(element, "list-item", "list-header"):
                yield from _paragraphs(item, styles, place, indent + _INDENT, is_title, depth + 1)


def _table(element: etree._Element, styles: OdfStyles, place: str) -> Table:
    rows = []
    for number, row in enumerate(element.iter("{*}table-row"), 1):
        cells = []
        for column, cell in enumerate(children(row, "table-cell", "covered-table-cell"), 1):
            where = f"{place}, row {number}, column {column}"
            cells.append(
                Cell(tuple(Paragraph(tuple(text_runs(p, styles, False)), where, space=0.0) for p in cell.iter("{*}p")))
            )
        rows.append(Row(tuple(cells)))
    return Table(tuple(rows))

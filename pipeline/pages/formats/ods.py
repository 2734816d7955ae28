"""OpenDocument spreadsheets (ods, ots, fods): the cells of visible sheets as they are displayed.

Source: OASIS OpenDocument 1.3, part 3, 9 (tables). The file holds the displayed text of each cell. Formulas give the value that was stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from pipeline.pages.formats.odf_text import OdfStyles, load, text_runs
from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xlsx import MAX_COLUMNS, MAX_LETTERS, MAX_ROWS, column_letters, quoted_sheet
from pipeline.pages.formats.xml_safety import attribute, child, children, local_name
from pipeline.pages.layout.blocks import Block, PageBreak, Remark, Sheet, SheetCell, SheetRow

MAX_REPEATED = 1_000
"""How often a cell or row with content is repeated; empty ones are only counted."""
_NUMBERS = frozenset(("float", "percentage", "currency", "date", "time"))
_HIDDEN = ("collapse", "filter")


def ods_blocks(package: Package | None, root: etree._Element | None = None) -> Iterator[Block]:
    """The visible sheets one after the other, and what was left out."""
    content, _, styles = load(package, root)
    tables: list[tuple[str, etree._Element]] = []
    hidden: list[str] = []
    for table in children(child(content, "body", "spreadsheet"), "table"):
        name = attribute(table, "name") or f"Sheet{len(tables) + 1}"
        if styles.get("table", attribute(table, "style-name")).hidden or attribute(table, "display") == "false":
            hidden.append(name)
        else:
            tables.append((name, table))
    missing: list[str] = []
    for name, table in tables:
        if len(tables) > 1:
            yield PageBreak()
        widths, hidden_columns = _columns(table, styles)
        rows = _sheet_rows(table, name, hidden_columns, styles, missing, titled=len(tables) > 1)
        yield Sheet(rows, widths)
    if hidden:
        yield Remark(f"hidden sheets that were not read: {', '.join(hidden[:8])}")
    if missing:
        yield Remark(
            f"formulas without a stored value, which are not computed: {', '.join(missing[:8])}; open the file, save it and drop it again"
        )


def _columns(table: etree._Element, styles: OdfStyles) -> tuple[dict[int, float], set[int]]:
    widths: dict[int, float] = {}
    hidden: set[int] = set()
    column = 0
    for element in table.iter("{*}table-column"):
        count = _count(element, "number-columns-repeated", MAX_COLUMNS)
        width = styles.get("table-column", attribute(element, "style-name")).width
        for each in range(column, min(column + count, MAX_COLUMNS)):
            if attribute(element, "visibility") in _HIDDEN:
                hidden.add(each)
            elif width and count <= MAX_REPEATED:
                widths[each] = width
        column += count
    return widths, hidden


def _sheet_rows(
    table: etree._Element, name: str, hidden: set[int], styles: OdfStyles, missing: list[str], *, titled: bool
) -> Iterator[SheetRow]:
    prefix = quoted_sheet(name)
    if titled:
        yield SheetRow(0, {0: SheetCell(name, prefix, bold=True)})
    number = 0
    for row in _through_groups(table):
        repeated = _count(row, "number-rows-repeated", MAX_ROWS)
        first, number = number + 1, number + repeated
        if attribute(row, "visibility") in _HIDDEN:
            continue
        for each in range(first, first + min(repeated, MAX_REPEATED)):
            cells = _cells(row, f"{prefix}!", each, hidden, styles, missing)
            if not cells:
                break
            yield SheetRow(each, cells)


def _through_groups(table: etree._Element, depth: int = 0) -> Iterator[etree._Element]:
    for element in table:
        name = local_name(element)
        if name == "table-row":
            yield element
        elif (
            name in ("table-header-rows", "table-rows", "table-row-group")
            and depth < 20
            and attribute(element, "display") != "false"
        ):
            yield from _through_groups(element, depth + 1)


def _cells(
    row: etree._Element, prefix: str, number: int, hidden: set[int], styles: OdfStyles, missing: list[str]
) -> dict[int, SheetCell]:
    cells: dict[int, SheetCell] = {}
    column = 0
    for element in children(row, "table-cell", "covered-table-cell"):
        count = _count(element, "number-columns-repeated", MAX_COLUMNS)
        text = "\n".join("".join(run.text for run in text_runs(p, styles, False)) for p in children(element, "p"))[:MAX_LETTERS]
        if local_name(element) == "table-cell" and (text.strip() or attribute(element, "formula")):
            style = styles.get("table-cell", attribute(element, "style-name"))
            is_number = attribute(element, "value-type") in _NUMBERS
            for each in range(column, column + min(count, MAX_REPEATED)):
                place = f"{prefix}{column_letters(each)}{number}"
                if each in hidden:
                    continue
                if text.strip():
                    align = style.align if style.align != "left" else "right" if is_number else "left"
                    cells[each] = SheetCell(text, place, style.bold, align, is_number)
                elif not attribute(element, "value-type"):
                    missing.append(place)
        column += count
    return cells


def _count(element: etree._Element, name: str, limit: int) -> int:
    text = attribute(element, name, "1")
    return min(limit, max(1, int(text))) if text.isdecimal() and len(text) < 10 else 1

"""Excel workbooks (xlsx, xlsm, xltx): the cells of visible sheets as they are displayed.

Source: ECMA-376-1, 18 (SpreadsheetML). Formulas give the value that the program stored; nothing is computed and no other file is opened.
Sheets, rows and columns that are hidden are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from pipeline.pages.formats.number_format import display
from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xlsx_styles import CellStyle, read_styles
from pipeline.pages.formats.xml_safety import all_text, attribute, child, children, iterate_xml, local_name
from pipeline.pages.layout.blocks import Align, Block, PageBreak, Paragraph, Remark, Run, Sheet, SheetCell, SheetRow

MAX_COLUMNS, MAX_ROWS = 16_384, 1_048_576
"""Of a sheet (Excel's specification)."""
MAX_SHEETS = 1_000
MAX_STRINGS = 5_000_000
MAX_LETTERS = 32_767
"""Letters of a cell."""
MAX_NAMED = 8
"""Cells and sheets that a remark names."""
_REFERENCE = re.compile(r"([A-Za-z]{1,3})(\d{1,7})")
_PRINT_TITLES = re.compile(r"\$(\d{1,7}):\$(\d{1,7})")
_POINTS_PER_CHARACTER = 5.25
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ALIGN: Mapping[str, Align] = {"right": "right", "center": "center", "centerContinuous": "center"}


@dataclass(slots=True)
class _Workbook:
    package: Package
    strings: list[str]
    styles: list[CellStyle]
    since_1904: bool
    titles: Mapping[int, tuple[int, ...]]
    missing: list[str] = field(default_factory=list)
    """Cells with a formula and no stored value."""


def xlsx_blocks(package: Package) -> Iterator[Block]:
    """The visible sheets one after the other, and what was left out."""
    main = package.main_part()
    root = package.xml(main)
    relations = package.relations(main)
    properties = child(root, "workbookPr")
    since_1904 = properties is not None and attribute(properties, "date1904") in ("1", "true")
    book = _Workbook(package, _shared_strings(package, main), read_styles(package, main), since_1904, _print_titles(root))
    sheets, hidden = [], []
    for number, sheet in enumerate(list(children(child(root, "sheets"), "sheet"))[:MAX_SHEETS]):
        kind, part = relations.get(attribute(sheet, "id"), ("", ""))
        name = attribute(sheet, "name") or f"Sheet{number + 1}"
        if attribute(sheet, "state") in ("hidden", "veryHidden"):
            hidden.append(name)
        elif part in package and kind in ("worksheet", ""):
            sheets.append((number, name, part))
    for number, name, part in sheets:
        if len(sheets) > 1:
            yield PageBreak()
        yield Sheet(*_rows(book, name, part, book.titles.get(number, ()), titled=len(sheets) > 1))
        yield from _drawn_texts(package, part, name)
    if hidden:
        yield Remark(f"hidden sheets that were not read: {_named(hidden)}")
    if book.missing:
        yield Remark(
            f"formulas without a stored value, which are not computed: {_named(book.missing)}; open the file, save it and drop it again"
        )


def _named(names: list[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _shared_strings(package: Package, main: str) -> list[str]:
    strings: list[str] = []
    for name in package.related(main, "sharedStrings")[:1]:
        with package.open(name) as stream:
            for element in iterate_xml(stream, name, ("si",)):
                strings.append(_string(element))
                if len(strings) >= MAX_STRINGS:
                    break
    return strings


def _string(element: etree._Element) -> str:
    """The text of a string item: plain, or in runs; without its pronunciation."""
    parts = [node.text or "" for node in element.iter("{*}t") if local_name(node.getparent()) != "rPh"]
    return _unescaped("".join(parts)[:MAX_LETTERS])


def _unescaped(text: str) -> str:
    """Text whose control characters are written ``_x000D_`` (22.9.2.19)."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _print_titles(root: etree._Element) -> dict[int, tuple[int, ...]]:
    """Numbers of the rows that are repeated on each printed page, by sheet."""
    found = {}
    for name in children(child(root, "definedNames"), "definedName"):
        match = _PRINT_TITLES.search(name.text or "")
        sheet = attribute(name, "localSheetId")
        if attribute(name, "name") == "_xlnm.Print_Titles" and match and sheet.isdecimal():
            first, last = int(match[1]), int(match[2])
            found[int(sheet)] = tuple(range(first, min(last, first + 9) + 1))
    return found


def _rows(
    book: _Workbook, name: str, part: str, titles: tuple[int, ...], *, titled: bool
) -> tuple[Iterator[SheetRow], Mapping[int, float], tuple[int, ...]]:
    """The rows of a sheet, widths of its columns, and its heading rows. A workbook of several sheets has each sheet's name above it."""
    widths, hidden = _columns(book.package, part)
    return _visible_rows(book, name, part, hidden, titled=titled), widths, titles


def _columns(package: Package, part: str) -> tuple[dict[int, float], set[int]]:
    """Widths of columns in points, and the hidden columns. They stand before the cells."""
    widths: dict[int, float] = {}
    hidden: set[int] = set()
    with package.open(part) as stream:
        for element in iterate_xml(stream, part, ("col", "sheetData", "row")):
            if local_name(element) != "col":
                break
            first, last = (_whole(attribute(element, key)) for key in ("min", "max"))
            for column in range(max(0, first - 1), min(last, MAX_COLUMNS, first + 1_000)):
                if attribute(element, "hidden") in ("1", "true"):
                    hidden.add(column)
                elif (width := attribute(element, "width")) and attribute(element, "customWidth") in ("1", "true"):
                    widths[column] = _float(width) * _POINTS_PER_CHARACTER
    return widths, hidden


def _visible_rows(book: _Workbook, name: str, part: str, hidden: set[int], *, titled: bool) -> Iterator[SheetRow]:
    prefix = quoted_sheet(name)
    if titled:
        yield SheetRow(0, {0: SheetCell(name, prefix, bold=True)})
    number = 0
    with book.package.open(part) as stream:
        for row in iterate_xml(stream, part, ("row",)):
            number = _whole(attribute(row, "r")) or number + 1
            if number > MAX_ROWS or attribute(row, "hidden") in ("1", "true") or attribute(row, "ht") == "0":
                continue
            cells: dict[int, SheetCell] = {}
            column = -1
            for element in row:
                if local_name(element) != "c":
                    continue
                match = _REFERENCE.fullmatch(attribute(element, "r"))
                column = column_number(match[1]) if match else column + 1
                if column in hidden or column >= MAX_COLUMNS:
                    continue
                place = f"{prefix}!{column_letters(column)}{number}"
                cell = _cell(book, element, place)
                if cell is not None:
                    cells[column] = cell
            if cells:
                yield SheetRow(number, cells)


def _cell(book: _Workbook, element: etree._Element, place: str) -> SheetCell | None:
    """The cell as displayed; None for an empty one."""
    kind = attribute(element, "t", "n")
    index = _whole(attribute(element, "s"))
    style = book.styles[index] if index < len(book.styles) else CellStyle()
    stored = child(element, "v")
    raw = (stored.text or "") if stored is not None else ""
    if kind == "inlineStr":
        text = _string(inline) if (inline := child(element, "is")) is not None else ""
    elif kind == "s":
        position = _whole(raw)
        text = book.strings[position] if raw.strip().isdecimal() and position < len(book.strings) else ""
    elif kind == "b":
        text = {"1": "TRUE", "0": "FALSE"}.get(raw.strip(), raw)
    elif kind in ("str", "e"):
        text = _unescaped(raw[:MAX_LETTERS])
    elif kind == "d":
        text = raw
    else:
        text = display(raw, style.code, since_1904=book.since_1904) if raw else ""
    if stored is None and kind != "inlineStr" and child(element, "f") is not None:
        book.missing.append(place)
    if not text.strip():
        return None
    is_number = kind in ("n", "d")
    align: Align = _ALIGN.get(style.align, "right" if is_number and style.align in ("", "general") else "left")
    return SheetCell(text, place, style.bold, align, is_number)


def _drawn_texts(package: Package, part: str, name: str) -> Iterator[Block]:
    """The text boxes on a sheet, which hold letterheads and remarks."""
    count = 0
    for drawing in package.related(part, "drawing"):
        for body in package.xml(drawing).iter("{*}txBody"):
            count += 1
            for paragraph in children(body, "p"):
                text = all_text_of_runs(paragraph)
                if text.strip():
                    yield Paragraph((Run(text),), f"{quoted_sheet(name)}, text box {count}")


def all_text_of_runs(paragraph: etree._Element) -> str:
    """The text of a DrawingML paragraph."""
    parts = []
    for element in paragraph:
        if local_name(element) in ("r", "fld"):
            parts.append(all_text(child(element, "t")))
        elif local_name(element) == "br":
            parts.append("\n")
    return "".join(parts)


def quoted_sheet(name: str) -> str:
    """A sheet's name as formulas write it: in apostrophes where it has blanks or marks."""
    plain = name.replace("_", "a").replace(".", "a")
    return name if plain.isalnum() and not plain[:1].isdigit() else "'" + name.replace("'", "''") + "'"


def column_letters(column: int) -> str:
    """A, B, … Z, AA, … of a column that is counted from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """The reverse of ``column_letters``."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _whole(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _float(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1000.0)
    except ValueError:
        return 0.0

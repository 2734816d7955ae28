"""The formats of an Excel workbook's cells: number format, bold, alignment. Source: ECMA-376-1, 18.8."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.pages.formats.number_format import BUILT_IN
from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xml_safety import attribute, child, children

MAX_STYLES = 65_536


@dataclass(frozen=True, slots=True)
class CellStyle:
    """``code`` is the number format, ``align`` the horizontal alignment as the file names it."""

    code: str = "General"
    bold: bool = False
    align: str = ""


def read_styles(package: Package, main: str) -> list[CellStyle]:
    """The styles by the number under which cells name them (``cellXfs``)."""
    for name in package.related(main, "styles")[:1]:
        root = package.xml(name)
        codes = {
            attribute(each, "numFmtId"): attribute(each, "formatCode") for each in children(child(root, "numFmts"), "numFmt")
        }
        bold = [
            (b := child(font, "b")) is not None and attribute(b, "val", "1") not in ("0", "false")
            for font in children(child(root, "fonts"), "font")
        ]
        styles = []
        for each in list(children(child(root, "cellXfs"), "xf"))[:MAX_STYLES]:
            number, font = attribute(each, "numFmtId"), attribute(each, "fontId")
            code = codes.get(number) or BUILT_IN.get(int(number) if number.isdecimal() else 0, "General")
            alignment = child(each, "alignment")
            is_bold = font.isdecimal() and int(font) < len(bold) and bold[int(font)]
            styles.append(CellStyle(code, is_bold, attribute(alignment, "horizontal") if alignment is not None else ""))
        return styles
    return []

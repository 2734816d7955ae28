"""Draws office files, web pages and texts, part by part, so that every test knows what is in its file."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

import xlsxwriter

from examples.trade import Invoice
from tests.drawing import invoice

Rows = Sequence[Sequence[str]]
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
ODF = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office", "text": "text", "table": "table", "style": "style", "draw": "drawing", "presentation": "presentation",
        "fo": "xsl-fo-compatible", "svg": "svg-compatible",
    }.items()
)  # fmt: skip


def packed(parts: Mapping[str, str | bytes], *, first: str = "") -> bytes:
    """A zip of these parts; ``first`` is stored without compression before the others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(parts, key=lambda name: name != first):
            archive.writestr(name, parts[name], zipfile.ZIP_STORED if name == first else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def relations(targets: Mapping[str, tuple[str, str]], *, external: Sequence[str] = ()) -> str:
    """A relationship part: id to (kind, target)."""
    items = "".join(
        f'<Relationship Id="{identity}" Type="{RELATIONS}/{kind}" Target="{escape(target)}"'
        + (' TargetMode="External"/>' if identity in external else "/>")
        for identity, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{PACKAGE_RELATIONS}">{items}</Relationships>'


def open_xml(main: str, content_type: str, parts: Mapping[str, str | bytes]) -> bytes:
    """An Office Open XML package whose main part is ``main``."""
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{CONTENT_TYPES}"><Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/{main}" ContentType="{content_type}"/></Types>',
            "_rels/.rels": relations({"r1": ("officeDocument", main)}),
            **parts,
        },
        first="[Content_Types].xml",
    )


def docx(body: str, parts: Mapping[str, str | bytes] | None = None) -> bytes:
    """A Word document with this body in WordprocessingML (prefix ``w``)."""
    document = f'<w:document xmlns:w="{WORD}" xmlns:r="{RELATIONS}"><w:body>{body}</w:body></w:document>'
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return open_xml("word/document.xml", kind, {"word/document.xml": document, **(parts or {})})


def word_paragraph(text: str) -> str:
    """A paragraph in WordprocessingML; tabs are kept."""
    runs = "<w:r><w:tab/></w:r>".join(f"<w:r><w:t>{escape(part)}</w:t></w:r>" for part in text.split("\t"))
    return f"<w:p>{runs}</w:p>"


def word_table(rows: Rows) -> str:
    """A table in WordprocessingML."""
    cells = ("".join(f"<w:tc>{word_paragraph(text)}</w:tc>" for text in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def xlsx(sheets: Mapping[str, Rows]) -> bytes:
    """A workbook; texts of digits with a point are numbers with two decimals."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        money = book.add_format({"num_format": "#,##0.00"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, text in enumerate(row):
                    if text.replace(".", "", 1).isdecimal() and "." in text:
                        sheet.write_number(number, column, float(text), money)
                    elif text:
                        sheet.write_string(number, column, text)
    return buffer.getvalue()


def raw_xlsx(sheet: str, parts: Mapping[str, str | bytes] | None = None, *, workbook: str = "") -> bytes:
    """A workbook of one sheet ``Data`` with these elements, and what ``workbook`` adds behind the list of sheets."""
    sheets = '<sheets><sheet name="Data" sheetId="1" r:id="r1"/></sheets>'
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{sheets}{workbook}</workbook>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    related = {"r1": ("worksheet", "worksheets/sheet1.xml")}
    related |= {"r2": ("styles", "styles.xml")} if parts and "xl/styles.xml" in parts else {}
    related |= {"r3": ("sharedStrings", "sharedStrings.xml")} if parts and "xl/sharedStrings.xml" in parts else {}
    return open_xml(
        "xl/workbook.xml",
        kind,
        {
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": relations(related),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}">{sheet}</worksheet>',
            **(parts or {}),
        },
    )


def pptx(slides: Sequence[str], *, hidden: Sequence[int] = ()) -> bytes:
    """A presentation; each slide is the inside of its shape tree (prefixes ``p`` and ``a``)."""
    entries = "".join(f'<p:sldId id="{256 + number}" r:id="r{number}"/>' for number in range(1, len(slides) + 1))
    parts: dict[str, str | bytes] = {
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{SLIDES}" xmlns:r="{RELATIONS}">'
        f"<p:sldIdLst>{entries}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            {f"r{number}": ("slide", f"slides/slide{number}.xml") for number in range(1, len(slides) + 1)}
        ),
    }
    for number, tree in enumerate(slides, 1):
        show = ' show="0"' if number in hidden else ""
        parts[f"ppt/slides/slide{number}.xml"] = (
            f'<p:sld xmlns:p="{SLIDES}" xmlns:a="{DRAWING}"{show}><p:cSld><p:spTree>{tree}</p:spTree></p:cSld></p:sld>'
        )
    return open_xml(
        "ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml", parts
    )


def slide_shape(name: str, paragraphs: Sequence[str], y: int = 0, kind: str = "") -> str:
    """A shape with text; a tab stays a tab."""
    placeholder = f'<p:nvPr><p:ph type="{kind}"/></p:nvPr>' if kind else ""
    text = "".join(f"<a:p><a:r><a:t>{escape(each)}</a:t></a:r></a:p>" for each in paragraphs)
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="{name}"/>{placeholder}</p:nvSpPr><p:spPr><a:xfrm><a:off x="0" y="{y}"/></a:xfrm></p:spPr>'
        f"<p:txBody>{text}</p:txBody></p:sp>"
    )


def slide_table(rows: Rows, y: int) -> str:
    """A table on a slide."""
    cells = (
        "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p></a:txBody></a:tc>" for text in row)
        for row in rows
    )
    table = "".join(f"<a:tr>{row}</a:tr>" for row in cells)
    graphic = f"<a:graphic><a:graphicData><a:tbl>{table}</a:tbl></a:graphicData></a:graphic>"
    return f'<p:graphicFrame><p:xfrm><a:off x="0" y="{y}"/></p:xfrm>{graphic}</p:graphicFrame>'


def odf(kind: str, body: str, *, styles: str = "", parts: Mapping[str, str | bytes] | None = None) -> bytes:
    """An OpenDocument file: ``kind`` is ``text``, ``spreadsheet`` or ``presentation``, ``body`` what is inside of that element."""
    content = (
        f"<office:document-content {ODF}><office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f"<office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    mime = f"application/vnd.oasis.opendocument.{kind}"
    return packed({"mimetype": mime, "content.xml": content, **(parts or {})}, first="mimetype")


def odf_paragraph(text: str) -> str:
    """A paragraph; tabs are kept."""
    return f"<text:p>{'<text:tab/>'.join(map(escape, text.split(chr(9))))}</text:p>"


def odf_table(rows: Rows, name: str = "Data") -> str:
    """A table."""
    cells = (
        "".join(f'<table:table-cell office:value-type="string">{odf_paragraph(text)}</table:table-cell>' for text in row)
        for row in rows
    )
    inside = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    return f'<table:table table:name="{name}">{inside}</table:table>'


def rtf(body: str) -> bytes:
    """An RTF document; letters beyond ASCII are written as Unicode."""
    escaped = "".join(letter if ord(letter) < 128 else f"\\u{ord(letter)}?" for letter in body)
    return ("{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0 Arial;}}" + escaped + "}").encode("ascii")


def rtf_table(rows: Rows) -> str:
    """A table."""
    text = ""
    for row in rows:
        text += "\\trowd" + "".join(f"\\cellx{2000 * (number + 1)}" for number in range(len(row))) + "\\pard\\intbl "
        text += "".join(f"{cell}\\cell " for cell in row) + "\\row\n"
    return text + "\\pard "


# ---- an invoice in every format ------------------------------------------------------------------------------------------------


def invoice_contents(made: Invoice) -> tuple[list[str], Rows, list[str]]:
    """The lines above the table of an invoice, the table, and the lines below it. A tab stands between a label and its value."""
    seller, buyer = made.seller, made.buyer
    above = [
        seller.name, f"{seller.street}, {seller.postcode} {seller.city}", f"VAT ID: {seller.vat_id}", "", "Invoice", "",
        "Bill to:", buyer.name, buyer.street, f"{buyer.postcode} {buyer.city}", "",
        f"Invoice number:\t{made.number}", f"Invoice date:\t{made.issued.isoformat()}", f"Due date:\t{made.due.isoformat()}", "",
    ]  # fmt: skip
    rows = [["Description", "Quantity", "Unit price", "Amount"]]
    rows += [[item.description, f"{item.quantity:f}", f"{item.unit_price:.2f}", f"{item.amount:.2f}"] for item in made.items]
    subtotal = sum(item.amount for item in made.items)
    tax = (subtotal * made.tax_rate / 100).quantize(made.items[0].amount)
    below = [
        "",
        f"Subtotal:\t{subtotal:.2f} {made.currency}",
        f"VAT {made.tax_rate:f}%:\t{tax:.2f} {made.currency}",
        f"Total:\t{subtotal + tax:.2f} {made.currency}",
    ]
    return above, rows, below


def _as_docx(above: list[str], rows: Rows, below: list[str]) -> bytes:
    return docx("".join(map(word_paragraph, above)) + word_table(rows) + "".join(map(word_paragraph, below)))


def _as_odt(above: list[str], rows: Rows, below: list[str]) -> bytes:
    return odf("text", "".join(map(odf_paragraph, above)) + odf_table(rows) + "".join(map(odf_paragraph, below)))


def _as_rtf(above: list[str], rows: Rows, below: list[str]) -> bytes:
    def lines(texts: list[str]) -> str:
        return "".join(text.replace("\t", "\\tab ") + "\\par\n" for text in texts)

    return rtf(lines(above) + rtf_table(rows) + lines(below))


def _sheet_rows(above: list[str], rows: Rows, below: list[str]) -> list[list[str]]:
    def split(texts: list[str]) -> list[list[str]]:
        return [[text.split("\t")[0], *[""] * 2, *text.split("\t")[1:]] if text else [] for text in texts]

    return [*split(above), *map(list, rows), *split(below)]


def _as_xlsx(above: list[str], rows: Rows, below: list[str]) -> bytes:
    return xlsx({"Invoice": _sheet_rows(above, rows, below)})


def _as_ods(above: list[str], rows: Rows, below: list[str]) -> bytes:
    return odf("spreadsheet", odf_table(_sheet_rows(above, rows, below), "Invoice"))


def _as_csv(above: list[str], rows: Rows, below: list[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";").writerows([*row, *[""] * (4 - len(row))] for row in _sheet_rows(above, rows, below))
    return buffer.getvalue().encode()


def _as_txt(above: list[str], rows: Rows, below: list[str]) -> bytes:
    lines = [text.replace("\t", " ") for text in above]
    lines += [f"{row[0]:<30}{row[1]:>10}{row[2]:>14}{row[3]:>14}" for row in rows]
    lines += [" " * 36 + text.replace("\t", " ") for text in below]
    return "\n".join(lines).encode()


def _as_html(above: list[str], rows: Rows, below: list[str]) -> bytes:
    def lines(texts: list[str]) -> str:
        return "".join(f"<p>{escape(text).replace(chr(9), ' ')}</p>" for text in texts)

    cells = ("".join(f"<td>{escape(text)}</td>" for text in row) for row in rows)
    table = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<!doctype html><html><body>{lines(above)}<table>{table}</table>{lines(below)}</body></html>".encode()


def _as_md(above: list[str], rows: Rows, below: list[str]) -> bytes:
    def lines(texts: list[str]) -> str:
        return "\n\n".join(text.replace("\t", " ") for text in texts)

    table = [f"| {' | '.join(row)} |" for row in rows]
    return f"{lines(above)}\n\n{chr(10).join([table[0], '|---|---|---|---|', *table[1:]])}\n\n{lines(below)}\n".encode()


def _as_pptx(above: list[str], rows: Rows, below: list[str]) -> bytes:
    return pptx([slide_shape("Top", above) + slide_table(rows, 3_000_000) + slide_shape("Bottom", below, 5_000_000)])


def _as_odp(above: list[str], rows: Rows, below: list[str]) -> bytes:
    def box(name: str, y: int, inside: str) -> str:
        return f'<draw:frame draw:name="{name}" svg:y="{y}cm">{inside}</draw:frame>'

    def lines(texts: list[str]) -> str:
        return f"<draw:text-box>{''.join(map(odf_paragraph, texts))}</draw:text-box>"

    inside = box("Top", 1, lines(above)) + box("Table", 10, odf_table(rows)) + box("Bottom", 15, lines(below))
    return odf("presentation", f"<draw:page>{inside}</draw:page>")


INVOICE_FORMATS: Mapping[str, Callable[[list[str], Rows, list[str]], bytes]] = {
    "docx": _as_docx, "odt": _as_odt, "rtf": _as_rtf, "xlsx": _as_xlsx, "ods": _as_ods, "csv": _as_csv, "txt": _as_txt, "html": _as_html,
    "md": _as_md, "pptx": _as_pptx, "odp": _as_odp,
}  # fmt: skip


def office_invoice(kind: str, made: Invoice | None = None) -> bytes:
    """An invoice in one of INVOICE_FORMATS."""
    return INVOICE_FORMATS[kind](*invoice_contents(made or invoice()))

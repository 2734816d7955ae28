"""Writes PDFs object by object, so that a test can damage one object."""

from __future__ import annotations

CATALOG = "<</Type/Catalog/Pages 2 0 R>>"
TREE = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
EMPTY_PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]>>"
FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def stream(content: str, keys: str = "") -> str:
    """A stream object. ``keys`` are added to its dictionary."""
    return f"<</Length {len(content)}{keys}>>stream\n{content}\nendstream"


def raw_pdf(*objects: str) -> bytes:
    """A PDF with these objects and a correct cross-reference table. The first object has number 1 and is the catalogue."""
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    entries = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{entries}"
    trailer = f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + table.encode() + trailer.encode()


def one_page(catalog: str = CATALOG, tree: str = TREE, page: str = PAGE, content: str | None = None) -> bytes:
    """A PDF with one line of text on one page. Each part can be replaced by a damaged one."""
    return raw_pdf(
        catalog, tree, page, stream("BT /F 30 Tf 50 50 Td (Greengrocer) Tj ET") if content is None else content, FONT
    )

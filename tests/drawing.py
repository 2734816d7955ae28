"""Draws documents for tests from data, so that every test knows the contents of its document."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pymupdf
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from examples.draw import RECEIPT
from examples.einvoice import with_facturx
from examples.invoices import Layout, draw_invoice
from examples.pictures import Receipt, as_scan, draw_receipt, jpeg, png
from examples.trade import WORDING, Invoice, Item, Party, truth

__all__ = [
    "blank_pdf",
    "encrypted_pdf",
    "exif_turned_jpeg",
    "invoice",
    "invoice_pdf",
    "invoice_truth",
    "jpeg",
    "page_image",
    "png",
    "receipt_image",
    "scan_pdf",
    "scanned_invoice",
    "text_pdf",
    "tiff",
    "turned_pdf",
]
LANGUAGES = tuple(sorted(WORDING))
"""Languages in which an invoice can be drawn."""

_SELLERS = {
    "en": Party("Harrow Lane Tools Ltd", "9 Harrow Lane", "S3 8DQ", "Sheffield", "GB", "GB736190278", "GB29NWBK60161331926819"),
    "de": Party("Brückner Metallbau GmbH", "Werkstraße 4", "04177", "Leipzig", "DE", "DE317405218", "DE98700500001234567890"),
    "fr": Party("Les Jardins de Brévent SAS", "12 rue du Four", "74400", "Chamonix", "FR", "FR28512840331"),
    "es": Party("Talleres Sol y Mar S.L.", "Calle Mayor 7", "03002", "Alicante", "ES", "ESB12345674"),
    "it": Party("Officina Bellavista S.r.l.", "Via Roma 18", "10121", "Torino", "IT", "IT12345670017"),
    "nl": Party("Van Dalen Techniek B.V.", "Havenkade 3", "3011 AB", "Rotterdam", "NL", "NL123456782B90"),
    "pl": Party("Zakład Stolarski Dąb Sp. z o.o.", "ul. Długa 14", "31-147", "Kraków", "PL", "PL9871234504"),
    "zh": Party("青山机械有限公司", "长江路 18 号", "210000", "南京", "CN", "91320100MA1ABCDE5U"),
}
_BUYERS = {
    "zh": Party("东湖贸易有限公司", "解放大道 66 号", "430000", "武汉", "CN"),
}
_BUYER = Party("Morgenrot & Partner", "Hafenstr. 31", "20457", "Hamburg", "DE")
_GOODS = {
    "zh": ("轴承", "皮带"),
    "de": ("Stahlwinkel", "Montage"),
    "fr": ("Rosiers", "Livraison"),
    "pl": ("Krzesło dębowe", "Montaż"),
}


def invoice(language: str = "en", **changes: Any) -> Invoice:
    """An invoice with two lines. Keyword arguments replace its values."""
    first, second = _GOODS.get(language, ("Model K-12", "Service pack"))
    base = Invoice(
        language=language,
        seller=_SELLERS[language],
        buyer=_BUYERS.get(language, _BUYER),
        number=f"{language.upper()}-20417",
        issued=date(2025, 3, 24),
        due=date(2025, 4, 23),
        currency={"en": "GBP", "zh": "CNY"}.get(language, "EUR"),
        items=[Item(first, Decimal(12), Decimal("84.50")), Item(second, Decimal("2.5"), Decimal("61.20"))],
        tax_rate=Decimal(20),
    )
    return replace(base, **changes)


def invoice_pdf(data: Invoice, layout: Layout = "modern", *, facturx: bool = False) -> bytes:
    """The invoice as a PDF with a text layer, on request with the e-invoice's XML inside."""
    pdf = draw_invoice(data, layout)
    return with_facturx(pdf, data) if facturx else pdf


def invoice_truth(data: Invoice) -> dict[str, object]:
    """The values of the invoice, by the field names of the built-in template."""
    return truth(data)


def scanned_invoice(data: Invoice, layout: Layout = "modern", *, turned: int = 0, dpi: int = 150) -> Image.Image:
    """The invoice's first page as a scan, turned ``turned`` degrees clockwise."""
    scan = as_scan(page_image(draw_invoice(data, layout), dpi=dpi), angle=0.6, blur=0.5, noise=4)
    return scan.rotate(-turned, expand=True) if turned else scan


def receipt_image(data: Receipt = RECEIPT, *, scanned: bool = True, **changes: Any) -> Image.Image:
    """A receipt, by default as a scan. Keyword arguments replace its values."""
    clean = draw_receipt(replace(data, **changes))
    return as_scan(clean) if scanned else clean


def text_pdf(pages: Sequence[str], size: float = 12) -> bytes:
    """A PDF with one text for each page, split at newlines. An empty text gives a blank page. Only Latin-1 letters."""
    buffer = io.BytesIO()
    canvas: Any = Canvas(buffer, pagesize=A4, invariant=1)
    for text in pages:
        canvas.setFont("Helvetica", size)
        for row, line in enumerate(text.split("\n")):
            canvas.drawString(64, A4[1] - 72 - row * size * 1.4, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def blank_pdf(pages: int = 1) -> bytes:
    """A PDF of empty pages."""
    return text_pdf([""] * pages)


def encrypted_pdf(text: str = "Sealed", password: str = "open sesame", owner: str = "owner") -> bytes:
    """An encrypted PDF that opens with the password. An empty password opens without one."""
    with pymupdf.open(stream=text_pdf([text]), filetype="pdf") as document:
        return bytes(document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=password, owner_pw=owner))


def page_image(pdf: bytes, page: int = 1, dpi: int = 150) -> Image.Image:
    """One page as an image."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        pixels = document[page - 1].get_pixmap(dpi=dpi)
        return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)


def scan_pdf(images: Sequence[Image.Image], dpi: int = 150) -> bytes:
    """A PDF without a text layer, with one image on each page."""
    buffer = io.BytesIO()
    first, *rest = [image.convert("RGB") for image in images]
    first.save(buffer, "PDF", save_all=True, append_images=rest, resolution=dpi)
    return buffer.getvalue()


def turned_pdf(pdf: bytes, degrees: int) -> bytes:
    """The PDF with ``/Rotate`` on every page. Viewers turn it clockwise."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        for page in document:
            page.set_rotation(degrees)
        return bytes(document.tobytes())


def exif_turned_jpeg(image: Image.Image, orientation: int = 6) -> bytes:
    """A JPEG as a phone stores it: turned pixels, upright by the EXIF orientation (6, 3 or 8)."""
    stored = image.convert("RGB").rotate({6: 90, 3: 180, 8: 270}[orientation], expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", quality=90, exif=exif.tobytes())
    return buffer.getvalue()


def tiff(images: Sequence[Image.Image]) -> bytes:
    """A TIFF with one frame for each image."""
    buffer = io.BytesIO()
    first, *rest = [image.convert("RGB") for image in images]
    first.save(buffer, "TIFF", save_all=True, append_images=rest, compression="tiff_deflate")
    return buffer.getvalue()

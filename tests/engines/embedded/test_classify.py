"""Pages of every kind must be told apart, with pixels and without."""

from __future__ import annotations

import pytest
from PIL import Image, ImageFilter

from pipeline.engines.embedded.classify import classify
from pipeline.records import Page, PageImage
from tests.engines.embedded.charts import framed, legend, lying, slices, strokes, upright, y_ticks
from tests.engines.embedded.sheet import BLUE, Sheet

INVOICES = {
    "en": ["INVOICE", "Invoice number 2024-118", "Due date 12/05/2024", "Bill to: Harrow Lane", "Total 118.00"],
    "de": [
        "Rechnung",
        "Rechnungsnummer 2024-118",
        "Rechnungsdatum 12.05.2024",
        "zahlbar bis 26.05.2024",
        "Gesamtbetrag 118,00 €",
    ],
    "fr": ["Facture n° 2024-118", "Date d'échéance 12/05/2024", "Conditions de règlement", "Total TTC 118,00 €"],
    "es": [
        "Factura",
        "Fecha de factura 12/05/2024",
        "Base imponible 100,00",
        "Vencimiento 12/06/2024",
        "Importe total 118,00 €",
    ],
    "it": ["Fattura", "Partita IVA 12345670017", "Imponibile 100,00", "Scadenza 12/06/2024", "Totale 118,00 €"],
    "nl": ["Factuur", "Factuurnummer 2024-118", "Factuurdatum 12-05-2024", "Vervaldatum 26-05-2024", "Te betalen 118,00"],
    "pl": ["Faktura VAT", "Nabywca: Dąb Sp. z o.o.", "Termin płatności 12.06.2024", "Do zapłaty 118,00 zł"],
    "zh": ["发票", "发票号码 20240118", "开票日期 2024-05-12", "购买方 东湖贸易", "合计 118.00"],
}
RECEIPTS = {
    "en": ["CORNER SHOP", "Milk 1.20", "Bread 2.50", "TOTAL 3.70", "CASH 5.00", "CHANGE 1.30", "Thank you"],
    "de": ["KAUFHALLE", "Milch 1,20", "Brot 2,50", "SUMME 3,70", "Gegeben 5,00", "Rückgeld 1,30", "Vielen Dank"],
    "fr": ["EPICERIE", "Lait 1,20", "Pain 2,50", "TOTAL 3,70", "Espèces 5,00", "Rendu 1,30", "Merci de votre visite"],
    "es": ["TIENDA", "Leche 1,20", "Pan 2,50", "TOTAL 3,70", "Efectivo 5,00", "Cambio 1,30", "Gracias por su visita"],
    "it": ["BOTTEGA", "Latte 1,20", "Pane 2,50", "TOTALE 3,70", "Contante 5,00", "Resto 1,30", "Grazie"],
    "nl": ["KRUIDENIER", "Melk 1,20", "Brood 2,50", "TOTAAL 3,70", "Contant 5,00", "Wisselgeld 1,30", "Tot ziens"],
    "pl": ["SKLEP", "PARAGON FISKALNY", "Mleko 1,20", "Chleb 2,50", "SUMA PLN 3,70", "Gotówka 5,00", "Reszta 1,30"],
    "zh": ["便利店", "小票", "牛奶 1.20", "面包 2.50", "合计 3.70", "现金 5.00", "找零 1.30"],
}


def letter(lines: list[str], filler: int = 12) -> Sheet:
    """A sheet of letter paper with these lines and some prose as wide as the paper."""
    sheet = Sheet(800, 1130)
    for n, text in enumerate(lines):
        sheet.text(70, 90 + 30 * n, text, 26 if n == 0 else 13)
    for n in range(filler):
        sheet.text(
            70, 560 + 22 * n, "We thank you for your order and remain with kind regards from all of us at the works in town", 13
        )
    return sheet


def till_roll(lines: list[str]) -> Sheet:
    sheet = Sheet(300, 60 + 30 * len(lines) + 200)
    for n, text in enumerate(lines):
        sheet.text(20, 40 + 30 * n, text, 16)
    return sheet


def photo(width: int = 300, height: int = 200) -> PageImage:
    """Coloured clouds with the grain that cameras leave."""
    bands = [Image.effect_noise((width, height), 160).filter(ImageFilter.GaussianBlur(6)) for _ in range(3)]
    grain = Image.merge("RGB", [Image.effect_noise((width, height), 30) for _ in range(3)])
    image = Image.blend(Image.merge("RGB", bands), grain, 0.3)
    return PageImage(width, height, image.tobytes(), 1.0)


@pytest.mark.parametrize("language", INVOICES)
def test_invoices(language: str) -> None:
    sheet = letter(INVOICES[language])
    assert classify(sheet.page(), sheet.pixels()) == "invoice"
    assert classify(sheet.page(), None) == "invoice"


@pytest.mark.parametrize("language", RECEIPTS)
def test_receipts(language: str) -> None:
    sheet = till_roll(RECEIPTS[language])
    assert classify(sheet.page(), sheet.pixels()) == "receipt"
    assert classify(sheet.page(), None) == "receipt"


def test_prose_is_text_even_when_it_speaks_of_invoices() -> None:
    sheet = letter(["About our house", "Every invoice is checked by two people before it is paid."], 24)
    assert classify(sheet.page(), sheet.pixels()) == "text"


def charts() -> dict[str, Sheet]:
    labels, values = ["North", "South", "East", "West"], [34.0, 61.0, 12.0, 48.0]
    bars, lines, pie, plain = (framed("Sunny days by region") for _ in range(4))
    y_ticks(bars, [0, 20, 40, 60, 80])
    upright(bars, labels, {"": values}, [0, 80])
    y_ticks(lines, [0, 20, 40, 60, 80])
    strokes(lines, {"A": values, "B": values[::-1]}, [1.0, 2.0, 3.0, 4.0], [0, 80], True)
    legend(lines, ["A", "B"])
    slices(pie, {"Rent": 45.0, "Food": 30.0, "Travel": 15.0, "Other": 10.0})
    lying(plain, labels, values, printed=True, ticks=[0, 80])
    return {"bars": bars, "lines": lines, "pie": pie, "printed": plain}


@pytest.mark.parametrize("name", ["bars", "lines", "pie", "printed"])
def test_charts(name: str) -> None:
    sheet = charts()[name]
    assert classify(sheet.page(), sheet.pixels()) == "chart"


def test_photos_with_and_without_a_few_words() -> None:
    image = photo()
    sheet = Sheet(300, 200)
    assert classify(sheet.page(), image) == "photo"
    sheet.text(20, 20, "Harbour Café", 16)
    words = tuple(sheet.words)
    assert classify(Page(1, 300, 200, words, "ocr"), image) == "photo"


def test_a_letterhead_in_colour_makes_no_chart() -> None:
    sheet = letter(["Harrow Lane Rowing Club", "Dear members"], 20)
    sheet.draw.rectangle((600, 30, 760, 80), BLUE)
    assert classify(sheet.page(), sheet.pixels()) == "text"


def test_a_thumbnail_is_enough() -> None:
    sheet = charts()["bars"]
    small = sheet.image.resize((160, 120), Image.Resampling.BOX)
    assert classify(sheet.page(), PageImage(160, 120, small.tobytes(), 0.25)) == "chart"


def test_an_empty_page_is_text() -> None:
    assert classify(Page(1, 100, 100), None) == "text"
    assert classify(Page(1, 1, 1), PageImage(1, 1, b"\xff\xff\xff", 1.0)) == "text"

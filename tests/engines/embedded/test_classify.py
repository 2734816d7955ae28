"""The kind of a page is recognised with pixels and without, in every language, printed or read by OCR."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image, ImageFilter

from pipeline.engines.embedded.business_pages import find_amounts
from pipeline.engines.embedded.classify import classify, is_cover
from pipeline.languages.evidence import known_words, language_weights
from pipeline.records import Page, PageImage, Word
from pipeline.templates.template import TEXT_KINDS
from tests.engines.embedded import drawn_documents
from tests.engines.embedded.charts import (
    draw_horizontal_bars,
    draw_legend,
    draw_lines,
    draw_pie,
    draw_vertical_bars,
    draw_y_ticks,
    titled_sheet,
)
from tests.engines.embedded.drawn_documents import CREDIT_NOTE_TITLES, DOCUMENT_WORDS, RECEIPT_TITLES
from tests.engines.embedded.page_builder import BLUE, Sheet

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
def test_an_invoice_is_classified_as_one(language: str) -> None:
    sheet = letter(INVOICES[language])
    assert classify(sheet.page(), sheet.pixels()) == "invoice"
    assert classify(sheet.page(), None) == "invoice"


@pytest.mark.parametrize("language", RECEIPTS)
def test_a_receipt_is_classified_as_one(language: str) -> None:
    sheet = till_roll(RECEIPTS[language])
    assert classify(sheet.page(), sheet.pixels()) == "receipt"
    assert classify(sheet.page(), None) == "receipt"


def test_prose_about_invoices_is_text() -> None:
    sheet = letter(["About our house", "Every invoice is checked by two people before it is paid."], 24)
    assert classify(sheet.page(), sheet.pixels()) == "text"


def charts() -> dict[str, Sheet]:
    labels, values = ["North", "South", "East", "West"], [34.0, 61.0, 12.0, 48.0]
    bars, lines, pie, plain = (titled_sheet("Sunny days by region") for _ in range(4))
    draw_y_ticks(bars, [0, 20, 40, 60, 80])
    draw_vertical_bars(bars, labels, {"": values}, [0, 80])
    draw_y_ticks(lines, [0, 20, 40, 60, 80])
    draw_lines(lines, {"A": values, "B": values[::-1]}, [1.0, 2.0, 3.0, 4.0], [0, 80], True)
    draw_legend(lines, ["A", "B"])
    draw_pie(pie, {"Rent": 45.0, "Food": 30.0, "Travel": 15.0, "Other": 10.0})
    draw_horizontal_bars(plain, labels, values, printed=True, ticks=[0, 80])
    return {"bars": bars, "lines": lines, "pie": pie, "printed": plain}


@pytest.mark.parametrize("name", ["bars", "lines", "pie", "printed"])
def test_a_chart_is_classified_as_one(name: str) -> None:
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


def test_a_thumbnail_of_a_chart_is_classified_as_one() -> None:
    sheet = charts()["bars"]
    small = sheet.image.resize((160, 120), Image.Resampling.BOX)
    assert classify(sheet.page(), PageImage(160, 120, small.tobytes(), 0.25)) == "chart"


def test_an_empty_page_is_text() -> None:
    assert classify(Page(1, 100, 100), None) == "text"
    assert classify(Page(1, 1, 1), PageImage(1, 1, b"\xff\xff\xff", 1.0)) == "text"


NO_INVOICES = {"text", *TEXT_KINDS}


def kinds(sheet: Sheet) -> set[str]:
    """The kinds of a sheet as printed and as OCR reads it."""
    return {classify(page, sheet.pixels()) for page in (sheet.page(), drawn_documents.read_by_ocr(sheet.page()))}


@pytest.mark.parametrize("language", DOCUMENT_WORDS)
def test_an_invoice_is_known_by_its_title_at_any_place(language: str) -> None:
    words = DOCUMENT_WORDS[language]
    for heading in ("large", "subject", "label"):
        assert kinds(drawn_documents.business(language, words.invoice, heading)) == {"invoice"}, heading
    both = f"{words.invoice} / {words.delivery}"
    for title in (words.invoice.upper(), both, CREDIT_NOTE_TITLES[language]):
        assert kinds(drawn_documents.business(language, title, "large", with_number=False)) == {"invoice"}, title


@pytest.mark.parametrize("language", DOCUMENT_WORDS)
def test_documents_that_print_what_invoices_print_are_no_invoices(language: str) -> None:
    for title in DOCUMENT_WORDS[language].others[:5]:
        for heading in ("large", "subject"):
            assert kinds(drawn_documents.business(language, title, heading, with_number=False)) <= NO_INVOICES, (title, heading)
    for large in (True, False):
        assert kinds(drawn_documents.statement(language, large=large)) <= NO_INVOICES


@pytest.mark.parametrize("language", DOCUMENT_WORDS)
def test_a_reminder_is_no_invoice_though_it_names_number_and_date_of_one(language: str) -> None:
    for heading in ("large", "subject"):
        assert kinds(drawn_documents.business(language, DOCUMENT_WORDS[language].others[2], heading)) <= NO_INVOICES, heading


@pytest.mark.parametrize("language", DOCUMENT_WORDS)
def test_a_receipt_on_letter_paper_is_known_by_its_title(language: str) -> None:
    for with_number in (True, False):
        assert kinds(drawn_documents.business(language, RECEIPT_TITLES[language], "large", with_number=with_number)) == {
            "receipt"
        }


def test_an_invoice_that_names_a_delivery_note_stays_an_invoice() -> None:
    sheet = letter(
        ["Northern Timber", "Delivery note: 118", "Order confirmation: 7731", "Schlussrechnung Nr. 118", "Total 118.00"]
    )
    assert kinds(sheet) == {"invoice"}


@pytest.mark.parametrize("title", ["Lohnabrechnung", "Payslip", "Bulletin de paie", "Nómina", "Busta paga"])
def test_payslips_are_no_invoices(title: str) -> None:
    for heading in ("large", "subject"):
        assert kinds(drawn_documents.business("de", title, heading, with_number=False)) == {"payslip"}, heading


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Purchase Order 4711", "order"),
        ("Auftragsbestätigung", "order"),
        ("Bon de livraison", "delivery_note"),
        ("Angebot Nr. 118", "quotation"),
        ("Estratto conto", "bank_statement"),
        ("Rental agreement", "contract"),
        ("Arbeitsvertrag", "contract"),
        ("Gas bill", "utility_bill"),
        ("Contract management for beginners", "text"),
        ("The law of contract", "text"),
    ],
)
def test_a_large_title_tells_other_kinds_of_documents(title: str, kind: str) -> None:
    assert kinds(letter([title, "Northern Timber", "Page one of the papers that belong together"], 24)) == {kind}


def test_a_letter_has_a_salutation_and_a_closing() -> None:
    lines = ["Northern Timber", "Dear Ms Bell,", "we thank you for your visit and send the plans.", "Kind regards", "Ann Oak"]
    assert kinds(letter(lines)) == {"letter"}
    assert kinds(letter(lines[:3])) == {"text"}
    assert kinds(letter([*lines[3:], *lines[:3]])) == {"text"}


def test_the_words_for_other_kinds_do_not_change_the_languages_of_a_page() -> None:
    assert language_weights(["Abschlagsrechnung", "Kontoauszug"]).keys() >= {"de"}
    assert known_words(["Zählernummer", "Kündigungsfrist"]) == 0


@pytest.mark.parametrize("size", [(500, 700), (900, 600), (420, 900)])
@pytest.mark.parametrize(
    "lines",
    [
        RECEIPTS["en"],
        ["KAUFHALLE", "Milch 1,20", "Brot 2,50", "Butter 4,10", "SUMME EUR 7,80", "MwSt 7% 0,51"],
        ["SMALL CAFE", "2 Espresso 4.40", "1 Tart 3.90", "TOTAL 8.30"],
    ],
)
def test_a_photographed_receipt_is_classified_as_one(lines: list[str], size: tuple[int, int]) -> None:
    page, image = drawn_documents.on_a_table(drawn_documents.till_roll(lines), *size)
    assert classify(page, image) == "receipt"


@pytest.mark.parametrize("language", ["en", "de", "pl"])
def test_photographed_invoices_and_reminders_have_different_classes(language: str) -> None:
    words = DOCUMENT_WORDS[language]
    for title, kind in ((words.invoice, "invoice"), (words.others[2], "other")):
        page, image = drawn_documents.on_a_table(drawn_documents.business(language, title, "large"), 1100, 1400)
        found = classify(page, image)
        assert found == kind if kind == "invoice" else found in NO_INVOICES


TEXTS = {
    "letter": drawn_documents.letter,
    "short letter": lambda: drawn_documents.letter(6),
    "form": drawn_documents.form,
    "table": drawn_documents.figures,
    "shaded table": lambda: drawn_documents.figures(shaded=True),
    "price list": drawn_documents.prices,
    "menu": drawn_documents.menu,
    "curriculum vitae": drawn_documents.vita,
    "newspaper": drawn_documents.news,
    "slide": drawn_documents.slide,
    "dark slide": lambda: drawn_documents.slide(dark=True),
    "cover": drawn_documents.cover,
}


@pytest.mark.parametrize("name", TEXTS)
def test_other_documents_are_text(name: str) -> None:
    assert kinds(TEXTS[name]()) == {"text"}


def test_a_screenshot_of_a_chart_is_a_chart() -> None:
    assert kinds(drawn_documents.bars()) == {"chart"}
    assert kinds(drawn_documents.screenshot()) == {"chart"}


def test_a_chart_with_a_bar_for_the_total_is_no_receipt() -> None:
    sheet = Sheet(360, 380)
    sheet.text(30, 30, "Rain in metres", 20)
    for n, text in enumerate(("Total", "North", "South")):
        sheet.text(40 + 110 * n, 350, text, 16)
    for n in range(3):
        sheet.text(40 + 110 * n, 170 - 40 * n, f"{n + 1}.45", 16)
        sheet.draw.rectangle((40 + 110 * n, 190 - 40 * n, 100 + 110 * n, 330), BLUE)
    assert kinds(sheet) == {"chart"}


def test_photographs_in_grey_and_in_the_dark() -> None:
    for image in (
        drawn_documents.clouds(400, 300, 1, grey=True),
        drawn_documents.clouds(400, 300, 2, light=0.3),
        drawn_documents.clouds(400, 300, 3, grey=True, light=0.3),
        drawn_documents.sky(),
    ):
        assert classify(Page(1, 400, 300), PageImage(*image.size, image.tobytes(), 1.0)) == "photo"


def test_a_note_in_pencil_that_was_scanned_is_no_photograph() -> None:
    sheet = Sheet(500, 700)
    sheet.text(80, 200, "Back at four", 30)
    image = Image.blend(sheet.image, Image.effect_noise((500, 700), 40).convert("RGB"), 0.1)
    page = drawn_documents.read_by_ocr(sheet.page())
    assert classify(page, PageImage(500, 700, image.tobytes(), 1.0)) == "text"


def test_the_data_of_an_e_invoice_decide() -> None:
    sheet = drawn_documents.letter()
    page = sheet.page()
    assert classify(page, sheet.pixels()) == "text"
    assert classify(replace(page, facts={"BT-1": "118"}), sheet.pixels()) == "invoice"


def test_covers_are_few_words_in_front() -> None:
    page = drawn_documents.cover().page()
    assert is_cover(page)
    assert not is_cover(replace(page, number=9))
    assert not is_cover(drawn_documents.letter().page())


def test_dates_and_percentages_are_no_amounts() -> None:
    for text, amounts in (
        ("12.05.2024 26.05.2024", 0),
        ("12/05/20", 0),
        ("1.234,50 €", 1),
        ("3,172 .80 and 0.51", 2),
        ("v1.2.34", 0),
    ):
        assert len(find_amounts(text)) == amounts, text


@pytest.mark.timeout(20)
def test_hostile_pages_take_little_time() -> None:
    texts = ["1,1.1'" * 20000, "rechnung" * 10000, "1 .12" * 20000, *["7"] * 8000]
    words = tuple(Word(text, (5, 5 + n % 700, 60, 12 + n % 700), n // 3, confidence=0.5) for n, text in enumerate(texts))
    assert classify(Page(1, 600, 800, words, "textlayer"), None) in ("text", "chart")

"""Draws office documents in eight languages: invoices, documents that look like invoices, letters, forms, tables, news and slides.

Every business document prints the same parts (addressee, numbers and dates, a table with prices, bank details). Only its title differs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from PIL import Image, ImageDraw

from pipeline.records import Page, PageImage, Word
from tests.engines.embedded.charts import draw_vertical_bars, draw_y_ticks, titled_sheet
from tests.engines.embedded.page_builder import BLUE, Sheet

Heading = Literal["large", "subject", "label"]
"""Where the title stands: a large heading, a line in the size of the text, or only in the label of the number."""
PROSE = """
    the committee met on tuesday and agreed that work may start before winter because prices for timber rose again while the river
    stayed low enough for boats to pass under old bridges without waiting several neighbours asked whether noise could be kept away
""".split()  # noqa: SIM905 - prose is easier to read as prose


@dataclass(frozen=True)
class DocumentWords:
    """The words of business documents in one language."""

    invoice: str
    number: str
    issued: str
    due: str
    columns: tuple[str, str, str, str]
    net: str
    tax: str
    total: str
    order: str
    delivery: str
    others: tuple[str, str, str, str, str, str]
    """Titles of other documents: order confirmation, delivery note, reminder, quotation, purchase order, account statement."""


DOCUMENT_WORDS = {
    "en": DocumentWords("Invoice", "Invoice number", "Date", "Due date", ("Description", "Qty", "Unit price", "Amount"),
                  "Net total", "VAT 20%",
                 "Total", "Your order", "Delivery note",
                 ("Order confirmation", "Delivery note", "Payment reminder", "Quotation", "Purchase order",
                  "Account statement")),
    "de": DocumentWords("Rechnung", "Rechnungsnummer", "Datum", "Fällig am", ("Bezeichnung", "Menge", "Einzelpreis", "Betrag"),
                  "Nettobetrag",
                 "MwSt. 19%", "Gesamtbetrag", "Ihre Bestellung", "Lieferschein",
                 ("Auftragsbestätigung", "Lieferschein", "Zahlungserinnerung", "Angebot", "Bestellung", "Kontoauszug")),
    "fr": DocumentWords("Facture", "Facture n°", "Date", "Échéance", ("Désignation", "Quantité", "Prix unitaire", "Montant"),
                  "Total HT",
                 "TVA 20%", "Total TTC", "Votre commande", "Bon de livraison",
                 ("Confirmation de commande", "Bon de livraison", "Rappel de paiement", "Devis", "Bon de commande",
                  "Relevé de compte")),
    "es": DocumentWords("Factura", "Número de factura", "Fecha", "Vencimiento", ("Descripción", "Cantidad", "Precio unitario",
                  "Importe"),
                 "Base imponible", "IVA 21%", "Importe total", "Su pedido", "Albarán",
                 ("Confirmación de pedido", "Albarán", "Recordatorio de pago", "Presupuesto", "Orden de compra",
                  "Extracto de cuenta")),
    "it": DocumentWords("Fattura", "Numero fattura", "Data", "Scadenza", ("Descrizione", "Quantità", "Prezzo unitario",
                  "Importo"), "Imponibile",
                 "IVA 22%", "Totale", "Vostro ordine", "Documento di trasporto",
                 ("Conferma d'ordine", "Documento di trasporto", "Sollecito di pagamento", "Preventivo", "Ordine di acquisto",
                  "Estratto conto")),
    "nl": DocumentWords("Factuur", "Factuurnummer", "Datum", "Vervaldatum", ("Omschrijving", "Aantal", "Prijs", "Bedrag"),
                  "Totaal excl. btw",
                 "Btw 21%", "Te betalen", "Uw bestelling", "Pakbon",
                 ("Orderbevestiging", "Pakbon", "Betalingsherinnering", "Offerte", "Inkooporder", "Rekeningafschrift")),
    "pl": DocumentWords("Faktura VAT", "Numer faktury", "Data wystawienia", "Termin płatności", ("Nazwa", "Ilość",
                  "Cena netto", "Wartość"),
                 "Razem netto", "VAT 23%", "Do zapłaty", "Zamówienie nr", "Dokument WZ",
                 ("Potwierdzenie zamówienia", "List przewozowy", "Wezwanie do zapłaty", "Oferta", "Zamówienie",
                  "Wyciąg z rachunku")),
    "pt": DocumentWords("Fatura", "Fatura n.º", "Data de emissão", "Data de vencimento", ("Descrição", "Quantidade",
                  "Preço unitário", "Valor"),
                 "Total líquido", "IVA 23%", "Total a pagar", "Sua encomenda", "Guia de remessa",
                 ("Confirmação de encomenda", "Guia de remessa", "Lembrete de pagamento", "Orçamento", "Nota de encomenda",
                  "Extrato de conta")),
}  # fmt: skip


def business(language: str, title: str, heading: Heading, *, with_number: bool = True) -> Sheet:
    """One business document with five rows of goods. ``with_number``: it prints an invoice number and a due date."""
    words = DOCUMENT_WORDS[language]
    sheet = Sheet(800, 1130)
    sheet.text(60, 60, "Harrow Lane Tools", 20)
    for n, line in enumerate(("Castle Street Paper", "12 Castle Street", "S3 8DQ Sheffield")):
        sheet.text(60, 140 + 20 * n, line, 12)
    if heading == "large":
        sheet.text(740, 60, title, 30, "rm")
    elif heading == "subject":
        sheet.text(60, 290, f"{title} 2024-118", 12)
    facts = [(words.number, "2024-118"), (words.due, "26.05.2024")] if with_number else []
    facts += [(words.issued, "12.05.2024"), (words.order, "B-7731"), (words.delivery, "L-20931")]
    for n, (label, fact) in enumerate(facts):
        sheet.text(500, 140 + 20 * n, f"{label}:", 12)
        sheet.text(680, 140 + 20 * n, fact, 12)
    for x, text in zip((60, 420, 520, 660), words.columns, strict=True):
        sheet.text(x, 340, text, 12)
    for n in range(5):
        for x, text in zip(
            (60, 420, 520, 660), (f"Oak board no. {n + 214}", str(n + 1), "20,00", f"{20 * (n + 1)},00"), strict=True
        ):
            sheet.text(x, 370 + 26 * n, text, 12)
    for n, (label, amount) in enumerate(((words.net, "300,00"), (words.tax, "60,00"), (words.total, "360,00 €"))):
        sheet.text(520, 530 + 24 * n, label, 12)
        sheet.text(660, 530 + 24 * n, amount, 12)
    _prose(sheet, 60, 660, 110, 3, seed=1)
    sheet.text(60, 1080, "IBAN DE02 1203 0000 0000 2020 51   BIC BYLADEM1001   GB736190278", 9)
    return sheet


def statement(language: str, *, large: bool) -> Sheet:
    """A month of a bank account: thirty bookings, old and new balance, IBAN and BIC in large."""
    sheet = Sheet(800, 1130)
    title = DOCUMENT_WORDS[language].others[-1]
    sheet.text(60, 70, "Fairholt Bank", 20)
    sheet.text(60, 130, f"{title} 5/2024", 26 if large else 12)
    sheet.text(60, 170, "IBAN DE02 1203 0000 0000 2020 51", 12)
    sheet.text(420, 170, "BIC BYLADEM1001", 12)
    for n in range(30):
        for x, text in ((60, f"{n + 1:02}.05."), (140, f"Millbrook Timber {4410 + n}"), (640, f"{37 * n + 11},{n:02}")):
            sheet.text(x, 230 + 24 * n, text, 11)
    return sheet


def letter(lines: int = 30) -> Sheet:
    """A letter of prose."""
    sheet = Sheet(800, 1130)
    sheet.text(60, 80, "Harrow Lane Rowing Club", 18)
    _prose(sheet, 60, 200, 105, lines, seed=2)
    return sheet


def form() -> Sheet:
    """An application form: labels, empty boxes and rules, a coloured bar on top."""
    sheet = Sheet(800, 1130)
    sheet.draw.rectangle((0, 0, 800, 60), BLUE)
    sheet.text(60, 110, "Application for a parking permit", 20)
    labels = (
        "Family name",
        "First name",
        "Date of birth",
        "Street",
        "Town",
        "Telephone",
        "Registration number",
        "Make",
        "Bank",
        "IBAN",
    )
    for n, label in enumerate(labels):
        sheet.text(60, 180 + 60 * n, label, 12)
        sheet.draw.rectangle((260, 165 + 60 * n, 740, 200 + 60 * n), outline=(90, 90, 90), width=2)
    for n, label in enumerate(("Car", "Motorcycle", "Van")):
        sheet.draw.rectangle((60 + 200 * n, 800, 80 + 200 * n, 820), outline=(90, 90, 90), width=2)
        sheet.text(95 + 200 * n, 810, label, 12)
    return sheet


def figures(width: int = 800, height: int = 560, *, shaded: bool = False) -> Sheet:
    """A table of numbers by year, as reports print them."""
    sheet = Sheet(width, height)
    sheet.text(60, 60, "Landings by port, thousand tonnes", 18)
    chance = random.Random(3)
    if shaded:
        sheet.draw.rectangle((50, 100, width - 50, 130), BLUE)
        for row in range(1, 9, 2):
            sheet.draw.rectangle((50, 110 + 34 * row, width - 50, 144 + 34 * row), (228, 236, 246))
    for column, year in enumerate(range(2016, 2024)):
        sheet.text(220 + 66 * column, 115, str(year), 12, ink=(255, 255, 255) if shaded else (40, 40, 40))
    for row, name in enumerate(("Aberdeen", "Brest", "Cuxhaven", "Esbjerg", "Gdynia", "Ostend", "Vigo", "Trieste")):
        sheet.text(60, 152 + 34 * row, name, 12)
        for column in range(8):
            sheet.text(220 + 66 * column, 152 + 34 * row, str(chance.randint(20, 990)), 12)
    return sheet


def prices() -> Sheet:
    """A price list: many amounts, a client's and a bank's words in the footer, nothing to pay."""
    sheet = Sheet(800, 1130)
    sheet.text(60, 70, "Price list spring 2024", 24)
    for n in range(32):
        sheet.text(60, 130 + 28 * n, f"Oak board planed no. {n + 200}", 12)
        sheet.text(660, 130 + 28 * n, f"{n + 12}.{(n * 7) % 100:02}", 12)
    sheet.text(60, 1090, "Harrow Lane Tools  IBAN DE02 1203 0000 0000 2020 51  VAT number GB736190278", 9)
    return sheet


def menu() -> Sheet:
    """A menu in colour, with a price behind every dish."""
    sheet = Sheet(600, 850, (252, 246, 232))
    sheet.draw.rectangle((0, 0, 600, 90), (196, 66, 48))
    sheet.text(300, 45, "Harbour Kitchen", 36, "mm", (255, 255, 255))
    for n, dish in enumerate(("Soup", "Bread", "Trout", "Leek pie", "Dumplings", "Plums", "Cheese", "Cider")):
        sheet.draw.ellipse((60, 152 + 80 * n, 90, 182 + 80 * n), (62, 142, 82))
        sheet.text(110, 167 + 80 * n, dish, 20)
        sheet.text(520, 167 + 80 * n, f"{4 + (5 * n) % 7}.{(n * 35) % 100:02}", 20)
    return sheet


def vita() -> Sheet:
    """A curriculum vitae with a coloured column and bars for skills."""
    sheet = Sheet(800, 1130)
    sheet.draw.rectangle((0, 0, 240, 1130), (222, 230, 240))
    sheet.text(290, 80, "Ada Marchbank", 28)
    for n, skill in enumerate(("Joinery", "Drawing", "French", "Polish")):
        sheet.text(30, 300 + 50 * n, skill, 12)
        sheet.draw.rectangle((30, 315 + 50 * n, 120 + 20 * n, 325 + 50 * n), BLUE)
    for n, year in enumerate(("2021", "2018", "2015", "2012")):
        sheet.text(290, 180 + 200 * n, f"{year} Foreman at Millbrook Timber", 14)
        _prose(sheet, 290, 210 + 200 * n, 60, 5, seed=n)
    return sheet


def news() -> Sheet:
    """A newspaper's page: a masthead, three narrow columns, a photograph."""
    sheet = Sheet(800, 1130)
    sheet.text(400, 70, "The Castle Street Observer", 40, "mm")
    sheet.image.paste(clouds(470, 260, 4), (280, 160))
    for column in range(3):
        _prose(sheet, 40 + 250 * column, 450 if column else 170, 34, 30 if column else 45, seed=column, step=20)
    return sheet


def slide(*, dark: bool = False) -> Sheet:
    """A title and five points on a coloured ground, with a stripe."""
    paper, ink = ((24, 42, 78), (240, 240, 240)) if dark else ((250, 250, 246), (40, 40, 40))
    sheet = Sheet(960, 540, paper)
    sheet.draw.rectangle((0, 0, 960, 14), (222, 172, 40))
    sheet.text(60, 80, "What we learnt in the north", 38, ink=ink)
    for n, point in enumerate(("Trains are cheaper than lorries", "Customers stay for 11 years", "Half of the 40 sites are paid off",
                               "Two more depots by 2026", "The paper forms are gone")):  # fmt: skip
        sheet.draw.ellipse((64, 162 + 66 * n, 80, 178 + 66 * n), (222, 172, 40))
        sheet.text(100, 170 + 66 * n, point, 24, ink=ink)
    return sheet


def cover() -> Sheet:
    """A cover sheet: a coloured block, who sends it, and nothing else."""
    sheet = Sheet(800, 1130)
    sheet.draw.rectangle((0, 0, 800, 380), BLUE)
    sheet.text(60, 500, "Harrow Lane Tools", 40)
    sheet.text(60, 560, "Documents for May 2024", 22)
    return sheet


def bars() -> Sheet:
    """A chart of upright bars with ticks."""
    sheet = titled_sheet("Sunny days by region")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_vertical_bars(sheet, ["North", "South", "East", "West"], {"": [34.0, 61.0, 12.0, 48.0]}, [0, 80])
    return sheet


def screenshot() -> Sheet:
    """A chart in a program's window: title bar, menu, buttons, a side bar."""
    inner, sheet = bars(), Sheet(1100, 760, (236, 236, 238))
    sheet.draw.rectangle((0, 0, 1100, 40), (52, 56, 64))
    sheet.text(20, 20, "Sunny days - Workbench", 14, ink=(230, 230, 230))
    for n, name in enumerate(("File", "Edit", "View", "Insert", "Window", "Help")):
        sheet.text(20 + 80 * n, 60, name, 13)
    for n, name in enumerate(("Overview", "Regions", "Months", "Sources", "Settings")):
        sheet.text(20, 130 + 40 * n, name, 14)
    place(sheet, inner, 200, 110)
    return sheet


def place(sheet: Sheet, part: Sheet, x: int, y: int) -> None:
    """Paste a drawing and its words on a larger sheet."""
    sheet.image.paste(part.image, (x, y))
    for word in part.words:
        box = (word.box[0] + x, word.box[1] + y, word.box[2] + x, word.box[3] + y)
        sheet.words.append(replace(word, box=box, line=word.line + sheet.lines))
    sheet.lines += part.lines


def clouds(width: int, height: int, seed: int, *, grey: bool = False, light: float = 1.0) -> Image.Image:
    """Coloured clouds with the grain that cameras leave."""
    chance = random.Random(seed)
    coarse = Image.new("RGB", (9, 7))
    coarse.putdata([(chance.randrange(256), chance.randrange(256), chance.randrange(256)) for _ in range(63)])
    image = coarse.resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.merge("RGB", [Image.effect_noise((width, height), 30) for _ in range(3)])
    image = Image.blend(image, grain, 0.2)
    if grey:
        image = image.convert("L").convert("RGB")
    return image.point(lambda value: round(value * light))


def sky(width: int = 640, height: int = 420) -> Image.Image:
    """An even sky that pales towards the horizon, a little noise, a dark ridge below."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for y in range(height):
        part = y / height
        draw.line((0, y, width, y), (round(80 + 110 * part), round(130 + 80 * part), round(205 + 35 * part)))
    draw.polygon([(0, 350), (200, 310), (420, 360), (width, 320), (width, height), (0, height)], (52, 60, 44))
    grain = Image.merge("RGB", [Image.effect_noise((width, height), 24) for _ in range(3)])
    return Image.blend(image, grain, 0.12)


def on_a_table(paper: Sheet, width: int, height: int) -> tuple[Page, PageImage]:
    """A photograph of a document that lies on a table."""
    image = clouds(width, height, 1)
    left, top = (width - paper.image.width) // 2, (height - paper.image.height) // 2
    image.paste(paper.image, (left, top))
    grain = Image.merge("RGB", [Image.effect_noise((width, height), 30) for _ in range(3)])
    image = Image.blend(image, grain, 0.15)
    words = tuple(replace(word, box=(word.box[0] + left, word.box[1] + top, word.box[2] + left, word.box[3] + top), source="ocr")
                  for word in paper.words)  # fmt: skip
    return Page(1, width, height, words, "ocr"), PageImage(width, height, image.tobytes(), 1.0)


RECEIPT_TITLES = {
    "en": "Receipt",
    "de": "Quittung",
    "fr": "Reçu",
    "es": "Recibo",
    "it": "Ricevuta",
    "nl": "Kwitantie",
    "pl": "Potwierdzenie zapłaty",
    "pt": "Recibo",
}
"""Titles of receipts on letter paper."""
CREDIT_NOTE_TITLES = {
    "en": "Credit note",
    "de": "Gutschrift",
    "fr": "Avoir",
    "es": "Factura rectificativa",
    "it": "Nota di credito",
    "nl": "Creditnota",
    "pl": "Faktura korygująca",
    "pt": "Nota de crédito",
}
"""Titles of credit notes, which are booked as invoices are."""


def till_roll(lines: Sequence[str]) -> Sheet:
    """A receipt."""
    sheet = Sheet(300, 100 + 30 * len(lines))
    for n, text in enumerate(lines):
        sheet.text(20, 40 + 30 * n, text, 16)
    return sheet


def read_by_ocr(page: Page, seed: int = 0) -> Page:
    """The page as OCR reads it: letters of uneven height, some blanks lost, fewer accents."""
    chance = random.Random(seed)
    words: list[Word] = []
    for word in page.words:
        height = (word.box[3] - word.box[1]) * chance.uniform(0.92, 1.08)
        same_line = bool(words) and words[-1].line == word.line
        if same_line and chance.random() < 0.12:
            last = words.pop()
            word = replace(word, text=last.text + word.text, box=(last.box[0], last.box[1], word.box[2], word.box[3]))
        words.append(
            replace(word, source="ocr", confidence=0.93, size=height, text=word.text.replace("ł", "l").replace("º", "o"))
        )
    return replace(page, words=tuple(words), source="ocr")


def _prose(sheet: Sheet, x: float, y: float, across: int, lines: int, seed: int, step: float = 22) -> None:
    chance = random.Random(seed)
    for n in range(lines):
        text = ""
        while len(text) < across - 8:
            text += f"{chance.choice(PROSE)} "
        sheet.text(x, y + step * n, text.strip(), 12)

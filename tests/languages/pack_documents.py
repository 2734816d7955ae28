"""Draws an invoice or a receipt with the labels of one language file, with dates and amounts as the language prints them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from persiantools.jdatetime import JalaliDate

from pipeline.engines.embedded.fields.page_rows import label_key
from pipeline.engines.embedded.logical_page import mirrored_page
from pipeline.languages.language import Language
from pipeline.languages.language_files import built_in_languages
from pipeline.records import Page
from tests.engines.embedded.fields.pages import page

PARTIES = {
    "en": ("Harrow Lane Tools Ltd", "Castle Paper Limited", "12 Mill Road", "S3 8DQ Sheffield"),
    "de": ("Brückner Metallbau GmbH", "Morgenrot Handel GmbH", "Werkstraße 4", "04177 Leipzig"),
    "fr": ("Jardins de Brévent SARL", "Menuiserie Duval SAS", "12 rue du Four", "74400 Chamonix"),
    "es": ("Talleres Sol y Mar S.L.", "Papelera Norte S.A.", "Calle Mayor 7", "03002 Alicante"),
    "it": ("Officina Bellavista S.r.l.", "Carta Viva S.p.A.", "Via Roma 18", "10121 Torino"),
    "nl": ("Van Dalen Techniek B.V.", "Papierhuis B.V.", "Havenstraat 3", "3011 AB Rotterdam"),
    "pl": ("Stolarnia Dąb Sp. z o.o.", "Papier Sp. z o.o.", "ul. Długa 14", "31-147 Kraków"),
    "pt": ("Oficina Bela Vista Lda", "Papelaria Central Lda", "Rua das Flores 12", "4000-123 Porto"),
    "cs": ("Truhlářství Dub s.r.o.", "Papír Morava a.s.", "Dlouhá ulice 14", "602 00 Brno"),
    "sk": ("Stolárstvo Dub s.r.o.", "Papier Tatry a.s.", "Dlhá ulica 14", "811 01 Bratislava"),
    "sl": ("Mizarstvo Hrast d.o.o.", "Papirnica Bled d.o.o.", "Slovenska cesta 14", "1000 Ljubljana"),
    "hr": ("Stolarija Hrast d.o.o.", "Papirnica Zadar d.o.o.", "Ilica ulica 14", "10000 Zagreb"),
    "sr": ("Stolarija Hrast d.o.o.", "Papirnica Zemun d.o.o.", "Glavna ulica 14", "11000 Beograd"),
    "hu": ("Tölgy Asztalos Kft.", "Duna Papír Zrt.", "Fő utca 14", "1011 Budapest"),
    "ro": ("Tâmplăria Stejarul SRL", "Papetăria Dunărea SRL", "Strada Lungă 14", "500035 Brașov"),
    "sv": ("Ekens Snickeri AB", "Papper Norr AB", "Storgatan 14", "111 22 Stockholm"),
    "da": ("Egens Snedkeri ApS", "Nordpapir A/S", "Søndergade 14", "8000 Aarhus"),
    "no": ("Eika Snekkeri AS", "Nordpapir AS", "Storgata 14", "5003 Bergen"),
    "fi": ("Tammen Puusepät Oy", "Pohjolan Paperi Oy", "Pitkäkatu 14", "33100 Tampere"),
    "et": ("Tamme Puit OÜ", "Põhja Paber AS", "Pikk tänav 14", "10123 Tallinn"),
    "lv": ("Ozola Galdniecība SIA", "Ziemeļu Papīrs SIA", "Garā iela 14", "LV-1010 Rīga"),
    "lt": ("Ąžuolo Stalius UAB", "Šiaurės Popierius UAB", "Ilgoji gatvė 14", "LT-01100 Vilnius"),
    "tr": ("Meşe Mobilya Ltd. Şti.", "Kuzey Kağıt A.Ş.", "Uzun Sok. 14", "34000 İstanbul"),
    "el": ("Δρυς Επιπλοποιία Α.Ε.", "Χαρτική Βορρά Α.Ε.", "Οδός Ερμού 14", "105 63 Αθήνα"),
    "ru": ("ООО «Дубовый стол»", "ООО «Бумага Севера»", "ул. Длинная, д. 14", "190000 Санкт-Петербург"),
    "uk": ("ТОВ «Дубовий стіл»", "ТОВ «Папір Півночі»", "вул. Довга, буд. 14", "01001 Київ"),
    "bg": ("Дъб Мебели ЕООД", "Северна Хартия АД", "ул. Дълга 14", "1000 София"),
    "ar": ("مؤسسة السنديان للأثاث", "شركة ورق الشمال المحدودة", "شارع الملك فهد 14", "الرياض 11564"),
    "fa": ("شرکت صنایع چوب بلوط", "شرکت کاغذ شمال", "خیابان آزادی پلاک 14", "تهران 11369"),
    "he": ('נגריית האלון בע"מ', 'נייר הצפון בע"מ', "רחוב הרצל 14", "תל אביב 6688312"),
    "hi": ("शीशम फर्नीचर प्राइवेट लिमिटेड", "उत्तर कागज लिमिटेड", "14 लंबी सड़क", "नई दिल्ली 110001"),
    "th": ("บริษัท ไม้โอ๊ค จำกัด", "บริษัท กระดาษเหนือ จำกัด", "14 ถนนสุขุมวิท", "กรุงเทพมหานคร 10110"),
    "id": ("PT Jati Makmur", "PT Kertas Utara", "Jalan Panjang 14", "10110 Jakarta"),
    "ms": ("Jati Makmur Sdn Bhd", "Kertas Utara Sdn Bhd", "Jalan Panjang 14", "50000 Kuala Lumpur"),
    "vi": ("Công ty TNHH Gỗ Sồi", "Công ty Cổ phần Giấy Bắc", "14 Đường Dài", "700000 Hồ Chí Minh"),
    "ja": ("樫木工株式会社", "北紙業株式会社", "中央区本町1丁目14番地", "〒541-0053 大阪市"),
    "zh": ("橡木机械有限公司", "北方纸业有限公司", "长江路18号", "210000 南京市"),
    "ko": ("참나무목공 주식회사", "북방제지 주식회사", "중구 세종대로 14", "04524 서울"),
}
"""Seller, buyer, street and town."""
_GOODS = ("Alfa 12", "Beta 7", "Gamma K", "Delta 40", "Omega")
_DIGITS = {"en": "0123456789", "ar": "٠١٢٣٤٥٦٧٨٩", "fa": "۰۱۲۳۴۵۶۷۸۹", "hi": "०१२३४५६७८९", "th": "๐๑๒๓๔๕๖๗๘๙"}
_MONEY = {"ja": ("JPY", 0), "ko": ("KRW", 0), "vi": ("VND", 0), "id": ("IDR", 0)}
_LOCALES = {"sr": "sr_Latn", "no": "nb", "zh": "zh_Hans"}


@dataclass
class Drawn:
    """A page and what stands on it, by the names of the template's fields."""

    lines: list[tuple[float, float, str] | tuple[float, float, str, float]] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)

    def page(self) -> Page:
        """The page; one in Arabic, Persian or Hebrew runs from right to left."""
        return mirrored_page(page(self.lines))


class Writer:
    """The labels, dates and amounts of one language, by one seed."""

    def __init__(self, code: str, seed: int, template: str) -> None:
        self.code, self.chance, self.template = code, random.Random(f"{code} {template} {seed}"), template
        self.language: Language = built_in_languages().by_code[code]
        self.locale = Locale.parse(_LOCALES.get(code, code))
        self.currency, self.decimals = _MONEY.get(code, ("EUR", 2))
        self.used: set[str] = set()
        self.dates = self.chance.choice(("numeric", "named"))
        self.digits = _DIGITS[code] if code in _DIGITS and self.chance.random() < 0.5 else _DIGITS["en"]

    def label(self, name: str) -> str:
        """A label of the field, if there is one, that no other value of the page has."""
        labels = list(self.language.labels[self.template][name])
        self.chance.shuffle(labels)
        label = next((label for label in labels if label_key(label) not in self.used), labels[0])
        self.used.add(label_key(label))
        return label

    def other(self, kind: str) -> str | None:
        """A label of a value that the template does not ask for."""
        own = {label_key(label) for labels in self.language.labels[self.template].values() for label in labels}
        labels = [label for label in getattr(self.language.other_labels, kind) if label_key(label) not in own]
        return self.chance.choice(labels) if labels else None

    def has(self, name: str) -> bool:
        """Whether the language has labels for the field."""
        return bool(self.language.labels[self.template].get(name))

    def money(self, amount: Decimal) -> str:
        """As the language prints it."""
        pattern = "#,##0" if not self.decimals else "#,##0.00"
        text: str = format_decimal(amount, pattern, locale=self.locale)
        return self._own_digits(text.replace("\N{NO-BREAK SPACE}", " ").replace("\u202f", " "))

    def _own_digits(self, text: str) -> str:
        """The text with the digits of the script, where the document prints them."""
        return (
            text.translate(str.maketrans(_DIGITS["en"], self.digits))
            if text.isascii() or self.digits != _DIGITS["en"]
            else text
        )

    def _printed(self, day: date) -> str:
        if self.code == "fa":
            pattern = "%d %B %Y" if self.dates == "named" else "%Y/%m/%d"
            return str(JalaliDate(day).strftime(pattern, locale="fa"))  # type: ignore[no-untyped-call]
        if self.code == "th":
            year = day.year + 543
            named = f"{day.day} {self.locale.months['format']['wide'][day.month]} {year}"
            return named if self.dates == "named" else f"{day:%d/%m}/{year}"
        if self.code in ("ja", "zh"):
            return f"{day.year}年{day.month}月{day.day}日" if self.dates == "named" else f"{day:%Y/%m/%d}"
        if self.code == "ko":
            return f"{day.year}년 {day.month}월 {day.day}일" if self.dates == "named" else f"{day:%Y-%m-%d}"
        if self.code in ("hu", "lt", "sv") and self.dates == "numeric":
            return f"{day:%Y-%m-%d}" if self.code != "hu" else f"{day:%Y.%m.%d}."
        if self.dates == "numeric":
            return (
                f"{day:%d/%m/%Y}"
                if self.code in ("en", "fr", "es", "it", "pt", "vi", "ms", "id", "el", "ar", "he", "hi")
                else f"{day:%d.%m.%Y}"
            )
        text: str = format_date(day, "long", locale=self.locale)
        return text

    def date(self, day: date) -> str:
        """As the language prints it: in numbers, or with the month's name; in Persian and often in Thai of another calendar."""
        return self._own_digits(self._printed(day))

    def amount(self, low: int, high: int) -> Decimal:
        """A price."""
        if not self.decimals:
            return Decimal(self.chance.randint(low, high) * 100)
        return Decimal(self.chance.randint(low * 100, high * 100)) / 100


def draw_invoice(code: str, seed: int) -> Drawn:
    """An invoice: letterhead, numbers and dates, a table, sums. Labels stand left of their values or above them."""
    writer, drawn = Writer(code, seed, "invoice"), Drawn()
    chance, put = writer.chance, drawn.lines.append
    seller, buyer, street, town = PARTIES[code]
    put((50, 40, seller, 14))
    put((50, 60, street))
    put((50, 74, town))
    put((330, 40, chance.choice(writer.language.labels["invoice"]["document_type.invoice"]), 18))
    put((50, 120, writer.label("buyer_name") + ":"))
    for n, line in enumerate((buyer, street.replace("14", "31").replace("18", "31"), town)):
        put((50, 134 + 14 * n, line))
    issued = date(2024, 1, 3) + timedelta(chance.randrange(700))
    due = issued + timedelta(chance.choice((14, 30, 45)))
    number = chance.choice(("2024-0118", "RK-20417", "F/2024/0093", "100482"))
    facts: list[tuple[str, str]] = [
        (writer.label("invoice_number"), number),
        (writer.label("invoice_date"), writer.date(issued)),
        (writer.label("due_date"), writer.date(due)),
        (writer.label("vendor_vat_id"), "31740521"),
    ]
    for kind, value in (("identifier", "77310"), ("date", writer.date(issued - timedelta(9)))):
        if label := writer.other(kind):
            facts.append((label, value))
    if chance.random() < 0.6:
        for n, (label, value) in enumerate(facts):
            put((330, 120 + 15 * n, label + ":"))
            put((max(470, 345 + 5 * len(label)), 120 + 15 * n, value))
    else:
        for n, (label, value) in enumerate(facts):
            x, y = 50 + 185 * (n % 3), 200 + 40 * (n // 3)
            put((x, y, label))
            put((x, y + 13, value))
    put((50, 290, writer.label("currency") + f": {writer.currency}") if writer.has("currency") else (50, 290, writer.currency))
    rows = list(_table(drawn, writer, 320, (50, 300, 370, 470)))
    subtotal = sum((Decimal(str(row["amount"])) for row in rows), Decimal(0))
    tax = (subtotal / 5).quantize(Decimal(1) if not writer.decimals else Decimal("0.01"))
    sums = [("subtotal", subtotal), ("tax_total", tax), ("total", subtotal + tax)]
    if chance.random() < 0.3:
        prepaid = Decimal(100)
        sums += [("prepaid", prepaid), ("amount_due", subtotal + tax - prepaid)]
    for n, (name, amount) in enumerate(sums):
        put((300, 450 + 16 * n, writer.label(name)))
        put((470, 450 + 16 * n, writer.money(amount)))
        drawn.facts[name] = f"{amount:f}"
    drawn.facts |= {
        "vendor_name": seller,
        "buyer_name": buyer,
        "invoice_number": number,
        "invoice_date": issued.isoformat(),
        "due_date": due.isoformat(),
        "vendor_vat_id": "31740521",
        "document_type": "invoice",
        "line_items": rows,
    }
    return drawn


def draw_receipt(code: str, seed: int) -> Drawn:
    """A till receipt: shop, number, date and time, articles, total, tax, cash and change."""
    writer, drawn = Writer(code, seed, "receipt"), Drawn()
    chance, put = writer.chance, drawn.lines.append
    seller, _, street, town = PARTIES[code]
    for n, line in enumerate((seller, street, town)):
        put((60, 30 + 14 * n, line))
    day, number = date(2024, 1, 3) + timedelta(chance.randrange(700)), chance.choice(("004417", "A-2093", "88120"))
    time = f"{chance.randint(8, 19):02}:{chance.randint(10, 59)}"
    put((20, 80, f"{writer.label('vendor_vat_id')}: 31740521"))
    put((20, 96, f"{writer.label('receipt_number')}: {number}"))
    put((20, 112, f"{writer.label('date')}: {writer.date(day)}"))
    put((20, 128, f"{writer.label('time')}: {time}"))
    rows = list(_table(drawn, writer, 150, (20, 110, 160, 215)))
    total = sum((Decimal(str(row["amount"])) for row in rows), Decimal(0))
    tax = (total / 6).quantize(Decimal(1) if not writer.decimals else Decimal("0.01"))
    given = (total / 100 + 1).to_integral_value() * 100
    sums = [(writer.label("total"), total), (writer.label("tax_total"), tax)]
    for kind, amount in (("paid", given), ("change", given - total)):
        if label := writer.other(kind):
            sums.append((label, amount))
    for n, (label, amount) in enumerate(sums):
        put((20, 260 + 16 * n, label))
        put((215, 260 + 16 * n, writer.money(amount)))
    drawn.facts = {
        "vendor_name": seller,
        "receipt_number": number,
        "date": day.isoformat(),
        "time": time,
        "total": f"{total:f}",
        "tax_total": f"{tax:f}",
        "vendor_vat_id": "31740521",
        "line_items": rows,
    }
    return drawn


def _table(drawn: Drawn, writer: Writer, y: float, columns: Sequence[float]) -> Iterator[dict[str, str]]:
    """Heading and three rows; the amounts are in the currency's own decimals."""
    used, writer.used = writer.used, set()
    ends = (*columns[1:], columns[-1] + 110)
    for x, end, name in zip(columns, ends, ("description", "quantity", "unit_price", "amount"), strict=True):
        label = writer.label(f"line_items.{name}")
        drawn.lines.append((x, y, label, min(8.0, 1.8 * (end - x - 6) / len(label))))
    writer.used = used
    for n, goods in enumerate(writer.chance.sample(_GOODS, 3)):
        quantity, price = writer.chance.randint(1, 9), writer.amount(3, 90)
        amount = quantity * price
        row = {"description": goods, "quantity": str(quantity), "unit_price": f"{price:f}", "amount": f"{amount:f}"}
        cells = (goods, str(quantity), writer.money(price), writer.money(amount))
        for x, text in zip(columns, cells, strict=True):
            drawn.lines.append((x, y + 18 + 16 * n, text))
        yield row

"""What stands in an invoice, in numbers that add up, and the words it is said with in eight languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date
from babel.numbers import format_decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Party:
    """A company: its name, the lines of its address, its VAT number."""

    name: str
    street: str
    postcode: str
    city: str
    country: str
    """ISO 3166-1 alpha-2."""
    vat_id: str = ""
    iban: str = ""
    email: str = ""


@dataclass(frozen=True)
class Item:
    """One line of an invoice; the amount is net of tax."""

    description: str
    quantity: Decimal
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """Quantity times price, to the cent."""
        return (self.quantity * self.unit_price).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Invoice:
    """A whole invoice with one rate of tax. ``prepaid`` reduces what is due, not the total."""

    language: str
    seller: Party
    buyer: Party
    number: str
    issued: date
    due: date
    currency: str
    items: Sequence[Item]
    tax_rate: Decimal
    """In percent."""
    order: str = ""
    prepaid: Decimal = Decimal(0)

    @property
    def subtotal(self) -> Decimal:
        """Sum of the lines, before tax."""
        return sum((item.amount for item in self.items), Decimal(0))

    @property
    def tax_total(self) -> Decimal:
        """Tax on the subtotal, to the cent."""
        return (self.subtotal * self.tax_rate / 100).quantize(CENT, ROUND_HALF_UP)

    @property
    def total(self) -> Decimal:
        """With tax."""
        return self.subtotal + self.tax_total


def truth(invoice: Invoice) -> dict[str, object]:
    """What a reader of the invoice should find, by the field names of the built-in template."""
    rows = [
        {
            "description": item.description,
            "quantity": f"{item.quantity.normalize():f}",
            "unit_price": f"{item.unit_price:.2f}",
            "amount": f"{item.amount:.2f}",
        }
        for item in invoice.items
    ]
    values: dict[str, object] = {
        "vendor_name": invoice.seller.name,
        "vendor_vat_id": invoice.seller.vat_id,
        "buyer_name": invoice.buyer.name,
        "invoice_number": invoice.number,
        "invoice_date": invoice.issued.isoformat(),
        "due_date": invoice.due.isoformat(),
        "currency": invoice.currency,
        "subtotal": f"{invoice.subtotal:.2f}",
        "tax_total": f"{invoice.tax_total:.2f}",
        "total": f"{invoice.total:.2f}",
    }
    if invoice.prepaid:
        values["amount_due"] = f"{invoice.total - invoice.prepaid:.2f}"
        values["prepaid"] = f"{invoice.prepaid:.2f}"
    return values | {"line_items": rows}


WORDING: dict[str, dict[str, str]] = {
    "en": {
        "title": "Invoice",
        "number": "Invoice number",
        "issued": "Invoice date",
        "due": "Due date",
        "order": "Your order",
        "buyer": "Bill to",
        "vat_id": "VAT no.",
        "description": "Description",
        "quantity": "Qty",
        "unit_price": "Unit price",
        "amount": "Amount",
        "subtotal": "Subtotal",
        "tax": "VAT {rate}%",
        "total": "Total",
        "prepaid": "Deposit received",
        "amount_due": "Amount due",
        "page": "Page {page} of {pages}",
        "thanks": "Please quote the invoice number with your payment.",
    },
    "de": {
        "title": "Rechnung",
        "number": "Rechnungsnummer",
        "issued": "Rechnungsdatum",
        "due": "Fällig am",
        "order": "Ihre Bestellung",
        "buyer": "Rechnung an",
        "vat_id": "USt-IdNr.",
        "description": "Bezeichnung",
        "quantity": "Menge",
        "unit_price": "Einzelpreis",
        "amount": "Betrag",
        "subtotal": "Nettosumme",
        "tax": "zzgl. {rate} % MwSt.",
        "total": "Gesamtbetrag",
        "prepaid": "Anzahlung",
        "amount_due": "Zahlbetrag",
        "page": "Seite {page} von {pages}",
        "thanks": "Bitte geben Sie bei der Zahlung die Rechnungsnummer an.",
    },
    "fr": {
        "title": "Facture",
        "number": "Facture n°",
        "issued": "Date de facture",
        "due": "Date d'échéance",
        "order": "Votre commande",
        "buyer": "Facturé à",
        "vat_id": "N° TVA",
        "description": "Désignation",
        "quantity": "Qté",
        "unit_price": "Prix unitaire HT",
        "amount": "Montant HT",
        "subtotal": "Total HT",
        "tax": "TVA {rate} %",
        "total": "Total TTC",
        "prepaid": "Acompte versé",
        "amount_due": "Net à payer",
        "page": "Page {page} sur {pages}",
        "thanks": "Merci de rappeler le numéro de facture lors de votre règlement.",
    },
    "es": {
        "title": "Factura",
        "number": "Factura n.º",
        "issued": "Fecha de emisión",
        "due": "Fecha de vencimiento",
        "order": "Su pedido",
        "buyer": "Cliente",
        "vat_id": "NIF",
        "description": "Descripción",
        "quantity": "Cantidad",
        "unit_price": "Precio unitario",
        "amount": "Importe",
        "subtotal": "Base imponible",
        "tax": "IVA {rate} %",
        "total": "Total factura",
        "prepaid": "Anticipo",
        "amount_due": "Importe a pagar",
        "page": "Página {page} de {pages}",
        "thanks": "Gracias por su confianza.",
    },
    "it": {
        "title": "Fattura",
        "number": "Fattura n.",
        "issued": "Data fattura",
        "due": "Scadenza",
        "order": "Vostro ordine",
        "buyer": "Spett.le",
        "vat_id": "P. IVA",
        "description": "Descrizione",
        "quantity": "Quantità",
        "unit_price": "Prezzo unitario",
        "amount": "Importo",
        "subtotal": "Imponibile",
        "tax": "IVA {rate}%",
        "total": "Totale fattura",
        "prepaid": "Acconto",
        "amount_due": "Netto a pagare",
        "page": "Pagina {page} di {pages}",
        "thanks": "Grazie per averci scelto.",
    },
    "nl": {
        "title": "Factuur",
        "number": "Factuurnummer",
        "issued": "Factuurdatum",
        "due": "Vervaldatum",
        "order": "Uw bestelling",
        "buyer": "Factuur aan",
        "vat_id": "Btw-nummer",
        "description": "Omschrijving",
        "quantity": "Aantal",
        "unit_price": "Prijs per stuk",
        "amount": "Bedrag",
        "subtotal": "Subtotaal",
        "tax": "{rate}% btw",
        "total": "Totaal",
        "prepaid": "Aanbetaling",
        "amount_due": "Te betalen",
        "page": "Pagina {page} van {pages}",
        "thanks": "Vermeld bij betaling het factuurnummer.",
    },
    "pl": {
        "title": "Faktura VAT",
        "number": "Faktura nr",
        "issued": "Data wystawienia",
        "due": "Termin płatności",
        "order": "Zamówienie",
        "buyer": "Nabywca",
        "vat_id": "NIP",
        "description": "Nazwa towaru",
        "quantity": "Ilość",
        "unit_price": "Cena netto",
        "amount": "Wartość netto",
        "subtotal": "Razem netto",
        "tax": "VAT {rate}%",
        "total": "Razem brutto",
        "prepaid": "Zaliczka",
        "amount_due": "Do zapłaty",
        "page": "Strona {page} z {pages}",
        "thanks": "Dziękujemy.",
    },
    "zh": {
        "title": "发票",
        "number": "发票号码",
        "issued": "开票日期",
        "due": "付款期限",
        "order": "订单号",
        "buyer": "购买方",
        "vat_id": "纳税人识别号",
        "description": "项目名称",
        "quantity": "数量",
        "unit_price": "单价",
        "amount": "金额",
        "subtotal": "合计",
        "tax": "税额 {rate}%",
        "total": "价税合计",
        "prepaid": "已付款",
        "amount_due": "应付金额",
        "page": "第 {page} 页 共 {pages} 页",
        "thanks": "谢谢。",
    },
}
_DATES = {"en": "d MMMM yyyy", "de": "dd.MM.yyyy", "fr": "dd/MM/yyyy", "es": "dd/MM/yyyy", "it": "dd/MM/yyyy"} | {
    "nl": "dd-MM-yyyy",
    "pl": "dd.MM.yyyy",
    "zh": "yyyy年MM月dd日",
}
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "PLN": "zł", "CNY": "¥", "CHF": "CHF"}


def money(amount: Decimal, invoice: Invoice, *, symbol: bool = False) -> str:
    """An amount as the invoice's language prints it."""
    text = number(amount, invoice.language, "#,##0.00")
    if not symbol:
        return text
    sign = SYMBOLS.get(invoice.currency, invoice.currency)
    if invoice.language in ("en", "zh"):
        return f"-{sign}{text[1:]}" if amount < 0 else f"{sign}{text}"
    return f"{text} {sign}"


def number(value: Decimal, language: str, pattern: str = "#,##0.###") -> str:
    """A number as a language prints it."""
    return str(format_decimal(value, pattern, locale=language)).replace("\u202f", "\u00a0")


def day(value: date, language: str) -> str:
    """A date as a language's business letters print it."""
    return str(format_date(value, _DATES[language], locale=language))

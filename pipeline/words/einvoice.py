"""Reads the e-invoice inside a PDF or an XML file: Factur-X, ZUGFeRD 1 and 2, XRechnung; as CII or UBL.

Values are keyed by the business terms of EN 16931 (BT-…, BG-…). Amounts are plain decimal strings. BT-146 is the price of one unit, also
where the file states the price of a hundred (BT-149). The XML is not trusted: documents with entities of their own are refused, nothing
is fetched, the size is limited. A PDF may have several attachments that are e-invoices: of_page says which of them its page shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import BinaryIO

from lxml import etree

from pipeline.records import Json, Word
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.words.einvoice_details import cii_details, cii_line_details, ubl_details, ubl_line_details
from pipeline.words.xml_elements import child_at, children, iso_day, local_name, own_text, plain_number, text_at

MAX_XML_BYTES = 20_000_000
MAX_ATTACHMENTS = 20
"""XML attachments of a PDF that are read."""
STANDARD_NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
"""File names of the data of the invoice itself (Factur-X 1.07, 6.2; ZUGFeRD 1.0). Other XML may support it."""
MAX_PRICE_DECIMALS = 10
"""Decimals of a price that is divided by a base quantity and does not come out even."""
VAT_SCHEMES = ("VA", "VAT")
NO_VAT_SCHEMES = ("FC", "LOC", "0184")
"""Schemes of registrations that are no tax on sales: the number at the local tax office."""
ENVELOPES = ("StandardBusinessDocument", "InvoiceEnvelope", "Envelope", "StandardBusinessDocumentHeader")
"""Roots of files that carry an invoice inside: Peppol's SBDH (UN/CEFACT) and those of gateways."""

_CII_AGREEMENT = "ApplicableHeaderTradeAgreement|ApplicableSupplyChainTradeAgreement"
_CII_SETTLEMENT = "ApplicableHeaderTradeSettlement|ApplicableSupplyChainTradeSettlement"
_CII_SUM = "SpecifiedTradeSettlementHeaderMonetarySummation|SpecifiedTradeSettlementMonetarySummation"
_CII_LINE_SUM = "SpecifiedTradeSettlementLineMonetarySummation|SpecifiedTradeSettlementMonetarySummation"
_CII_MONEY = {
    "BT-106": "LineTotalAmount",
    "BT-107": "AllowanceTotalAmount",
    "BT-108": "ChargeTotalAmount",
    "BT-109": "TaxBasisTotalAmount",
    "BT-112": "GrandTotalAmount",
    "BT-113": "TotalPrepaidAmount",
    "BT-115": "DuePayableAmount",
}
_UBL_MONEY = {
    "BT-106": "LineExtensionAmount",
    "BT-107": "AllowanceTotalAmount",
    "BT-108": "ChargeTotalAmount",
    "BT-109": "TaxExclusiveAmount",
    "BT-112": "TaxInclusiveAmount",
    "BT-113": "PrepaidAmount",
    "BT-115": "PayableAmount",
}
_BLANK = b" \t\r\n\xef\xbb\xbf"
_XML_BEGINS = (b"<", b"\xff\xfe<\0", b"\xfe\xff\0<")
"""The first bytes of XML, also in UTF-16."""
TABLES = ("BG-25", "BG-23")
"""Terms that are lists of groups: the lines of the invoice, and its taxes by rate."""
Facts = dict[str, Json]
ROOTS = ("CrossIndustryInvoice", "CrossIndustryDocument", "Invoice", "CreditNote")


def read_einvoice(content: bytes) -> Facts | None:
    """Business terms of the e-invoice inside a PDF, the first one of several; None without one that can be read."""
    return next(iter(read_einvoices(content)), None)


def read_einvoices(content: bytes) -> list[Facts]:
    """Business terms of all e-invoices inside a PDF, those with a standard's file name first; none where the PDF is broken.

    XML that is invalid by its own schema is read too. The page confirms or contradicts its values later.
    """
    found: list[Facts | None] = []
    try:
        with pymupdf.open(stream=content, filetype="pdf") as document:
            attached = [(_attachment_name(document, number), number) for number in range(document.embfile_count())]
            named = [(name, number) for name, number in attached if name.endswith(".xml")]
            for _, number in sorted(named, key=lambda one: one[0] not in STANDARD_NAMES)[:MAX_ATTACHMENTS]:
                with suppress(RuntimeError, ValueError):  # one broken attachment costs no other one
                    found.append(parse_einvoice(document.embfile_get(number)))
    except MemoryError:
        raise
    except Exception:  # MuPDF raises many types on broken files; the pages are read anyway
        found.append(None)
    return [facts for facts in found if facts]


def _attachment_name(document: pymupdf.Document, number: int) -> str:
    info = document.embfile_info(number)
    return str(info.get("ufilename") or info.get("filename") or info.get("name") or "").lower()


def of_page(einvoices: Sequence[Facts], words: Iterable[Word]) -> Facts:
    """Of several e-invoices the one whose number stands among the words of a page, else the first; empty without any."""
    if len(einvoices) < 2:
        return einvoices[0] if einvoices else {}
    text = _compact("".join(word.text for word in words))
    numbers = [_compact(str(facts.get("BT-1") or "")) for facts in einvoices]
    lengths = [len(number) if number in text else 0 for number in numbers]
    return einvoices[lengths.index(max(lengths))]


def _compact(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def read_bare_einvoice(file: BinaryIO) -> Facts | None:
    """Business terms of an XML file that is an e-invoice (XRechnung, Peppol); None for all other files."""
    file.seek(0)
    head = file.read(64).lstrip(_BLANK)
    if not head.startswith(_XML_BEGINS):
        return None
    file.seek(0)
    return parse_einvoice(file.read(MAX_XML_BYTES + 1))


def parse_einvoice(xml: bytes) -> Facts | None:
    """Business terms of a CII or UBL invoice, also within an envelope; None for XML that is none, is broken, too large or has entities."""
    if len(xml) > MAX_XML_BYTES:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(xml.lstrip(_BLANK) if xml.lstrip(_BLANK).startswith(b"<") else xml, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None or _has_entities(root):
        return None
    if local_name(root) in ENVELOPES:
        inside = [node for node in root.iter() if local_name(node) in ROOTS]
        root = inside[0] if len(inside) == 1 else root  # which of several is meant is not known
    kind = local_name(root)
    if kind in ("CrossIndustryInvoice", "CrossIndustryDocument"):
        return _present(_cii(root))
    if kind in ("Invoice", "CreditNote"):
        return _present(_ubl(root))
    return None


def _has_entities(root: etree._Element) -> bool:
    """Whether the file declares entities or refers to some, whose text would be missing or come from elsewhere."""
    dtd = root.getroottree().docinfo.internalDTD
    return bool(dtd is not None and list(dtd.iterentities())) or any(node.tag is etree.Entity for node in root.iter())


def _cii(root: etree._Element) -> Facts:
    head = child_at(root, "ExchangedDocument|HeaderExchangedDocument")
    trade = child_at(root, "SupplyChainTradeTransaction|SpecifiedSupplyChainTradeTransaction")
    agreement, settlement = child_at(trade, _CII_AGREEMENT), child_at(trade, _CII_SETTLEMENT)
    total = child_at(settlement, _CII_SUM)
    seller, buyer = child_at(agreement, "SellerTradeParty"), child_at(agreement, "BuyerTradeParty")
    currency = text_at(settlement, "InvoiceCurrencyCode")
    facts: Facts = {
        "BT-1": text_at(head, "ID"),
        "BT-2": iso_day(text_at(head, "IssueDateTime", "DateTimeString")),
        "BT-3": text_at(head, "TypeCode"),
        "BT-9": _cii_due_date(settlement),
        "BT-5": currency,
        "BT-27": text_at(seller, "Name"),
        "BT-31": _cii_vat_id(seller),
        "BT-44": text_at(buyer, "Name"),
        "BT-48": _cii_vat_id(buyer),
        "BT-110": _money_in(total, "TaxTotalAmount", currency),
        "BG-25": [_cii_line(line) for line in children(trade, "IncludedSupplyChainTradeLineItem") if _is_item(line)],
    }
    return facts | {term: plain_number(text_at(total, name)) for term, name in _CII_MONEY.items()} | cii_details(trade)


def _cii_due_date(settlement: etree._Element | None) -> str | None:
    """The last date of payment. Terms with a discount give the date until which there is one."""
    terms = list(children(settlement, "SpecifiedTradePaymentTerms"))
    plain = [term for term in terms if child_at(term, "ApplicableTradePaymentDiscountTerms") is None]
    for group in (plain, terms):
        if dates := [date for term in group if (date := iso_day(text_at(term, "DueDateDateTime", "DateTimeString")))]:
            return max(dates)
    return None


def _is_item(line: etree._Element) -> bool:
    """False for headings and remarks of the extended profile, whose amounts do not count."""
    return text_at(line, "AssociatedDocumentLineDocument", "LineStatusReasonCode") not in ("GROUP", "INFORMATION")


def _cii_line(line: etree._Element) -> Facts:
    price = child_at(line, "SpecifiedLineTradeAgreement|SpecifiedSupplyChainTradeAgreement", "NetPriceProductTradePrice")
    delivery = "SpecifiedLineTradeDelivery|SpecifiedSupplyChainTradeDelivery"
    settlement = "SpecifiedLineTradeSettlement|SpecifiedSupplyChainTradeSettlement"
    return {
        "BT-153": text_at(line, "SpecifiedTradeProduct", "Name"),
        "BT-129": plain_number(text_at(line, delivery, "BilledQuantity")),
        "BT-146": _unit_price(text_at(price, "ChargeAmount"), text_at(price, "BasisQuantity")),
        "BT-131": plain_number(text_at(line, settlement, _CII_LINE_SUM, "LineTotalAmount")),
        **cii_line_details(line),
    }


def _cii_vat_id(party: etree._Element | None) -> str | None:
    registrations = (child_at(r, "ID") for r in children(party, "SpecifiedTaxRegistration"))
    return _tax_number((r.get("schemeID") or "", own_text(r)) for r in registrations if r is not None)


def _tax_number(numbers: Iterable[tuple[str, str | None]]) -> str | None:
    """The VAT number among numbers by scheme, else that of another tax on sales, as GST."""
    known = [(scheme.upper(), number) for scheme, number in numbers if number]
    others = [
        number for scheme, number in known if scheme and scheme not in NO_VAT_SCHEMES and any(c.isdecimal() for c in number)
    ]
    return next((number for scheme, number in known if scheme in VAT_SCHEMES), None) or next(iter(others), None)


def _ubl(root: etree._Element) -> Facts:
    total = child_at(root, "LegalMonetaryTotal")
    seller, buyer = child_at(root, "AccountingSupplierParty", "Party"), child_at(root, "AccountingCustomerParty", "Party")
    currency = text_at(root, "DocumentCurrencyCode")
    taxes = [_money_in(tax, "TaxAmount", currency) for tax in children(root, "TaxTotal")]
    facts: Facts = {
        "BT-1": text_at(root, "ID"),
        "BT-2": iso_day(text_at(root, "IssueDate")),
        "BT-3": text_at(root, "InvoiceTypeCode|CreditNoteTypeCode") or ("381" if local_name(root) == "CreditNote" else None),
        "BT-9": iso_day(text_at(root, "DueDate")) or _ubl_payment_date(root),
        "BT-5": currency,
        "BT-27": _ubl_name(seller),
        "BT-31": _ubl_vat_id(seller),
        "BT-44": _ubl_name(buyer),
        "BT-48": _ubl_vat_id(buyer),
        "BT-110": next((tax for tax in taxes if tax), None),
        "BG-25": [_ubl_line(line) for line in children(root, "InvoiceLine|CreditNoteLine")],
    }
    return facts | {term: plain_number(text_at(total, name)) for term, name in _UBL_MONEY.items()} | ubl_details(root)


def _ubl_payment_date(root: etree._Element) -> str | None:
    """The last date of the means of payment, or of terms without a discount."""
    means = [text_at(node, "PaymentDueDate") for node in children(root, "PaymentMeans")]
    terms = [
        text_at(n, "PaymentDueDate") for n in children(root, "PaymentTerms") if child_at(n, "SettlementDiscountPercent") is None
    ]
    return max((date for text in (*means, *terms) if (date := iso_day(text))), default=None)


def _ubl_line(line: etree._Element) -> Facts:
    return {
        "BT-153": text_at(line, "Item", "Name"),
        "BT-129": plain_number(text_at(line, "InvoicedQuantity|CreditedQuantity")),
        "BT-146": _unit_price(text_at(line, "Price", "PriceAmount"), text_at(line, "Price", "BaseQuantity")),
        "BT-131": plain_number(text_at(line, "LineExtensionAmount")),
        **ubl_line_details(line),
    }


def _ubl_name(party: etree._Element | None) -> str | None:
    return text_at(party, "PartyLegalEntity", "RegistrationName") or text_at(party, "PartyName", "Name")


def _ubl_vat_id(party: etree._Element | None) -> str | None:
    return _tax_number(
        (text_at(s, "TaxScheme", "ID") or "", text_at(s, "CompanyID")) for s in children(party, "PartyTaxScheme")
    )


def _money_in(node: etree._Element | None, name: str, currency: str | None) -> str | None:
    """The amount in the invoice's own currency. BT-111 gives the tax (BT-110) a second time in another currency."""
    amounts = list(children(node, name))
    in_currency = [a for a in amounts if a.get("currencyID") in (None, currency)]
    return plain_number(own_text(in_currency[0])) if in_currency else None


def _present(facts: Facts) -> Facts | None:
    """The facts without absent terms, in lines too; None without any."""
    tables = {term: _rows(facts.pop(term)) for term in TABLES if term in facts}
    present = {k: v for k, v in facts.items() if v is not None}
    return (present | {term: rows for term, rows in tables.items() if rows}) or None


def _rows(lines: Sequence[Facts]) -> list[Facts]:
    rows = [{k: v for k, v in line.items() if v is not None} for line in lines]
    return [row for row in rows if row]


def _unit_price(price: str | None, base: str | None) -> str | None:
    """The price of one unit: BT-146 over BT-149, the number of units to which the price applies."""
    amount, units = plain_number(price), plain_number(base)
    if amount is None or units is None or Decimal(units) in (0, 1):
        return amount
    unit = Decimal(amount) / Decimal(units)
    try:
        rounded = round(unit, MAX_PRICE_DECIMALS)
    except InvalidOperation:  # more digits than a decimal has
        return None
    return f"{(rounded if rounded != unit else unit).normalize():f}"

"""Puts the data of an invoice into its PDF as Factur-X XML (CII, profile EN 16931)."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from unittest.mock import patch
from xml.sax.saxutils import escape

import facturx
import facturx.facturx

from examples.trade import Invoice, Item, Party

_DRAWN = datetime(2026, 1, 1, tzinfo=UTC)
_PROFILE = "urn:cen.eu:en16931:2017"


class _Still(datetime):
    """A clock that stands, so that the file's dates do not depend on the day it was drawn."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Still:
        return cls(_DRAWN.year, _DRAWN.month, _DRAWN.day, tzinfo=tz)


def with_facturx(pdf: bytes, invoice: Invoice) -> bytes:
    """The PDF/A-3 with ``factur-x.xml`` inside; the XML is checked against the profile's schema on the way."""
    about = {
        "author": invoice.seller.name,
        "keywords": "invoice, Factur-X",
        "title": f"{invoice.seller.name}: {invoice.number}",
        "subject": f"{invoice.number}, {invoice.issued.isoformat()}",
    }
    with patch.object(facturx.facturx, "datetime", _Still):
        made: bytes = facturx.generate_from_binary(
            pdf,
            facturx_xml(invoice),
            flavor="factur-x",
            level="en16931",
            check_xsd=True,
            pdf_metadata=about,
            lang=invoice.language,
        )
    return made


def facturx_xml(invoice: Invoice) -> bytes:
    """The invoice as UN/CEFACT Cross Industry Invoice."""
    lines = "".join(_line(number, item, invoice) for number, item in enumerate(invoice.items, start=1))
    issued = f'<udt:DateTimeString format="102">{invoice.issued:%Y%m%d}</udt:DateTimeString>'
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>{_PROFILE}</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>{escape(invoice.number)}</ram:ID><ram:TypeCode>380</ram:TypeCode>
<ram:IssueDateTime>{issued}</ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>{lines}
<ram:ApplicableHeaderTradeAgreement>{_party("Seller", invoice.seller)}{_party("Buyer", invoice.buyer)}{_order(invoice)}
</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery/>
{_settlement(invoice)}</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>
""".encode()


def _order(invoice: Invoice) -> str:
    number = f"<ram:IssuerAssignedID>{escape(invoice.order)}</ram:IssuerAssignedID>"
    return f"<ram:BuyerOrderReferencedDocument>{number}</ram:BuyerOrderReferencedDocument>" if invoice.order else ""


def _party(role: str, party: Party) -> str:
    tax = f'<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">{party.vat_id}</ram:ID></ram:SpecifiedTaxRegistration>'
    return f"""
<ram:{role}TradeParty><ram:Name>{escape(party.name)}</ram:Name><ram:PostalTradeAddress>
<ram:PostcodeCode>{party.postcode}</ram:PostcodeCode><ram:LineOne>{escape(party.street)}</ram:LineOne>
<ram:CityName>{escape(party.city)}</ram:CityName><ram:CountryID>{party.country}</ram:CountryID>
</ram:PostalTradeAddress>{tax if party.vat_id else ""}</ram:{role}TradeParty>"""


def _line(number: int, item: Item, invoice: Invoice) -> str:
    return f"""
<ram:IncludedSupplyChainTradeLineItem>
<ram:AssociatedDocumentLineDocument><ram:LineID>{number}</ram:LineID></ram:AssociatedDocumentLineDocument>
<ram:SpecifiedTradeProduct><ram:Name>{escape(item.description)}</ram:Name></ram:SpecifiedTradeProduct>
<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>{item.unit_price}</ram:ChargeAmount>
</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
<ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">{item.quantity}</ram:BilledQuantity>
</ram:SpecifiedLineTradeDelivery>
<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode>
<ram:RateApplicablePercent>{invoice.tax_rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>{item.amount}</ram:LineTotalAmount>
</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>
</ram:IncludedSupplyChainTradeLineItem>"""


def _settlement(invoice: Invoice) -> str:
    due = f'<udt:DateTimeString format="102">{invoice.due:%Y%m%d}</udt:DateTimeString>'
    account = f"<ram:PayeePartyCreditorFinancialAccount><ram:IBANID>{invoice.seller.iban}</ram:IBANID>"
    return f"""<ram:ApplicableHeaderTradeSettlement>
<ram:InvoiceCurrencyCode>{invoice.currency}</ram:InvoiceCurrencyCode>
<ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>30</ram:TypeCode>{account}</ram:PayeePartyCreditorFinancialAccount>
</ram:SpecifiedTradeSettlementPaymentMeans>
<ram:ApplicableTradeTax><ram:CalculatedAmount>{invoice.tax_total}</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode>
<ram:BasisAmount>{invoice.subtotal}</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode>
<ram:RateApplicablePercent>{invoice.tax_rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime>{due}</ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>
<ram:SpecifiedTradeSettlementHeaderMonetarySummation>
<ram:LineTotalAmount>{invoice.subtotal}</ram:LineTotalAmount><ram:TaxBasisTotalAmount>{invoice.subtotal}</ram:TaxBasisTotalAmount>
<ram:TaxTotalAmount currencyID="{invoice.currency}">{invoice.tax_total}</ram:TaxTotalAmount>
<ram:GrandTotalAmount>{invoice.total}</ram:GrandTotalAmount><ram:TotalPrepaidAmount>{invoice.prepaid}</ram:TotalPrepaidAmount>
<ram:DuePayableAmount>{invoice.total - invoice.prepaid}</ram:DuePayableAmount>
</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>
"""

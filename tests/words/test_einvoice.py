from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest

from pipeline.words.einvoice import of_page, parse_einvoice, read_einvoice, read_einvoices
from tests.words.drawing import word

CII = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
  xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
  xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
 <rsm:ExchangedDocument><ram:ID>N-204</ram:ID><ram:TypeCode>380</ram:TypeCode>
  <ram:IssueDateTime><udt:DateTimeString format="102">20240229</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>
 <rsm:SupplyChainTradeTransaction>
  <ram:IncludedSupplyChainTradeLineItem>
   <ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID></ram:AssociatedDocumentLineDocument>
   <ram:SpecifiedTradeProduct><ram:Name>Copper wire</ram:Name></ram:SpecifiedTradeProduct>
   <ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>2.5000</ram:ChargeAmount>
   </ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
   <ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="MTR">40.0</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
   <ram:SpecifiedLineTradeSettlement><ram:SpecifiedTradeSettlementLineMonetarySummation>
    <ram:LineTotalAmount>100.00</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>
   </ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>
  <ram:IncludedSupplyChainTradeLineItem>
   <ram:AssociatedDocumentLineDocument><ram:LineStatusReasonCode>INFORMATION</ram:LineStatusReasonCode>
   </ram:AssociatedDocumentLineDocument>
   <ram:SpecifiedTradeProduct><ram:Name>Only a remark</ram:Name></ram:SpecifiedTradeProduct>
  </ram:IncludedSupplyChainTradeLineItem>
  <ram:ApplicableHeaderTradeAgreement>
   <ram:SellerTradeParty><ram:Name>Wire Works BV</ram:Name>
    <ram:SpecifiedTaxRegistration><ram:ID schemeID="FC">99/1</ram:ID></ram:SpecifiedTaxRegistration>
    <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">NL000099998B57</ram:ID></ram:SpecifiedTaxRegistration>
   </ram:SellerTradeParty>
   <ram:BuyerTradeParty><ram:Name>Lamp  &amp;
     Sons</ram:Name></ram:BuyerTradeParty></ram:ApplicableHeaderTradeAgreement>
  <ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
   <ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime><udt:DateTimeString format="102">20240330</udt:DateTimeString>
   </ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>
   <ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>100.00</ram:LineTotalAmount>
    <ram:TaxBasisTotalAmount>100.00</ram:TaxBasisTotalAmount>
    <ram:TaxTotalAmount currencyID="SEK">240.00</ram:TaxTotalAmount>
   <ram:TaxTotalAmount currencyID="EUR">21.00</ram:TaxTotalAmount>
    <ram:GrandTotalAmount>121.00</ram:GrandTotalAmount><ram:TotalPrepaidAmount>21.00</ram:TotalPrepaidAmount>
    <ram:DuePayableAmount>100.00</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>
  </ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""

FACTS = {
    "BT-1": "N-204",
    "BT-2": "2024-02-29",
    "BT-3": "380",
    "BT-9": "2024-03-30",
    "BT-5": "EUR",
    "BT-27": "Wire Works BV",
    "BT-31": "NL000099998B57",
    "BT-32": "99/1",
    "BT-44": "Lamp & Sons",
    "BT-106": "100.00",
    "BT-109": "100.00",
    "BT-110": "21.00",
    "BT-112": "121.00",
    "BT-113": "21.00",
    "BT-115": "100.00",
    "BG-25": [
        {"BT-126": "1", "BT-153": "Copper wire", "BT-129": "40.0", "BT-130": "MTR", "BT-146": "2.5000", "BT-131": "100.00"}
    ],
}

ZUGFERD_1 = """<rsm:CrossIndustryDocument xmlns:rsm="urn:ferd:CrossIndustryDocument:invoice:1p0"
  xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:12"
  xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:15">
 <rsm:HeaderExchangedDocument><ram:ID>A1</ram:ID>
  <ram:IssueDateTime><udt:DateTimeString format="102">20140105</udt:DateTimeString></ram:IssueDateTime>
   </rsm:HeaderExchangedDocument>
 <rsm:SpecifiedSupplyChainTradeTransaction>
  <ram:ApplicableSupplyChainTradeAgreement><ram:SellerTradeParty><ram:Name>Altbau KG</ram:Name></ram:SellerTradeParty>
  </ram:ApplicableSupplyChainTradeAgreement>
  <ram:ApplicableSupplyChainTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
   <ram:SpecifiedTradeSettlementMonetarySummation><ram:TaxTotalAmount currencyID="EUR">1.90</ram:TaxTotalAmount>
    <ram:GrandTotalAmount currencyID="EUR">11.90</ram:GrandTotalAmount></ram:SpecifiedTradeSettlementMonetarySummation>
  </ram:ApplicableSupplyChainTradeSettlement>
  <ram:IncludedSupplyChainTradeLineItem>
   <ram:SpecifiedSupplyChainTradeDelivery><ram:BilledQuantity unitCode="C62">2</ram:BilledQuantity>
   </ram:SpecifiedSupplyChainTradeDelivery>
   <ram:SpecifiedSupplyChainTradeSettlement><ram:SpecifiedTradeSettlementMonetarySummation>
    <ram:LineTotalAmount currencyID="EUR">10.00</ram:LineTotalAmount></ram:SpecifiedTradeSettlementMonetarySummation>
   </ram:SpecifiedSupplyChainTradeSettlement>
   <ram:SpecifiedTradeProduct><ram:Name>Brick</ram:Name></ram:SpecifiedTradeProduct></ram:IncludedSupplyChainTradeLineItem>
 </rsm:SpecifiedSupplyChainTradeTransaction></rsm:CrossIndustryDocument>"""

UBL = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <cbc:ID>U-9</cbc:ID><cbc:IssueDate>2025-01-31</cbc:IssueDate><cbc:DueDate>2025-02-14</cbc:DueDate>
 <cbc:DocumentCurrencyCode>NOK</cbc:DocumentCurrencyCode>
 <cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name>Fjord</cbc:Name></cac:PartyName>
  <cac:PartyTaxScheme><cbc:CompanyID>NO999999999MVA</cbc:CompanyID>
   <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyLegalEntity><cbc:RegistrationName>Fjord AS</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party>
   </cac:AccountingSupplierParty>
 <cac:AccountingCustomerParty><cac:Party><cac:PartyName><cbc:Name>Bakery</cbc:Name></cac:PartyName></cac:Party>
   </cac:AccountingCustomerParty>
 <cac:TaxTotal><cbc:TaxAmount currencyID="NOK">25.00</cbc:TaxAmount></cac:TaxTotal>
 <cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="NOK">100.00</cbc:LineExtensionAmount>
  <cbc:TaxExclusiveAmount currencyID="NOK">100.00</cbc:TaxExclusiveAmount>
  <cbc:TaxInclusiveAmount currencyID="NOK">125.00</cbc:TaxInclusiveAmount>
  <cbc:PayableAmount currencyID="NOK">125.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
 <cac:InvoiceLine><cbc:InvoicedQuantity unitCode="C62">4</cbc:InvoicedQuantity>
  <cbc:LineExtensionAmount currencyID="NOK">100.00</cbc:LineExtensionAmount><cac:Item><cbc:Name>Flour</cbc:Name></cac:Item>
  <cac:Price><cbc:PriceAmount currencyID="NOK">25.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine></Invoice>"""


def pdf_with(name: str, content: bytes) -> bytes:
    document = pymupdf.open()
    document.new_page()
    document.embfile_add(name, content)
    return bytes(document.tobytes())


def test_factur_x_in_a_pdf_is_read_without_changes() -> None:
    data = pdf_with("factur-x.xml", CII.encode())
    assert read_einvoice(data) == FACTS


def test_zugferd_1_is_read_by_its_own_element_names() -> None:
    facts = parse_einvoice(ZUGFERD_1.encode())
    assert facts == {
        "BT-1": "A1",
        "BT-2": "2014-01-05",
        "BT-5": "EUR",
        "BT-27": "Altbau KG",
        "BT-110": "1.90",
        "BT-112": "11.90",
        "BG-25": [{"BT-153": "Brick", "BT-129": "2", "BT-130": "C62", "BT-131": "10.00"}],
    }


def test_ubl_is_read() -> None:
    facts = parse_einvoice(UBL.encode())
    assert facts is not None
    assert (facts["BT-27"], facts["BT-44"], facts["BT-31"]) == ("Fjord AS", "Bakery", "NO999999999MVA")
    assert (facts["BT-9"], facts["BT-110"], facts["BT-115"]) == ("2025-02-14", "25.00", "125.00")
    assert facts["BG-25"] == [{"BT-153": "Flour", "BT-129": "4", "BT-130": "C62", "BT-146": "25.00", "BT-131": "100.00"}]


def test_a_pdf_without_attachments_has_no_einvoice() -> None:
    assert read_einvoice(pdf_with("notes.xml", b"<notes>milk</notes>")) is None
    assert read_einvoice(pdf_with("photo.png", b"\x89PNG")) is None
    document = pymupdf.open()
    document.new_page()
    assert read_einvoice(document.tobytes()) is None
    assert read_einvoice(b"%PDF-1.7 broken") is None


@pytest.mark.parametrize(
    "xml",
    [b"", b"<a", b"\x00\xff", b"<Order/>", b"<Invoice/>", "<Invoice>\u0001</Invoice>".encode()],
)
def test_other_xml_is_not_an_invoice(xml: bytes) -> None:
    assert parse_einvoice(xml) is None


def test_entities_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    bomb = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>' + UBL.replace("U-9", "&e;")
    assert parse_einvoice(bomb.encode()) is None


def test_an_amount_that_is_not_a_decimal_is_absent() -> None:
    facts = parse_einvoice(UBL.replace(">125.00<", ">1.2e5<").replace("2025-01-31", "2025-13-41").encode())
    assert facts is not None
    assert "BT-115" not in facts
    assert "BT-2" not in facts


SBDH = "<sbd:StandardBusinessDocument xmlns:sbd='urn:x'><sbd:StandardBusinessDocumentHeader/>{}</sbd:StandardBusinessDocument>"


def without_prolog(xml: str) -> str:
    return xml.partition("?>")[2].strip() if xml.startswith("<?xml") else xml


def test_an_invoice_within_an_envelope_is_read() -> None:
    assert parse_einvoice(SBDH.format(without_prolog(CII)).encode()) == FACTS


def test_blanks_before_the_prolog_and_a_doctype_without_entities_are_read() -> None:
    assert parse_einvoice(b"\n  " + CII.encode()) == FACTS
    assert parse_einvoice(f"<!DOCTYPE note SYSTEM 'file:///etc/passwd'>{without_prolog(CII)}".encode()) == FACTS


def test_a_file_with_entities_of_its_own_is_refused() -> None:
    xml = without_prolog(CII)
    assert parse_einvoice(f"<!DOCTYPE x [<!ENTITY a 'N-204'>]>{xml}".encode()) is None
    assert (
        parse_einvoice(f"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>{xml.replace('N-204', '&a;')}".encode()) is None
    )


@pytest.mark.parametrize(
    ("text", "value"), [(".5", "0.5"), ("50.", "50"), ("+12.0", "12.0"), ("-.25", "-0.25"), ("7", "7"), ("007.10", "007.10")]
)
def test_decimals_have_a_digit_before_the_point(text: str, value: str) -> None:
    facts = parse_einvoice(CII.replace("<ram:GrandTotalAmount>121.00", f"<ram:GrandTotalAmount>{text}").encode())
    assert facts is not None
    assert facts["BT-112"] == value


@pytest.mark.parametrize("text", [".", "", "1,5", "1e3", "NaN", "- 5", "٣"])
def test_what_is_no_decimal_is_absent(text: str) -> None:
    facts = parse_einvoice(CII.replace("<ram:GrandTotalAmount>121.00", f"<ram:GrandTotalAmount>{text}").encode())
    assert facts is not None
    assert "BT-112" not in facts


@pytest.mark.parametrize(
    ("base", "price"), [("100", "0.025"), ("1", "2.5000"), ("0", "2.5000"), ("3", "0.8333333333"), ("1000.0", "0.0025")]
)
def test_a_price_is_that_of_one_unit(base: str, price: str) -> None:
    quantity = f"</ram:ChargeAmount><ram:BasisQuantity unitCode='MTR'>{base}</ram:BasisQuantity>"
    facts = parse_einvoice(CII.replace("</ram:ChargeAmount>", quantity, 1).encode())
    assert facts is not None
    assert facts["BG-25"][0]["BT-146"] == price


def terms(day: str, discount: bool) -> str:
    date = (
        f"<ram:DueDateDateTime><udt:DateTimeString format='102'>{day}</udt:DateTimeString></ram:DueDateDateTime>" if day else ""
    )
    part = "<ram:ApplicableTradePaymentDiscountTerms/>" if discount else ""
    return f"<ram:SpecifiedTradePaymentTerms>{date}{part}</ram:SpecifiedTradePaymentTerms>"


@pytest.mark.parametrize(
    ("all_terms", "due"),
    [
        (terms("20240310", True) + terms("20240330", False), "2024-03-30"),
        (terms("20240330", False) + terms("20240310", True), "2024-03-30"),
        (terms("", True) + terms("20240330", False), "2024-03-30"),
        (terms("20240310", False) + terms("20240330", False), "2024-03-30"),
        (terms("20240310", True), "2024-03-10"),
    ],
)
def test_the_time_for_payment_is_not_the_end_of_a_discount(all_terms: str, due: str) -> None:
    start = CII.index("<ram:SpecifiedTradePaymentTerms>")
    end = CII.index("</ram:SpecifiedTradePaymentTerms>") + len("</ram:SpecifiedTradePaymentTerms>")
    facts = parse_einvoice((CII[:start] + all_terms + CII[end:]).encode())
    assert facts is not None
    assert facts["BT-9"] == due


@pytest.mark.parametrize(("scheme", "number"), [("VA", "NL000099998B57"), ("GST", "NL000099998B57"), ("FC", None)])
def test_the_tax_number_may_be_of_another_tax_than_vat(scheme: str, number: str | None) -> None:
    facts = parse_einvoice(CII.replace('schemeID="VA"', f'schemeID="{scheme}"').encode())
    assert facts is not None
    assert facts.get("BT-31") == number


def pdf_with_all(*attached: tuple[str, str]) -> bytes:
    document = pymupdf.open()
    document.new_page()
    for name, content in attached:
        document.embfile_add(name, content.encode())
    return bytes(document.tobytes())


def test_the_data_of_the_invoice_itself_precede_other_xml_that_is_an_invoice() -> None:
    facts = read_einvoice(pdf_with_all(("annex-invoice.xml", CII.replace("N-204", "N-150")), ("factur-x.xml", CII)))
    assert facts is not None
    assert facts["BT-1"] == "N-204"


def test_of_several_e_invoices_the_one_whose_number_the_page_prints_is_its_own() -> None:
    found = read_einvoices(pdf_with_all(("factur-x.xml", CII.replace("N-204", "N-150")), ("own.xml", CII), ("no.xml", "<no/>")))
    assert [facts["BT-1"] for facts in found] == ["N-150", "N-204"]
    assert of_page(found, [word("Invoice"), word("N - 204")])["BT-1"] == "N-204"
    assert of_page(found, [word("Invoice"), word("77")])["BT-1"] == "N-150"
    assert of_page([], [word("N-204")]) == {}


def test_an_attachment_in_capital_letters_and_a_broken_one_beside_it_are_read() -> None:
    facts = read_einvoice(pdf_with_all(("BROKEN.XML", "<rsm:Cross"), ("FACTUR-X.XML", CII)))
    assert facts == FACTS

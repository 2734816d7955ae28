"""Payment, references, delivery, addresses and taxes of an e-invoice by business term."""

from __future__ import annotations

from pipeline.words.einvoice import parse_einvoice

CII = """<rsm:CrossIndustryInvoice xmlns:rsm="urn:rsm" xmlns:ram="urn:ram" xmlns:udt="urn:udt">
 <rsm:ExchangedDocument><ram:ID>N-204</ram:ID></rsm:ExchangedDocument>
 <rsm:SupplyChainTradeTransaction>
  <ram:ApplicableHeaderTradeAgreement>
   <ram:BuyerReference>04-77</ram:BuyerReference>
   <ram:SellerTradeParty><ram:Name>Wire Works BV</ram:Name>
    <ram:DefinedTradeContact><ram:TelephoneUniversalCommunication><ram:CompleteNumber>+31 20 5550101</ram:CompleteNumber>
    </ram:TelephoneUniversalCommunication></ram:DefinedTradeContact>
    <ram:PostalTradeAddress><ram:PostcodeCode>1234 AB</ram:PostcodeCode><ram:LineOne>Molenweg 8</ram:LineOne>
     <ram:CityName>Zaandam</ram:CityName><ram:CountryID>NL</ram:CountryID></ram:PostalTradeAddress></ram:SellerTradeParty>
   <ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>PO-9</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>
  </ram:ApplicableHeaderTradeAgreement>
  <ram:ApplicableHeaderTradeDelivery><ram:ActualDeliverySupplyChainEvent><ram:OccurrenceDateTime>
   <udt:DateTimeString format="102">20240228</udt:DateTimeString></ram:OccurrenceDateTime></ram:ActualDeliverySupplyChainEvent>
  </ram:ApplicableHeaderTradeDelivery>
  <ram:ApplicableHeaderTradeSettlement>
   <ram:PaymentReference>RF18 5390 0754 7034</ram:PaymentReference>
   <ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>58</ram:TypeCode>
    <ram:PayeePartyCreditorFinancialAccount><ram:IBANID>NL91ABNA0417164300</ram:IBANID></ram:PayeePartyCreditorFinancialAccount>
    <ram:PayeeSpecifiedCreditorFinancialInstitution><ram:BICID>ABNANL2A</ram:BICID></ram:PayeeSpecifiedCreditorFinancialInstitution>
   </ram:SpecifiedTradeSettlementPaymentMeans>
   <ram:ApplicableTradeTax><ram:CalculatedAmount>21.00</ram:CalculatedAmount><ram:BasisAmount>100.00</ram:BasisAmount>
    <ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>21</ram:RateApplicablePercent></ram:ApplicableTradeTax>
   <ram:BillingSpecifiedPeriod><ram:StartDateTime><udt:DateTimeString>20240201</udt:DateTimeString></ram:StartDateTime>
    <ram:EndDateTime><udt:DateTimeString>20240229</udt:DateTimeString></ram:EndDateTime></ram:BillingSpecifiedPeriod>
  </ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""

UBL = """<Invoice xmlns="urn:i" xmlns:cac="urn:cac" xmlns:cbc="urn:cbc">
 <cbc:ID>U-9</cbc:ID><cbc:BuyerReference>04-77</cbc:BuyerReference>
 <cac:InvoicePeriod><cbc:StartDate>2024-02-01</cbc:StartDate><cbc:EndDate>2024-02-29</cbc:EndDate></cac:InvoicePeriod>
 <cac:OrderReference><cbc:ID>PO-9</cbc:ID></cac:OrderReference>
 <cac:AccountingSupplierParty><cac:Party>
  <cac:PostalAddress><cbc:StreetName>Molenweg 8</cbc:StreetName><cbc:CityName>Zaandam</cbc:CityName><cbc:PostalZone>1234 AB</cbc:PostalZone>
   <cac:Country><cbc:IdentificationCode>NL</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
  <cac:Contact><cbc:Telephone>+31 20 5550101</cbc:Telephone></cac:Contact></cac:Party></cac:AccountingSupplierParty>
 <cac:Delivery><cbc:ActualDeliveryDate>2024-02-28</cbc:ActualDeliveryDate></cac:Delivery>
 <cac:PaymentMeans><cbc:PaymentMeansCode>58</cbc:PaymentMeansCode><cbc:PaymentID>RF18 5390 0754 7034</cbc:PaymentID>
  <cac:PayeeFinancialAccount><cbc:ID>NL91ABNA0417164300</cbc:ID>
   <cac:FinancialInstitutionBranch><cbc:ID>ABNANL2A</cbc:ID></cac:FinancialInstitutionBranch></cac:PayeeFinancialAccount>
 </cac:PaymentMeans>
 <cac:TaxTotal><cbc:TaxAmount>21.00</cbc:TaxAmount><cac:TaxSubtotal><cbc:TaxableAmount>100.00</cbc:TaxableAmount>
  <cbc:TaxAmount>21.00</cbc:TaxAmount><cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>21</cbc:Percent></cac:TaxCategory>
 </cac:TaxSubtotal></cac:TaxTotal></Invoice>"""

DETAILS = {
    "BT-10": "04-77",
    "BT-13": "PO-9",
    "BT-35": "Molenweg 8",
    "BT-37": "Zaandam",
    "BT-38": "1234 AB",
    "BT-40": "NL",
    "BT-42": "+31 20 5550101",
    "BT-72": "2024-02-28",
    "BT-73": "2024-02-01",
    "BT-74": "2024-02-29",
    "BT-81": "58",
    "BT-83": "RF18 5390 0754 7034",
    "BT-84": "NL91ABNA0417164300",
    "BT-86": "ABNANL2A",
    "BG-23": [{"BT-116": "100.00", "BT-117": "21.00", "BT-118": "S", "BT-119": "21"}],
}


def test_both_syntaxes_have_the_same_terms() -> None:
    for syntax in (CII, UBL):
        facts = parse_einvoice(syntax.encode())
        assert facts is not None
        assert {term: facts.get(term) for term in DETAILS} == DETAILS

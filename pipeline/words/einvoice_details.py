"""Payment, references, delivery, parties and taxes of an e-invoice by the business terms of EN 16931, from CII and UBL.

The paths are those of the syntax bindings CEN/TS 16931-3-2 (UBL) and 16931-3-3 (CII); CII of ZUGFeRD 1 has other names for a few groups.
"""

from __future__ import annotations

from lxml import etree

from pipeline.records import Json
from pipeline.words.xml_elements import child_at, children, iso_day, own_text, plain_number, text_at

Facts = dict[str, Json]
_AGREEMENT = "ApplicableHeaderTradeAgreement|ApplicableSupplyChainTradeAgreement"
_DELIVERY = "ApplicableHeaderTradeDelivery|ApplicableSupplyChainTradeDelivery"
_SETTLEMENT = "ApplicableHeaderTradeSettlement|ApplicableSupplyChainTradeSettlement"
_SUM = "SpecifiedTradeSettlementHeaderMonetarySummation|SpecifiedTradeSettlementMonetarySummation"
_LINE_SETTLEMENT = "SpecifiedLineTradeSettlement|SpecifiedSupplyChainTradeSettlement"
_LINE_DELIVERY = "SpecifiedLineTradeDelivery|SpecifiedSupplyChainTradeDelivery"
_LINE_AGREEMENT = "SpecifiedLineTradeAgreement|SpecifiedSupplyChainTradeAgreement"
_TAX_NUMBER = ("FC",)
"""Scheme of the number at the local tax office (UNTDID 1153)."""


def cii_details(trade: etree._Element | None) -> Facts:
    """The terms of a transaction in CII."""
    agreement, delivery, settlement = (child_at(trade, names) for names in (_AGREEMENT, _DELIVERY, _SETTLEMENT))
    seller, buyer = child_at(agreement, "SellerTradeParty"), child_at(agreement, "BuyerTradeParty")
    ship_to = child_at(delivery, "ShipToTradeParty")
    terms = list(children(settlement, "SpecifiedTradePaymentTerms"))
    period = child_at(settlement, "BillingSpecifiedPeriod")
    total = child_at(settlement, _SUM)
    contact = child_at(seller, "DefinedTradeContact")
    registration = child_at(seller, "SpecifiedLegalOrganization")
    means = list(children(settlement, "SpecifiedTradeSettlementPaymentMeans"))
    return {
        "BT-10": text_at(agreement, "BuyerReference"),
        "BT-11": text_at(agreement, "SpecifiedProcuringProject", "ID"),
        "BT-12": _reference(agreement, "ContractReferencedDocument"),
        "BT-13": _reference(agreement, "BuyerOrderReferencedDocument"),
        "BT-14": _reference(agreement, "SellerOrderReferencedDocument"),
        "BT-16": _reference(delivery, "DespatchAdviceReferencedDocument")
        or _reference(delivery, "DeliveryNoteReferencedDocument"),
        "BT-20": next((text for term in terms if (text := text_at(term, "Description"))), None),
        "BT-25": _reference(settlement, "InvoiceReferencedDocument"),
        "BT-30": text_at(registration, "ID"),
        "BT-32": _cii_tax_office(seller),
        "BT-42": text_at(contact, "TelephoneUniversalCommunication", "CompleteNumber"),
        "BT-43": text_at(contact, "EmailURIUniversalCommunication", "URIID"),
        "BT-46": text_at(buyer, "ID"),
        "BT-70": text_at(ship_to, "Name"),
        "BT-72": iso_day(text_at(delivery, "ActualDeliverySupplyChainEvent", "OccurrenceDateTime", "DateTimeString")),
        "BT-73": iso_day(text_at(period, "StartDateTime", "DateTimeString")),
        "BT-74": iso_day(text_at(period, "EndDateTime", "DateTimeString")),
        "BT-83": text_at(settlement, "PaymentReference"),
        "BT-89": next((mandate for term in terms if (mandate := text_at(term, "DirectDebitMandateID"))), None),
        "BT-90": text_at(settlement, "CreditorReferenceID"),
        "BT-114": plain_number(text_at(total, "RoundingAmount")),
        "BG-23": [_cii_tax(tax) for tax in children(settlement, "ApplicableTradeTax")],
        **_cii_payment(means),
        **_cii_address(seller, ("BT-35", "BT-38", "BT-37", "BT-40")),
        **_cii_address(buyer, ("BT-50", "BT-53", "BT-52", "BT-55")),
        **_cii_address(ship_to, ("BT-75", "BT-78", "BT-77", "BT-80")),
    }


def _reference(parent: etree._Element | None, name: str) -> str | None:
    return text_at(parent, name, "IssuerAssignedID") or text_at(parent, name, "ID")


def _cii_tax_office(party: etree._Element | None) -> str | None:
    numbers = (child_at(registration, "ID") for registration in children(party, "SpecifiedTaxRegistration"))
    return next((own_text(number) for number in numbers if number is not None and number.get("schemeID") in _TAX_NUMBER), None)


def _cii_payment(means: list[etree._Element]) -> Facts:
    """The first means of payment, and the account of the first that has one."""
    with_account = next((one for one in means if child_at(one, "PayeePartyCreditorFinancialAccount") is not None), None)
    account = child_at(with_account, "PayeePartyCreditorFinancialAccount")
    card = next((card for one in means if (card := child_at(one, "ApplicableTradeSettlementFinancialCard")) is not None), None)
    first = means[0] if means else None
    bank = "PayeeSpecifiedCreditorFinancialInstitution"
    debited = (text_at(one, "PayerPartyDebtorFinancialAccount", "IBANID") for one in means)
    return {
        "BT-81": text_at(first, "TypeCode"),
        "BT-82": text_at(first, "Information"),
        "BT-84": text_at(account, "IBANID") or text_at(account, "ProprietaryID"),
        "BT-85": text_at(account, "AccountName"),
        "BT-86": next((bic for one in means if (bic := text_at(one, bank, "BICID"))), None),
        "BT-87": text_at(card, "ID"),
        "BT-91": next((iban for iban in debited if iban), None),
    }


def _cii_address(party: etree._Element | None, terms: tuple[str, str, str, str]) -> Facts:
    """Street, post code, city and country of a party, by their terms."""
    address = child_at(party, "PostalTradeAddress")
    names = ("LineOne", "PostcodeCode", "CityName", "CountryID")
    return {term: text_at(address, name) for term, name in zip(terms, names, strict=True)}


def _cii_tax(tax: etree._Element) -> Facts:
    return {
        "BT-116": plain_number(text_at(tax, "BasisAmount")),
        "BT-117": plain_number(text_at(tax, "CalculatedAmount")),
        "BT-118": text_at(tax, "CategoryCode"),
        "BT-119": plain_number(text_at(tax, "RateApplicablePercent") or text_at(tax, "ApplicablePercent")),
    }


def cii_line_details(line: etree._Element) -> Facts:
    """Position, codes, unit, rate of tax, discount and order of one line in CII."""
    product, settlement = child_at(line, "SpecifiedTradeProduct"), child_at(line, _LINE_SETTLEMENT)
    quantity = child_at(line, _LINE_DELIVERY, "BilledQuantity")
    allowances = [one for one in children(settlement, "SpecifiedTradeAllowanceCharge") if _is_allowance(one)]
    tax = child_at(settlement, "ApplicableTradeTax")
    return {
        "BT-126": text_at(line, "AssociatedDocumentLineDocument", "LineID"),
        "BT-130": quantity.get("unitCode") if quantity is not None else None,
        "BT-132": text_at(line, _LINE_AGREEMENT, "BuyerOrderReferencedDocument", "LineID"),
        "BT-138": next((p for one in allowances if (p := plain_number(text_at(one, "CalculationPercent")))), None),
        "BT-152": plain_number(text_at(tax, "RateApplicablePercent") or text_at(tax, "ApplicablePercent")),
        "BT-155": text_at(product, "SellerAssignedID"),
        "BT-157": text_at(product, "GlobalID"),
    }


def _is_allowance(charge: etree._Element) -> bool:
    return text_at(charge, "ChargeIndicator", "Indicator") == "false" or text_at(charge, "ChargeIndicator") == "false"


def ubl_details(root: etree._Element) -> Facts:
    """The terms of an invoice or credit note in UBL."""
    seller, buyer = (child_at(root, f"Accounting{who}Party", "Party") for who in ("Supplier", "Customer"))
    delivery, period = child_at(root, "Delivery"), child_at(root, "InvoicePeriod")
    place = child_at(delivery, "DeliveryLocation", "Address")
    means = list(children(root, "PaymentMeans"))
    legal = child_at(seller, "PartyLegalEntity")
    order = child_at(root, "OrderReference")
    tax_total = next((tax for tax in children(root, "TaxTotal") if child_at(tax, "TaxSubtotal") is not None), None)
    return {
        "BT-10": text_at(root, "BuyerReference"),
        "BT-11": text_at(root, "ProjectReference", "ID"),
        "BT-12": text_at(root, "ContractDocumentReference", "ID"),
        "BT-13": text_at(order, "ID"),
        "BT-14": text_at(order, "SalesOrderID"),
        "BT-16": text_at(root, "DespatchDocumentReference", "ID"),
        "BT-20": text_at(root, "PaymentTerms", "Note"),
        "BT-25": text_at(root, "BillingReference", "InvoiceDocumentReference", "ID"),
        "BT-30": text_at(legal, "CompanyID"),
        "BT-32": _ubl_tax_office(seller),
        "BT-42": text_at(seller, "Contact", "Telephone"),
        "BT-43": text_at(seller, "Contact", "ElectronicMail"),
        "BT-46": text_at(buyer, "PartyIdentification", "ID"),
        "BT-70": text_at(delivery, "DeliveryParty", "PartyName", "Name"),
        "BT-72": iso_day(text_at(delivery, "ActualDeliveryDate")),
        "BT-73": iso_day(text_at(period, "StartDate")),
        "BT-74": iso_day(text_at(period, "EndDate")),
        "BT-90": _ubl_creditor(root, seller),
        "BT-114": plain_number(text_at(root, "LegalMonetaryTotal", "PayableRoundingAmount")),
        "BG-23": [_ubl_tax(tax) for tax in children(tax_total, "TaxSubtotal")],
        **_ubl_payment(means),
        **_ubl_address(child_at(seller, "PostalAddress"), ("BT-35", "BT-38", "BT-37", "BT-40")),
        **_ubl_address(child_at(buyer, "PostalAddress"), ("BT-50", "BT-53", "BT-52", "BT-55")),
        **_ubl_address(place, ("BT-75", "BT-78", "BT-77", "BT-80")),
    }


def _ubl_tax_office(party: etree._Element | None) -> str | None:
    schemes = children(party, "PartyTaxScheme")
    return next(
        (text_at(one, "CompanyID") for one in schemes if text_at(one, "TaxScheme", "ID") in (*_TAX_NUMBER, "TAX")), None
    )


def _ubl_creditor(root: etree._Element, seller: etree._Element | None) -> str | None:
    parties = [seller, child_at(root, "PayeeParty")]
    identifiers = (
        number for party in parties for one in children(party, "PartyIdentification") for number in children(one, "ID")
    )
    return next((own_text(number) for number in identifiers if number.get("schemeID") == "SEPA"), None)


def _ubl_payment(means: list[etree._Element]) -> Facts:
    first = means[0] if means else None
    with_account = next((one for one in means if child_at(one, "PayeeFinancialAccount") is not None), None)
    account = child_at(with_account, "PayeeFinancialAccount")
    mandate = next((found for one in means if (found := child_at(one, "PaymentMandate")) is not None), None)
    card = next((found for one in means if (found := child_at(one, "CardAccount")) is not None), None)
    return {
        "BT-81": text_at(first, "PaymentMeansCode"),
        "BT-83": next((text for one in means if (text := text_at(one, "PaymentID"))), None),
        "BT-84": text_at(account, "ID"),
        "BT-85": text_at(account, "Name"),
        "BT-86": text_at(account, "FinancialInstitutionBranch", "ID"),
        "BT-87": text_at(card, "PrimaryAccountNumberID"),
        "BT-89": text_at(mandate, "ID"),
        "BT-91": text_at(mandate, "PayerFinancialAccount", "ID"),
    }


def _ubl_address(address: etree._Element | None, terms: tuple[str, str, str, str]) -> Facts:
    street, code, city, country = terms
    return {
        street: text_at(address, "StreetName"),
        code: text_at(address, "PostalZone"),
        city: text_at(address, "CityName"),
        country: text_at(address, "Country", "IdentificationCode"),
    }


def _ubl_tax(tax: etree._Element) -> Facts:
    category = child_at(tax, "TaxCategory")
    return {
        "BT-116": plain_number(text_at(tax, "TaxableAmount")),
        "BT-117": plain_number(text_at(tax, "TaxAmount")),
        "BT-118": text_at(category, "ID"),
        "BT-119": plain_number(text_at(category, "Percent")),
    }


def ubl_line_details(line: etree._Element) -> Facts:
    """Position, codes, unit, rate of tax, discount and order of one line in UBL."""
    item, quantity = child_at(line, "Item"), child_at(line, "InvoicedQuantity|CreditedQuantity")
    allowances = [one for one in children(line, "AllowanceCharge") if text_at(one, "ChargeIndicator") == "false"]
    return {
        "BT-126": text_at(line, "ID"),
        "BT-130": quantity.get("unitCode") if quantity is not None else None,
        "BT-132": text_at(line, "OrderLineReference", "LineID"),
        "BT-138": next((p for one in allowances if (p := plain_number(text_at(one, "MultiplierFactorNumeric")))), None),
        "BT-152": plain_number(text_at(item, "ClassifiedTaxCategory", "Percent")),
        "BT-155": text_at(item, "SellersItemIdentification", "ID"),
        "BT-157": text_at(item, "StandardItemIdentification", "ID"),
    }

"""The templates that come with the package."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pipeline.templates.answer_schema import json_schema
from pipeline.templates.digest import digest
from pipeline.templates.load import load_template, load_templates
from pipeline.templates.prompt_rendering import render_prompt
from pipeline.templates.template import TEXT_KINDS

FOLDER = Path(__file__).parents[2] / "configs" / "templates"
FILES = sorted(FOLDER.glob("*.yaml"))
LANGUAGES = {"en", "de", "fr", "es", "it", "nl", "pl", "zh"}
WESTERN = {"en", "de", "fr", "es", "it", "nl"}
"""Languages that have the labels of all other kinds."""
FIELDS = {
    "invoice": "vendor_name vendor_vat_id buyer_name invoice_number document_type invoice_date due_date currency subtotal tax_total "
    "total amount_due prepaid line_items payment_reference payment_means iban bank_account account_name bic card_number "
    "mandate_reference creditor_id debited_account payment_terms discount_percent discount_amount discount_date "
    "purchase_order sales_order contract project delivery_note customer_number buyer_reference preceding_invoice "
    "delivery_date service_start service_end buyer_vat_id vendor_tax_number vendor_registration vendor_phone vendor_mail "
    "vendor_web vendor_address vendor_street vendor_post_code vendor_city vendor_country buyer_address buyer_street "
    "buyer_post_code buyer_city buyer_country delivery_address delivery_street delivery_post_code delivery_city "
    "delivery_country freight charges allowances rounding previous_balance tax_table",
    "receipt": "vendor_name address vendor_vat_id receipt_number date time currency total tax_total line_items subtotal tip "
    "service_charge discount rounding payment_means paid change card_number phone web store_number cashier tax_table",
    "chart": "chart_type title x_title y_title data summary caption",
    "caption": "caption objects",
    "transcript": "text header footer",
    "credit_note": "vendor_name vendor_vat_id buyer_name credit_note_number credit_note_date invoice_number customer_number reason "
    "currency subtotal tax_total total line_items",
    "order": "supplier_name buyer_name order_number order_date delivery_date customer_number payment_terms currency subtotal tax_total "
    "total line_items",
    "quotation": "vendor_name buyer_name quotation_number quotation_date valid_until customer_number payment_terms currency subtotal "
    "tax_total total line_items",
    "delivery_note": "supplier_name recipient_name delivery_note_number delivery_date order_number customer_number packages weight "
    "line_items",
    "bank_statement": "account_holder iban account_number bic statement_number statement_date period currency opening_balance "
    "closing_balance transactions",
    "payslip": "employer employee employee_number period pay_date currency gross_pay income_tax social_security net_pay iban lines",
    "utility_bill": "vendor_name buyer_name bill_number bill_date due_date customer_number contract_number period supply_address "
    "meter_number consumption readings currency subtotal tax_total total amount_due",
    "contract": "first_party second_party contract_number contract_date start_date end_date notice_period governing_law text",
    "letter": "sender recipient date subject our_reference your_reference text",
    "document": "markdown html",
}
COLUMNS = {
    ("invoice", "line_items"): [
        *("description", "quantity", "unit_price", "amount"),
        *("position", "code", "gtin", "unit", "tax_rate", "tax", "discount"),
    ],
    ("chart", "data"): ["category", "series", "value"],
}

DIGESTS = {
    "invoice": "7270358b1c7ffe56",
    "receipt": "f9806b0ae1598515",
    "chart": "ec87f104657290fc",
    "caption": "e2c7f0724ae53803",
    "transcript": "e1f8c351bd05c675",
    "bank_statement": "20457e00f51ee8b6",
    "contract": "8139e4bb09ec7795",
    "credit_note": "df53bfe15659343a",
    "delivery_note": "a26b44a67b1c9b6b",
    "letter": "d1ad4cdb0f34d244",
    "order": "be3d23ca471be959",
    "payslip": "9d856b44edc83394",
    "quotation": "2998e345eec5b909",
    "utility_bill": "e62a43d3e64fedcc",
    "document": "4dc7dc1583484e0d",
}
"""Part of every recipe: a document of any archive is read again where one of these changes."""


def test_the_digests_change_only_on_purpose() -> None:
    assert {name: digest(template) for name, template in load_templates([FOLDER]).items()} == DIGESTS


def test_all_templates_are_there_with_their_documented_fields() -> None:
    loaded = load_templates([FOLDER])
    assert {name: " ".join(template.fields) for name, template in loaded.items()} == FIELDS
    assert {key: list(loaded[key[0]].fields[key[1]].columns) for key in COLUMNS} == COLUMNS


def test_every_kind_of_page_has_one() -> None:
    kinds = {kind: name for name, template in load_templates([FOLDER]).items() for kind in template.applies.kinds}
    assert kinds == {
        "invoice": "invoice",
        "receipt": "receipt",
        "chart": "chart",
        "photo": "caption",
        "text": "transcript",
        **{kind: kind for kind in TEXT_KINDS},
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_fields_with_labels_have_them_in_all_languages(path: Path) -> None:
    template = load_template(path)
    if template.reader not in ("fields", "form"):
        assert not any(field.labels for field in template.fields.values())
        return
    labelled = {name: set(field.labels) for name, field in template.fields.items() if field.labels}
    for table, field in template.fields.items():
        labelled |= {f"{table}.{name}": set(column.labels) for name, column in field.columns.items() if column.labels}
    wanted = LANGUAGES if template.name in ("invoice", "receipt") else WESTERN
    assert {name: sorted(wanted - languages) for name, languages in labelled.items() if not wanted <= languages} == {}
    assert len(labelled) >= 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_prompt_and_schema_are_ready_for_a_model(path: Path) -> None:
    template = load_template(path)
    Draft202012Validator.check_schema(json_schema(template))
    prompt = render_prompt(template, words="WORDS {{ words }}", page=1, pages=2)
    assert all(name in prompt.casefold() for name in template.fields)
    if template.reader in ("fields", "form", "chart"):
        assert "WORDS {{ words }}" in prompt

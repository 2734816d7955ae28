"""The templates that come with the package."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pipeline.templates.answer_schema import json_schema
from pipeline.templates.digest import digest
from pipeline.templates.load import load_template, load_templates
from pipeline.templates.prompt_rendering import render_prompt

FOLDER = Path(__file__).parents[2] / "configs" / "templates"
FILES = sorted(FOLDER.glob("*.yaml"))
LANGUAGES = {"en", "de", "fr", "es", "it", "nl", "pl", "zh"}
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
    "chart": "chart_type title x_title y_title data summary",
    "caption": "caption objects",
    "transcript": "text header footer",
}
COLUMNS = {
    ("invoice", "line_items"): [
        *("description", "quantity", "unit_price", "amount"),
        *("position", "code", "gtin", "unit", "tax_rate", "tax", "discount"),
    ],
    ("chart", "data"): ["category", "series", "value"],
}

DIGESTS = {
    "invoice": "5249676cbf6ff986",
    "receipt": "40462cc83319cd87",
    "chart": "8d747a9bd6eee98c",
    "caption": "e2c7f0724ae53803",
    "transcript": "e1f8c351bd05c675",
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
    assert kinds == {"invoice": "invoice", "receipt": "receipt", "chart": "chart", "photo": "caption", "text": "transcript"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_fields_with_labels_have_them_in_all_languages(path: Path) -> None:
    template = load_template(path)
    if template.reader != "fields":
        assert not any(field.labels for field in template.fields.values())
        return
    labelled = {name: set(field.labels) for name, field in template.fields.items() if field.labels}
    for table, field in template.fields.items():
        labelled |= {f"{table}.{name}": set(column.labels) for name, column in field.columns.items() if column.labels}
    assert {name: sorted(LANGUAGES - languages) for name, languages in labelled.items() if languages < LANGUAGES} == {}
    assert "total" in labelled


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_prompt_and_schema_are_ready_for_a_model(path: Path) -> None:
    template = load_template(path)
    Draft202012Validator.check_schema(json_schema(template))
    prompt = render_prompt(template, words="WORDS {{ words }}", page=1, pages=2)
    assert all(name in prompt for name in template.fields)
    if template.reader in ("fields", "chart"):
        assert "WORDS {{ words }}" in prompt

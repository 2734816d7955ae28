"""Kinds of documents beside invoices and receipts, and what their built-in templates call the parties."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pipeline.settings import configs_folder
from pipeline.templates.load import load_template
from pipeline.templates.template import Template

PARTIES: Mapping[str, tuple[str, str]] = {
    "credit_note": ("vendor_name", "buyer_name"),
    "order": ("supplier_name", "buyer_name"),
    "quotation": ("vendor_name", "buyer_name"),
    "delivery_note": ("supplier_name", "recipient_name"),
    "bank_statement": ("", "account_holder"),
    "payslip": ("employer", ""),
    "utility_bill": ("vendor_name", "buyer_name"),
    "contract": ("", ""),
    "letter": ("sender", "recipient"),
}
"""The fields of the templates for the sender's and the recipient's name."""


@cache
def kind_template(kind: str) -> Template:
    """The built-in template of a kind."""
    return load_template(configs_folder() / "templates" / f"{kind}.yaml")


def table_name(kind: str) -> str | None:
    """The table of the template of a kind; None where it has none."""
    return next((name for name, field in kind_template(kind).fields.items() if field.type == "table"), None)

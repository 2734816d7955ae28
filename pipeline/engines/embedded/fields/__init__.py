"""Typed fields from words and layout: what the embedded engine knows about invoices, receipts and any user's template."""

from pipeline.engines.embedded.fields.field_reader import read_fields

__all__ = ["read_fields"]

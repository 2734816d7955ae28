"""Typed fields from words and layout: what the embedded engine knows about invoices, receipts and any user's template."""

from pipeline.engines.embedded.fields.field_reader import SEVERAL_DOCUMENTS, count_documents, read_documents, read_fields

__all__ = ["SEVERAL_DOCUMENTS", "count_documents", "read_documents", "read_fields"]

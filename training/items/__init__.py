"""Fits the embedded engine's reader of tables of goods (``pipeline.engines.embedded.fields.items``) to generated and real documents."""

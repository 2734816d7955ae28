"""Fits the embedded engine's choice of addresses (``pipeline.engines.embedded.fields.addresses``) to generated and real documents."""

"""Fits the embedded engine's scorer of field candidates (``pipeline.engines.embedded.fields.scorer``) to generated and real documents."""

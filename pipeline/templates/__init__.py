"""YAML templates: what to find on a page, in words for a model, and in types and labels for the embedded engine."""

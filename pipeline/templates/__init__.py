"""YAML templates: what to look for on a page, in words for a model and in types and labels for the embedded engine."""

"""Scores documents with known truth by field, compares engines and templates, and marks every miss on its page."""

"""How right the readings are: documents with known truth, scored by field, compared between engines and templates, shown on the page."""

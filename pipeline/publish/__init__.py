"""Results as files that people and spreadsheets open."""

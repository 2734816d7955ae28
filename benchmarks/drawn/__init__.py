"""Invoices and receipts of many layouts, in the languages of the templates, with what they say: for fitting and measuring."""

"""Lays the contents of a file without pages (a sheet, a letter, a web page) out on pages of our own."""

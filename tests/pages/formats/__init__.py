"""Formats without pages: each is read, and what is hostile in it costs one document."""

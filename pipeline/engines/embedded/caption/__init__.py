"""Writes a caption: one sentence on what a picture shows. ``caption_reader`` is the entry."""

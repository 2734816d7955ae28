"""Writes a transcript: a page's text in the order in which a person reads it, without running heads and feet.

``word_runs`` joins words to runs and rows, ``page_furniture`` finds what is printed around the text, ``reading_order`` puts the rest
into reading order, ``markdown_tables`` separates tables from text, ``paragraphs`` writes the text. ``transcript_reader`` is the entry.
"""

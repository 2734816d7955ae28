"""Reads charts: type, titles, data and a summary, from the words and the coloured marks of a picture.

``chart_claims`` is the entry. ``chart_reader`` finds out which marks a chart has; one module for each kind of mark reads its rows.
"""

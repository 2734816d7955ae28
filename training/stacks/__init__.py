"""Stacks of documents with known cuts: they are drawn, put together, and the search for cuts is fitted to them and measured on them."""

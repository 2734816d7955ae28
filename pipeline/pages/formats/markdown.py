"""Markdown (CommonMark with tables): headings, lists and tables as a reader of the finished page sees them."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.pages.formats.html import html_blocks
from pipeline.pages.formats.text import text_blocks
from pipeline.pages.layout.blocks import Block

MAX_NESTING = 60
"""Levels of lists and quotations. The parser drops what is deeper; a text with so many is shown as it is written."""


def markdown_blocks(text: str) -> Iterator[Block]:
    """The blocks of a text in Markdown."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    tokens = parser.parse(text)
    if any(token.level >= MAX_NESTING - 2 for token in tokens):
        return text_blocks(text)
    return html_blocks(f"<html><body>{parser.renderer.render(tokens, parser.options, {})}</body></html>")

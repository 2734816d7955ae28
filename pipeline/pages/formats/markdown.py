"""Markdown (CommonMark with tables): headings, lists and tables as a reader of the finished page sees them."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.pages.formats.html import html_blocks
from pipeline.pages.layout.blocks import Block

MAX_NESTING = 20
"""Levels of lists and quotations; deeper ones are text."""


def markdown_blocks(text: str) -> Iterator[Block]:
    """The blocks of a text in Markdown."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    return html_blocks(f"<html><body>{parser.render(text)}</body></html>")

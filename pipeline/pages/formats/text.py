"""Plain text: each line stands as it is written, in letters of equal width."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.pages.layout.blocks import Block, PageBreak, Paragraph, Run

SIZES = ((82, 10.0), (103, 8.0), (118, 7.0))
"""Longest lines, in letters, that fit on a page with letters of these sizes; longer ones are wrapped."""
PROBED_LINES = 2_000
WRAPPED_LINE = 118
"""A text with longer lines has one paragraph on each, as editors that wrap write it."""


def text_blocks(text: str) -> Iterator[Block]:
    """The lines of a text. A form feed begins a new page."""
    lengths = sorted(len(line.expandtabs()) for line in text[: PROBED_LINES * 200].splitlines()[:PROBED_LINES])
    longest = lengths[-1 - len(lengths) // 100] if lengths else 0  # one line in a hundred may be longer
    size = next((size for most, size in SIZES if longest <= most), 10.0)
    number = 0
    for page_number, page in enumerate(text.split("\f")):
        if page_number:
            yield PageBreak()
        for line in page.splitlines():
            number += 1
            yield Paragraph((Run(line),), f"line {number}", size, space=0.0, fixed=longest <= WRAPPED_LINE)

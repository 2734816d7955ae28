"""Draws pages for these tests."""

from __future__ import annotations

from collections.abc import Iterable

import pymupdf

from pipeline.records import PageImage, Word

LETTER_LINES = [
    "Northwind Traders Ltd",
    "Delivery note 4711 of 12 March 2024",
    "We thank you for your order and deliver as agreed:",
    "12 boxes of printing paper at 3.95 each",
    "7 rolls of packing tape, brown, 66 metres",
    "Please check the goods on arrival and tell us of any damage within five days.",
    "The amount of 1,234.56 EUR is payable by the end of the month.",
    "Kind regards from the warehouse",
]


def page_with(
    lines: Iterable[tuple[float, float, str]], size: float = 11, width: float = 420, height: float = 400
) -> pymupdf.Page:
    """A page with texts at (x, baseline)."""
    page = pymupdf.open().new_page(width=width, height=height)
    for x, y, text in lines:
        page.insert_text((x, y), text, fontsize=size)
    return page


def letter() -> pymupdf.Page:
    """An ordinary page of text."""
    return page_with((40, 60 + 30 * n, line) for n, line in enumerate(LETTER_LINES))


def picture(page: pymupdf.Page, dpi: int = 150, turn: int = 0) -> PageImage:
    """The page as pixels, turned clockwise by ``turn`` degrees."""
    page.set_rotation(turn)
    pixels = page.get_pixmap(dpi=dpi)
    return PageImage(pixels.width, pixels.height, bytes(pixels.samples), dpi / 72)


def pdf_bytes(page: pymupdf.Page) -> bytes:
    """The page's document as a file."""
    return bytes(page.parent.tobytes())


def texts(words: Iterable[Word]) -> list[str]:
    """The printed lines, words joined by blanks."""
    lines: dict[int, list[str]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word.text)
    return [" ".join(line) for line in lines.values()]


def word(text: str, x: float = 0, y: float = 0, line: int = 0, size: float = 10) -> Word:
    """A word whose letters are half as wide as tall."""
    return Word(text, (x, y, x + len(text) * size / 2, y + size), line, size=size)

"""A file without pages of its own as a document: words with their places in the file, and pages drawn from the same layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.errors import DocumentError
from pipeline.pages.layout.blocks import Block
from pipeline.pages.layout.fonts import ASCENT, DESCENT, base_font, font, font_for
from pipeline.pages.layout.lines import PlacedWord
from pipeline.pages.layout.pages import LaidOutPage, lay_out
from pipeline.pages.protocol import Size
from pipeline.records import Box, PageImage, Word
from pipeline.runtime.pymupdf_import import pymupdf

SAME_LINE = 0.35
"""Share of the font size by which the baselines of one line may differ."""
RULE_GREY, RULE_WIDTH = 0.75, 0.4


class LaidOutDocument:
    """The pages of ``blocks``; the last one raises ``too_large`` where the file has more than ``max_words`` words."""

    def __init__(self, kind: str, blocks: Iterable[Block], max_words: int) -> None:
        self.kind = kind
        laid_out = lay_out(blocks, max_words)
        self._pages, self._rest = laid_out.pages, laid_out.rest
        self.remarks = tuple(laid_out.remarks)
        """What was left out on purpose, in words."""
        self.pages = len(self._pages) + (self._rest is not None)

    def words(self, number: int) -> list[Word]:
        """The words of a page in reading order, each with its place in the file. Raises DocumentError for the rest of a long file."""
        return [_word(word, number) for number, line in enumerate(_lines(self._page(number).words)) for word in line]

    def size(self, number: int) -> Size:
        """The page's size in points."""
        page = self._page(number)
        return Size(page.width, page.height)

    def native_scale(self, number: int) -> float | None:
        """None: no page is a scan."""

    def draw(self, number: int, scale: float) -> PageImage:
        """The page in RGB on white."""
        page = self._page(number)
        document = pymupdf.open()
        try:
            pixmap = _drawn(document, page).get_pixmap(
                matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False
            )
        finally:
            document.close()
        return PageImage(pixmap.width, pixmap.height, bytes(pixmap.samples), scale)

    def loss_warning(self, number: int) -> str:
        """Empty: a page without words is blank."""
        del number
        return ""

    def native_page(self, number: int) -> Any:
        """None: there is no library's page."""

    def image_boxes(self, number: int) -> list[Box]:
        """None: pictures in a file are documents of their own."""
        del number
        return []

    def close(self) -> None:
        """Nothing is held open."""

    def _page(self, number: int) -> LaidOutPage:
        if number > len(self._pages) and self._rest:
            raise self._rest
        return self._pages[number - 1]


def _lines(words: Iterable[PlacedWord]) -> Iterator[list[PlacedWord]]:
    """The words of a page by line, top to bottom; letters of different sizes side by side stand a little above each other."""
    line: list[PlacedWord] = []
    for word in sorted(words, key=lambda each: each.base):
        if line and word.base - line[0].base > SAME_LINE * min(word.size, line[0].size):
            yield sorted(line, key=lambda each: each.order)
            line = []
        line.append(word)
    if line:
        yield sorted(line, key=lambda each: each.order)


def _word(word: PlacedWord, line: int) -> Word:
    box = (
        round(word.x0, 2),
        round(word.base - ASCENT * word.size, 2),
        round(word.x1, 2),
        round(word.base + DESCENT * word.size, 2),
    )
    return Word(word.text, box, line, source="file", size=word.size, bold=word.bold, place=word.place)


def _drawn(document: Any, page: LaidOutPage) -> Any:
    """The page in a PDF of its own."""
    sheet = document.new_page(width=page.width, height=page.height)
    writer = pymupdf.TextWriter(sheet.rect)
    for x0, y0, x1, y1 in page.rules:
        sheet.draw_line((x0, y0), (x1, y1), color=(RULE_GREY,) * 3, width=RULE_WIDTH)
    others = []
    for word in page.words:
        name = font_for(word.text, bold=word.bold, fixed=word.fixed)
        if name:
            writer.append((word.x0, word.base), word.text, font=font(name), fontsize=word.size)
        else:
            others.append(word)
    writer.write_text(sheet)
    for word in others:
        _draw_by_html(sheet, word)
    return sheet


def _draw_by_html(sheet: Any, word: PlacedWord) -> None:
    """A word with letters that are joined or reordered, or that the fonts lack, fitted into its box."""
    box = pymupdf.Rect(word.x0, word.base - 1.1 * word.size, word.x1 + 1.0, word.base + 0.5 * word.size)
    text = word.text.replace("&", "&amp;").replace("<", "&lt;")
    weight = "bold" if word.bold else "normal"
    family = "monospace" if base_font(bold=False, fixed=word.fixed) == "cour" else "sans-serif"
    style = f"font-size:{word.size}px;font-weight:{weight};font-family:{family};white-space:nowrap;margin:0;line-height:1.2"
    try:
        sheet.insert_htmlbox(box, f'<p style="{style}">{text}</p>', scale_low=0)
    except DocumentError:
        raise
    except Exception:  # a word that cannot be drawn is still read
        return

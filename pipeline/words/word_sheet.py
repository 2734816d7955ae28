"""Draws the words of a page as a PDF page of its own, for the layout network, which reads lines of text from a PDF and pixels beside it.

So the network sees scans and born-digital pages alike: the words as they were read, in their places, and the page as it looks. It sees
nothing of the file itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.records import PageImage, Word
from pipeline.runtime.pymupdf_import import pymupdf

WORD_GAP = 1.1
"""A gap wider than this many line heights separates two texts of a line."""
FONT_SHARE = 0.78
"""Font size as a share of the height of a word's box."""
DESCENT = 0.22
"""Height of the baseline above the lower edge of a word's box, as a share of its height."""
PLAIN, BOLD = "helv", "hebo"


class WordSheet:
    """A page of a PDF in memory with these words and these pixels. It has the methods of PyMuPDF's page that the network calls."""

    def __init__(self, words: Sequence[Word], image: PageImage, width: float, height: float) -> None:
        self._document = pymupdf.open()
        self._page = self._document.new_page(width=width, height=height)
        for name in (PLAIN, BOLD):
            self._page.insert_text((0, -100), "x", fontname=name)  # the fonts become resources of the page
        drawing = "\n".join(_operators(line, words, height) for line in text_lines(words))
        self._document.update_stream(self._page.get_contents()[0], drawing.encode("latin-1"))
        for xref in self._page.get_contents()[1:]:
            self._document.update_stream(xref, b" ")
        self._pixmap = pymupdf.Pixmap(pymupdf.csRGB, image.width, image.height, image.rgb, False)

    def get_pixmap(self, *_arguments: object, **_options: object) -> Any:
        """The page as it looks."""
        return self._pixmap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._page, name)

    def close(self) -> None:
        """Free the page."""
        self._document.close()


def text_lines(words: Sequence[Word]) -> Iterable[list[int]]:
    """The indices of the words of each line; a wide gap ends it, too. Blank words are left out."""
    line: list[int] = []
    for number, word in enumerate(words):
        if not word.text.strip():
            continue
        if line and not _continues(words[line[-1]], word):
            yield line
            line = []
        line.append(number)
    if line:
        yield line


def _continues(last: Word, word: Word) -> bool:
    height = min(last.box[3] - last.box[1], word.box[3] - word.box[1])
    gap = word.box[0] - last.box[2]
    return last.line == word.line and -height < gap < WORD_GAP * height


def _operators(line: Sequence[int], words: Sequence[Word], height: float) -> str:
    """The line in PDF's language, as wide and as high as it is printed."""
    x0, x1 = words[line[0]].box[0], words[line[-1]].box[2]
    y0 = min(words[number].box[1] for number in line)
    y1 = max(words[number].box[3] for number in line)
    text = _letters(" ".join(words[number].text for number in line))
    font = BOLD if all(words[number].bold for number in line) else PLAIN
    size = max(1.0, FONT_SHARE * (y1 - y0))
    natural = pymupdf.get_text_length(text, font, size) or 1.0
    stretch = min(1000.0, max(1.0, 100 * (x1 - x0) / natural))
    base = height - y1 + DESCENT * (y1 - y0)
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /{font} {size:.2f} Tf {stretch:.1f} Tz 1 0 0 1 {x0:.2f} {base:.2f} Tm ({escaped}) Tj ET"


def _letters(text: str) -> str:
    """The text in letters of ASCII. The network looks at kinds of letters, not at words."""
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if " " <= letter <= "~":
        return letter
    if letter.isdigit():
        return "0"
    if letter.isalpha():
        return "X" if letter.isupper() else "x"
    return " " if letter.isspace() else "-"

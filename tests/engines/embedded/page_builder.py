"""A sheet to draw charts and pictures on. It keeps every word with its box, as a text layer does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pipeline.records import Page, PageImage, Word
from pipeline.templates.load import load_template
from pipeline.templates.template import Template

TEMPLATES = Path(__file__).parents[3] / "configs" / "templates"
BLUE, RED, GREEN, GOLD = (46, 106, 168), (196, 66, 48), (62, 142, 82), (222, 172, 40)
Colour = tuple[int, int, int]


def template(name: str) -> Template:
    """A built-in template."""
    return load_template(TEMPLATES / f"{name}.yaml")


class Sheet:
    """White paper of some pixels; one pixel is one point."""

    def __init__(self, width: int = 640, height: int = 480, paper: Colour = (255, 255, 255)) -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)
        self.words: list[Word] = []
        self.lines = 0

    def text(self, x: float, y: float, text: str, size: float = 14, anchor: str = "lm", ink: Colour = (40, 40, 40)) -> None:
        """A line of text at an anchor as in Pillow: l, m or r, then t, m or b."""
        font = ImageFont.load_default(size)
        width = font.getlength(text)
        left = x - {"l": 0.0, "m": width / 2, "r": width}[anchor[0]]
        self.draw.text((x, y), text, ink, font, anchor)
        for word, start in _starts(text):
            x0 = left + font.getlength(text[:start])
            _, y0, x1, y1 = self.draw.textbbox((x0, y), word, font, f"l{anchor[1]}")
            self.words.append(Word(word, (x0, y0 - 1, x1, y1 + 1), self.lines, size=size))
        self.lines += 1

    def turned(self, x: float, y: float, text: str, size: float = 14) -> None:
        """A line of text running upwards, centred at a place."""
        font = ImageFont.load_default(size)
        length = round(font.getlength(text))
        strip = Image.new("RGB", (length + 4, round(size * 1.5)), (255, 255, 255))
        ImageDraw.Draw(strip).text((2, strip.height / 2), text, (40, 40, 40), font, "lm")
        self.image.paste(strip.rotate(90, expand=True), (round(x - strip.height / 2), round(y - strip.width / 2)))
        bottom = y + length / 2
        for word, start in _starts(text):
            low = bottom - font.getlength(text[:start])
            self.words.append(Word(word, (x - size / 2, low - font.getlength(word), x + size / 2, low), self.lines, size=size))
        self.lines += 1

    def page(self) -> Page:
        """The words, as a page with a text layer."""
        return Page(1, self.image.width, self.image.height, tuple(self.words), "textlayer" if self.words else None)

    def pixels(self) -> PageImage:
        """The picture."""
        return PageImage(self.image.width, self.image.height, self.image.tobytes(), 1.0)


def _starts(text: str) -> Sequence[tuple[str, int]]:
    starts, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        starts.append((word, at))
        at += len(word)
    return starts

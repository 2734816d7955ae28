"""A sheet of paper to set text on, as a PDF with a text layer or as the scan of its print."""

from __future__ import annotations

import io
import random
from typing import Literal

import pymupdf
from PIL import Image

from examples.pictures import as_scan

Align = Literal["left", "right", "centre"]
FONTS = (("helv", "hebo"), ("tiro", "tibo"), ("cour", "cobo"))
"""Regular and bold of the built-in families."""


class Sheet:
    """Text on a page of some points; ``family`` is an index into ``FONTS``, -1 a font with Chinese letters."""

    def __init__(self, width: float, height: float, family: int) -> None:
        names = FONTS[family] if family >= 0 else ("cjk", "cjk")
        self._fonts = [pymupdf.Font(name) for name in names]
        self._document = pymupdf.open()
        self._page = self._document.new_page(width=width, height=height)
        self.width, self.height = width, height

    def text(self, x: float, y: float, text: str, size: float = 10, align: Align = "left", bold: bool = False) -> None:
        """One line; ``y`` is its base line, ``x`` its left end, right end or middle."""
        font = self._fonts[bold]
        length = font.text_length(text, size)
        left = x - {"left": 0.0, "right": length, "centre": length / 2}[align]
        writer = pymupdf.TextWriter(self._page.rect)
        writer.append((left, y), text, font=font, fontsize=size)
        writer.write_text(self._page)

    def length(self, text: str, size: float) -> float:
        """Points that a bold line takes."""
        return float(self._fonts[1].text_length(text, size))

    def rule(self, x0: float, x1: float, y: float) -> None:
        """A thin line across."""
        self._page.draw_line((x0, y), (x1, y), width=0.5)

    def pdf(self, bottom: float | None = None) -> bytes:
        """The sheet, cut off below ``bottom``."""
        if bottom:
            self._page.set_cropbox(pymupdf.Rect(0, 0, self.width, bottom))
        return bytes(self._document.tobytes(garbage=3, deflate=True))

    def scan(self, chance: random.Random, bottom: float | None = None) -> bytes:
        """A JPEG of the sheet as a scanner or a telephone records it: coarser, askew, blurred, noisy."""
        if bottom:
            self._page.set_cropbox(pymupdf.Rect(0, 0, self.width, bottom))
        pixels = self._page.get_pixmap(dpi=chance.choice((100, 120, 150, 200)))
        sheet = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
        scanned = as_scan(
            sheet,
            angle=chance.uniform(-1.5, 1.5),
            blur=chance.uniform(0.2, 1.1),
            noise=chance.choice((2, 5, 9)),
            seed=chance.randrange(1 << 30),
        )
        buffer = io.BytesIO()
        scanned.convert("RGB").save(buffer, "JPEG", quality=chance.choice((45, 70, 85)))
        return buffer.getvalue()

"""Draws documents with Chromium: many at once, each as a PDF of its own, with the boxes of all marks in points."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pymupdf
from playwright.sync_api import Browser, Page, sync_playwright

from training.generator.document import Document
from training.generator.logos import picture

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
POINTS = 0.75
"""Points in a CSS pixel."""
FOLDER = Path(__file__).parent
_PICTURE = re.compile(r'<img data-picture="([^"]*)" data-p="([^"]*)" data-hue="(\d+)" data-size="(\d+)"')
_CODE = re.compile(r'<svg data-code="(\d+)" width="(\d+)" height="(\d+)"></svg>')

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Mark:
    """One printed place: kind (``f`` field, ``i`` cell, ``h`` heading, ``l`` label, ``b`` block, ``p`` picture), name, text, boxes by line."""

    kind: str
    name: str
    text: str
    page: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Drawn:
    """A document as drawn: its PDF, the size of each page in points, the marks. ``clipped``: something does not fit its page."""

    pdf: bytes
    sizes: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    clipped: bool


def find_browser() -> str | None:
    """The path of Chromium: the variable CHROMIUM, else the one installed; None without any."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


def cjk_font() -> str:
    """CSS with the font of PyMuPDF for Chinese, Japanese and Korean, for machines that have none."""
    font = pymupdf.Font("cjk")
    data = base64.b64encode(font.buffer).decode()
    return f"@font-face{{font-family:'Droid Sans Fallback';src:url(data:font/ttf;base64,{data})}}"


class Renderer:
    """Draws documents in one page of a browser."""

    def __init__(self, browser: Browser) -> None:
        self._page: Page = browser.new_page(viewport={"width": 1200, "height": 1200}, java_script_enabled=True)
        self._page.emulate_media(media="print")
        self._style = (FOLDER / "layout.css").read_text(encoding="utf-8") + cjk_font()
        self._script = (FOLDER / "layout.js").read_text(encoding="utf-8")

    def draw(self, documents: Sequence[Document]) -> list[Drawn]:
        """Each document drawn, in the order given."""
        body = "".join(_with_pictures(document.html) for document in documents)
        self._page.set_content(
            f"<!doctype html><html><head><meta charset=utf-8><style>{self._style}</style></head><body>{body}</body></html>"
        )
        self._page.evaluate(self._script)
        laid_out: list[list[dict[str, Any]]] = self._page.evaluate("layOut()")
        pdf = self._page.pdf(prefer_css_page_size=True, print_background=True)
        with pymupdf.open(stream=pdf) as whole:
            drawn, first = [], 0
            for pages in laid_out:
                last = first + len(pages) - 1
                drawn.append(
                    Drawn(
                        _cut(whole, first, last),
                        _sizes(whole, first, last),
                        _marks(pages),
                        any(page["clipped"] for page in pages),
                    )
                )
                first = last + 1
            if first != whole.page_count:
                message = f"the browser printed {whole.page_count} pages for {first}"
                raise RuntimeError(message)
        return drawn


@contextmanager
def open_renderer() -> Iterator[Renderer]:
    """A renderer with a browser of its own. Raises RuntimeError where there is no Chromium."""
    program = find_browser()
    if program is None:
        message = "no Chromium here: install the package chromium, or name one in the variable CHROMIUM"
        raise RuntimeError(message)
    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        yield Renderer(browser)
        browser.close()


def _sizes(pdf: Any, first: int, last: int) -> tuple[tuple[float, float], ...]:
    return tuple((pdf[at].rect.width, pdf[at].rect.height) for at in range(first, last + 1))


def _cut(pdf: Any, first: int, last: int) -> bytes:
    part = pymupdf.open()
    part.insert_pdf(pdf, from_page=first, to_page=last)
    data: bytes = part.tobytes(garbage=1, deflate=True, no_new_id=True)
    part.close()
    return data


def _marks(pages: list[dict[str, Any]]) -> tuple[Mark, ...]:
    marks = []
    for number, page in enumerate(pages, 1):
        for kind, name, text, boxes in page["marks"]:
            scaled = tuple(
                (round(b[0] * POINTS, 2), round(b[1] * POINTS, 2), round(b[2] * POINTS, 2), round(b[3] * POINTS, 2))
                for b in boxes
            )
            marks.append(Mark(kind, name, " ".join(text.split()), number, scaled))
    return tuple(marks)


def _with_pictures(html: str) -> str:
    def logo(match: re.Match[str]) -> str:
        source = picture(unescape(match[1]), int(match[4]), int(match[3]))
        return f'<img data-p="{match[2]}" height="{int(int(match[4]) * 1.2)}" src="{source}"'

    return _CODE.sub(_code, _PICTURE.sub(logo, html))


def _code(match: re.Match[str]) -> str:
    """Squares that look like a QR code and say nothing."""
    import random

    rng, size, cells = random.Random(int(match[1])), int(match[2]), 25
    corners = [(0, 0), (18, 0), (0, 18)]

    def dark(x: int, y: int) -> bool:
        for left, top in corners:
            if left <= x < left + 7 and top <= y < top + 7:
                ring = max(abs(x - left - 3), abs(y - top - 3))
                return ring in {0, 1, 3}
        return rng.random() < 0.48

    squares = "".join(f"M{x} {y}h1v1h-1z" for y in range(cells) for x in range(cells) if dark(x, y))
    return f'<svg width="{size}" height="{match[3]}" viewBox="0 0 {cells} {cells}" shape-rendering="crispEdges"><path d="{squares}"/></svg>'

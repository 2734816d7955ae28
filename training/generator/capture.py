"""Turns a drawn document into the pictures that its medium gives, with the boxes where the camera or scanner sees them."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymupdf
from PIL import Image

from training.generator.browser import Drawn
from training.generator.choices import draw
from training.generator.damage import Capture, photograph, scan
from training.generator.make import Medium
from training.generator.warp import Pixels, move_box

POINTS_PER_INCH = 72


@dataclass(frozen=True)
class Captured:
    """A file and its marks. Boxes are in points of the file's pages: pixels where an image states no resolution."""

    data: bytes
    suffix: str
    drawn: Drawn
    steps: tuple[str, ...]


def capture(drawn: Drawn, medium: Medium, rng: random.Random, *, slip: bool) -> Captured:
    """The file of the document: the PDF as it is, else an image, or a PDF of images for several pages and some scans."""
    if medium == "digital":
        return Captured(drawn.pdf, ".pdf", drawn, ())
    pages = _pixels(drawn, medium, rng, slip=slip)
    dpi = [72 * page.shape[1] / width for page, (width, _) in zip(pages, drawn.sizes, strict=True)]
    captures = [(scan if medium == "scan" else photograph)(page, rng, slip=slip) for page in pages]
    if len(captures) > 1 or (medium == "scan" and rng.random() < 0.55):
        data, suffix, scales = _as_pdf(captures, dpi), ".pdf", [72 / one for one in dpi]
    else:
        data, suffix, scales = _as_image(captures[0], dpi[0], medium, rng)
    sizes = tuple(
        (shot.pixels.shape[1] * scale, shot.pixels.shape[0] * scale) for shot, scale in zip(captures, scales, strict=True)
    )
    marks = []
    for mark in drawn.marks:
        shot, scale = captures[mark.page - 1], scales[mark.page - 1]
        pixels = [move_box(box, dpi[mark.page - 1] / 72, shot.move) for box in mark.boxes]
        marks.append(
            replace(
                mark,
                boxes=tuple(
                    (round(b[0] * scale, 2), round(b[1] * scale, 2), round(b[2] * scale, 2), round(b[3] * scale, 2))
                    for b in pixels
                ),
            )
        )
    steps = tuple(dict.fromkeys(step for shot in captures for step in shot.steps))
    return Captured(data, suffix, replace(drawn, sizes=sizes, marks=tuple(marks)), steps)


def _pixels(drawn: Drawn, medium: Medium, rng: random.Random, *, slip: bool) -> list[Pixels]:
    dpi = (
        draw(rng, {200: 4, 150: 3, 300: 2, 100: 1, 120: 1})
        if medium == "scan"
        else draw(rng, {150: 3, 200: 3, 120: 1.5, 100: 0.7})
    )
    if slip:
        dpi = int(dpi * 1.2)
    pages = []
    with pymupdf.open(stream=drawn.pdf) as pdf:
        for page in pdf:
            limit = (16_000_000 / (page.rect.width * page.rect.height)) ** 0.5 * 72
            drawn_page = page.get_pixmap(dpi=int(min(dpi, limit)), alpha=False)
            pages.append(np.frombuffer(drawn_page.samples, np.uint8).reshape(drawn_page.height, drawn_page.width, 3))
    return pages


def _encoded(shot: Capture, form: str, **more: Any) -> bytes:
    image = Image.fromarray(shot.pixels)
    if shot.grey:
        image = image.convert("L")
    data = io.BytesIO()
    image.save(data, form, **({"quality": shot.quality} if form == "JPEG" else {}), **more)
    return data.getvalue()


def _as_pdf(captures: list[Capture], dpi: list[float]) -> bytes:
    pdf = pymupdf.open()
    for shot, one in zip(captures, dpi, strict=True):
        height, width = shot.pixels.shape[:2]
        page = pdf.new_page(width=width * 72 / one, height=height * 72 / one)
        page.insert_image(page.rect, stream=_encoded(shot, "JPEG"))
    data: bytes = pdf.tobytes(no_new_id=True)
    pdf.close()
    return data


def _as_image(shot: Capture, dpi: float, medium: Medium, rng: random.Random) -> tuple[bytes, str, list[float]]:
    states = medium == "scan" and rng.random() < 0.6
    more = {"dpi": (round(dpi), round(dpi))} if states else {}
    scale = POINTS_PER_INCH / round(dpi) if states else 1.0
    if medium == "scan" and rng.random() < 0.35:
        return _encoded(shot, "PNG", **more), ".png", [scale]
    return _encoded(shot, "JPEG", **more), ".jpg", [scale]

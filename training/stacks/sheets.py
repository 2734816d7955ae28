"""Draws sheets with several till slips each, as they lie on a scanner: straight or at an angle, apart, touching, or overlapping a little."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pymupdf
from PIL import Image

from training.generator.browser import Drawn, Renderer
from training.generator.make import make_document

LANGUAGES = ("en", "de", "fr", "es")
WIDTH, HEIGHT = 595.0, 842.0
"""A4 in points."""
EDGE = 8.0
"""Of the sheet, in points."""
GAPS = (-5.0, 3.0, 10.0, 25.0)
"""White between the papers of two slips, in points; below 0 one covers the edge of the other."""
RESOLUTIONS = (100, 150, 200, 300)
BATCH = 12


@dataclass(frozen=True, slots=True)
class _Slip:
    pdf: bytes
    width: float
    height: float
    total: str


def draw_sheets(out: Path, count: int, seed: int, most_degrees: float, renderer: Renderer) -> int:
    """Draws ``count`` scans and ``sheets.jsonl`` with the totals on each. Returns how many slips there are."""
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"sheets {seed} {most_degrees}")
    slips = _slips(seed, renderer)
    pool: list[_Slip] = []
    lines, made = [], 0
    for number in range(count):
        columns = rng.choice([(1, 1), (1, 1, 1), (1, 2), (2, 2)])
        picture, placed = _sheet(columns, slips, pool, rng.choice(RESOLUTIONS), most_degrees, rng)
        name = f"sheet-{number:02}.jpg"
        picture[0].save(out / name, quality=80, dpi=(picture[1], picture[1]))
        lines.append(json.dumps({"file": name, "dpi": picture[1], "totals": [slip.total for slip in placed]}))
        made += len(placed)
    (out / "sheets.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def _slips(seed: int, renderer: Renderer) -> Iterator[_Slip]:
    """Slips without end, of one till after the other; each prints its date and total."""
    number = 0
    while True:
        documents = [make_document("receipt", seed, at, LANGUAGES) for at in range(number, number + BATCH)]
        number += BATCH
        for document, drawn in zip(documents, renderer.draw(documents), strict=True):
            if "slip" in document.structure and len(drawn.sizes) == 1 and {"date", "total"} <= _printed(drawn):
                yield _Slip(drawn.pdf, *drawn.sizes[0], document.values["total"])


def _printed(drawn: Drawn) -> set[str]:
    return {mark.name for mark in drawn.marks if mark.kind == "f"}


def _sheet(
    columns: Sequence[int], slips: Iterator[_Slip], pool: list[_Slip], dpi: int, most_degrees: float, rng: random.Random
) -> tuple[tuple[Image.Image, int], list[_Slip]]:
    """A sheet with so many slips in each column, and its resolution; slips that are too large wait in the pool."""
    scale = dpi / 72
    sheet = Image.new("RGB", (round(WIDTH * scale), round(HEIGHT * scale)), "white")
    placed: list[_Slip] = []
    left = EDGE
    for at, rows in enumerate(columns):
        top, widest = EDGE + rng.uniform(0, 20), 0.0
        room = (WIDTH - EDGE - left) / (len(columns) - at)
        for row in range(rows):
            slip = _fitting(room, (HEIGHT - EDGE - top) / (rows - row), slips, pool)
            turned = _turned(slip, dpi, rng.uniform(-most_degrees, most_degrees))
            sheet.paste(turned, (round(left * scale), round(top * scale)), turned)
            top += turned.height / scale + rng.choice(GAPS)
            widest = max(widest, turned.width / scale)
            placed.append(slip)
        left += widest + rng.choice(GAPS)
    return (sheet, dpi), placed


def _fitting(width: float, height: float, slips: Iterator[_Slip], pool: list[_Slip]) -> _Slip:
    """The next slip that has room, with some for its angle."""
    for slip in pool:
        if slip.width * 1.06 <= width and slip.height * 1.04 <= height:
            pool.remove(slip)
            return slip
    for slip in slips:
        if slip.width * 1.06 <= width and slip.height * 1.04 <= height:
            return slip
        pool.append(slip)
    raise AssertionError


def _turned(slip: _Slip, dpi: int, degrees: float) -> Image.Image:
    """The slip as a picture with transparent corners."""
    with pymupdf.open(stream=slip.pdf) as pdf:
        pixels = pdf[0].get_pixmap(dpi=dpi, alpha=False, colorspace=pymupdf.csRGB)
    picture = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples).convert("RGBA")
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True)

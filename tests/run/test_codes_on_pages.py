"""Codes on pages: in the drawing or a picture of a PDF, on a scan, turned, searchable; what they cost pages without any."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pytest
import zxingcpp
from numpy.typing import NDArray
from PIL import Image

from pipeline.records import Page, PageImage
from pipeline.words import barcodes
from pipeline.words.codes.read_codes import facts_of_codes
from tests.words.test_codes import EXAMPLES

from .test_page_reader import read, write

LINES = ["Kelp Farm Ltd.", "Invoice K-77", "Date 31.05.2024", "Four boxes of dried kelp and two of salt", "Total     24,00 EUR"]


def modules(text: str, kind: zxingcpp.BarcodeFormat = zxingcpp.BarcodeFormat.QRCode) -> NDArray[np.bool_]:
    """The dark modules of a code."""
    drawn: Any = zxingcpp.create_barcode(text, kind).to_image(scale=1, add_quiet_zones=False)
    dark: NDArray[np.bool_] = np.asarray(drawn, np.uint8) == 0
    return dark


def picture(dark: NDArray[np.bool_], scale: int = 6) -> bytes:
    """A code as PNG with its quiet zone."""
    grey = np.where(np.kron(np.pad(dark, 4), np.ones((scale, scale))) > 0, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "PNG")
    return out.getvalue()


LETTER = [*LINES, *["We thank you for the order of kelp and salt and ask you to pay with this code"] * 14]


def pdf_with_code(text: str, how: str, lines: Sequence[str] = LINES) -> bytes:
    """An invoice with a code: as a picture, as one path, as a path for each module, or one for each row of modules."""
    dark = modules(text)
    with pymupdf.open() as document:
        page = document.new_page()
        for number, line in enumerate(lines):
            page.insert_text((72, 72 + 24 * number), line, fontsize=12)
        side = 100 / len(dark)
        place = pymupdf.Rect(380, 560, 480, 560 + side * len(dark))
        if how == "picture":
            page.insert_image(place, stream=picture(dark))
        else:
            shape = page.new_shape()
            for y, x in zip(*np.nonzero(dark), strict=True):
                left, top = place.x0 + side * float(x), place.y0 + side * float(y)
                shape.draw_rect(pymupdf.Rect(left, top, left + side, top + side))
                if how == "squares":
                    shape.finish(fill=(0, 0, 0), color=None, width=0)
            if how == "path":
                shape.finish(fill=(0, 0, 0), color=None, width=0)
            shape.commit()
        return bytes(document.tobytes())


def scan(pdf: bytes, *, dpi: int = 200, degrees: int = 0, searchable: bool = False) -> bytes:
    """The first page of a PDF as a picture in a PDF, with its text beneath it where it is searchable."""
    with pymupdf.open(stream=pdf) as document, pymupdf.open() as scanned:
        page = document[0]
        drawn = page.get_pixmap(dpi=dpi)
        image = Image.frombytes("RGB", (drawn.width, drawn.height), drawn.samples).rotate(
            degrees, expand=True, fillcolor="white"
        )
        out = io.BytesIO()
        image.save(out, "JPEG", quality=85)
        new = scanned.new_page(width=image.width * 72 / dpi, height=image.height * 72 / dpi)
        new.insert_image(new.rect, stream=out.getvalue())
        if searchable:
            for number, line in enumerate(LETTER):
                new.insert_text((72, 72 + 24 * number), line, fontsize=12, render_mode=3)
        return bytes(scanned.tobytes())


def read_pdf(folder: Path, content: bytes, **changes: Any) -> Page:
    return read(write(folder, "a.pdf", content), **changes)[0]


EPC = EXAMPLES["EPC"][0]


@pytest.mark.parametrize("how", ["picture", "path", "squares"])
def test_a_code_of_a_born_digital_page_is_read_with_its_place(tmp_path: Path, how: str) -> None:
    page = read_pdf(tmp_path, pdf_with_code(EPC, how))
    assert page.source == "textlayer"
    (code,) = page.codes
    assert code.standard == "EPC"
    assert code.facts["BT-84"] == "BE72000000001616"
    assert code.box == pytest.approx((380, 560, 480, 660), abs=14)


@pytest.mark.parametrize("standard", [name for name in EXAMPLES if name != "HUB 3"])
def test_codes_of_every_standard_are_read_from_text_layer_pages(tmp_path: Path, standard: str) -> None:
    page = read_pdf(tmp_path, pdf_with_code(EXAMPLES[standard][0], "picture"))
    assert [code.standard for code in page.codes] == [standard]


@pytest.mark.parametrize("standard", list(EXAMPLES))
def test_codes_of_every_standard_are_read_from_scans(standard: str) -> None:
    text, _ = EXAMPLES[standard]
    if standard == "HUB 3":
        dark = modules(text, zxingcpp.BarcodeFormat.PDF417)
        paper = Image.new("RGB", (1654, 2339), "white")
        code = Image.open(io.BytesIO(picture(dark, 3)))
        paper.paste(code, (200, 1800))
    else:
        with pymupdf.open(stream=pdf_with_code(text, "picture")) as document:
            drawn = document[0].get_pixmap(dpi=200)
            paper = Image.frombytes("RGB", (drawn.width, drawn.height), drawn.samples)
    noise = np.random.default_rng(7).normal(0, 4 if standard == "HUB 3" else 12, (paper.height, paper.width, 3))
    grainy = np.clip(np.asarray(paper).astype(float) * 0.8 + 30 + noise, 0, 255).astype(np.uint8)
    image = PageImage(paper.width, paper.height, grainy.tobytes(), 200 / 72)

    assert [code.standard for code in facts_of_codes(barcodes.read_barcodes(image, of_data=True))] == [standard]


def test_a_code_of_a_scan_that_lies_on_its_side_has_its_place_on_the_upright_page(tmp_path: Path) -> None:
    page = read_pdf(tmp_path, scan(pdf_with_code(EPC, "picture"), degrees=90))
    assert page.source == "ocr"
    (code,) = page.codes
    assert code.box == pytest.approx((380, 560, 480, 660), abs=14)


def test_a_code_of_a_searchable_scan_is_read(tmp_path: Path) -> None:
    page = read_pdf(tmp_path, scan(pdf_with_code(EPC, "picture", LETTER), searchable=True))
    assert page.source == "textlayer"
    assert [code.standard for code in page.codes] == ["EPC"]


def test_codes_are_left_alone_where_the_settings_say_so(tmp_path: Path) -> None:
    assert read_pdf(tmp_path, pdf_with_code(EPC, "picture"), codes=False).codes == ()


def test_a_page_without_square_pictures_or_drawings_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched = []

    def note(grey: object, *_: str) -> list[object]:
        searched.append(grey)
        return []

    monkeypatch.setattr(barcodes, "_decode", note)
    with pymupdf.open() as document:
        page = document.new_page()
        for number, line in enumerate(LINES):
            page.insert_text((72, 72 + 24 * number), line, fontsize=12)
            page.draw_rect(pymupdf.Rect(60, 60 + 24 * number, 540, 80 + 24 * number))
        content = bytes(document.tobytes())
    assert read_pdf(tmp_path, content).source == "textlayer"
    assert searched == []

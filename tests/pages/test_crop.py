"""The image for a model has all print of the page, large enough to be read, and little empty paper."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.pages.crop import BAND_POINTS, PRINT_PIXELS, smallest_print_size
from pipeline.records import Page, PageImage, Word
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import ReadRequest, decode_content, encode_request
from pipeline.words.ocr import read_image
from tests.drawing import text_pdf

KILOPIXEL = 1_024
GAP = "\n" * 14
TEXT = "\n".join(["Harrow Lane Tools Ltd, 12 Harrow Lane, York", "Invoice R-2041/77 of 14 March 2025", "", "12 Screws 14.50"])
FOOT = "Total EUR 1204.50 payable within thirty days"


def read(folder: Path, content: bytes, kilopixels: int, name: str = "a.pdf", *, whole: bool = False) -> tuple[Page, PageImage]:
    path = folder / name
    path.write_bytes(content)
    status = path.stat()
    request = ReadRequest(
        str(path), status.st_size, status.st_mtime_ns, 1, images={"t": kilopixels * KILOPIXEL}, whole_page=whole
    )
    reading, images = decode_content(handle(encode_request(request)), 1)
    return reading.page, images["t"]


def words_in(image: PageImage) -> list[str]:
    return [word.text for word in read_image(image)]


def test_all_print_is_on_the_image_and_legible(tmp_path: Path) -> None:
    page, image = read(tmp_path, text_pdf([f"{TEXT}{GAP}{FOOT}"], size=9), 4096)
    text = " ".join(words_in(image))
    for word in page.words:
        assert word.text.strip(",") in text
    assert image.width * image.height < 0.25 * page.width * page.height * image.scale**2, "most of it was paper"


def test_print_has_the_legible_height(tmp_path: Path) -> None:
    for size in (7, 10, 14):
        _, image = read(tmp_path, text_pdf([f"{TEXT}\n{FOOT}"], size=size), 16384)
        assert image.scale * size == pytest.approx(PRINT_PIXELS, rel=0.35), size


def test_an_image_is_within_its_budget(tmp_path: Path) -> None:
    dense = text_pdf(["\n".join([f"{TEXT} {FOOT}"[:90]] * 60)], size=5)
    for kilopixels in (64, 640, 1280):
        _, image = read(tmp_path, dense, kilopixels)
        assert image.width * image.height <= 1.03 * kilopixels * KILOPIXEL
    assert image.width * image.height > 0.5 * kilopixels * KILOPIXEL


def test_a_band_of_empty_paper_is_narrowed_but_not_removed(tmp_path: Path) -> None:
    _, near = read(tmp_path, text_pdf([f"{TEXT}\n\n\n{FOOT}"], size=10), 4096)
    _, far = read(tmp_path, text_pdf([f"{TEXT}{GAP}{FOOT}"], size=10), 4096)
    assert far.height / far.scale < near.height / near.scale + BAND_POINTS
    pixels = np.frombuffer(far.rgb, np.uint8).reshape(far.height, far.width, 3)
    empty = (pixels.min(2) > 200).all(1)
    longest = max(len(run) for run in "".join("x" if row else " " for row in empty).split())
    assert longest / far.scale == pytest.approx(BAND_POINTS, rel=0.5)


def test_a_logo_without_words_is_kept(tmp_path: Path) -> None:
    sheet = Image.open(io.BytesIO(_page(f"{GAP}{TEXT}\n{FOOT}")))
    ImageDraw.Draw(sheet).ellipse((900, 30, 1100, 130), fill="red")
    plain, logo = io.BytesIO(), io.BytesIO()
    Image.open(io.BytesIO(_page(f"{GAP}{TEXT}\n{FOOT}"))).save(plain, "PNG")
    sheet.save(logo, "PNG")
    _, without = read(tmp_path, plain.getvalue(), 4096, "a.png")
    _, image = read(tmp_path, logo.getvalue(), 4096, "b.png")
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    assert ((pixels[..., 0] > 200) & (pixels[..., 1] < 60)).any()
    assert image.height / image.scale > without.height / without.scale


@pytest.mark.parametrize("paper", ["white", "black"])
def test_a_picture_is_not_cropped(tmp_path: Path, paper: str) -> None:
    sheet = Image.new("RGB", (1600, 1200), paper)
    ImageDraw.Draw(sheet).rectangle((600, 400, 1000, 800), fill="green")
    content = io.BytesIO()
    sheet.save(content, "PNG")
    _, image = read(tmp_path, content.getvalue(), 640, "a.png")
    assert image.width / image.height == pytest.approx(800 / 600, rel=0.02)
    assert image.width * image.height == pytest.approx(640 * KILOPIXEL, rel=0.1)


def test_a_whole_page_keeps_the_positions_of_its_words(tmp_path: Path) -> None:
    page, image = read(tmp_path, text_pdf([f"{GAP}{TEXT}\n{FOOT}"], size=12), 2048, whole=True)
    assert image.width == pytest.approx(page.width * image.scale, abs=2)
    boxes = {word.text: [side / image.scale for side in word.box] for word in read_image(replace(image, scale=1.0))}
    word = next(word for word in page.words if word.text == "payable")
    assert boxes["payable"] == pytest.approx(word.box, abs=6)


def test_small_print_counts_and_single_marks_do_not() -> None:
    def word(text: str, size: float) -> Word:
        return Word(text, (0, 0, 10, size), 0, size=size)

    body = [word("printed", 10)] * 100
    assert smallest_print_size(body) == 10
    assert smallest_print_size([*body, word("footnote", 6)]) == 10
    assert smallest_print_size([*body, *[word("footnote", 6)] * 20]) == 6
    assert smallest_print_size([*body, *[word(".", 1)] * 200]) == 10
    assert smallest_print_size([word("x", 1)]) == 8


def _page(text: str) -> bytes:
    from tests.drawing import page_image

    content = io.BytesIO()
    page_image(text_pdf([text], size=12), dpi=150).save(content, "PNG")
    return content.getvalue()

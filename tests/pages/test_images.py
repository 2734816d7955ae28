"""Image files as pages: square pixels, full brightness, and no page for a preview."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.pages.images import ImageDocument
from tests.drawing import invoice, invoice_pdf, page_image


def page(dpi: int = 100) -> Image.Image:
    return page_image(invoice_pdf(invoice()), dpi=dpi).convert("L")


def other_page(dpi: int = 100) -> Image.Image:
    return page(dpi).rotate(180)


def opened(folder: Path, content: bytes, name: str = "a.tif") -> ImageDocument:
    path = folder / name
    path.write_bytes(content)
    return ImageDocument(path.open("rb"), megapixels=100)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def frames(*images: tuple[Image.Image, dict[int, int]]) -> bytes:
    """A TIFF of frames with tags."""
    buffer = io.BytesIO()
    (first, tags), *rest = images
    for image, own in rest:
        image.encoderinfo = {"tiffinfo": own}
    first.save(buffer, "TIFF", save_all=True, append_images=[image for image, _ in rest], tiffinfo=tags)
    return buffer.getvalue()


def shape(document: ImageDocument, number: int = 1) -> tuple[int, int]:
    image = document.draw(number, 1_000)
    return image.width, image.height


@pytest.mark.parametrize("dpi", [(204, 98), (204, 391), (100, 200), (300, 150)])
@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG"])
def test_pixels_that_are_not_square_become_square(tmp_path: Path, dpi: tuple[int, int], kind: str) -> None:
    whole = page(100)
    stored = whole.resize((round(whole.width * dpi[0] / 100), round(whole.height * dpi[1] / 100)))
    document = opened(tmp_path, saved(stored, kind, dpi=dpi))
    width, height = shape(document)
    assert width / height == pytest.approx(whole.width / whole.height, rel=0.01)
    assert (width, height) >= stored.size
    size = document.size(1)
    assert (size.width, size.height) == pytest.approx((whole.width * 0.72, whole.height * 0.72), rel=0.01)


def test_a_turned_photograph_with_pixels_that_are_not_square_is_upright_with_square_ones(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = page(100).rotate(90, expand=True).resize((1200, 400))
    document = opened(tmp_path, saved(stored, "JPEG", dpi=(300, 100), exif=exif.tobytes()), "a.jpg")
    assert shape(document) == (1200, 1200)


@pytest.mark.parametrize("dpi", [(100, 100), (100, 104), (1, 2), (100, 100_000)])
def test_other_resolutions_change_no_pixel(tmp_path: Path, dpi: tuple[int, int]) -> None:
    assert shape(opened(tmp_path, saved(page(), "TIFF", dpi=dpi))) == page().size


def test_pixels_stay_as_they_are_where_square_ones_would_be_too_many(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(Image.new("L", (1_000, 900), 255), "PNG", dpi=(100, 200)))
    assert shape(ImageDocument(path.open("rb"), megapixels=1)) == (1_000, 900)


@pytest.mark.parametrize("kind", [1, 4, 5])
def test_reduced_copies_and_masks_are_no_pages(tmp_path: Path, kind: int) -> None:
    small = page(40)
    assert opened(tmp_path, frames((page(), {254: 0}), (small, {254: kind}))).pages == 1
    first = opened(tmp_path, frames((small, {254: kind}), (page(), {254: 0})))
    assert (first.pages, shape(first)) == (1, page().size)
    both = opened(tmp_path, frames((page(), {254: 2}), (small, {254: kind}), (other_page(), {254: 2}), (small, {254: kind})))
    assert both.pages == 2
    assert both.draw(2, 1_000).rgb == Image.merge("RGB", [other_page()] * 3).tobytes()


def test_an_old_tag_for_reduced_copies_counts(tmp_path: Path) -> None:
    assert opened(tmp_path, frames((page(), {}), (page(40), {255: 2}))).pages == 1


def test_a_smaller_picture_of_the_same_page_without_a_tag_is_no_page(tmp_path: Path) -> None:
    assert opened(tmp_path, frames((page(), {}), (page(25), {}))).pages == 1
    assert opened(tmp_path, frames((page(25), {}), (page(), {}), (other_page(), {}))).pages == 2


def test_smaller_pages_with_other_contents_and_equal_pages_are_pages(tmp_path: Path) -> None:
    assert opened(tmp_path, frames((page(), {}), (other_page(40), {}))).pages == 2
    assert opened(tmp_path, frames((page(), {}), (page(), {}))).pages == 2
    assert opened(tmp_path, frames((page(), {254: 2}), (page(), {254: 2}))).pages == 2


def test_a_file_of_copies_alone_keeps_them(tmp_path: Path) -> None:
    assert opened(tmp_path, frames((page(), {254: 1}), (other_page(), {254: 1}))).pages == 2


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bit_values_are_as_bright_as_their_bits_allow(tmp_path: Path, bits: int) -> None:
    values = (np.asarray(page(), np.float64) / 255 * (2**bits - 1)).astype(np.uint16)
    document = opened(tmp_path, saved(Image.fromarray(values), "PNG"), "a.png")
    drawn = np.frombuffer(document.draw(1, 1_000).rgb, np.uint8).reshape(*values.shape, 3)[..., 0]
    assert np.abs(drawn.astype(int) - np.asarray(page(), int)).max() <= 1


def test_a_dark_colour_image_is_stretched_and_a_black_one_is_not(tmp_path: Path) -> None:
    dark = page().point([value * 15 // 255 for value in range(256)]).convert("RGB")
    drawn = np.frombuffer(opened(tmp_path, saved(dark, "PNG"), "a.png").draw(1, 1_000).rgb, np.uint8)
    assert (drawn.min(), drawn.max()) == (0, 255)
    black = opened(tmp_path, saved(Image.new("RGB", (40, 40), (2, 1, 0)), "PNG"), "b.png")
    assert set(black.draw(1, 1_000).rgb) == {0, 1, 2}

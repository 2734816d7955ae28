from __future__ import annotations

import cv2
import numpy as np
import pymupdf

from pipeline.records import PageImage
from pipeline.words.ocr import read_image, to_bgr
from pipeline.words.small_print import has_uneven_light, suitable_scale

from .drawing import letter, page_with, picture

GOODS = [
    "Oak shelf board, oiled, two metres long",
    "Copy paper A4, white, five packs in a box",
    "Steel bracket for shelves, grey, with screws",
    "Advice on the contract by telephone",
    "Cleaning of the offices on the first floor",
    "Travel expenses of two fitters and a van",
]


def photograph(page: pymupdf.Page, corners: list[tuple[float, float]], size: tuple[int, int] = (1500, 2000)) -> PageImage:
    """The page with its corners at these places of a picture of a dark table, in light that falls off to one side."""
    flat = to_bgr(picture(page, dpi=110))
    height, width = flat.shape[:2]
    own = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(own, np.array(corners, np.float32))
    pixels = cv2.warpPerspective(flat, matrix, size, flags=cv2.INTER_AREA, borderValue=(60, 90, 120))
    light = np.linspace(1.0, 0.7, size[0])[None, :, None]
    return PageImage(size[0], size[1], (pixels * light).astype(np.uint8)[..., ::-1].tobytes(), 1.0)


def bill(size: float = 11) -> pymupdf.Page:
    """Twelve rows in small print: number of pieces, goods, amount."""
    rows = [(60, str(n % 9 + 1), 100, GOODS[n % 6], 480, f"{n + 1}.{n + 10}") for n in range(12)]
    return page_with(
        [(x, 200 + 16 * n, text) for n, row in enumerate(rows) for x, text in zip(row[::2], row[1::2], strict=True)],
        size=size,
        width=595,
        height=842,
    )


FLAT = [(300.0, 300.0), (1200.0, 300.0), (1200.0, 1570.0), (300.0, 1570.0)]


def test_a_photograph_with_small_letters_is_enlarged_for_the_detector() -> None:
    usual = 0.6
    large = page_with([(40, 60 + 40 * n, "Bread and butter 12.50") for n in range(8)], size=24)
    assert suitable_scale(to_bgr(photograph(bill(9), FLAT)), usual) > 1.2 * usual
    assert suitable_scale(to_bgr(photograph(large, FLAT)), usual) == usual


def test_a_scan_keeps_the_usual_scale_however_small_its_letters_are() -> None:
    assert suitable_scale(to_bgr(picture(bill(6))), 0.6) == 0.6


def test_words_of_a_photograph_are_at_their_places_on_it() -> None:
    words = read_image(photograph(bill(), FLAT))
    (amount,) = (word for word in words if word.text == "1.10")
    (truth,) = bill().search_for("1.10")
    scale = 900 / 595
    assert np.allclose(amount.box, np.array(truth) * scale + 300, atol=8)


def test_scans_and_screenshots_have_even_light() -> None:
    assert not has_uneven_light(to_bgr(picture(letter())))
    assert has_uneven_light(to_bgr(photograph(letter(), FLAT)))

"""Text that stands in the file and not on the page, and text that only looks as if it did not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pymupdf
import pytest
from PIL import Image

from pipeline.records import Box
from pipeline.words.text_layer import read_text_layer
from tests.drawing import png
from tests.words.drawing import page_with, texts

TEXTS = [(40, 40, "Quayside Chandlery"), (40, 70, "Rope and canvas, best quality"), (40, 100, "Total 611.40")]
PLACE = pymupdf.Rect(36, 120, 240, 142)
"""Where the doubtful line stands."""
LINE = (40, 136)
WHITE, BLACK, GREY = (1, 1, 1), (0, 0, 0), (0.6, 0.6, 0.6)

Draw = Callable[[pymupdf.Page], object]


def doubtful(page: pymupdf.Page, **style: object) -> None:
    page.insert_text(LINE, "Old total 977.15", fontsize=11, **style)


def picture(kind: str) -> bytes:
    """A picture of 400 x 44 pixels: noise, or transparent with a thin frame."""
    if kind == "noise":
        return png(Image.effect_noise((400, 44), 90).convert("RGB"))
    image = Image.new("RGBA", (400, 44), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 400, 3))
    return png(image)


def lines(*steps: Draw, rotation: int = 0) -> list[str]:
    page = page_with(TEXTS)
    for step in steps:
        step(page)
    page.set_rotation(rotation)
    return texts(read_text_layer(page))


def filled(colour: tuple[float, ...], opacity: float = 1) -> Draw:
    return lambda page: page.draw_rect(PLACE, color=None, fill=colour, fill_opacity=opacity)


HIDDEN: dict[str, list[Draw]] = {
    "white on white": [lambda page: doubtful(page, color=WHITE)],
    "nearly white": [lambda page: doubtful(page, color=(0.99, 0.99, 0.985))],
    "transparent": [lambda page: doubtful(page, fill_opacity=0.0)],
    "nearly transparent": [lambda page: doubtful(page, fill_opacity=0.03)],
    "invisible": [lambda page: doubtful(page, render_mode=3)],
    "tiny": [lambda page: page.insert_text(LINE, "Old total 977.15", fontsize=0.7)],
    "under a white box": [doubtful, filled(WHITE)],
    "under a black box": [doubtful, filled(BLACK)],
    "black on black": [filled(BLACK), doubtful],
    "grey on the same grey": [filled(GREY), lambda page: doubtful(page, color=GREY)],
    "under a black annotation": [
        doubtful,
        lambda page: page.add_rect_annot(PLACE).update(fill_color=BLACK),
    ],
    "replaced by a text with the same beginning": [
        doubtful,
        filled(WHITE),
        lambda page: page.insert_text(LINE, "Old total 611.40", fontsize=11),
    ],
    "replaced": [doubtful, filled(WHITE), lambda page: page.insert_text(LINE, "New total 611.40", fontsize=11)],
}
SEEN: dict[str, list[Draw]] = {
    "plain": [doubtful],
    "white on black": [filled(BLACK), lambda page: doubtful(page, color=WHITE)],
    "light grey": [lambda page: doubtful(page, color=(0.75, 0.75, 0.75))],
    "yellow": [lambda page: doubtful(page, color=(1, 0.9, 0))],
    "half transparent": [lambda page: doubtful(page, fill_opacity=0.4)],
    "on a grey box": [filled(GREY), doubtful],
    "under a transparent marker": [doubtful, filled((1, 1, 0), opacity=0.4)],
    "highlight": [doubtful, lambda page: page.add_highlight_annot(PLACE)],
    "in a frame": [doubtful, lambda page: page.draw_rect(PLACE, color=BLACK)],
    "under a transparent stamp": [doubtful, lambda page: page.insert_image(PLACE, stream=picture("frame"))],
    "on a picture": [
        lambda page: page.insert_image(PLACE, stream=picture("noise")),
        lambda page: doubtful(page, color=(0, 0, 0.4)),
    ],
}


@pytest.mark.parametrize("rotation", [0, 90])
@pytest.mark.parametrize("steps", HIDDEN.values(), ids=HIDDEN)
def test_text_that_nobody_sees_is_not_read(steps: list[Draw], rotation: int) -> None:
    found = lines(*steps, rotation=rotation)
    assert not any("977" in line for line in found)
    assert any("611.40" in line for line in found)
    if len(steps) == 3:
        assert " ".join(found).count("611.40") == 2


@pytest.mark.parametrize("rotation", [0, 270])
@pytest.mark.parametrize("steps", SEEN.values(), ids=SEEN)
def test_text_that_is_seen_is_read(steps: list[Draw], rotation: int) -> None:
    assert any("Old total 977.15" in line for line in lines(*steps, rotation=rotation))


def test_words_under_a_picture_are_read_where_ocr_confirms_them() -> None:
    page = page_with(TEXTS)
    doubtful(page)
    page.insert_image(PLACE, stream=picture("noise"))
    for read in (["Old", "tota1", "977.15"], ["", "ll", "#"]):

        def read_places(boxes: Sequence[Box], read: list[str] = read) -> list[tuple[str, float]]:
            assert [box[0] for box in boxes] == sorted(box[0] for box in boxes)
            return [(text, 0.99) for text in read]

        found = texts(read_text_layer(page, read_places))
        assert any("Old total 977.15" in line for line in found) is (read[0] == "Old")


@pytest.mark.parametrize("order", ["text first", "text last"])
def test_the_layer_of_a_scan_is_read_whether_it_is_painted_or_invisible(order: str) -> None:
    page = pymupdf.open().new_page(width=420, height=400)

    def scan() -> None:
        page.insert_image(page.rect, stream=png(Image.effect_noise((420, 400), 20).convert("RGB")))

    if order == "text last":
        scan()
    for x, y, text in TEXTS:
        page.insert_text((x, y), text, render_mode=0 if order == "text first" else 3)
    if order == "text first":
        scan()
    assert "Total 611.40" in texts(read_text_layer(page))

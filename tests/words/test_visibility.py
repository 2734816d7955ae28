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


def stroke(width: float, colour: tuple[float, ...] = BLACK, y: float = 132, opacity: float = 1) -> Draw:
    return lambda page: page.draw_line((34, y), (242, y), color=colour, width=width, stroke_opacity=opacity)


def scribble(width: float, step: float) -> Draw:
    points = [(34 + step * n, 122 if n % 2 else 140) for n in range(int(208 / step))]
    return lambda page: page.draw_polyline(points, color=BLACK, width=width)


def pen(width: float, colour: tuple[float, ...] = BLACK, opacity: float = 1) -> Draw:
    """An ink annotation, as a stylus makes one."""

    def draw(page: pymupdf.Page) -> None:
        annotation = page.add_ink_annot([[(34, 132), (242, 132)]])
        annotation.set_border(width=width)
        annotation.set_colors(stroke=colour)
        annotation.update(opacity=opacity)

    return draw


def marker(colour: tuple[float, ...], opacity: float = 1) -> Draw:
    def draw(page: pymupdf.Page) -> None:
        annotation = page.add_highlight_annot(PLACE)
        annotation.set_colors(stroke=colour)
        annotation.update(opacity=opacity)

    return draw


def line_annotation(page: pymupdf.Page) -> None:
    annotation = page.add_line_annot((34, 132), (242, 132))
    annotation.set_border(width=16)
    annotation.update()


def plain_picture(colour: tuple[int, ...]) -> Draw:
    return lambda page: page.insert_image(PLACE, stream=png(Image.new("RGBA", (20, 4), colour)), keep_proportion=False)


def redaction(filled_black: bool) -> Draw:
    """A redaction that was not applied; its appearance is a crossed frame, or a black box."""

    def draw(page: pymupdf.Page) -> None:
        annotation = page.add_redact_annot(PLACE)
        if filled_black:
            document = page.parent
            appearance = int(document.xref_get_key(annotation.xref, "AP/N")[1].split()[0])
            left, bottom, right, top = map(float, document.xref_get_key(appearance, "BBox")[1].strip("[]").split())
            box = f"0 g {left} {bottom} {right - left} {top - bottom} re f"
            document.update_stream(appearance, box.encode())

    return draw


HIDDEN: dict[str, list[Draw]] = {
    "under a thick stroke": [doubtful, stroke(16)],
    "under a thick white stroke": [doubtful, stroke(16, WHITE)],
    "black on a thick black stroke": [stroke(16), doubtful],
    "under strokes side by side": [doubtful, *(stroke(4, y=y) for y in range(123, 143, 3))],
    "under a scribble of a thick pen": [doubtful, scribble(4, 2)],
    "under a scribble of a thin pen": [doubtful, scribble(1.5, 1)],
    "under an ink annotation": [doubtful, pen(16)],
    "under a line annotation": [doubtful, line_annotation],
    "under a black highlight": [doubtful, marker(BLACK)],
    "under a black picture": [doubtful, plain_picture((0, 0, 0, 255))],
    "under a white picture": [doubtful, plain_picture((255, 255, 255, 255))],
    "under the black box of a redaction that was not applied": [doubtful, redaction(filled_black=True)],
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
}
REPLACED: dict[str, list[Draw]] = {
    "replaced by a text with the same beginning": [
        doubtful,
        filled(WHITE),
        lambda page: page.insert_text(LINE, "Old total 611.40", fontsize=11),
    ],
    "replaced": [doubtful, filled(WHITE), lambda page: page.insert_text(LINE, "New total 611.40", fontsize=11)],
}
SEEN: dict[str, list[Draw]] = {
    "struck out": [doubtful, stroke(1)],
    "struck out with a thick pen": [doubtful, stroke(2.5)],
    "struck out by an annotation": [doubtful, lambda page: page.add_strikeout_annot(PLACE)],
    "underlined": [doubtful, stroke(1, y=139)],
    "above a thick rule": [doubtful, stroke(5, y=143)],
    "under a transparent stroke": [doubtful, stroke(16, (1, 1, 0), opacity=0.4)],
    "under a transparent ink annotation": [doubtful, pen(16, (1, 1, 0), 0.4)],
    "under a yellow marker": [doubtful, marker((1, 1, 0))],
    "under a pale black marker": [doubtful, marker(BLACK, 0.3)],
    "white on a thick stroke": [stroke(16), lambda page: doubtful(page, color=WHITE)],
    "in an ellipse": [doubtful, lambda page: page.draw_oval(PLACE, color=(1, 0, 0), width=2)],
    "in a thick frame": [doubtful, lambda page: page.draw_rect((32, 116, 244, 146), color=BLACK, width=4)],
    "under a transparent black picture": [doubtful, plain_picture((0, 0, 0, 60))],
    "in the frame of a redaction that was not applied": [doubtful, redaction(filled_black=False)],
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


@pytest.mark.parametrize("rotation", [0, 90])
@pytest.mark.parametrize("steps", REPLACED.values(), ids=REPLACED)
def test_of_a_text_that_was_replaced_the_new_one_is_read(steps: list[Draw], rotation: int) -> None:
    found = " ".join(lines(*steps, rotation=rotation))
    assert "977" not in found
    assert found.count("611.40") == 2


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


def test_letters_at_the_edge_of_a_stroke_are_read_where_ocr_still_reads_them() -> None:
    page = page_with(TEXTS)
    doubtful(page)
    stroke(9)(page)
    assert not any("977" in line for line in texts(read_text_layer(page, lambda boxes: [("#", 0.9)] * len(boxes))))


def scan_with_layer(*steps: Draw) -> list[str]:
    """The lines of a scan whose words lie in an invisible layer."""
    page = pymupdf.open().new_page(width=420, height=400)
    page.insert_image(page.rect, stream=png(page_with([*TEXTS, (*LINE, "Old total 977.15")]).get_pixmap(dpi=100).pil_image()))
    for x, y, text in [*TEXTS, (*LINE, "Old total 977.15")]:
        page.insert_text((x, y), text, fontsize=11, render_mode=3)
    for step in steps:
        step(page)
    return texts(read_text_layer(page))


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_the_layer_of_a_scan_is_not_read_below_a_box(colour: tuple[float, ...]) -> None:
    assert "Old total 977.15" in scan_with_layer()
    assert "Old total 977.15" in scan_with_layer(filled((1, 1, 0), opacity=0.4))
    covered = scan_with_layer(filled(colour))
    assert "Total 611.40" in covered
    assert not any("977" in line for line in covered)

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rapidocr.main import RapidOCR

from pipeline.words.detector import Detector
from pipeline.words.ocr import OcrReader, to_bgr
from pipeline.words.recogniser import Pixels, Recogniser

from .drawing import letter, page_with, picture


def line(text: str) -> Pixels:
    image = to_bgr(picture(page_with([(10, 20, text)], size=12, width=20 + 7 * len(text), height=30)))
    return image[5:60]


def test_lines_are_read_in_the_given_order_and_equally_in_any_batch() -> None:
    """Three lines have one length and are one batch."""
    lines = [
        line("Delivery note 4711"),
        line("7.50"),
        line("Delivery note 4712"),
        line("Subtotal of all goods"),
        line("Delivery note 4713"),
    ]
    recogniser = Recogniser()
    batched = recogniser.read(lines)
    single = [recogniser.read([each])[0] for each in lines]
    assert [each.text for each in batched] == [each.text for each in single]
    assert [each.text[-4:] for each in batched if "note" in each.text] == ["4711", "4712", "4713"]
    for one, other in zip(batched, single, strict=True):
        assert one.columns == pytest.approx(other.columns)


def test_letters_of_a_short_line_have_their_printed_positions() -> None:
    """The line is padded. Positions are shares of the print without the padding."""
    printed = np.full((48, 30, 3), 255, np.uint8)
    cv2.putText(printed, "8", (4, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0, 0, 0), 3)
    (read,) = Recogniser().read([printed])
    assert read.text == "8"
    assert read.columns[0] == pytest.approx(0.5, abs=0.25)


def test_no_lines_and_empty_lines_have_no_text() -> None:
    assert Recogniser().read([]) == []
    (read,) = Recogniser().read([np.full((20, 200, 3), 255, np.uint8)])
    assert (read.text, read.confidence) == ("", 0.0)


def test_an_extremely_long_line_takes_limited_memory() -> None:
    (read,) = Recogniser().read([np.full((8, 60_000, 3), 255, np.uint8)])
    assert read.text == ""


def test_boxes_are_equal_to_those_of_rapidocr() -> None:
    settings = {"Global.log_level": "critical", "Det.limit_side_len": 32, "Det.limit_type": "min"}
    page = to_bgr(picture(letter()))
    output = RapidOCR(params=settings)(page, use_det=True, use_cls=False, use_rec=False)
    expected = [box.astype(int).tolist() for box in output.boxes]
    assert [box.astype(int).tolist() for box in Detector().boxes(page)] == expected
    assert len(OcrReader().lines(page)) == len(expected)

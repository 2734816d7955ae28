from __future__ import annotations

import cv2
import numpy as np
import pytest
from rapidocr.ch_ppocr_det import TextDetector
from rapidocr.main import RapidOCR

from pipeline.words.detector import Detector
from pipeline.words.ocr import OcrReader, to_bgr
from pipeline.words.recogniser import Pixels, Recogniser

from .drawing import letter, page_with, picture


def line(text: str) -> Pixels:
    image = to_bgr(picture(page_with([(10, 20, text)], size=12, width=20 + 7 * len(text), height=30)))
    return image[5:60]


def test_lines_are_read_in_the_given_order_and_together_as_alone() -> None:
    """Three of one length, so that they are one batch, among others."""
    lines = [
        line("Delivery note 4711"),
        line("7.50"),
        line("Delivery note 4712"),
        line("Subtotal of all goods"),
        line("Delivery note 4713"),
    ]
    recogniser = Recogniser()
    together = recogniser.read(lines)
    alone = [recogniser.read([each])[0] for each in lines]
    assert [each.text for each in together] == [each.text for each in alone]
    assert [each.text[-4:] for each in together if "note" in each.text] == ["4711", "4712", "4713"]
    for one, other in zip(together, alone, strict=True):
        assert one.columns == pytest.approx(other.columns)


def test_letters_of_a_short_line_stand_where_they_are_printed() -> None:
    """It is padded, and its letters are counted from the end of what is printed, not of the padding."""
    shown = np.full((48, 30, 3), 255, np.uint8)
    cv2.putText(shown, "8", (4, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0, 0, 0), 3)
    (read,) = Recogniser().read([shown])
    assert read.text == "8"
    assert read.columns[0] == pytest.approx(0.5, abs=0.25)


def test_nothing_is_read_from_nothing() -> None:
    assert Recogniser().read([]) == []
    (read,) = Recogniser().read([np.full((20, 200, 3), 255, np.uint8)])
    assert (read.text, read.confidence) == ("", 0.0)


def test_a_line_longer_than_any_print_does_not_take_all_memory() -> None:
    (read,) = Recogniser().read([np.full((8, 60_000, 3), 255, np.uint8)])
    assert read.text == ""


def test_boxes_are_those_of_the_networks_own_package() -> None:
    settings = {"Global.log_level": "critical", "Det.limit_side_len": 32, "Det.limit_type": "min"}
    theirs: TextDetector = RapidOCR(params=settings)._load_det_model()
    page = to_bgr(picture(letter()))
    expected = [box.astype(int).tolist() for box in theirs(page).boxes]
    assert [box.astype(int).tolist() for box in Detector().boxes(page)] == expected
    assert len(OcrReader().lines(page)) == len(expected)

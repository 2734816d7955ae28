"""Rules of tables and cut letters of other lines go out of the picture of a line; its own print stays."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.words.line_cleaning import cleaned
from pipeline.words.recogniser import Pixels


def line() -> Pixels:
    paper = np.full((60, 300, 3), 240, np.uint8)
    return np.asarray(cv2.putText(paper, "Gesamt 12", (40, 42), cv2.FONT_HERSHEY_SIMPLEX, 1, (20, 20, 20), 2), np.uint8)


def test_a_frame_goes_and_the_print_stays() -> None:
    framed = line()
    cv2.line(framed, (0, 3), (299, 5), (60, 60, 60), 2)
    cv2.line(framed, (296, 0), (296, 59), (60, 60, 60), 2)
    assert np.abs(cleaned(framed).astype(int) - line()).max() < 30
    assert np.abs(framed.astype(int) - line()).max() > 100


def test_the_feet_of_the_line_above_go() -> None:
    cut = line()
    cv2.rectangle(cut, (100, 0), (104, 6), (20, 20, 20), -1)
    assert np.abs(cleaned(cut).astype(int) - line()).max() < 30


def test_a_line_without_either_stays_as_it_is() -> None:
    assert np.array_equal(cleaned(line()), line())
    blank = np.full((60, 300, 3), 240, np.uint8)
    assert np.array_equal(cleaned(blank), blank)

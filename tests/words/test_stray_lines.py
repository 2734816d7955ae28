from __future__ import annotations

import numpy as np
import pytest

from pipeline.words.detector import Quad
from pipeline.words.stray_lines import stray_lines

SLIP = ["Corner Shop", "Bread 2.10", "Butter 1.99", "Milk 0.89", "Total 4.98", "Cash 5.00", "Change 0.02"]


def quads(count: int, left: float = 200, right: float = 500) -> list[Quad]:
    return [
        np.array([[left, y], [right, y], [right, y + 20], [left, y + 20]], np.float32) for y in range(30, 30 + 40 * count, 40)
    ]


def stray(more: list[tuple[str, float]], page: list[str] | None = None, left: float = 200, right: float = 500) -> list[str]:
    """The texts, of some that are added to a page of certain lines, that are stray."""
    page = page or SLIP
    texts = [*page, *(text for text, _ in more)]
    confidences = [0.99] * len(page) + [confidence for _, confidence in more]
    found = stray_lines([*quads(len(page)), *quads(len(more), left, right)], texts, confidences, width=700)
    return [texts[n] for n in sorted(found)]


@pytest.mark.parametrize("text", ["水家家家", "のト", "国 12"])
def test_a_doubtful_line_of_another_script_is_noise(text: str) -> None:
    assert stray([(text, 0.7)]) == [text]


def test_one_ideograph_on_a_page_of_latin_letters_is_a_dash_or_a_box() -> None:
    assert stray([("一", 0.97)]) == ["一"]


def test_a_name_in_chinese_that_is_read_with_certainty_stays() -> None:
    assert stray([("永昌貿易有限公司", 0.97)]) == []


def test_a_chinese_page_keeps_its_doubtful_lines() -> None:
    assert (
        stray([("合计 12", 0.7), ("元", 0.6)], ["永昌超市", "面包 2.10", "牛奶 0.89", "合计 2.99", "现金 3.00", "找零 0.01"])
        == []
    )


def test_writing_beside_the_slip_that_the_picture_cuts_off_is_noise() -> None:
    assert stray([("tter", 0.6)], left=0, right=90) == ["tter"]
    assert stray([("tter", 0.6)], left=620, right=699) == ["tter"]


def test_a_faint_amount_beside_the_certain_lines_stays() -> None:
    assert stray([("2.10", 0.6)], left=560, right=640) == []
    assert stray([("2.10", 0.97)], left=620, right=699) == []

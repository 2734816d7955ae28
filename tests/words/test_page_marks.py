"""What a page shows about its document: printed page numbers, copies, carried sums, letterhead, barcodes."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image

from pipeline.records import Page, PageImage, Word
from pipeline.words.barcodes import read_barcodes
from pipeline.words.page_marks import page_marks


def page(*lines: tuple[float, str]) -> Page:
    """A page with lines of text, each at a height in points."""
    words = [
        Word(text, (50 + 40 * at, y, 85 + 40 * at, y + 10), number)
        for number, (y, line) in enumerate(lines)
        for at, text in enumerate(line.split())
    ]
    return Page(1, 595, 842, tuple(words), "textlayer")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Page 2 of 3", (2, 3)),
        ("Seite 1/4", (1, 4)),
        ("Harrow Ltd Page: 1 of 2", (1, 2)),
        ("Strona 3 z 5", (3, 5)),
        ("2 / 7", (2, 7)),
        ("第 2 页", (2, 0)),
        ("Page 4", (4, 0)),
        ("Page 5 of 2", (0, 0)),
        ("IBAN GB29 6016 1331", (0, 0)),
        ("12/2025", (0, 0)),
    ],
)
def test_printed_page_numbers_are_found_at_the_foot(line: str, expected: tuple[int, int]) -> None:
    marks = page_marks(page((300, "Goods"), (810, line)))
    assert (marks.printed_page, marks.printed_pages) == expected


def test_a_copy_and_a_carried_sum_are_noticed() -> None:
    marks = page_marks(page((40, "DUPLICATE"), (400, "Übertrag 120,00")))
    assert marks.calls_itself_copy
    assert marks.is_carried_on
    plain = page_marks(page((40, "Invoice"), (400, "Please send a duplicate of this letter to us 120,00")))
    assert not plain.calls_itself_copy
    assert not plain.is_carried_on


def test_barcodes_are_read_with_their_boxes() -> None:
    sheet = Image.new("RGB", (800, 1000), "white")
    code = zxingcpp.create_barcode("PATCHT", zxingcpp.BarcodeFormat.Code39)
    drawn = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=2)).convert("RGB")
    sheet.paste(drawn, (100, 300))
    data = io.BytesIO()
    sheet.save(data, "PNG")
    (found,) = read_barcodes(PageImage(800, 1000, sheet.tobytes(), 2.0), 3)
    assert (found.text, found.page) == ("PATCHT", 3)
    assert 50 <= found.box[0] <= 100
    assert 145 <= found.box[1] <= 300

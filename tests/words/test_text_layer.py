from __future__ import annotations

import pymupdf
import pypdfium2
import pytest

from pipeline.words.soundness import is_sound
from pipeline.words.text_layer import read_pdfium_text_layer, read_text_layer

from .drawing import LETTER_LINES, letter, page_with, pdf_bytes, texts


def reopen(page: pymupdf.Page) -> pymupdf.Page:
    return pymupdf.open("pdf", pdf_bytes(page))[0]


def test_lines_are_read_top_to_bottom_in_any_order_of_drawing() -> None:
    page = page_with((40, 60 + 30 * n, LETTER_LINES[n]) for n in (5, 0, 3, 1, 7, 2, 6, 4))
    assert texts(read_text_layer(page)) == LETTER_LINES


def test_label_and_value_far_apart_on_one_baseline_are_one_line() -> None:
    page = page_with([(330, 101, "119.00"), (40, 100, "Total due"), (40, 120, "Thank you")])
    assert texts(read_text_layer(page)) == ["Total due 119.00", "Thank you"]


def test_boxes_size_and_bold_are_those_of_the_print() -> None:
    page = pymupdf.open().new_page(width=300, height=200)
    page.insert_text((50, 100), "Heavy", fontsize=20, fontname="hebo")
    page.insert_text((150, 100), "light", fontsize=20)
    heavy, light = read_text_layer(page)
    assert heavy.bold
    assert not light.bold
    assert heavy.size == light.size == 20
    assert heavy.box[0] == pytest.approx(50, abs=2)
    assert heavy.box[1] < 90 < 100 < heavy.box[3]
    assert heavy.box[2] < light.box[0]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_both_libraries_read_a_rotated_page_as_displayed(turn: int) -> None:
    """Text that is drawn sideways and rotated with the page is upright on the displayed page."""
    page = pymupdf.open().new_page(width=300, height=200)
    page.insert_text((100, 100), "Upright", rotate=turn, fontsize=12)
    page.set_rotation(turn)
    data = pdf_bytes(page)
    displayed = pymupdf.open("pdf", data)[0]
    first, second = read_text_layer(displayed), read_pdfium_text_layer(pypdfium2.PdfDocument(data)[0])
    assert texts(first) == texts(second) == ["Upright"]
    x0, y0, x1, y1 = first[0].box
    assert x1 - x0 > y1 - y0
    assert second[0].box == pytest.approx(first[0].box, abs=4)
    clip = displayed.get_pixmap(clip=pymupdf.Rect(first[0].box))
    assert min(clip.samples) < 100, "the box covers the ink"


def test_boxes_count_from_the_crop_box() -> None:
    page = page_with([(100, 100, "corner")])
    page.set_cropbox(pymupdf.Rect(90, 80, 400, 380))
    data = pdf_bytes(page)
    for words in (read_text_layer(pymupdf.open("pdf", data)[0]), read_pdfium_text_layer(pypdfium2.PdfDocument(data)[0])):
        assert words[0].box[0] == pytest.approx(10, abs=2)
        assert words[0].box[3] == pytest.approx(22, abs=3)


def test_pdfium_agrees_with_mupdf_on_an_ordinary_page() -> None:
    data = pdf_bytes(letter())
    assert texts(read_pdfium_text_layer(pypdfium2.PdfDocument(data)[0])) == LETTER_LINES


def test_invisible_text_of_an_ocr_layer_is_used() -> None:
    page = pymupdf.open().new_page(width=420, height=400)
    for n, line in enumerate(LETTER_LINES):
        page.insert_text((40, 60 + 30 * n), line, render_mode=3)
    assert texts(read_text_layer(reopen(page))) == LETTER_LINES


def test_invisible_garbage_beside_real_text_is_ignored() -> None:
    page = letter()
    for _ in range(40):
        page.insert_text((40, 350), "hidden", render_mode=3)
    page.insert_text((40, 370), "%%% ### @@@ $$$ !!! ~~~ ^^^ &&&", render_mode=3)
    assert texts(read_text_layer(reopen(page))) == LETTER_LINES


def test_text_printed_twice_to_look_bold_counts_once() -> None:
    page = page_with([(40, 100, "Total 12.00"), (40.3, 100, "Total 12.00")])
    assert texts(read_text_layer(page)) == ["Total 12.00"]


def test_values_typed_into_form_fields_are_read() -> None:
    page = pymupdf.open().new_page(width=300, height=200)
    field = pymupdf.Widget()
    field.field_type, field.field_name, field.field_value = pymupdf.PDF_WIDGET_TYPE_TEXT, "sum", "2450"
    field.rect = pymupdf.Rect(20, 80, 150, 100)
    page.add_widget(field)
    assert texts(read_text_layer(reopen(page))) == ["2450"]


def test_an_empty_page_has_no_words() -> None:
    page = pymupdf.open().new_page()
    assert read_text_layer(page) == []
    assert read_pdfium_text_layer(pypdfium2.PdfDocument(pdf_bytes(page))[0]) == []


def test_glyphs_without_a_unicode_mapping_are_not_letters() -> None:
    """The font has no ToUnicode table, so its glyph numbers are not text."""
    page = pymupdf.open().new_page()
    page.insert_htmlbox(pymupdf.Rect(40, 40, 400, 200), "发票号码合计金额购买方名称单价数量")
    document = pymupdf.open("pdf", pdf_bytes(page))
    assert is_sound(read_text_layer(document[0]), 600, 800)
    for xref in range(1, document.xref_length()):
        if document.xref_get_key(xref, "ToUnicode")[0] == "xref":
            document.xref_set_key(xref, "ToUnicode", "null")
    data = document.tobytes()
    words = read_text_layer(pymupdf.open("pdf", data)[0])
    assert {c for w in words for c in w.text} == {"\ufffd"}
    assert not is_sound(words, 600, 800)
    assert not is_sound(read_pdfium_text_layer(pypdfium2.PdfDocument(data)[0]), 600, 800)

"""The parts of a page are found by a learned layout: on born-digital pages, on scans, in any size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pymupdf
import pytest

from pipeline.records import PageImage, Region, Word
from pipeline.words import page_layout
from pipeline.words.page_layout import find_regions
from pipeline.words.text_layer import read_text_layer
from tests.layout_pages import CAPTION, FOOT, HEAD, ROWS, SECTION, TITLE, as_scanned, guide_page
from tests.words.drawing import picture


def regions_of(pdf: bytes, words: list[Word] | None = None, scale: float = 1.0) -> tuple[list[Word], tuple[Region, ...]]:
    """The words of a page and its regions. Pixels are those of ``pdf``, words its own unless others are given."""
    page = pymupdf.open(stream=pdf)[0]
    words = words if words is not None else read_text_layer(page)
    pixmap = page.get_pixmap(dpi=round(100 / scale))
    image = PageImage(pixmap.width, pixmap.height, bytes(pixmap.samples), 100 / 72 / scale)
    return words, find_regions(words, image, page.rect.width, page.rect.height)


def texts(words: list[Word], regions: Iterable[Region], *kinds: str) -> list[str]:
    return [" ".join(words[n].text for n in region.words) for region in regions if region.kind in kinds]


def check(words: list[Word], regions: tuple[Region, ...]) -> None:
    assert texts(words, regions, "header") == [HEAD]
    assert texts(words, regions, "footer") == [FOOT]
    assert {TITLE, SECTION} <= set(texts(words, regions, "title", "heading"))
    (table,) = (region for region in regions if region.kind == "table")
    cells = [cell for row in ROWS for cell in row]
    assert sorted(words[n].text for n in table.words) == sorted(" ".join(cells).split())
    assert len(table.columns) == 2
    assert CAPTION.split()[-1] in " ".join(texts(words, regions, "caption"))


def test_heads_feet_titles_tables_and_captions_of_a_digital_page() -> None:
    words, regions = regions_of(guide_page())
    check(words, regions)
    numbers = [number for region in regions for number in region.words]
    assert len(numbers) == len(set(numbers)) >= 0.95 * len(words)


def test_the_same_on_a_scan() -> None:
    pdf = guide_page()
    words = read_text_layer(pymupdf.open(stream=pdf)[0])
    check(*regions_of(as_scanned(pdf), [replace(word, source="ocr", bold=False) for word in words]))


@pytest.mark.parametrize("scale", [0.35, 3.0])
def test_the_same_on_pages_whose_size_was_measured_wrongly(scale: float) -> None:
    check(*regions_of(guide_page(scale), scale=scale))


def test_a_page_of_few_words_has_no_regions() -> None:
    page = pymupdf.open().new_page()
    page.insert_text((72, 72), "Goods received in good order")
    assert find_regions(read_text_layer(page), picture(page), page.rect.width, page.rect.height) == ()


def test_without_the_network_a_page_has_no_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_layout, "layout_network", lambda _threads: None)
    assert regions_of(guide_page())[1] == ()

"""Writes a page's words as a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from pipeline.engines.embedded.logical_page import mirrored_page
from pipeline.engines.embedded.transcript import markdown_tables, paragraphs
from pipeline.engines.embedded.transcript.page_furniture import PageFurniture, find_furniture
from pipeline.engines.embedded.transcript.picture_regions import assign_pictures
from pipeline.engines.embedded.transcript.reading_order import parts_in_reading_order
from pipeline.engines.embedded.transcript.word_runs import TextRow, make_rows, make_runs
from pipeline.records import Claim, Page, Word
from pipeline.templates.template import Template


def read_transcript(page: Page, template: Template) -> dict[str, Claim]:
    """Return the claim ``text``: paragraphs and tables, separated by blank lines. Its value is None for a page without words.

    Running heads and feet go to the claims ``header`` and ``footer`` when the template has both fields, else they stay in the text.
    """
    page = mirrored_page(page)
    names = [name for name, field in template.fields.items() if field.type == "text"]
    name = "text" if "text" in names or not names else names[0]
    furniture = find_furniture(page) if {"header", "footer"} <= set(names) else PageFurniture()
    outside = {index for run in (*furniture.header, *furniture.footer, *furniture.side) for index in run.words}
    body = [index for index in range(len(page.words)) if index not in outside]
    text, order = transcribe(page.words, body, pictures=page.source == "textlayer")
    claims = {name: _claim(text, order)}
    if {"header", "footer"} <= set(names):
        claims |= {
            "header": _furniture_claim([*make_rows(furniture.header), list(furniture.side)], page.words),
            "footer": _furniture_claim(make_rows(furniture.footer), page.words),
        }
    return claims


def transcribe(words: Sequence[Word], indices: Iterable[int] | None = None, *, pictures: bool = False) -> tuple[str, list[int]]:
    """Return the words (those of ``indices``) as text in reading order, and their indices in that order.

    ``pictures`` says that words from OCR were read from pictures on the page.
    """
    runs = make_runs(words, range(len(words)) if indices is None else indices)
    parts = parts_in_reading_order(assign_pictures(runs, words) if pictures else runs, words)
    blocks = [block for part in parts for block in markdown_tables.split_tables(part)]
    texts: list[str] = []
    for is_table, group in groupby(blocks, key=lambda block: bool(block.columns)):
        if is_table:
            texts += [markdown_tables.table_markdown(block, words) for block in group]
        else:
            split = [rows for block in group for rows in paragraphs.split_paragraphs(block.rows)]
            texts.append(paragraphs.join_broken_words("\n\n".join(paragraphs.rows_text(rows, words) for rows in split)))
    order = [index for block in blocks for row in block.rows for run in row for index in run.words]
    return paragraphs.plain_letters("\n\n".join(texts)), order


def _furniture_claim(rows: Sequence[TextRow], words: Sequence[Word]) -> Claim:
    """Return the claim of rows that stand outside the text."""
    order = [index for row in rows for run in row for index in run.words]
    return _claim(paragraphs.plain_letters(paragraphs.rows_text([row for row in rows if row], words)), order)


def _claim(text: str, order: Sequence[int]) -> Claim:
    return Claim(value=text or None, printed=text or None, words=tuple(order), score=1.0 if text else 0.0)

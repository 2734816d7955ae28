"""Writes a page's words as a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.engines.embedded.logical_page import mirrored_page
from pipeline.engines.embedded.transcript import paragraphs
from pipeline.engines.embedded.transcript.drop_caps import join_drop_caps
from pipeline.engines.embedded.transcript.handwriting import FLAG, MARK, mark_handwriting
from pipeline.engines.embedded.transcript.markup import html_of, markdown_of
from pipeline.engines.embedded.transcript.page_blocks import page_blocks, split_page
from pipeline.engines.embedded.transcript.page_furniture import PageFurniture, find_furniture
from pipeline.engines.embedded.transcript.page_text import Piece, pieces_of_blocks, pieces_of_runs
from pipeline.engines.embedded.transcript.word_runs import TextRow, make_rows, make_runs
from pipeline.records import Claim, Page, Word
from pipeline.templates.template import Template

_MARKUP = frozenset({"markdown", "html"})
"""Fields that hold the page with its structure."""


def read_transcript(page: Page, template: Template) -> dict[str, Claim]:
    """Return the claim ``text``: paragraphs and tables, separated by blank lines. Its value is None for a page without words.

    Running heads and feet go to the claims ``header`` and ``footer`` when the template has both fields, else they stay in the text.
    For templates with the fields ``markdown`` or ``html`` these hold the whole page with its structure.
    """
    page = mirrored_page(page)
    page = mark_handwriting(replace(page, words=join_drop_caps(page.words)))
    names = [name for name, field in template.fields.items() if field.type == "text"]
    apart = {"header", "footer"} <= set(names) or bool(_MARKUP & set(names))
    furniture, pieces = _read(page, apart=apart)
    order = [index for piece in pieces for index in piece.order]
    header = _furniture_claim([*make_rows(furniture.header), list(furniture.side)], page.words)
    footer = _furniture_claim(make_rows(furniture.footer), page.words)
    claims = {"header": header, "footer": footer}
    for name, write in (("markdown", markdown_of), ("html", html_of)):
        if name in names:
            around = (*header.words, *footer.words)
            claims[name] = _claim(write(pieces, header.value or "", footer.value or ""), [*order, *around])
    name = "text" if "text" in names or not names else names[0]
    if name not in claims:
        claims[name] = _claim(text_of(pieces), order)
    return {name: claim for name, claim in claims.items() if name in names or not names}


def _read(page: Page, *, apart: bool) -> tuple[PageFurniture, list[Piece]]:
    """What stands around the text, where it is wanted ``apart``, and the text."""
    found = find_furniture(page) if apart else PageFurniture()
    if page.regions:
        furniture, blocks = split_page(page, found) if apart else (found, page_blocks(page))
        return furniture, pieces_of_blocks(blocks, page.words)
    outside = {index for run in (*found.header, *found.footer, *found.side) for index in run.words}
    body = [index for index in range(len(page.words)) if index not in outside]
    return found, pieces_of_runs(make_runs(page.words, body), page.words, pictures=page.source == "textlayer")


def transcribe(words: Sequence[Word], indices: Iterable[int] | None = None, *, pictures: bool = False) -> tuple[str, list[int]]:
    """Return the words (those of ``indices``) as text in reading order, and their indices in that order, without a learned layout.

    ``pictures`` says that words from OCR were read from pictures on the page.
    """
    runs = make_runs(words, range(len(words)) if indices is None else indices)
    pieces = pieces_of_runs(runs, words, pictures=pictures)
    return text_of(pieces), [index for piece in pieces for index in piece.order]


def text_of(pieces: Sequence[Piece]) -> str:
    """Return the text of the page: paragraphs and tables, separated by blank lines."""
    return "\n\n".join(piece.text for piece in pieces if piece.text)


def _furniture_claim(rows: Sequence[TextRow], words: Sequence[Word]) -> Claim:
    """Return the claim of rows that stand outside the text."""
    order = [index for row in rows for run in row for index in run.words]
    return _claim(paragraphs.plain_letters(paragraphs.rows_text([row for row in rows if row], words)), order)


def _claim(text: str, order: Sequence[int]) -> Claim:
    flags = (FLAG,) if MARK in text.replace("\\", "") else ()
    return Claim(value=text or None, printed=text or None, words=tuple(order), score=1.0 if text else 0.0, flags=flags)

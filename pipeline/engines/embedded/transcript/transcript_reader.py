"""A page's words as a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from pipeline.engines.embedded.transcript import markdown_tables, paragraphs
from pipeline.engines.embedded.transcript.page_furniture import Furniture, furniture
from pipeline.engines.embedded.transcript.picture_regions import told_apart
from pipeline.engines.embedded.transcript.reading_order import ordered
from pipeline.engines.embedded.transcript.word_runs import Row, make_rows, make_runs
from pipeline.records import Claim, Page, Word
from pipeline.templates.model import Template


def read_transcript(page: Page, template: Template) -> dict[str, Claim]:
    """The claim ``text``: paragraphs and tables parted by blank lines; None for a page without words.

    Running heads and feet go to the claims ``header`` and ``footer`` where the template has such fields, else they stay in the text.
    """
    names = [name for name, field in template.fields.items() if field.type == "text"]
    name = "text" if "text" in names or not names else names[0]
    around = furniture(page) if {"header", "footer"} <= set(names) else Furniture()
    apart = {index for run in (*around.header, *around.footer, *around.side) for index in run.words}
    kept = [index for index in range(len(page.words)) if index not in apart]
    text, order = transcribe(page.words, kept, pictures=page.source == "textlayer")
    claims = {name: _claim(text, order)}
    if {"header", "footer"} <= set(names):
        claims |= {
            "header": _apart([*make_rows(around.header), list(around.side)], page.words),
            "footer": _apart(make_rows(around.footer), page.words),
        }
    return claims


def transcribe(words: Sequence[Word], indices: Iterable[int] | None = None, *, pictures: bool = False) -> tuple[str, list[int]]:
    """The words (those of ``indices``) as text in reading order, and their indices in that order.

    ``pictures`` says that words from OCR are those of pictures on the page.
    """
    runs = make_runs(words, range(len(words)) if indices is None else indices)
    leaves = ordered(told_apart(runs, words) if pictures else runs, words)
    found = [part for leaf in leaves for part in markdown_tables.parts(leaf)]
    texts: list[str] = []
    for is_table, group in groupby(found, key=lambda part: bool(part.columns)):
        if is_table:
            texts += [markdown_tables.markdown(part, words) for part in group]
        else:
            blocks = [block for part in group for block in paragraphs.paragraphs(part.rows)]
            texts.append(paragraphs.mended("\n\n".join(paragraphs.rows_text(block, words) for block in blocks)))
    order = [index for part in found for row in part.rows for run in row for index in run.words]
    return paragraphs.plain("\n\n".join(texts)), order


def _apart(rows: Sequence[Row], words: Sequence[Word]) -> Claim:
    """Rows that stand outside the text."""
    order = [index for row in rows for run in row for index in run.words]
    return _claim(paragraphs.plain(paragraphs.rows_text([row for row in rows if row], words)), order)


def _claim(text: str, order: Sequence[int]) -> Claim:
    return Claim(value=text or None, printed=text or None, words=tuple(order), score=1.0 if text else 0.0)

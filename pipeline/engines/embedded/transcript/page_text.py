"""Writes the blocks of a page as pieces of text, each with its kind: paragraphs, headings, tables, pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from pipeline.engines.embedded.transcript import markdown_tables, paragraphs
from pipeline.engines.embedded.transcript.block_order import in_reading_order
from pipeline.engines.embedded.transcript.page_blocks import Block
from pipeline.engines.embedded.transcript.page_furniture import FOOTNOTE_MARK
from pipeline.engines.embedded.transcript.picture_regions import assign_pictures
from pipeline.engines.embedded.transcript.reading_order import parts_in_reading_order
from pipeline.engines.embedded.transcript.table_grid import Table, read_table
from pipeline.engines.embedded.transcript.word_runs import TextRow, WordRun
from pipeline.records import RegionKind, Word

SMALL_PRINT = 0.9
"""Letters of a footnote, as a multiple of the text's, at most."""
FLOWING = frozenset({"text", "list"})
"""Kinds of pieces through which a text runs on, past captions and footnotes between them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the page as text, lines as printed. A picture may have no text."""

    kind: RegionKind
    text: str
    order: tuple[int, ...] = ()
    """The words, in the order of the text."""
    size: float = 0.0
    """Height of its letters as a multiple of that of the page's text."""
    table: Table | None = None


def pieces_of_blocks(blocks: Sequence[Block], words: Sequence[Word]) -> list[Piece]:
    """Return the pieces of a page with a learned layout, in reading order."""
    heights = [run.height for block in blocks if block.kind in FLOWING for run in block.runs for _ in range(run.letters)]
    usual = median(heights) if heights else 0.0
    pieces = [piece for block in in_reading_order(blocks) for piece in _block_pieces(block, words)]
    sized = [replace(piece, size=_size(piece, words, usual)) for piece in pieces]
    return join_flow([replace(piece, kind="footnote") if _is_footnote(piece) else piece for piece in sized])


def pieces_of_runs(runs: Sequence[WordRun], words: Sequence[Word], *, pictures: bool = False) -> list[Piece]:
    """Return the pieces of words without a learned layout: paragraphs and tables, by white space alone."""
    parts = parts_in_reading_order(assign_pictures(runs, words) if pictures else list(runs), words)
    return join_flow([piece for part in parts for piece in _row_pieces(part, words)])


def _is_footnote(piece: Piece) -> bool:
    """Whether a text is a footnote: small print that begins with a mark. The network finds half of them."""
    return piece.kind == "text" and piece.size < SMALL_PRINT and bool(FOOTNOTE_MARK.match(piece.text))


def _block_pieces(block: Block, words: Sequence[Word]) -> Iterator[Piece]:
    if not block.runs:
        yield Piece("picture", "")
    elif len(block.regions) == 1 and block.kind == "table" and (table := read_table(block.regions[0], words)):
        yield Piece("table", markdown_tables.grid_markdown(table.grid()), table.order, table=table)
    elif len(block.regions) == 1 and block.kind not in ("table", "picture"):
        for rows in parts_in_reading_order(list(block.runs), words):
            yield Piece(block.kind, _paragraphs(rows, words), _order(rows))
    else:
        for rows in parts_in_reading_order(list(block.runs), words):
            yield from _row_pieces(rows, words, "picture" if block.kind == "picture" else "text")


def _row_pieces(rows: Sequence[TextRow], words: Sequence[Word], kind: RegionKind = "text") -> Iterator[Piece]:
    for block in markdown_tables.split_tables(rows):
        if block.columns:
            yield Piece("table", markdown_tables.table_markdown(block, words), _order(block.rows))
        else:
            yield Piece(kind, _paragraphs(block.rows, words), _order(block.rows))


def _paragraphs(rows: Sequence[TextRow], words: Sequence[Word]) -> str:
    return "\n\n".join(paragraphs.rows_text(each, words) for each in paragraphs.split_paragraphs(rows))


def _order(rows: Iterable[TextRow]) -> tuple[int, ...]:
    return tuple(index for row in rows for run in row for index in run.words)


def _size(piece: Piece, words: Sequence[Word], usual: float) -> float:
    heights = [words[index].box[3] - words[index].box[1] for index in piece.order]
    return median(heights) / usual if heights and usual else 1.0


def join_flow(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces with words joined that are broken at line ends, also where the text runs on behind a picture or footnotes."""
    page = "\n".join(piece.text for piece in pieces if piece.kind != "table")
    joined = [
        piece if piece.kind == "table" else replace(piece, text=paragraphs.join_broken_words(piece.text, page))
        for piece in pieces
    ]
    before = -1
    for number, piece in enumerate(joined):
        if piece.kind not in FLOWING or not piece.text:
            continue
        if before >= 0:
            first, _, rest = piece.text.partition("\n")
            start, _, end = joined[before].text.rpartition("\n")
            pair = paragraphs.join_broken_words(f"{end}\n{first}", page)
            if pair != f"{end}\n{first}":
                end, _, first = pair.partition("\n")
                joined[before] = replace(joined[before], text=f"{start}\n{end}" if start else end)
                joined[number] = replace(piece, text="\n".join(filter(None, (first, rest))))
        before = number
    return [replace(piece, text=paragraphs.plain_letters(piece.text)) for piece in joined]

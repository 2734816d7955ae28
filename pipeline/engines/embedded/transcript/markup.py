"""Writes the pieces of a page as Markdown and as HTML with structure.

What a page prints is text and nothing else: signs that mean something in Markdown or HTML are escaped, so that no document can put
scripts, links or headings of its own into what is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby

from pipeline.engines.embedded.transcript.markdown_tables import table_rows
from pipeline.engines.embedded.transcript.page_text import Piece
from pipeline.engines.embedded.transcript.table_grid import Cell, Table

LARGE_HEADING = 1.3
"""Letters of a heading of the second level, as a multiple of the text's; smaller ones are of the third."""
NO_CAPTION = "picture"
"""Alternative text of a picture without words and without a caption."""
_MARKER = re.compile(r"(?:[•·▪■●○◦‣–—*-]|\(?(\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)])\s+(?=\S)")
_SIGNS = re.compile(r"([\\`*_<>\[\]|~$])")
_START = re.compile(r"^(\s*)([#+-]|\d{1,9}[.)](?=\s))", re.MULTILINE)


def markdown_of(pieces: Sequence[Piece], header: str = "", footer: str = "") -> str:
    """Return a page as Markdown (CommonMark with tables). Tables with cells over several rows or columns are HTML in it.

    ``header`` and ``footer`` become comments, which no reader shows.
    """
    parts = [_comment("header", header), *map(_markdown, _with_captions(pieces)), _comment("footer", footer)]
    return "\n\n".join(filter(None, parts))


def html_of(pieces: Sequence[Piece], header: str = "", footer: str = "") -> str:
    """Return a page as the inside of an HTML section: headings, paragraphs, lists, tables, figures, asides."""
    parts = [f"<header>{_lines(header)}</header>" if header else ""]
    for is_list, group in groupby(_with_captions(pieces), key=lambda pair: pair[0].kind == "list"):
        items = list(group)
        parts += [_html_list([piece for piece, _ in items])] if is_list else [_html(*pair) for pair in items]
    parts.append(f"<footer>{_lines(footer)}</footer>" if footer else "")
    return "\n".join(filter(None, parts))


def _with_captions(pieces: Sequence[Piece]) -> list[tuple[Piece, str]]:
    """The pieces, each picture with the caption that stands next to it."""
    paired: list[tuple[Piece, str]] = []
    used: set[int] = set()
    for number, piece in enumerate(pieces):
        caption = ""
        if piece.kind == "picture":
            for near in (number + 1, number - 1):
                if 0 <= near < len(pieces) and pieces[near].kind == "caption" and near not in used:
                    used.add(near)
                    caption = " ".join(pieces[near].text.split())
                    break
        paired.append((piece, caption))
    return paired


def _level(piece: Piece) -> int:
    return 1 if piece.kind == "title" else 2 if piece.size >= LARGE_HEADING else 3


def _markdown(pair: tuple[Piece, str]) -> str:
    piece, caption = pair
    if piece.kind == "picture":
        return f"![{_plain(caption or piece.text) or NO_CAPTION}]()"
    if piece.kind == "table":
        return _html_table(piece.table) if piece.table and piece.table.has_spans else _markdown_table(piece)
    if piece.kind in ("title", "heading"):
        return f"{'#' * _level(piece)} {_plain(piece.text)}"
    if piece.kind == "caption":
        return f"*{_plain(piece.text)}*"
    if piece.kind == "list":
        return "\n".join(
            f"{_ordinal(marker)} {_plain(text)}" if marker else _plain(text) for marker, text in _items(piece.text)
        )
    return _START.sub(r"\1\\\2", _SIGNS.sub(r"\\\1", piece.text))


def _plain(text: str) -> str:
    """A text as one line of Markdown."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))


def _ordinal(marker: str) -> str:
    number = re.sub(r"\D", "", marker)
    return f"{number}." if number else "-"


def _comment(name: str, text: str) -> str:
    """A comment; nothing in the text can end it."""
    inside = " ".join(text.split()).replace("--", "- -").replace(">", "&gt;")
    return f"<!-- {name}: {inside} -->" if inside else ""


def _items(text: str) -> list[tuple[str, str]]:
    """The items of a list with their markers; the first has none where the list goes on from the column before."""
    items: list[tuple[str, str]] = []
    for line in text.split("\n"):
        marker = _MARKER.match(line)
        if marker or not items:
            items.append((marker[0].strip() if marker else "", line[marker.end() :] if marker else line))
        else:
            items[-1] = (items[-1][0], f"{items[-1][1]} {line}")
    return items


def _markdown_table(piece: Piece) -> str:
    rows = [[_plain(cell) for cell in row] for row in table_rows(piece.text)]
    if not rows:
        return _plain(piece.text)
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _html(piece: Piece, caption: str) -> str:
    if piece.kind == "picture":
        words = f"<p>{_lines(piece.text)}</p>" if piece.text else ""
        return f'<figure role="img" aria-label="{escape(caption or NO_CAPTION)}">{words}</figure>'
    if piece.kind == "table":
        if piece.table:
            return _html_table(piece.table)
        rows = table_rows(piece.text)
        if not rows:
            return f"<p>{_lines(piece.text)}</p>"
        cells = tuple(Cell(r, c, text) for r, row in enumerate(rows) for c, text in enumerate(row))
        return _html_table(Table(len(rows), len(rows[0]), cells, ()))
    if piece.kind in ("title", "heading"):
        return f"<h{_level(piece)}>{escape(' '.join(piece.text.split()))}</h{_level(piece)}>"
    if piece.kind == "footnote":
        return f'<aside class="footnote">{_lines(piece.text)}</aside>'
    if piece.kind in ("caption", "formula"):
        return f'<p class="{piece.kind}">{_lines(piece.text)}</p>'
    return "\n".join(f"<p>{_lines(paragraph)}</p>" for paragraph in piece.text.split("\n\n") if paragraph.strip())


def _lines(text: str) -> str:
    return escape(text.strip()).replace("\n", "<br>\n")


def _html_list(pieces: Sequence[Piece]) -> str:
    items = [item for piece in pieces for item in _items(piece.text)]
    name = "ol" if all(re.search(r"\d", marker) for marker, _ in items) else "ul"
    inside = "\n".join(f"<li>{escape(text)}</li>" for _, text in items)
    return f"<{name}>\n{inside}\n</{name}>"


def _html_table(table: Table) -> str:
    lines = ["<table>"]
    for number in range(table.rows):
        tag = "th" if number == 0 else "td"
        places = {cell.column: cell for cell in table.cells if cell.row == number}
        covered = {
            cell.column + n for cell in table.cells if cell.row < number < cell.row + cell.rows for n in range(cell.columns)
        }
        row, column = "", 0
        while column < table.columns:
            cell = places.get(column)
            if cell is None:
                row += "" if column in covered else f"<{tag}></{tag}>"
                column += 1
                continue
            span = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
            span += f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
            row += f"<{tag}{span}>{escape(cell.text)}</{tag}>"
            column += cell.columns
        lines.append(f"<tr>{row}</tr>")
    return "\n".join([*lines, "</table>"])

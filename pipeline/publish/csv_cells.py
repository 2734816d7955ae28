"""Cells of the CSV files, in which no spreadsheet finds a formula, by whichever separator it splits the file.

A spreadsheet whose language has semicolons between columns cuts the cell ``x;=1+1`` of our comma file into ``x`` and ``=1+1``, and runs the
second one. So an apostrophe stands before every sign that would begin a cell: at the beginning of a cell, and inside one behind a
semicolon, a tab, a vertical bar or a line break (OWASP, CSV injection). Blanks, invisible characters and quotes between separator and sign
do not help: programs drop them. Only a cell that is a number as a whole stays as it is. A number behind a separator inside a cell does
not: what follows in the next columns would belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
"""Signs that begin a formula, also in the widths of East Asian keyboards."""
_SEPARATORS = "\n\r;|\t"
_DROPPED = '\\s\x00-\x20\x7f-\xa0"\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff'
"""Blanks, control and invisible characters, and quotes: what programs drop from the beginning of a cell."""
_AT_START = re.compile(f"[{_DROPPED}{_SEPARATORS}]*[{_SIGNS}\t\r]")
_INSIDE = re.compile(f"(?<![{_DROPPED}{_SEPARATORS}])[{_DROPPED}{_SEPARATORS}]++(?=[{_SIGNS}])")
"""A longest run of separators and dropped characters before a sign. The look-behind and ``++`` keep the search linear."""
_LAST_SEPARATOR = re.compile(f"[{_SEPARATORS}](?=[^{_SEPARATORS}]*\\Z)")
_RULE_OF_TABLE = re.compile(r"\|[ \t]*\Z")
_DASHES = re.compile(r"-+:?[ \t]*\|")
_ESCAPE_INSIDE = re.compile(f"(?<=[{_SEPARATORS}])'(?=[{_DROPPED}]*[{_SIGNS}])")
_BEHIND_COMMA = re.compile(f",(?=[{_DROPPED}]*[{_SIGNS}])")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?%?", re.ASCII)


def may_be_formula(cell: str) -> bool:
    """Whether a spreadsheet may run the text as a formula."""
    return bool(_AT_START.match(cell)) and not _PLAIN_NUMBER.fullmatch(cell)


def defuse(cell: str) -> str:
    """The text with an apostrophe before every sign that would begin a formula; a number stays as it is."""
    return cell if _PLAIN_NUMBER.fullmatch(cell) else _defuse_text(cell)


def defuse_row(cells: Sequence[str], delimiter: str = ",") -> list[str]:
    """The cells of a line. A number in the first one has an apostrophe, too: split by another sign, the whole line is the cell.

    In a file whose ``delimiter`` is no comma, an apostrophe also stands before signs behind a comma.
    """
    defused = [_defuse_text(cell) if at == 0 else defuse(cell) for at, cell in enumerate(cells)]
    return defused if delimiter == "," else [_BEHIND_COMMA.sub(",'", cell) for cell in defused]


def true_text(cell: str) -> str:
    """The text of a cell that ``defuse`` may have changed, without the apostrophes."""
    cell = _ESCAPE_INSIDE.sub("", cell)
    return cell[1:] if cell.startswith("'") and _AT_START.match(cell[1:]) else cell


def _defuse_text(cell: str) -> str:
    cell = _INSIDE.sub(_behind_last_separator, cell)
    return f"'{cell}" if _AT_START.match(cell) else cell


def _behind_last_separator(run: re.Match[str]) -> str:
    """The run with an apostrophe behind its last separator; without a separator, and in the rule of a Markdown table, as it is."""
    text = run[0]
    if _RULE_OF_TABLE.search(text) and _DASHES.match(run.string, run.end()):
        return text
    return _LAST_SEPARATOR.sub(lambda separator: f"{separator[0]}'", text, count=1)

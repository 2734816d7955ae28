"""Where a value stands in a file without pages, from the places of its words: a cell, a range of cells, a paragraph."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.records import Word

MAX_NAMED = 3
"""Places that are listed; of more, the first and the last one."""
_CELL = re.compile(r"((?:.*!)?)([A-Z]{1,3})(\d{1,7})")


def place_of(words: Sequence[Word]) -> str | None:
    """``Sheet1!B7``, ``Sheet1!A12:D15``, ``paragraph 3``, ``line 4 to line 9``; None for words without places."""
    places = list(dict.fromkeys(word.place for word in words if word.place))
    if not places:
        return None
    if len(places) > 1 and (cells := _cell_range(places)):
        return cells
    return "; ".join(places) if len(places) <= MAX_NAMED else f"{places[0]} to {places[-1]}"


def _cell_range(places: Sequence[str]) -> str:
    """The range of cells of one sheet; empty for other places."""
    cells = [_CELL.fullmatch(place) for place in places]
    found = [cell for cell in cells if cell]
    if len(found) < len(cells) or len({cell[1] for cell in found}) > 1:
        return ""
    columns = sorted({cell[2] for cell in found}, key=lambda letters: (len(letters), letters))
    rows = sorted({int(cell[3]) for cell in found})
    return f"{found[0][1]}{columns[0]}{rows[0]}:{columns[-1]}{rows[-1]}"

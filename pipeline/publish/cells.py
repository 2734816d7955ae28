"""Cells of the type that their column declares. A value that is not of this type stays text."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any, Literal

ColumnKind = Literal["text", "identifier", "integer", "number", "money", "date", "time"]
"""Type of a column. An ``identifier`` is text, also when it looks like a number; ``integer`` columns hold the program's own counts."""
Cell = str | int | Decimal | datetime.date | datetime.time | None
_DECIMAL = re.compile(r"-?\d{1,200}(\.\d{1,200})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
_LINE_ENDS = {ord("\r"): "\n", 0: None}
"""Some readers end a row at a lone carriage return, even in a cell that needs no quotes."""


def as_text(value: Any) -> str:
    """A value as one text. Lists are joined by semicolons, or by blank lines where an item has several lines."""
    if value is None:
        return ""
    if isinstance(value, list):
        texts = [as_text(item) for item in value]
        return ("\n\n" if any("\n" in text for text in texts) else "; ").join(texts)
    return str(value).translate(_LINE_ENDS)


def as_cell(value: Any, kind: ColumnKind) -> Cell:
    """A value by the kind of its column; None for an empty one. Decimals keep their digits: ``Decimal("1.50")``."""
    if isinstance(value, int) and kind == "integer":
        return value
    text = as_text(value)
    if not text:
        return None
    if kind in ("number", "money"):
        return Decimal(text) if _DECIMAL.fullmatch(text) else text
    try:
        if kind == "date" and _DATE.fullmatch(text):
            return datetime.date.fromisoformat(text)
        if kind == "time" and _TIME.fullmatch(text):
            return datetime.time.fromisoformat(text)
    except ValueError:
        pass
    return text


def as_plain_text(cell: str | int | Decimal | datetime.date | datetime.time) -> str:
    """A cell as JSON and CSV write it, in characters that every format can hold: no zero bytes, no lone surrogates."""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime.time):
        return cell.isoformat("seconds" if cell.second else "minutes")
    return str(cell).replace("\0", "").encode(errors="replace").decode()

"""Cells with the type that their column promises; what is not of that type stays the text that it is."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["text", "identifier", "integer", "number", "money", "date", "time"]
"""What a column holds. ``identifier`` is text that looks like a number to others; ``integer`` are our own counts."""
Cell = str | int | Decimal | datetime.date | datetime.time | None
TypedRow = Mapping[str, Cell]
_DECIMAL = re.compile(r"-?\d{1,200}(\.\d{1,200})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
_UNQUOTED = {ord("\r"): "\n", 0: None}
"""A lone carriage return ends a row for some readers, though it is not quoted."""


def as_text(value: Any) -> str:
    """A value as one text: lists are joined by semicolons, or by blank lines where one of their texts has several lines."""
    if value is None:
        return ""
    if isinstance(value, list):
        texts = [as_text(item) for item in value]
        return ("\n\n" if any("\n" in text for text in texts) else "; ").join(texts)
    return str(value).translate(_UNQUOTED)


def as_cell(value: Any, kind: Kind) -> Cell:
    """A value by the kind of its column; None for what is not there. Decimals keep their digits: ``Decimal("1.50")``."""
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


def as_plain(cell: str | int | Decimal | datetime.date | datetime.time) -> str:
    """The cell as its JSON and CSV have it, in characters that every file can hold: no zeros, no halves of surrogates."""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime.time):
        return cell.isoformat("seconds" if cell.second else "minutes")
    return str(cell).replace("\0", "").encode(errors="replace").decode()

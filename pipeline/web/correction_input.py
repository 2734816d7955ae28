"""What people say about fields, taken down: understood by the field's type, and as the truth that `pipeline eval` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipeline.evaluate.expected import is_list, wanted
from pipeline.ledger.corrections import correction_history
from pipeline.ledger.ledger import Ledger
from pipeline.records import Json
from pipeline.templates.model import TemplateField

LONGEST = 200_000


def understood(value: Json, field: TemplateField) -> Json:
    """A value as results hold it: plain decimals, ISO dates, rows with every column. Raises ValueError with a message for people."""
    told = json.dumps(value, ensure_ascii=False)
    try:
        told.encode()
    except UnicodeEncodeError as error:
        raise ValueError("letters that are none") from error
    if len(told) > LONGEST:
        raise ValueError(f"more than {LONGEST:,} letters")
    if field.type == "text" and field.merge == "all" and not field.many:  # a text a page
        if value is not None and not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
            raise ValueError("a list is meant, with a text for each page")
        return value
    found = wanted(value, field)
    if found is None:
        return None
    if field.type == "table":
        return [{name: row.get(name) for name in field.columns} for row in found if isinstance(row, dict)]
    if is_list(field):
        values: list[Any] = list(found)
    elif len(found) == 1:
        values = list(found)
    else:
        raise ValueError("one value is meant")
    if field.type == "enum" and (other := next((item for item in values if item not in field.values), None)) is not None:
        raise ValueError(f"`{other}` is none of {', '.join(field.values)}")
    return values if is_list(field) else values[0]


def truth(ledger: Ledger, template: str) -> Iterator[dict[str, Any]]:
    """What people corrected or confirmed, a document at a time, in the form of docs/eval.md. ``file`` is the path below the inbox."""
    seen: set[str] = set()
    for file in ledger.published_files():
        if file.source.relative in seen:  # another file that had the name before
            continue
        fields = {
            field: words[-1].value
            for (name, field), words in correction_history(ledger, file.published_sha256 or "").items()
            if name == template and not words[-1].withdrawn
        }
        if fields:
            seen.add(file.source.relative)
            yield {"file": file.source.relative, "fields": fields}

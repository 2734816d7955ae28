"""Corrections as people enter them: parsed by the field's type, and exported as the truth that ``pipeline eval`` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from pipeline.evaluate.expected import is_list, parse_expected
from pipeline.ledger.corrections import correction_history
from pipeline.ledger.ledger import Ledger
from pipeline.records import Json
from pipeline.templates.template import TemplateField

MAX_CHARACTERS = 200_000
InputKind = Literal["one", "many", "texts", "table", ""]
"""How a value is entered: ``one``, ``many`` (one a line), ``texts`` (one a page), ``table``; empty when it cannot be entered."""


def input_kind(spec: TemplateField | None, value: Json) -> InputKind:
    """How a person enters a value of this field."""
    if spec is None:
        return ""
    if spec.type == "table":
        return "table"
    if _is_text_per_page(spec):
        return "texts" if isinstance(value, list) else ""
    return "many" if is_list(spec) else "one"


def parse_value(value: Json, field: TemplateField) -> Json:
    """A value as results hold it: plain decimals, ISO dates, rows with every column. Raises ValueError with a message for people."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("it contains invalid characters") from error
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"it has more than {MAX_CHARACTERS:,} characters")
    if _is_text_per_page(field):
        if value is not None and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise ValueError("it must be a list with a text for each page")
        return value
    parsed = parse_expected(value, field)
    if parsed is None:
        return None
    if field.type == "table":
        return [{name: row.get(name) for name in field.columns} for row in parsed if isinstance(row, dict)]
    values: list[Any] = list(parsed)
    if not is_list(field) and len(values) != 1:
        raise ValueError("it must be one value")
    if field.type == "enum" and (other := next((item for item in values if item not in field.values), None)) is not None:
        raise ValueError(f"`{other}` is none of {', '.join(field.values)}")
    return values if is_list(field) else values[0]


def _is_text_per_page(field: TemplateField) -> bool:
    return field.type == "text" and field.merge == "all" and not field.many


def truth_rows(ledger: Ledger, template: str) -> Iterator[dict[str, Any]]:
    """The corrected and confirmed values of one template, a document a row, as docs/eval.md describes them.

    ``file`` is the path below the inbox. A document of a file that is split is no file, and is left out.
    """
    paths: set[str] = set()
    for file in ledger.published_files():
        if file.part or file.source.relative in paths:  # an earlier file of this name
            continue
        fields = {
            field: corrections[-1].value
            for (name, field), corrections in correction_history(ledger, file.key).items()
            if name == template and not corrections[-1].withdrawn
        }
        if fields:
            paths.add(file.source.relative)
            yield {"file": file.source.relative, "fields": fields}

"""Puts the values of a document into the shape of its template: that of a JSON Schema, or of a YAML template's groups.

What the document does not state is null where the schema allows it, and left out where the schema does not require it. Where it must be
there, a text is empty and a list has no items: these claim nothing. For a number, a date or a choice there is nothing to write: it is left
out, and the errors say so. A value that its part of the schema refuses counts as not stated, but where it must be there it is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry

from pipeline.records import Evidence, Json
from pipeline.templates.groups import nest, nested_rows
from pipeline.templates.schema_labels import folded
from pipeline.templates.schema_nodes import Node, read_schema
from pipeline.templates.schema_template import FALSE, TRUE, choice_text, is_as_printed
from pipeline.templates.template import Template
from pipeline.values.dates import parse_date
from pipeline.values.numbers import parse_number

MAX_ERRORS = 20
MAX_MESSAGE = 240
MAX_PATTERN_LETTERS = 10_000
MAX_EXPONENT = 300
"""Digits before the point that a JSON number of usual readers can have."""
_MISSING = object()


@dataclass(frozen=True, slots=True)
class ShapedData:
    """The values of one template in their shape."""

    data: Json
    errors: tuple[str, ...] | None = None
    """Where ``data`` does not meet the JSON Schema, one line a place, at most ``MAX_ERRORS``; None for a template without one."""


def shaped_data(template: Template, fields: Mapping[str, Evidence]) -> ShapedData:
    """The values of a nested template, of any document, in their shape. Never raises."""
    if template.json_schema is None:
        return ShapedData(nest({name: nested_rows(evidence.value) for name, evidence in fields.items()}))
    schema = _Schema.of(template)
    built = schema.value(schema.root, "", fields)
    data = {} if built is _MISSING else built
    return ShapedData(data, schema.errors(data))


class _Schema:
    """One JSON Schema, ready to build and check values."""

    def __init__(self, text: str) -> None:
        schema = json.loads(text)
        self.root = read_schema(schema, "schema")
        checker = Draft202012Validator.FORMAT_CHECKER
        # An empty registry: a reference that is not within the schema is an error, and never fetched.
        self._whole = Draft202012Validator(schema, format_checker=checker, registry=Registry())
        self._leaves: dict[int, Draft202012Validator] = {}

    @staticmethod
    def of(template: Template) -> _Schema:
        return _schema(json.dumps(template.json_schema))

    def errors(self, data: Json) -> tuple[str, ...]:
        """Where the data do not meet the schema."""
        found = []
        for error in self._whole.iter_errors(data):
            found.append(f"{error.json_path}: {error.message}"[:MAX_MESSAGE])
            if len(found) == MAX_ERRORS:
                break
        return tuple(found)

    def value(self, node: Node, name: str, values: Mapping[str, Any]) -> Any:
        """The value of a node. ``values`` holds evidence by field, or within a row its cells by column."""
        if node.kind == "object":
            return self._object(node, name, values)
        stated = values.get(name)
        printed = stated.printed if isinstance(stated, Evidence) else None
        plain = stated.value if isinstance(stated, Evidence) else stated
        if node.kind == "array":
            return self._list(node, plain)
        return self._leaf(node, plain, printed)

    def _object(self, node: Node, name: str, values: Mapping[str, Any]) -> Any:
        built: dict[str, Any] = {}
        for child in node.children:
            value = self.value(child, f"{name}.{child.key}" if name else child.key, values)
            if value is _MISSING and child.required:
                value = self._nothing(child)
            if value is not _MISSING:
                built[child.name] = value
        if name and not _says_something(built):
            if node.nullable:
                return None
            if not node.required:
                return _MISSING
        return built

    def _list(self, node: Node, value: Any) -> Any:
        if not isinstance(value, list) or not value:
            return None if node.nullable else [] if node.required or not self._refuses_none(node) else _MISSING
        item = node.item
        if item.kind == "leaf":
            items = [self._leaf(item, each, None) for each in value]
        elif item.kind == "object":
            items = [self._object(item, "", each) for each in value if isinstance(each, Mapping)]
        else:
            items = [self._list(item, each.get(item.item.key) if isinstance(each, Mapping) else None) for each in value]
        return [each for each in items if each is not _MISSING]

    def _refuses_none(self, node: Node) -> bool:
        return bool(node.schema.get("minItems"))

    def _leaf(self, node: Node, value: Any, printed: str | None) -> Any:
        cast = (
            _MISSING
            if value in (None, "", [])
            else next((each for each in _casts(node, value, printed) if self._fits(node, each)), _MISSING)
        )
        if cast is _MISSING and node.required and not node.nullable:
            cast = next(iter(_casts(node, value, printed)), _MISSING)
        return None if cast is _MISSING and node.nullable else cast

    def _fits(self, node: Node, value: Any) -> bool:
        if isinstance(value, str) and len(value) > MAX_PATTERN_LETTERS and "pattern" in json.dumps(dict(node.schema)):
            return False
        validator = self._leaves.get(id(node))
        if validator is None:
            schema = {key: part for key, part in node.schema.items() if key not in ("alternatives", "description", "title")}
            if alternatives := node.schema.get("alternatives"):
                schema = {"anyOf": alternatives}
            validator = self._leaves[id(node)] = Draft202012Validator(
                schema, format_checker=Draft202012Validator.FORMAT_CHECKER, registry=Registry()
            )
        return bool(validator.is_valid(value))

    def _nothing(self, node: Node) -> Any:
        """What stands for a required value that the document does not state: an empty text or list that the schema accepts."""
        if node.kind == "array":
            return []
        if node.kind == "leaf" and (not node.types or "string" in node.types) and self._fits(node, ""):
            return ""
        return _MISSING


@lru_cache(maxsize=32)
def _schema(text: str) -> _Schema:
    return _Schema(text)


def _says_something(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_says_something, value.values()))
    return value not in (None, "", [])


def _casts(node: Node, value: Any, printed: str | None) -> Sequence[Any]:
    """The value in the forms that the node's types allow, the best first."""
    if value in (None, "", []):
        return []
    if isinstance(value, list | Mapping):
        value = "; ".join(map(str, value)) if isinstance(value, list) else json.dumps(value, ensure_ascii=False)
    choices = [node.schema["const"]] if "const" in node.schema else node.schema.get("enum")
    if choices is not None:
        return _chosen(str(value), choices)
    forms: list[Any] = []
    types = node.types or ("string", "number", "boolean")
    if "boolean" in types and (truth := _boolean(str(value))) is not None:
        forms.append(truth)
    number = _number(str(value)) if "number" in types or "integer" in types else None
    if "string" in types and (number is None or "number" in types):
        forms += _texts(node, str(value), printed)
    if number is not None and ("number" in types or number == number.to_integral_value()):
        forms.append(int(number) if number == number.to_integral_value() else float(number))
    if "string" in types and number is not None:
        forms += _texts(node, str(value), printed)
    return forms


def _texts(node: Node, value: str, printed: str | None) -> list[str]:
    form = node.schema.get("format")
    if form == "date-time":
        date = parse_date(value)
        return [value] if "T" in value else [f"{date.isoformat()}T00:00:00Z"] if date else []
    if form == "date":
        date = parse_date(value)
        return [date.isoformat()] if date else []
    if printed and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) and is_as_printed(node, node.description):
        return [printed, value]
    is_text = not form and "pattern" not in node.schema and "number" not in node.types
    if printed and is_text and folded(printed).lstrip("0") == folded(value).lstrip("0"):
        return [printed, value]  # the same with other marks: an IBAN with its blanks
    return [value, "".join(value.split())] if "pattern" in node.schema or form else [value]


def _chosen(value: str, choices: Sequence[Any]) -> list[Any]:
    """The choices that the value is: as it is written, else by its letters and digits, else by its number."""
    stated = [choice for choice in choices if choice is not None]
    exact = [choice for choice in stated if choice_text(choice) == value]
    alike = [choice for choice in stated if folded(choice_text(choice)) == folded(value) != ""]
    truth = _boolean(value)
    booleans = [choice for choice in stated if isinstance(choice, bool) and choice is truth]
    return exact or booleans or alike


def _boolean(value: str) -> bool | None:
    plain = value.strip().casefold()
    return True if plain in (TRUE, "true", "1") else False if plain in (FALSE, "false", "0") else None


def _number(value: str) -> Decimal | None:
    number: Decimal | None
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = parse_number(value)
    return number if number is not None and number.is_finite() and number.adjusted() < MAX_EXPONENT else None

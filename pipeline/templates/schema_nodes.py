"""Reads a JSON Schema (draft 2020-12) as a tree of objects, lists and single values.

It knows the subset that structured outputs of language models take: objects, arrays, strings, numbers, integers, booleans, ``enum``,
``const``, ``anyOf`` with null, ``$ref`` into the schema itself without recursion, ``allOf``, ``required``, and limits of single values.
Keys that only limit a value are kept; the finished JSON is checked against them. A reference out of the schema is refused: nothing is
fetched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from pipeline.errors import TemplateError

MAX_NODES = 1000
"""Objects, lists and values of one schema, references followed."""
MAX_DEPTH = 10
Schema = Mapping[str, Any]
Trail = tuple[str, ...]
"""References that lead to a place."""
_SCALARS = ("string", "number", "integer", "boolean", "null")
_CURE = "docs/schemas.md names what a JSON Schema may hold"
_SHAPING = ("prefixItems", "patternProperties", "dependentSchemas", "$dynamicRef", "if")
"""Keys that change the shape by the value. A schema with one of them is refused."""
_OTHER_NAMES = {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe"}


@dataclass(frozen=True, slots=True)
class Node:
    """One place of a schema."""

    kind: Literal["object", "array", "leaf"]
    name: str
    """The property's name; empty for the root and for the items of a list."""
    key: str
    """The same as the name of a template's field: lower-case letters, digits and ``_``, unique within its object."""
    schema: Schema
    """Its own part of the schema, references and alternatives resolved, without null."""
    nullable: bool = False
    required: bool = False
    types: tuple[str, ...] = ()
    """JSON types of a leaf; empty for any."""
    children: tuple[Node, ...] = ()
    """An object's properties; the items of a list, one node."""

    @property
    def description(self) -> str:
        """What the schema says of it, on one line."""
        text = self.schema.get("description") or self.schema.get("title") or ""
        return " ".join(str(text).split())

    @property
    def item(self) -> Node:
        """The items of a list."""
        return self.children[0]


def read_schema(schema: object, origin: str) -> Node:
    """The tree of a schema. Raises TemplateError, which begins with ``origin`` and names the place."""
    if not isinstance(schema, Mapping):
        raise TemplateError(f"{origin}: a JSON Schema must be an object", _CURE)
    reader = _Reader(schema, origin)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise TemplateError(f"{origin}: {error.json_path}: {error.message[:200]}", "correct the JSON Schema") from None
    except RecursionError:
        raise reader.fault("$", "nested too deeply") from None
    reader.check_references()
    root = reader.node(schema, "$", "", "", required=True)
    if root.kind != "object" or not root.children:
        raise reader.fault("$", "the outermost schema must be an object with `properties`")
    return root


def field_key(name: str) -> str:
    """``invoiceNumber``, ``Invoice no.`` and ``invoice-number`` as a field's name: ``invoice_number``, ``invoice_no``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    plain = "".join(_OTHER_NAMES.get(char, char) for char in unicodedata.normalize("NFKD", parted).casefold())
    key = re.sub(r"[^a-z0-9]+", "_", plain.encode("ascii", "ignore").decode()).strip("_")
    return (key if key[:1].isalpha() else f"field_{key}" if key else "field")[:56].rstrip("_")


class _Reader:
    """Follows references and alternatives of one schema."""

    def __init__(self, root: Schema, origin: str) -> None:
        self._root, self._origin, self._count = root, origin, 0
        self._path: list[str] = []
        """Names of the objects and lists around the present place."""

    def fault(self, place: str, message: str) -> TemplateError:
        """The error for one place."""
        return TemplateError(f"{self._origin}: {place}: {message}", _CURE)

    def check_references(self) -> None:
        """Raises TemplateError for a reference out of the schema, wherever it stands."""
        for reference in _references(self._root):
            if not reference.startswith("#"):
                raise self.fault("$", f"the reference `{reference[:80]}` leads out of the schema: put its target under `$defs`")

    def node(self, schema: object, place: str, name: str, key: str, *, required: bool, trail: Trail = ()) -> Node:
        """The node of a part of the schema. ``trail`` holds the references that lead to it."""
        self._count += 1
        if self._count > MAX_NODES:
            raise self.fault(place, f"more than {MAX_NODES} places")
        if len(self._path) > MAX_DEPTH:
            raise self.fault(place, "nested too deeply")
        merged, trail, nullable = self._merged(schema, place, trail)
        if shaping := next((each for each in _SHAPING if each in merged), None):
            raise self.fault(place, f"`{shaping}` is not supported")
        types, nullable = _types(merged, nullable=nullable)
        made = Node("leaf", name, key, merged, nullable, required, types)
        compound = [each for each in types if each in ("object", "array")]
        if compound and len(types) > 1:
            raise self.fault(place, f"a value that may be {' or '.join(types)} is not supported")
        if not compound:
            return made
        self._path.append(name)
        if compound == ["object"]:
            children = tuple(self._properties(merged, place, trail))
            made = replace(made, kind="object", types=(), children=children)
        else:
            item = self.node(merged.get("items", {}), f"{place}[]", "", "item", required=True, trail=trail)
            made = replace(made, kind="array", types=(), children=(item,))
        self._path.pop()
        return made

    def _properties(self, merged: Schema, place: str, trail: Trail) -> Iterator[Node]:
        required = frozenset(merged.get("required", ()))
        used: set[str] = set(_RESERVED) if place == "$" else set(_RESERVED_IN_ROWS)
        for name, inner in merged.get("properties", {}).items():
            if inner is False:
                continue
            key = unused_key(field_key(name), used)
            used.add(key)
            yield self.node(inner, f"{place}.{name}"[:300], name, key, required=name in required, trail=trail)

    def _merged(self, schema: object, place: str, trail: Trail) -> tuple[dict[str, Any], Trail, bool]:
        """The schema with its references and alternatives put in, the references followed, and whether it may be null."""
        merged = dict(schema) if isinstance(schema, Mapping) else {}
        nullable = merged.pop("nullable", False) is True
        while "$ref" in merged or "allOf" in merged or "anyOf" in merged or "oneOf" in merged:
            if "$ref" in merged:
                reference = str(merged.pop("$ref"))
                if reference in trail:
                    raise self.fault(place, f"the reference `{reference[:80]}` leads back to itself")
                trail = (*trail, reference)
                merged = {**self._target(reference, place), **merged}
            elif "allOf" in merged:
                parts = [self._merged(part, place, trail) for part in merged.pop("allOf")]
                merged = _joined([*(part for part, _, _ in parts), merged])
                trail = tuple(dict.fromkeys([*trail, *(one for _, followed, _ in parts for one in followed)]))
            else:
                keyword = "anyOf" if "anyOf" in merged else "oneOf"
                options = [self._merged(option, place, trail) for option in merged.pop(keyword)]
                several = [(option, followed) for option, followed, _ in options if not _is_null(option)]
                nullable |= any(may_be_null or _types(option, nullable=False)[1] for option, _, may_be_null in options)
                if len(several) == 1:
                    merged, trail = {**several[0][0], **merged}, several[0][1]
                else:
                    merged = {**self._union([option for option, _ in several], place), **merged}
        return merged, trail, nullable

    def _target(self, reference: str, place: str) -> dict[str, Any]:
        target: Any = self._root
        for part in filter(None, reference.removeprefix("#").split("/")):
            step = part.replace("~1", "/").replace("~0", "~")
            target = target.get(step) if isinstance(target, Mapping) else None
        if reference == "#":
            raise self.fault(place, "the reference `#` leads back to itself")
        if not isinstance(target, Mapping):
            raise self.fault(place, f"the reference `{reference[:80]}` leads to nothing")
        return dict(target)

    def _union(self, options: Sequence[Schema], place: str) -> dict[str, Any]:
        """Several alternatives of single values as one schema. Raises TemplateError for other ones."""
        types = [each for option in options for each in _types(option, nullable=False)[0]]
        if not options or any(each in ("object", "array") for each in types):
            raise self.fault(place, "alternatives are supported for single values, and for null beside another one")
        union: dict[str, Any] = {"type": list(dict.fromkeys(types)), "alternatives": [dict(option) for option in options]}
        values = [value for option in options for value in _choices(option)]
        if values and all(_choices(option) for option in options):
            union["enum"] = values
        return {key: value for option in options for key, value in option.items() if key in ("description", "format")} | union


def unused_key(key: str, used: set[str]) -> str:
    """The key, or the key with a number where it is taken."""
    number, free = 1, key
    while free in used:
        number += 1
        free = f"{key}_{number}"
    return free


_RESERVED = frozenset({"file", "status", "pages", "flags", "review", "corrected"})
_RESERVED_IN_ROWS = frozenset({"file", "row"})
"""Names that the CSV files need for themselves, as ``template.SHEET_COLUMNS`` and ``TABLE_COLUMNS``."""


def _choices(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _is_null(schema: Schema) -> bool:
    return _types(schema, nullable=False) == ((), True)


def _types(schema: dict[str, Any] | Schema, *, nullable: bool) -> tuple[tuple[str, ...], bool]:
    """JSON types without null, and whether null is one of them."""
    named = schema.get("type")
    types = [named] if isinstance(named, str) else list(named or ())
    if not types and (choices := _choices(schema)):
        types = list(dict.fromkeys(_type_of(choice) for choice in choices))
    if not types:
        types = ["object"] if "properties" in schema else ["array"] if "items" in schema else []
    has_null = "null" in types and (not _choices(schema) or None in _choices(schema))
    return tuple(str(each) for each in types if each != "null"), nullable or has_null


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "string"


def _joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Schemas that hold together: properties and required names of all, else the last one's keys."""
    joined: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if key in ("properties", "$defs") and isinstance(value, Mapping):
                joined[key] = {**joined.get(key, {}), **value}
            elif key == "required":
                joined[key] = [*joined.get(key, []), *value]
            else:
                joined[key] = value
    return joined


def _references(schema: object) -> Iterator[str]:
    """All references in a schema. Values of ``enum``, ``const``, ``default`` and ``examples`` are none."""
    pending: list[object] = [schema]
    while pending:
        here = pending.pop()
        if isinstance(here, Mapping):
            for key, value in here.items():
                if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                    yield value
                elif key not in ("enum", "const", "default", "examples"):
                    pending.append(value)
        elif isinstance(here, list):
            pending.extend(here)

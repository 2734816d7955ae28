"""Checks names within a template: fields in checks exist, e-invoice terms are terms of EN 16931.

It checks the file as read, before validation, so that these mistakes are reported together with all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import get_args

from pipeline.records import Json
from pipeline.templates.template import FieldType
from pipeline.yaml_files.explain import did_you_mean
from pipeline.yaml_files.yaml_lines import Where, YamlDocument

RESERVED = frozenset({"documents"})
"""Names that the outbox needs for itself (``documents.csv``)."""
_FIELD_TYPES = frozenset(get_args(FieldType))
_SUMMED = frozenset({"money", "number"})
_TERM = re.compile(r"B[TG]-[0-9]{1,3}")


def check_references(document: YamlDocument) -> None:
    """Notes a mistake for every name that does not exist."""
    data = _mapping(document.data)
    if str(data.get("name")) in RESERVED:
        document.add(("name",), f"the name `{data['name']}` is taken by the outbox: choose another")
    if data.get("json_schema") is not None:
        document.add(("json_schema",), "a JSON Schema is a file of its own: save it as NAME.schema.json beside this one")
    for where, kind, spec in _specs(_mapping(data.get("fields"))):
        _check_einvoice_term(document, where, kind, spec)
    types = _types(_mapping(data.get("fields")))
    for name, spec in _mapping(data.get("fields")).items():
        _check_fallback(document, ("fields", name), _mapping(spec), types)
    names: set[str] = set()
    for number, check in enumerate(_sequence(data.get("checks"))):
        _check(document, ("checks", number), _mapping(check), types, names)


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _specs(fields: dict[str, Json]) -> Iterator[tuple[Where, str, dict[str, Json]]]:
    for name, spec in fields.items():
        yield ("fields", name), str(_mapping(spec).get("type")), _mapping(spec)
        for column, inner in _mapping(_mapping(spec).get("columns")).items():
            yield ("fields", name, "columns", column), str(_mapping(inner).get("type", "text")), _mapping(inner)


def _types(fields: dict[str, Json]) -> dict[str, str]:
    """The type of every field, and of every column by ``table.column``."""
    return {".".join(str(part) for part in where[1::2]): kind for where, kind, _ in _specs(fields)}


def _check_fallback(document: YamlDocument, where: Where, spec: dict[str, Json], types: dict[str, str]) -> None:
    for key in ("otherwise", "unless"):
        other = spec.get(key)
        if other is None:
            continue
        if str(other) not in types or "." in str(other):
            document.add((*where, key), f"there is no field `{other}`{did_you_mean(str(other), types)}")
        elif key == "otherwise" and types[str(other)] != types[str(where[1])]:
            document.add((*where, key), f"`{other}` is a {types[str(other)]}, `{where[1]}` a {types[str(where[1])]}")


def _check_einvoice_term(document: YamlDocument, where: Where, kind: str, spec: dict[str, Json]) -> None:
    term = spec.get("einvoice")
    if term is None:
        return
    prefix = "BG" if kind == "table" else "BT"
    if not _TERM.fullmatch(str(term)):
        document.add((*where, "einvoice"), f"`{term}` is no business term of EN 16931: write `{prefix}-` and a number")
    elif not str(term).startswith(prefix):
        document.add((*where, "einvoice"), f"a {kind} holds a `{prefix}-` term, not `{term}`")


def _check(document: YamlDocument, where: Where, check: dict[str, Json], types: dict[str, str], names: set[str]) -> None:
    name = str(check.get("name"))
    if name in names:
        document.add((*where, "name"), f"two checks are named `{name}`")
    names.add(name)
    for number, term in enumerate(_sequence(check.get("sum"))):
        _check_field_name(document, (*where, "sum", number), name, str(term).removeprefix("-"), types, _SUMMED)
    if check.get("equals") is not None:
        _check_field_name(document, (*where, "equals"), name, str(check["equals"]), types, _SUMMED)
    if check.get("running") is not None:
        running = str(check["running"])
        _check_field_name(document, (*where, "running"), name, running, types, _SUMMED)
        if "." not in running and running in types:
            document.add((*where, "running"), f"check `{name}`: `{running}` is no column of a table")
    for number, term in enumerate(_sequence(check.get("order"))):
        _check_field_name(document, (*where, "order", number), name, str(term), types, frozenset({"date"}))
    if not _is_tolerance(str(check.get("tolerance", "0"))):
        document.add((*where, "tolerance"), f"`{check.get('tolerance')}` is no amount: write it as `0.02`")


def _check_field_name(
    document: YamlDocument, where: Where, check: str, name: str, types: dict[str, str], allowed: frozenset[str]
) -> None:
    kind = types.get(name)
    if kind is None:
        hint = did_you_mean(name, types) or ", which the template does not have"
        document.add(where, f"check `{check}` names the field `{name}`{hint}")
    elif kind not in allowed and kind in _FIELD_TYPES:
        document.add(where, f"check `{check}` names `{name}`, which is of type {kind}: it needs {' or '.join(sorted(allowed))}")


def _is_tolerance(text: str) -> bool:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return amount.is_finite() and amount >= 0

"""Takes the groups of a YAML template apart: the fields of the group ``seller`` become ``seller.name``, ``seller.address.city``.

All that works with fields then sees one flat list of them; ``schema_data`` puts the values of a document into their groups again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.records import Json
from pipeline.yaml_files.explain import did_you_mean
from pipeline.yaml_files.yaml_lines import Where, YamlDocument

GROUP = "group"
_KEYS = ("type", "description")


def flatten_groups(document: YamlDocument) -> None:
    """Replaces every group in the fields of a file, and in the columns of its tables, by what it holds. Notes mistakes at their line."""
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("fields"), dict):
        return
    moved: dict[Where, Where] = {}
    data["fields"] = dict(_flat(document, data["fields"], ("fields",), ("fields",), "fields", moved))
    for name, spec in data["fields"].items():
        if isinstance(spec, dict) and isinstance(spec.get("columns"), dict):
            here = ("fields", name, "columns")
            old = next((before for before, after in moved.items() if after == here[:2]), here[:2])
            spec["columns"] = dict(_flat(document, spec["columns"], (*old, "columns"), here, "columns", moved))
    if moved:
        document.lines = {_renamed(where, moved): line for where, line in document.lines.items()}
        document.blocks = {_renamed(where, moved) for where in document.blocks}


def _flat(
    document: YamlDocument,
    specs: dict[str, Json],
    old: Where,
    new: Where,
    inner: str,
    moved: dict[Where, Where],
    before: str = "",
    about: str = "",
) -> Iterator[tuple[str, Json]]:
    for key, spec in specs.items():
        here, name = (*old, key), f"{before}{key}"
        if not isinstance(spec, dict) or spec.get("type") != GROUP:
            if before:
                moved[here] = (*new, name)
            yield name, _described(spec, about)
            continue
        held = spec.get(inner)
        if not isinstance(held, dict) or not held:
            document.add(here, f"the group `{name}` needs `{inner}`: what it holds")
            continue
        for unknown in spec:
            if unknown not in (*_KEYS, inner):
                document.add((*here, unknown), f"a group has no `{unknown}`{did_you_mean(unknown, (*_KEYS, inner))}")
        words = " ".join(filter(None, (about, str(spec.get("description") or ""))))
        yield from _flat(document, held, (*here, inner), new, inner, moved, f"{name}.", words)


def _described(spec: Json, about: str) -> Json:
    """A field's keys, its description after that of the groups around it."""
    if not about or not isinstance(spec, dict):
        return spec
    return {**spec, "description": f"{about} {spec.get('description') or ''}".strip()}


def _renamed(where: Where, moved: dict[Where, Where]) -> Where:
    for length in range(len(where), 1, -1):
        if where[:length] in moved:
            return (*moved[where[:length]], *where[length:])
    return where


def leaves(value: Json, names: Iterable[str]) -> dict[str, Json]:
    """The values of nested objects by dotted name, None where there is none; a name that stands there as it is counts, too."""
    return {name: _leaf(value, name) for name in names}


def _leaf(value: Json, name: str) -> Json:
    if isinstance(value, dict) and name in value:
        return value[name]
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def nest(values: dict[str, Any]) -> dict[str, Any]:
    """Values by dotted name as nested objects."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *groups, last = name.split(".")
        inner = nested
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = value
    return nested


def nested_rows(value: Json) -> Json:
    """A table's rows, those with dotted columns as nested objects; any other value as it is."""
    return [nest(row) if isinstance(row, dict) else row for row in value] if isinstance(value, list) else value

"""Puts the labels of the language files where a template names them: ``labels: {from: invoice.total}``.

A template may add labels of its own: ``labels: {from: invoice.total, en: [Sum to pay]}``.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.languages import active
from pipeline.records import Json
from pipeline.yaml_files.explain import did_you_mean
from pipeline.yaml_files.yaml_lines import Where, YamlDocument

KEY = "from"


def insert_labels(document: YamlDocument) -> None:
    """Replaces every ``from`` in the labels of fields and columns by the labels that it names, those of the template behind them.

    A name that no language file has is noted as a mistake.
    """
    for where, labels in _labels(document.data):
        if KEY not in labels:
            continue
        name = str(labels.pop(KEY) or "")
        languages = active()
        listed = languages.labels(name)
        if not listed:
            hint = (
                did_you_mean(name, languages.label_names) or ": `from` names labels of the language files, e.g. `invoice.total`"
            )
            document.add((*where, KEY), f"there are no labels `{name}`{hint}")
        own = dict(labels)
        labels.clear()
        labels.update({language: _joined(words, own.pop(language, None)) for language, words in listed.items()} | own)


def _joined(listed: list[str], own: Json) -> Json:
    """Both lists; the template's value alone where it is no list, which validation then reports."""
    if own is None:
        return [*listed]
    return [*listed, *(word for word in own if word not in listed)] if isinstance(own, list) else own


def _labels(data: Json) -> Iterator[tuple[Where, dict[str, Json]]]:
    """The labels of every field and column, and their place in the file."""
    for name, field in _mapping(_mapping(data).get("fields")).items():
        yield from _own_labels(("fields", name), field)
        for column, inner in _mapping(_mapping(field).get("columns")).items():
            yield from _own_labels(("fields", name, "columns", column), inner)


def _own_labels(where: Where, spec: Json) -> Iterator[tuple[Where, dict[str, Json]]]:
    labels = _mapping(spec).get("labels")
    if isinstance(labels, dict):
        yield (*where, "labels"), labels
    for value, inner in _mapping(_mapping(spec).get("value_labels")).items():
        if isinstance(inner, dict):
            yield (*where, "value_labels", value), inner


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}

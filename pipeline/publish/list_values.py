"""What a list of documents shows of each: who it is from, its date, its number, its total."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pipeline.publish.publication import Publication
from pipeline.templates.template import Template, TemplateField

MAX_CHARACTERS = 200
_Test = Callable[[TemplateField], bool]
_CHOICES: Mapping[str, tuple[_Test, ...]] = {
    "vendor": (lambda field: field.type == "party" and field.role == "seller", lambda field: field.type == "party"),
    "date": (lambda field: field.einvoice == "BT-2", lambda field: field.type == "date"),
    "number": (lambda field: field.einvoice == "BT-1", lambda field: field.type == "identifier" and field.format != "vat"),
    "total": (lambda field: field.einvoice == "BT-112", lambda field: field.type == "money"),
    "currency": (lambda field: field.einvoice == "BT-5", lambda field: field.type == "currency"),
}
"""Which field is meant: by its business term of EN 16931 or its role, else the first one of the type."""


def list_values(publication: Publication, templates: Mapping[str, Template]) -> dict[str, str]:
    """``vendor``, ``date``, ``number``, ``total`` and ``currency`` of a document, those that it has; of the first template that has any.

    Answers to questions are none of them.
    """
    for name, fields in publication.fields.items():
        template = templates.get(name)
        if template is None or name in publication.questions:
            continue
        values = {key: text for key, evidence in fields.items() if (text := _text(evidence.value))}
        found = {column: value for column in _CHOICES if (value := next(_candidates(template, values, column), None))}
        if found.keys() - {"currency"}:
            return found
    return {}


def _candidates(template: Template, values: Mapping[str, str], column: str) -> Iterator[str]:
    for test in _CHOICES[column]:
        yield from (values[name] for name, field in template.fields.items() if name in values and test(field))


def _text(value: object) -> str:
    return " ".join(value.split())[:MAX_CHARACTERS] if isinstance(value, str) else ""

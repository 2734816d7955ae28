"""What a list of documents shows of each: who it is from, its date, its number, its total, and which fields a person should check."""

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
"""Which field of a template is meant: by its business term of EN 16931 or its role, else, where it has none such, the first of the type."""


def list_values(publication: Publication, templates: Mapping[str, Template]) -> dict[str, str]:
    """``vendor``, ``date``, ``number``, ``total`` and ``currency`` of a document, those that it has; of the first template that has any.

    Answers to questions are none of them. ``urgent`` has the names of the fields for which it waits, with commas in between.
    """
    urgent = [name for template in publication.fields for name in publication.urgent_fields(template)]
    return {**printed_values(publication, templates)[1], "urgent": ",".join(urgent)}


def printed_values(publication: Publication, templates: Mapping[str, Template]) -> tuple[str, dict[str, str]]:
    """The first template that has any of these values, empty for none, and the values."""
    for name, fields in publication.fields.items():
        template = templates.get(name)
        if template is None or name in publication.questions:
            continue
        values = {key: text for key, evidence in fields.items() if (text := _text(evidence.value))}
        found = {column: value for column in _CHOICES if (value := next(_candidates(template, values, column), None))}
        if found.keys() - {"currency"}:
            return name, found
    return "", {}


def _candidates(template: Template, values: Mapping[str, str], column: str) -> Iterator[str]:
    for test in _CHOICES[column]:
        if names := [name for name, field in template.fields.items() if test(field)]:
            yield from (values[name] for name in names if name in values)
            return  # an invoice without a total must not show its net amount as one, nor the buyer as its vendor


def _text(value: object) -> str:
    return " ".join(value.split())[:MAX_CHARACTERS] if isinstance(value, str) else ""

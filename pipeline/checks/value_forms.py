"""Whether a value has the check digits that its field demands."""

from __future__ import annotations

from pipeline.templates.template import GRAMMARS, Column, TemplateField
from pipeline.values.identifiers import parse_iban
from pipeline.values.number_formats import has_check_digits

CHECKSUM = "checksum"


def form_flags(field: TemplateField | Column, value: str) -> list[str]:
    """The flags of a value that has not the form of its field."""
    flags = []
    if field.type == "iban" and parse_iban(value) is None:
        flags.append(CHECKSUM)
    if field.format and field.format not in GRAMMARS and not has_check_digits(field.format, value):
        flags.append(CHECKSUM)
    return flags

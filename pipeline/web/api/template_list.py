"""The templates that a request may name."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from pipeline.evaluate.expected import is_list
from pipeline.templates.template import FieldType, PageKind, Template
from pipeline.web.api.common import ERROR_RESPONSES, server_context

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)


class TemplateFieldSummary(BaseModel):
    """A field of a template."""

    name: str
    type: FieldType
    description: str
    required: bool
    many: bool
    """Whether its value is a list."""
    choices: list[str]
    """Of an ``enum``."""
    columns: list[str]
    """Of a ``table``."""


class TemplateSummary(BaseModel):
    """A template: what it is for, and the fields that its results have."""

    name: str
    description: str
    kinds: list[PageKind]
    """The kinds of page that are read with it where no route and no request says otherwise."""
    fields: list[TemplateFieldSummary]


@router.get("/templates")
def templates(request: Request) -> list[TemplateSummary]:
    """The built-in templates and those of the settings, by name."""
    found = server_context(request).templates
    return [_summary(found[name]) for name in sorted(found)]


def _summary(template: Template) -> TemplateSummary:
    fields = [
        TemplateFieldSummary(
            name=name,
            type=field.type,
            description=field.description,
            required=field.required,
            many=is_list(field),
            choices=list(field.values),
            columns=list(field.columns),
        )
        for name, field in template.fields.items()
    ]
    return TemplateSummary(
        name=template.name, description=template.description, kinds=list(template.applies.kinds), fields=fields
    )

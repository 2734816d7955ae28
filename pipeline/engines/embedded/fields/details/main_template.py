"""A template without its details: what the learned scorer chooses from, whatever details a template asks for besides."""

from __future__ import annotations

from pipeline.templates.template import Template, TemplateField

_MOST = 64
_KNOWN: dict[int, tuple[Template, Template]] = {}


def main_template(template: Template) -> Template:
    """The template without details, without the columns that are details, and without checks that need them; itself where it has none."""
    known = _KNOWN.get(id(template))
    if known is None or known[0] is not template:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        known = _KNOWN[id(template)] = template, _without_details(template)
    return known[1]


def _without_details(template: Template) -> Template:
    fields = {name: _without_columns(field) for name, field in template.main_fields().items()}
    if all(fields.get(name) is field for name, field in template.fields.items()):
        return template
    return template.model_copy(update={"fields": fields, "checks": template.main_checks()})


def _without_columns(field: TemplateField) -> TemplateField:
    columns = field.main_columns()
    return field if len(columns) == len(field.columns) else field.model_copy(update={"columns": columns})

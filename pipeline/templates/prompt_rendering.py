"""Renders a template's prompt for one page.

Jinja2 runs sandboxed and without a loader. The page's text is a value: braces in a document stay braces. The operator of the
program writes the templates, so loops in them have no time limit. The length of a prompt is limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from traceback import extract_tb
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.errors import DocumentError, TemplateError
from pipeline.templates.template import Column, Template, TemplateField
from pipeline.yaml_files.explain import did_you_mean

MAX_CHARACTERS = 200_000
VARIABLES = ("words", "fields", "page", "pages")
"""What a prompt may name."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Refuses powers and long repetitions, since Jinja calculates constants while it compiles, and that may take days."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The product. Raises TemplateRuntimeError for a power, and for a product that is longer than a prompt may be."""
        things = [side for side in (left, right) if isinstance(side, str | list | tuple)]
        times = [side for side in (left, right) if isinstance(side, int)]
        if operator == "**" or (things and times and len(things[0]) * times[0] > MAX_CHARACTERS):
            raise jinja2.TemplateRuntimeError(f"`{operator}` of this size is too large for a prompt")
        return super().call_binop(context, operator, left, right)


_ENVIRONMENT = _Sandbox(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)


def render_prompt(template: Template, *, words: str, page: int, pages: int) -> str:
    """The prompt for page ``page`` of ``pages`` (from 1), whose text as laid out is ``words``.

    Raises DocumentError ``too_large`` when it is longer than ``MAX_CHARACTERS``, TemplateError when it cannot be rendered.
    """
    values: dict[str, Any] = {"words": words, "fields": dict(template.fields), "page": page, "pages": pages}
    try:
        return _limited(_compiled(template.prompt).generate(values))
    except DocumentError:
        raise
    except Exception as error:
        raise TemplateError(
            f"{template.name}: the prompt cannot be rendered: {error}", "correct the template's `prompt`"
        ) from error


@lru_cache(maxsize=64)
def uses_words(source: str) -> bool:
    """Whether a prompt offers the page's own words."""
    return "words" in meta.find_undeclared_variables(_parsed(source))


@lru_cache(maxsize=64)
def _parsed(source: str) -> nodes.Template:
    return _ENVIRONMENT.parse(source)


@lru_cache(maxsize=64)
def _compiled(source: str) -> jinja2.Template:
    return _ENVIRONMENT.from_string(_parsed(source))


def _limited(pieces: Iterator[str]) -> str:
    lines: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_CHARACTERS:
            raise DocumentError("too_large", f"the page's prompt is longer than {MAX_CHARACTERS} characters")
        lines.append(piece)
    return "".join(lines)


def prompt_mistakes(source: str, fields: Mapping[str, TemplateField] | None) -> list[tuple[int, str]]:
    """The mistakes in a prompt as (line within the prompt, message). Without ``fields`` it is parsed but not rendered."""
    try:
        tree = _parsed(source)
        compiled = _compiled(source)
        unknown = _unknown_variables(tree)
    except jinja2.TemplateSyntaxError as error:
        return [(error.lineno, f"prompt: {error.message}")]
    except Exception as error:  # Jinja leaves some mistakes to Python's compiler, and calculates constants
        return [(1, f"prompt: {error.msg if isinstance(error, SyntaxError) else error}")]
    return unknown if unknown or fields is None else _rendering_mistakes(compiled, fields)


def _unknown_variables(tree: nodes.Template) -> list[tuple[int, str]]:
    unknown = meta.find_undeclared_variables(tree) - set(VARIABLES) - set(_ENVIRONMENT.globals)
    first: dict[str, int] = {}
    for name in tree.find_all(nodes.Name):
        if name.name in unknown:
            first.setdefault(name.name, name.lineno)
    hint = f" (a prompt may use {', '.join(VARIABLES)})"
    return [(line, f"prompt: unknown variable `{name}`{did_you_mean(name, VARIABLES) or hint}") for name, line in first.items()]


def _rendering_mistakes(compiled: jinja2.Template, fields: Mapping[str, TemplateField]) -> list[tuple[int, str]]:
    try:
        _limited(compiled.generate({"words": "some words", "fields": dict(fields), "page": 1, "pages": 2}))
    except DocumentError as error:
        return [(1, f"prompt: {error.detail}")]
    except Exception as error:  # a template can raise anything
        lines = [frame.lineno or 1 for frame in extract_tb(error.__traceback__) if frame.filename == "<template>"]
        return [(lines[-1] if lines else 1, f"prompt: {_error_sentence(error, fields)}")]
    return []


def _error_sentence(error: Exception, fields: Mapping[str, TemplateField]) -> str:
    missing = re.search(r"(dict|TemplateField|Column) object' has no attribute '(\w+)'", str(error))
    if missing is None:
        return str(error)
    what, name = missing.groups()
    if what == "dict":
        return f"there is no field `{name}`{did_you_mean(name, fields)}"
    keys = TemplateField.model_fields if what == "TemplateField" else Column.model_fields
    return f"a {'field' if what == 'TemplateField' else 'column'} has no `{name}`{did_you_mean(name, keys)}"

"""The reference pages of the site, made from the code: commands from Click, settings and keys of templates from pydantic.

A hook of MkDocs (mkdocs.yml). The description of a key is the text below it in its class.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.cli.commands import cli
from pipeline.settings import Settings
from pipeline.templates.template import Template


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference pages to the site."""
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def pages() -> dict[str, str]:
    """The reference pages by name, in Markdown."""
    return {"commands": _commands(), "settings": _settings(), "template-keys": _template()}


# ---- commands -----------------------------------------------------------------------------------


def _commands() -> str:
    sections = "\n".join(
        _command(command, context)
        for command, context in _all_commands(cli, click.Context(cli, info_name="pipeline", **cli.context_settings))
    )
    return f"# Commands\n\nThe texts of `--help`. Exit codes are explained in [errors](../errors.md).\n\n{sections}"


def _all_commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if subcommand := command.get_command(context, name):
                inner = click.Context(subcommand, info_name=name, parent=context, **subcommand.context_settings)
                yield from _all_commands(subcommand, inner)


def _command(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    options = (parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option))
    records = [record for option in options if (record := option.get_help_record(context))]
    rows = [f"| `{names}` | {_cell(meaning)} |" for names, meaning in records]
    table = ["| option | meaning |", "| --- | --- |", *rows, ""] if rows else []
    return "\n".join([f"## {context.command_path}", "", "```text", usage, "```", "", *_prose(command.help or ""), "", *table])


def _prose(text: str) -> list[str]:
    """A help text in Markdown. Paragraphs that Click does not wrap (after a line of ``\\b``) become code."""
    lines = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        before, mark, unwrapped = paragraph.partition("\b\n")
        lines += [before.strip(), ""] if before.strip() else []
        lines += ["```text", textwrap.dedent(unwrapped), "```", ""] if mark else []
    return lines


# ---- settings and templates ---------------------------------------------------------------------


def _settings() -> str:
    text = """\
# Settings

Every key of `pipeline.yaml`; all are optional. The command line goes before the environment, the environment before the file. In the
environment a key is written in capitals behind `PIPELINE_`, sections with two underscores: `PIPELINE_LIMITS__PAGES=20` is `limits.pages`.
`configs/pipeline.yaml` is the same as a commented file; `pipeline init` writes a shorter one with the keys that people change most.
"""
    return text + "".join(_section(path or "Top level", model) for path, model in _models("", Settings))


def _template() -> str:
    text = """\
# Keys of a template

Every key and its possible values. [Templates](../templates.md) explains them with examples.
"""
    return text + "".join(_section(path or "Top level", model) for path, model in _models("", Template))


def _models(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """A model and the models inside it, each with its path in the file."""
    yield path, model
    for key, field in _fields(model).items():
        for within, form in _within(field.annotation):
            if within is not model:  # a table in the rows of a table has columns of the same kind
                yield from _models(f"{path}.{key}{form}".lstrip("."), within)


def _within(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """Models in a type, and the suffix of their key: ``.NAME`` in a mapping, ``[]`` in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
    arguments = get_args(annotation)
    origin = getattr(annotation, "__origin__", None)
    for argument in arguments:
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            yield argument, ".NAME" if origin is dict else "[]" if origin in (list, tuple) else ""


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _section(title: str, model: type[BaseModel]) -> str:
    meanings = meanings_of(model)
    properties = model.model_json_schema(by_alias=True)
    if "$ref" in properties:  # of a model that holds itself
        properties = {**properties["$defs"][properties["$ref"].rpartition("/")[2]], "$defs": properties["$defs"]}
    rows = []
    for name, info in model.model_fields.items():
        key = info.alias or name
        kind = _kind(properties["properties"][key], properties.get("$defs", {}))
        rows.append(f"| `{key}` | {_cell(kind)} | {_default(info)} | {_cell(meanings.get(name, ''))} |")
    about = _markdown(model.__doc__ or "")
    return "\n".join(
        ["", f"## {title}", "", about, "", "| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    )


def meanings_of(model: type[BaseModel]) -> dict[str, str]:
    """The text below each key in its class, or the docstring of the section's class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(tree, ast.ClassDef)
    meanings = {}
    for statement, after in pairwise([*tree.body, ast.Pass()]):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            info = model.model_fields.get(statement.target.id)
            below = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            section = next((within for within, _ in _within(info.annotation)), None) if info else None
            meanings[statement.target.id] = _markdown(str(below) or (section and section.__doc__) or "")
    return meanings


def _markdown(text: str) -> str:
    """A docstring as Markdown, with pages of the documentation as links."""
    return re.sub(r"docs/([a-z]+)\.md", r"[\1](../\1.md)", inspect.cleandoc(text).replace("``", "`"))


def _kind(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    """The possible values, in words."""
    if "$ref" in schema:
        named = defs[schema["$ref"].rpartition("/")[2]]
        return "see below" if named.get("type") == "object" else _kind(named, defs)
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{choice}`" for choice in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(kind for item in schema["anyOf"] if (kind := _kind(item, defs)) != "nothing")
    if schema.get("type") == "array":
        return f"list: {_kind(schema.get('items', {}), defs)}"
    if schema.get("type") == "object" and schema.get("additionalProperties") is True:
        return "object"
    if schema.get("type") == "object":
        values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties") or {}]
        return f"by name: {_kind(values[0], defs)}"
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true` or `false`", "null": "nothing"}
    kind = "path" if schema.get("format") == "path" else words.get(schema.get("type", ""), "text")
    limits = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return ", ".join([kind, *(f"{word} {schema[key]:,.12g}" for key, word in limits.items() if key in schema)])


def _default(info: FieldInfo) -> str:
    value = info.default
    if info.is_required():
        return "required"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None or value in ("", (), [], {}) or isinstance(value, BaseModel):
        return ""
    return f"`{value.as_posix() if isinstance(value, Path) else value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

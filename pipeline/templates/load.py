"""Reads templates from YAML files and reports every mistake with its line and a suggestion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import TemplateError
from pipeline.templates.groups import flatten_groups
from pipeline.templates.label_lists import insert_labels
from pipeline.templates.prompt_rendering import prompt_mistakes
from pipeline.templates.references import check_references
from pipeline.templates.schema_template import ENDING, load_schema_template
from pipeline.templates.template import Template
from pipeline.yaml_files.yaml_check import validate
from pipeline.yaml_files.yaml_lines import Mistake, YamlDocument, read_yaml, read_yaml_file

_CURE = "correct the lines named; docs/templates.md shows every key with an example"
ENDINGS = (".yaml", ".yml", ENDING)
"""Ends of the names of template files."""
_WHOLE = "a template must hold keys: `name: …`, `prompt: …` and so on"


def parse_template(text: str, origin: str) -> Template:
    """The template written in ``text``. Raises TemplateError with one line ``origin:LINE: message`` for every mistake."""
    return _template(read_yaml(text), origin)


def load_template(path: Path) -> Template:
    """The template in one YAML file, or of one JSON Schema (``*.schema.json``). Raises TemplateError."""
    if path.name.endswith(ENDING):
        return load_schema_template(path)
    return _template(read_yaml_file(path), str(path))


def load_templates(folders: Sequence[Path]) -> dict[str, Template]:
    """All templates of some folders by name. A template in a later folder replaces one of the same name in an earlier folder.

    The later folders' templates come first: where several suit a page, a user's own goes before a built-in one. Of one folder those for any
    text come last.
    Raises TemplateError with the mistakes of all files together.
    """
    merged: dict[str, Template] = {}
    mistakes: list[str] = []
    for folder in folders:
        loaded = _load_folder(folder, mistakes)
        merged = loaded | {name: template for name, template in merged.items() if name not in loaded}
    if mistakes:
        raise TemplateError("\n".join(mistakes), _CURE)
    return merged


def _load_folder(folder: Path, mistakes: list[str]) -> dict[str, Template]:
    if not folder.is_dir():
        mistakes.append(f"{folder}: there is no such folder of templates")
        return {}
    loaded: dict[str, Template] = {}
    origins: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if path.name.endswith(ENDINGS) and not path.name.startswith(".")):
        try:
            template = load_template(path)
        except TemplateError as error:
            mistakes.append(error.message)
            continue
        if template.name in loaded:
            mistakes.append(f"{path}:1: the template `{template.name}` is already in {origins[template.name].name}")
        loaded[template.name], origins[template.name] = template, path
    return dict(sorted(loaded.items(), key=lambda item: "text" in item[1].applies.kinds))


def _template(document: YamlDocument, origin: str) -> Template:
    template = None if document.data is None and document.mistakes else _validated(document)
    if template is None or document.mistakes:
        raise TemplateError("\n".join(document.mistake_lines(origin)), _CURE)
    return template


def _validated(document: YamlDocument) -> Template | None:
    """The template, or None. Every mistake is noted in ``document``."""
    flatten_groups(document)
    insert_labels(document)
    template = validate(document, Template, _WHOLE)
    check_references(document)
    _check_prompt(document, template)
    return template


def _check_prompt(document: YamlDocument, template: Template | None) -> None:
    source = document.data.get("prompt") if isinstance(document.data, dict) else None
    if not isinstance(source, str):
        return
    above = document.line(("prompt",)) - (0 if ("prompt",) in document.blocks else 1)
    for line, message in prompt_mistakes(source, template.fields if template else None):
        document.mistakes.append(Mistake(above + line, message))

"""Reads templates from YAML files and reports every mistake with its line and a suggestion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from pipeline.errors import TemplateError
from pipeline.yaml_files.explain import explain, place
from pipeline.templates.model import Template
from pipeline.templates.prompt import prompt_mistakes
from pipeline.templates.references import check_references
from pipeline.yaml_files.yaml_lines import Located, Mistake, read_yaml

_CURE = "correct the lines named; docs/templates.md shows every key with an example"


def parse_template(text: str, origin: str) -> Template:
    """The template written in ``text``. Raises TemplateError with one line ``origin:LINE: message`` for every mistake."""
    found = read_yaml(text)
    template = None if found.data is None and found.mistakes else _validated(found)
    if template is None or found.mistakes:
        raise TemplateError("\n".join(_told(origin, mistake) for mistake in sorted(set(found.mistakes))), _CURE)
    return template


def load_template(path: Path) -> Template:
    """The template in one file. Raises TemplateError."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path}:1: not UTF-8 (byte {error.start}): save the file as UTF-8") from error
    except OSError as error:
        raise TemplateError(f"{path}:1: cannot be read: {error.strerror}") from error
    return parse_template(text, str(path))


def load_templates(folders: Sequence[Path]) -> dict[str, Template]:
    """All templates of some folders by name; one in a later folder replaces its namesake in an earlier one.

    The later folders' templates come first: where several suit a page, a user's own goes before a built-in one.
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
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and not path.name.startswith(".")):
        try:
            template = load_template(path)
        except TemplateError as error:
            mistakes.append(error.message)
            continue
        if template.name in loaded:
            mistakes.append(f"{path}:1: the template `{template.name}` is already in {origins[template.name].name}")
        loaded[template.name], origins[template.name] = template, path
    return loaded


def _told(origin: str, mistake: Mistake) -> str:
    """One line, even where the message quotes several of the file."""
    return f"{origin}:{mistake.line}: {' '.join(mistake.message.split())}"


def _validated(found: Located) -> Template | None:
    """The template, or None; every mistake is noted in ``found``."""
    template = None
    try:
        template = Template.model_validate({} if found.data is None else found.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            found.add(place(detail), explain(detail))
    check_references(found)
    _check_prompt(found, template)
    return template


def _check_prompt(found: Located, template: Template | None) -> None:
    source = found.data.get("prompt") if isinstance(found.data, dict) else None
    if not isinstance(source, str):
        return
    above = found.line(("prompt",)) - (0 if ("prompt",) in found.blocks else 1)
    for line, message in prompt_mistakes(source, template.fields if template else None):
        found.mistakes.append(Mistake(above + line, message))

"""Pages drawn as words: lines of text at given places, the letters all half as wide as high."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.records import Page, Word, WordSource
from pipeline.templates.load import load_template, parse_template
from pipeline.templates.template import Template, TemplateField

SIZE = 10.0
CONFIGS = Path(__file__).parents[4] / "configs" / "templates"

Line = tuple[float, float, str]
"""x and y of the line's top left corner in points, and its text."""


def page(lines: Sequence[Line | tuple[float, float, str, float]], source: WordSource = "textlayer", width: float = 595) -> Page:
    """A page of lines; a fourth number is the letters' size."""
    words: list[Word] = []
    for number, (x, y, text, *size) in enumerate(lines):
        height = size[0] if size else SIZE
        at = x
        for token in text.split(" "):
            end = at + len(token) * height / 2
            if token:
                words.append(Word(token, (at, y, end, y + height), number, source, size=height))
            at = end + height / 2
    return Page(number=1, width=width, height=842, words=tuple(words), source=source)


def template(name: str) -> Template:
    """A template of the project."""
    return load_template(CONFIGS / f"{name}.yaml")


def template_of(text: str) -> Template:
    """A template as a user would write it."""
    return parse_template(text, "own.yaml")


def main_cells(rows: object, table: TemplateField) -> list[dict[str, object]]:
    """The rows of a table without the cells that are details."""
    assert isinstance(rows, list)
    return [{name: row[name] for name in table.main_columns()} for row in rows]

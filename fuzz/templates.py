"""Fuzzes the template loader: a file of any bytes gives a Template, or a TemplateError whose lines all name file and line."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from pipeline.errors import DocumentError, TemplateError
from pipeline.templates.answer_schema import json_schema
from pipeline.templates.digest import digest
from pipeline.templates.load import load_template
from pipeline.templates.prompt_rendering import render_prompt


def once(data: bytes) -> None:
    """An accepted template can be used: its prompt is rendered and its schema is built."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.yaml"
        path.write_bytes(data)
        try:
            template = load_template(path)
        except TemplateError as error:
            assert all(re.match(rf"{re.escape(str(path))}:\d+: ", line) for line in error.message.split("\n")), error.message
            return
    json_schema(template)
    digest(template)
    try:
        render_prompt(template, words="some words", page=1, pages=2)
    except (TemplateError, DocumentError):  # a prompt may fail on some page
        return

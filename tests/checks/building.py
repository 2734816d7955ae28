"""Pages, templates and results for these tests."""

from __future__ import annotations

from typing import Any

from pipeline.records import Claim, Evidence, Page, Result, UnitKey, Word
from pipeline.templates.template import Template

SIZE = 10.0


def page_of(*lines: str, number: int = 1, **more: Any) -> Page:
    """A page with these lines. Two or more blanks are a gap as wide as a column."""
    words = []
    for line_number, line in enumerate(lines):
        x = 40.0
        for part in line.split(" "):
            if part:
                words.append(
                    Word(
                        part,
                        (x, 20 + 14.0 * line_number, x + len(part) * SIZE / 2, 30 + 14.0 * line_number),
                        line_number,
                        size=SIZE,
                    )
                )
                x += len(part) * SIZE / 2 + 3
            else:
                x += 60
    return Page(number, 600, 800, tuple(words), "textlayer", **more)


def template_of(fields: dict[str, Any], **more: Any) -> Template:
    return Template.model_validate({"name": "test", "prompt": "Read.", "fields": fields, **more})


def claims_of(**values: Any) -> dict[str, Claim]:
    return {name: Claim(value) for name, value in values.items()}


def result_of(page: int, status: Any = "done", **fields: Evidence) -> Result:
    return Result(UnitKey("0" * 64, page, "test", "r"), status, fields)

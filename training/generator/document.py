"""One document as HTML, with its truth as far as it is known before the browser lays it out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Document:
    """What the browser draws, and what is known of it."""

    kind: str
    language: str
    country: str
    layout: str
    structure: dict[str, str]
    html: str
    """One element of class ``doc`` with its pages."""
    width: int
    height: int
    """Of a page, in CSS pixels (1/96 inch). A height of 0 follows the contents."""
    values: dict[str, str]
    """Normal forms of all fields, whether printed or not."""
    rows: list[dict[str, str]]
    aliases: dict[str, list[str]] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    """Amounts for the check of the arithmetic."""

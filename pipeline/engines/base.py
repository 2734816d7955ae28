"""The one contract between the loop and everything that answers: pages and prompts in, claims out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from pipeline.records import Answer, Page, PageImage, UnitKey
from pipeline.templates.model import Template


@dataclass(frozen=True, slots=True)
class Request:
    """One unit to answer. ``image`` is None unless the engine's ``wants_image`` asked for it."""

    key: UnitKey
    page: Page
    template: Template
    image: PageImage | None = None


class Engine(Protocol):
    """An engine reads requests as it can take them and yields answers as they are complete, in any order.

    It yields exactly one answer per request, also for those that it cannot answer (``status="failed"``, ``reason="engine"``);
    it raises only when it cannot go on at all. It never sees blank pages.
    """

    identity: str
    """Model, revision and precision: part of the recipe and of the provenance."""

    def wants_image(self, template: Template) -> bool:
        """Whether requests of this template need the page's pixels (drawing them costs time)."""
        ...

    def answer(self, requests: Iterable[Request]) -> Iterator[Answer]:
        """Answers in completion order."""
        ...

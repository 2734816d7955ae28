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
    pages: int = 1
    """Pages of the whole document."""
    temperature: float = 0.0
    """0 takes the likeliest token every time; above it, answers are drawn at random (reproducibly for the same request)."""


class Engine(Protocol):
    """An engine reads requests as it can take them and yields answers as they are complete, in any order.

    It yields exactly one answer per request, also for those that it cannot answer (``status="failed"``, ``reason="engine"``);
    it raises only when it cannot go on at all. It never sees blank pages.
    """

    identity: str
    """Model, revision and precision: part of the recipe and of the provenance."""
    retries: int
    """How often a unit that fails its checks may be asked again; 0 where the answer would be the same."""

    measures: bool
    """Whether it relates pixels to where words stand, and so gets whole pages; one that only looks is shown what is printed on them."""

    gathers: bool
    """Whether it works on the readers' own cores, at many answers for little more than one: it stands still while pages are read."""

    def wants_image(self, template: Template) -> bool:
        """Whether requests of this template need the page's pixels (drawing them costs time)."""
        ...

    def answer(self, requests: Iterable[Request | None]) -> Iterator[Answer | None]:
        """Answers in completion order. A None among them is a sign of life from an engine that works for minutes on one.

        A None among the requests means that none is ready just now: go on with those at hand, then ask again. It comes only while
        requests are unanswered, else the loop waits for the next page.
        """
        ...

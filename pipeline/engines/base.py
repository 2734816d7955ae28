"""The one contract between the loop and everything that answers: pages and prompts in, claims out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.records import Answer, AnyImage, Claim, Lesson, Page, PageImage, RemoteImage, UnitKey
from pipeline.templates.template import Template


@dataclass(frozen=True, slots=True)
class Request:
    """One unit to answer. ``image`` is None unless the engine's ``wants_image`` asked for it."""

    key: UnitKey
    page: Page
    template: Template
    image: AnyImage | None = None
    pages: int = 1
    """Pages of the whole document."""
    temperature: float = 0.0
    """0 takes the likeliest token every time; above it, answers are drawn at random (reproducibly for the same request)."""
    lesson: Lesson | None = None
    """What the embedded engine is to use of earlier corrections of the sender; other engines ignore it."""
    reading: Mapping[str, Claim] | None = None
    """What the embedded engine reads on the page, for engines with a language model; None where it was not read before."""
    listen: Callable[[str], None] | None = field(default=None, compare=False)
    """Gets the text of the answer so far while a model writes it, in any thread, and raises nothing. An engine may ignore it."""

    @property
    def local_image(self) -> PageImage | None:
        """``image`` with its pixels here. Raises TypeError for one on another machine, which only the engine of a cluster accepts."""
        if isinstance(self.image, RemoteImage):
            raise TypeError("the pixels of this image lie on another machine")
        return self.image


class Engine(Protocol):
    """Takes requests and returns answers as they are complete, in any order.

    Every request gets exactly one answer, also one that cannot be answered (``status="failed"``, ``reason="engine"``). An engine
    raises only when it cannot go on at all. It never gets a blank page.
    """

    identity: str
    """Model, revision and precision: part of the recipe and of the provenance."""
    retries: int
    """How often a unit that fails its checks may be asked again; 0 where the answer would be the same."""
    needs_whole_page: bool
    """Whether it compares pixels with the places of words, so that its images must show the whole page. Other engines get the
    printed part."""
    prefers_batches: bool
    """Whether it works on the cores that readers need, and answers many units for little more than one: pages are then read in
    batches while it pauses."""

    def wants_image(self, template: Template) -> bool:
        """Whether requests of this template need the page's pixels (drawing them costs time)."""
        ...

    @property
    def load(self) -> int:
        """Requests that are submitted and not answered yet."""
        ...

    @property
    def room(self) -> bool:
        """Whether one more request would be worked on now, rather than wait inside the engine."""
        ...

    def submit(self, request: Request) -> None:
        """Queue one request. Raises EngineUnavailableError."""
        ...

    def poll(self, timeout: float) -> list[Answer]:
        """Answers that are complete, in completion order.

        Waits ``timeout`` seconds at most for the first one. An engine that works in this process does one step
        during the call and ignores the timeout. Every return is a sign of life. Raises EngineUnavailableError.
        """
        ...

    def reset(self) -> None:
        """Drop all requests that are not answered yet, and free what they hold."""
        ...


class SequentialEngine(ABC):
    """Base of engines in this process that answer one request at a time: ``respond`` does the work."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque()

    @property
    def load(self) -> int:
        """See Engine."""
        return len(self._requests)

    @property
    def room(self) -> bool:
        """See Engine."""
        return not self._requests

    def submit(self, request: Request) -> None:
        """See Engine."""
        self._requests.append(request)

    def poll(self, timeout: float) -> list[Answer]:
        """See Engine: one request is answered a call."""
        del timeout
        return [self.respond(self._requests.popleft())] if self._requests else []

    def reset(self) -> None:
        """See Engine."""
        self._requests.clear()

    @abstractmethod
    def respond(self, request: Request) -> Answer:
        """The answer to one request."""

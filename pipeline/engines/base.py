"""The one contract between the loop and everything that answers: pages and prompts in, claims out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from pipeline.records import Answer, AnyImage, Page, PageImage, RemoteImage, UnitKey
from pipeline.templates.model import Template


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

    def answer(self, requests: Iterable[Request | None]) -> Iterator[Answer | None]:
        """Transitional: see AnswersRequests."""
        ...


class PollingEngine(Engine, Protocol):
    """What ``Engine`` becomes when every engine has it and the loop uses it; then ``answer`` goes."""

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

        Waits ``timeout`` seconds at most for the first one. An engine that works in this process works during the call, for one step
        whatever the timeout. Every return is a sign of life. Raises EngineUnavailableError.
        """
        ...

    def reset(self) -> None:
        """Drop all requests that are not answered yet, and free what they hold."""
        ...


class AnswersRequests:
    """Transitional: the generator interface on top of ``submit`` and ``poll``; removed when the loop uses these itself."""

    def answer(self: PollingEngine, requests: Iterable[Request | None]) -> Iterator[Answer | None]:
        """Answers in completion order; None among them is a sign of life, None among the requests means that none is ready."""
        source, more = iter(requests), True
        try:
            while more or self.load:
                wait = 0.0
                while more and self.room:
                    try:
                        request = next(source)
                    except StopIteration:
                        more = False
                        break
                    if request is None:
                        wait = 0.02
                        break
                    self.submit(request)
                if self.load:
                    answers = self.poll(wait if more and self.room else 1.0)
                    yield from answers or (None,)
        finally:
            self.reset()

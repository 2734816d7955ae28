"""Hands units to engines in the cluster, and collects their answers in completion order.

A unit that was with an engine when that died is a suspect: it is answered alone, by an actor that has nothing else, so that the next death
accuses this unit alone. A unit that was lost with a whole actor is a suspect, too, but not accused yet: machines come and go.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from pipeline.cluster.actors import Actor, Actors, LeastBusy, error_text, is_actor_loss
from pipeline.cluster.messages import ImageLostError, RemoteRequest, pack_page
from pipeline.cluster.page_dispatch import PageDispatch
from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer, PageImage, RemoteImage, UnitKey
from pipeline.runtime.engine_process import EngineDiedError
from pipeline.runtime.worker_pool import Reply
from pipeline.templates.digest import digest
from pipeline.templates.template import Template

CACHED_DIGESTS = 256
"""Templates whose digest is cached."""
BACKLOG = 16
"""Units beyond two an actor that may wait for engines before no more pages are read."""
MAX_REDRAWS = 5
"""How often an image is drawn again; machines that cannot reach each other would draw for ever."""


@dataclass(eq=False)
class _Unit:
    request: Request
    round: int
    is_suspect: bool = False
    redraws: int = 0
    """How often its image was drawn again."""


@dataclass(eq=False)
class _InFlight:
    unit: _Unit
    actor: Actor


def _is_unit(suspect: object) -> bool:
    return isinstance(suspect, _Unit)


class UnitDispatch:
    """Requests and answers. A unit over which ``max_deaths`` engines died ends as failed; ``put`` stores a template for all machines."""

    def __init__(self, actors: Actors, pages: PageDispatch, max_deaths: int, put: Callable[[Any], Any]) -> None:
        self._actors, self._pages, self._max_deaths, self._put = actors, pages, max_deaths, put
        self._waiting: deque[_Unit] = deque()
        self._in_flight: dict[int, _InFlight] = {}
        self._deaths: dict[UnitKey, int] = {}
        self._template_refs: dict[str, Any] = {}
        """References to templates in the object store, by digest."""
        self._digests = DigestCache()
        self._ticket = self._round = 0
        self.load = 0
        """Units of this round without an answer."""
        self._least_busy = LeastBusy(actors.ready, _load)
        self.answers: deque[Answer] = deque()
        """Answers that the engine has not returned yet."""
        self.retries = 0
        """Units that were submitted again because their actor or engine was lost."""
        actors.on_ready.append(self._on_ready)
        actors.on_loss.append(self._on_actor_loss)

    @property
    def waiting(self) -> int:
        """Units that no actor has yet."""
        return len(self._waiting) + self._actors.quarantine.count_waiting(_is_unit)

    @property
    def has_backlog(self) -> bool:
        """Whether engines have so much to do that no more pages need to be read."""
        return self.waiting > BACKLOG + 2 * len(self._actors.ready)

    def reset(self) -> None:
        """Begin a new round: drop the units of the last one, and ignore answers to them."""
        self._round += 1
        self.load = 0
        self._waiting.clear()
        self._actors.quarantine.discard(_is_unit)
        self.answers.clear()

    def submit(self, request: Request) -> None:
        """Queue one request."""
        self.load += 1
        self._waiting.append(_Unit(request, self._round))
        self._hand_out()

    # ---- out ----------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        self._actors.hand_out_suspects()
        while self._waiting and (actor := self._best_actor(self._waiting[0])):
            self._send(self._waiting.popleft(), actor)

    def _best_actor(self, unit: _Unit) -> Actor | None:
        """The actor that drew the unit's image, if it takes more, else the one with the least to do."""
        image = unit.request.image
        near = self._actors.ready.get(image.pixels.actor) if isinstance(image, RemoteImage) else None
        return near if near and _load(near) is not None else self._least_busy.find()

    def _send(self, unit: _Unit, actor: Actor) -> None:
        request = unit.request
        if isinstance(request.image, RemoteImage) and request.image.pixels.actor not in self._actors.ready:
            self._actors.quarantine.release(unit, actor)
            self._redraw(unit)
            return
        name = self._digests.digest(request.template)
        if name not in self._template_refs:
            self._template_refs[name] = self._put(request.template)
        template = self._template_refs[name]
        page, words = pack_page(request.page)
        unit_facts = (request.pages, request.temperature, request.image, request.lesson, request.reading)
        message = RemoteRequest(request.key, page, words, template, name, *unit_facts)
        self._ticket += 1
        ticket = self._ticket
        self._in_flight[ticket] = _InFlight(unit, actor)
        actor.units.add(ticket)
        self._least_busy.update(actor)
        ref = actor.handle.answer.remote(message)
        self._actors.when_done(ref, lambda future: self._on_result(ticket, future))

    # ---- back ---------------------------------------------------------------------------------------

    def _on_result(self, ticket: int, future: Future[Any]) -> None:
        in_flight = self._in_flight.pop(ticket, None)
        if in_flight is None:  # its actor was given up
            return
        unit, actor = in_flight.unit, in_flight.actor
        actor.units.discard(ticket)
        self._actors.quarantine.release(unit, actor)
        error = future.exception()
        if error is None:
            actor.answered += 1
            actor.last_sign = time.monotonic()
            self._deaths.pop(unit.request.key, None)
            self._finish(unit, future.result())
        elif isinstance(error, EngineDiedError):
            self._accuse(unit, error_text(error))
        elif isinstance(error, ImageLostError):
            self._redraw(unit)
        elif isinstance(error, EngineUnavailableError):
            self._requeue(unit)
            self._actors.give_up(actor, error_text(error))
        elif is_actor_loss(error):
            self._suspect_or_accuse(unit, error_text(error))
            self._actors.remove(actor, error_text(error))
        else:
            self._finish(unit, failed_answer(unit.request, error_text(error)))
        self._least_busy.update(actor)
        self._hand_out()

    def _requeue(self, unit: _Unit) -> None:
        """Have it answered by another actor; the unit is not to blame."""
        if unit.round != self._round:
            return
        if unit.is_suspect:
            self._isolate(unit, first=True)
        else:
            self._waiting.appendleft(unit)

    def _isolate(self, unit: _Unit, *, first: bool = False) -> None:
        """Have it answered alone."""
        unit.is_suspect = True
        self._actors.quarantine.add(unit, lambda actor: self._send(unit, actor), first=first)

    def _finish(self, unit: _Unit, answer: Answer) -> None:
        if unit.round == self._round:
            self.load -= 1
            self.answers.append(answer)

    # ---- losses -------------------------------------------------------------------------------------

    def _on_ready(self, actor: Actor) -> None:
        self._least_busy.update(actor)
        self._hand_out()

    def _on_actor_loss(self, actor: Actor) -> None:
        units = [self._in_flight.pop(ticket).unit for ticket in sorted(actor.units)]
        actor.units.clear()
        for unit in units:
            if actor.given_up:
                self._requeue(unit)
            else:
                self._suspect_or_accuse(unit, "its actor was lost")
        self._hand_out()

    def _suspect_or_accuse(self, unit: _Unit, cause: str) -> None:
        """The unit was with an actor that is lost. If it was alone there, it is accused."""
        if unit.is_suspect:
            self._accuse(unit, cause)
        elif unit.round == self._round:
            self.retries += 1
            self._isolate(unit)

    def _accuse(self, unit: _Unit, cause: str) -> None:
        """The engine died while it had this unit."""
        if unit.round != self._round:
            return
        key = unit.request.key
        deaths = self._deaths[key] = self._deaths.get(key, 0) + 1
        if deaths < self._max_deaths:
            self.retries += 1
            self._isolate(unit)
            return
        del self._deaths[key]
        detail = f"the program died {deaths} times while this page was being answered, the last time: {cause}"
        self._finish(unit, replace(failed_answer(unit.request, detail), final=True))

    def _redraw(self, unit: _Unit) -> None:
        """The machine that drew the image is gone, or does not hand it out: read the page again, for the image alone."""
        if unit.round != self._round:
            return
        image = unit.request.image
        unit.redraws += 1
        if unit.redraws > MAX_REDRAWS:
            self._finish(unit, failed_answer(unit.request, f"its image was drawn again {MAX_REDRAWS} times and never arrived"))
            return
        if not isinstance(image, RemoteImage):  # it is the template that did not arrive: it is stored anew
            self._template_refs.clear()
            self._requeue(unit)
            return

        def on_reply(reply: Reply) -> None:
            if unit.round != self._round:
                return
            drawn = _same_image(image, reply)
            if drawn is None:
                error = reply.error
                detail = f"its image was lost: {error}"
                self._finish(unit, failed_answer(unit.request, detail, error.reason if error else "unreadable"))
                return
            unit.request = replace(unit.request, image=drawn)
            self._requeue(unit)
            self._hand_out()

        self._pages.submit(image.pixels.call, on_reply)


def _same_image(image: RemoteImage, reply: Reply) -> PageImage | RemoteImage | None:
    """The image with the pixels of a later reply to the same call; None when it has none."""
    index = image.pixels.index
    if reply.error:
        return None
    if index < len(reply.remote_parts):
        return replace(image, pixels=reply.remote_parts[index])
    if index + 1 < len(reply.parts):
        return PageImage(image.width, image.height, reply.parts[index + 1], image.scale)
    return None


class DigestCache:
    """Digests of templates. They are costly, and the same templates come again and again."""

    def __init__(self) -> None:
        self._digests: OrderedDict[int, tuple[Template, str]] = OrderedDict()

    def digest(self, template: Template) -> str:
        """As ``templates.digest``."""
        cached = self._digests.get(id(template))
        if cached is None:
            cached = self._digests[id(template)] = (template, digest(template))
            if len(self._digests) > CACHED_DIGESTS:
                self._digests.popitem(last=False)
        return cached[1]


def _load(actor: Actor) -> int | None:
    return len(actor.units) if not actor.reserved and len(actor.units) < actor.max_units else None

"""Units on their way to engines in the cluster, and answers on their way back, in the order in which they come.

A unit that was with an engine when that died is suspect: it is asked again alone, by an actor that has nothing else, so that the next
death accuses it and nobody else. One that was lost with a whole actor is suspect, too, though not accused: machines come and go.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, cast

from pipeline.cluster.actors import Actor, Crew, Least, is_lost, plainly
from pipeline.cluster.messages import Asked, PicturesLostError, Pixels, packed
from pipeline.cluster.page_dispatch import Reads
from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer, UnitKey
from pipeline.runtime.engine_process import EngineDiedError
from pipeline.runtime.worker_pool import Reply
from pipeline.templates.digest import digest
from pipeline.templates.model import Template

REMEMBERED = 256
"""Templates whose digest is remembered."""
MOST_DRAWN = 5
"""How often a picture is drawn again; machines that cannot reach each other would draw for ever."""


@dataclass(eq=False)
class _Unit:
    request: Request
    round: int
    suspect: bool = False
    drawn: int = 0
    """How often its picture was drawn again."""


@dataclass(eq=False)
class _Flight:
    unit: _Unit
    actor: Actor


def _is_unit(suspect: object) -> bool:
    return isinstance(suspect, _Unit)


class Units:
    """Requests and answers. ``most`` is how often engines may die over a unit before it counts as failed."""

    def __init__(self, crew: Crew, reads: Reads, most: int, put: Callable[[Any], Any]) -> None:
        self._crew, self._reads, self._most, self._put = crew, reads, most, put
        self._waiting: deque[_Unit] = deque()
        self._flights: dict[int, _Flight] = {}
        self._deaths: dict[UnitKey, int] = {}
        self._refs: dict[str, Any] = {}
        """References to templates in the object store, by digest."""
        self._digests = Digests()
        self._tickets = self._round = 0
        self.load = 0
        """Units of this round without an answer."""
        self._least = Least(crew.ready, _load)
        self.answers: deque[Answer] = deque()
        self.again = 0
        """Units that were asked once more because their actor or engine was lost."""
        crew.joined.append(self._joined)
        crew.lost.append(self._lose)

    @property
    def waiting(self) -> int:
        """Units that no actor has yet."""
        return len(self._waiting) + self._crew.quarantine.count_waiting(_is_unit)

    def begin(self) -> None:
        """What was asked before is not waited for any more."""
        self._round += 1
        self.load = 0
        self._waiting.clear()
        self._crew.quarantine.discard(_is_unit)
        self.answers.clear()

    def ask(self, request: Request) -> None:
        """Have it answered by somebody."""
        self.load += 1
        self._waiting.append(_Unit(request, self._round))
        self._hand_out()

    # ---- out ----------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        self._crew.quarantine.assign(self._crew.ready.values())
        while self._waiting and (actor := self._best(self._waiting[0])):
            self._send(self._waiting.popleft(), actor)

    def _best(self, unit: _Unit) -> Actor | None:
        """The actor that drew its picture, if it takes more, else the one with the least to do."""
        image = unit.request.image
        pixels: Any = image.rgb if image else None
        near = self._crew.ready.get(pixels.station) if isinstance(pixels, Pixels) else None
        return near if near and _load(near) is not None else self._least.find()

    def _send(self, unit: _Unit, actor: Actor) -> None:
        request, image = unit.request, unit.request.image
        if image and isinstance(image.rgb, Pixels) and image.rgb.station not in self._crew.ready:
            self._crew.quarantine.release(unit, actor)
            self._draw_again(unit)
            return
        name = self._digests.of(request.template)
        if name not in self._refs:
            self._refs[name] = self._put(request.template)
        asked = Asked(
            request.key,
            *packed(request.page),
            self._refs[name],
            name,
            request.pages,
            request.temperature,
            (image.width, image.height, image.scale) if image else None,
            cast("Pixels | bytes", image.rgb) if image else None,
        )
        self._tickets += 1
        ticket = self._tickets
        self._flights[ticket] = _Flight(unit, actor)
        actor.units.add(ticket)
        self._least.note(actor)
        ref = actor.handle.answer.remote(asked)
        self._crew.then(ref, lambda future: self._answered(ticket, future))

    # ---- back ---------------------------------------------------------------------------------------

    def _answered(self, ticket: int, future: Future[Any]) -> None:
        flight = self._flights.pop(ticket, None)
        if flight is None:  # its actor was given up
            return
        unit, actor = flight.unit, flight.actor
        actor.units.discard(ticket)
        self._crew.quarantine.release(unit, actor)
        error = future.exception()
        if error is None:
            actor.answered += 1
            actor.heard = time.monotonic()
            self._deaths.pop(unit.request.key, None)
            self._yield(unit, future.result())
        elif isinstance(error, EngineDiedError):
            self._accuse(unit, plainly(error))
        elif isinstance(error, PicturesLostError):
            self._draw_again(unit)
        elif isinstance(error, EngineUnavailableError):
            self._once_more(unit)
            self._crew.drop(actor, plainly(error))
        elif is_lost(error):
            self._lost(unit, plainly(error))
            self._crew.lose(actor, plainly(error))
        else:
            self._yield(unit, failed_answer(unit.request, plainly(error)))
        self._least.note(actor)
        self._hand_out()

    def _once_more(self, unit: _Unit) -> None:
        """It is to be answered by somebody else; nobody is to blame."""
        if unit.round != self._round:
            return
        if unit.suspect:
            self._suspect(unit, first=True)
        else:
            self._waiting.appendleft(unit)

    def _suspect(self, unit: _Unit, *, first: bool = False) -> None:
        """Have it asked alone."""
        unit.suspect = True
        self._crew.quarantine.add(unit, lambda actor: self._send(unit, actor), first=first)

    def _yield(self, unit: _Unit, answer: Answer) -> None:
        if unit.round == self._round:
            self.load -= 1
            self.answers.append(answer)

    # ---- losses -------------------------------------------------------------------------------------

    def _joined(self, actor: Actor) -> None:
        self._least.note(actor)
        self._hand_out()

    def _lose(self, actor: Actor) -> None:
        """An actor is gone."""
        units = [self._flights.pop(ticket).unit for ticket in sorted(actor.units)]
        actor.units.clear()
        for unit in units:
            if actor.dropped:
                self._once_more(unit)
            else:
                self._lost(unit, "its actor was lost")
        self._hand_out()

    def _lost(self, unit: _Unit, why: str) -> None:
        """It was with an actor that is gone. If it was alone there, it is accused."""
        if unit.suspect:
            self._accuse(unit, why)
        elif unit.round == self._round:
            self.again += 1
            self._suspect(unit)

    def _accuse(self, unit: _Unit, why: str) -> None:
        """The engine died while it had this unit."""
        if unit.round != self._round:
            return
        key = unit.request.key
        deaths = self._deaths[key] = self._deaths.get(key, 0) + 1
        if deaths < self._most:
            self.again += 1
            self._suspect(unit)
            return
        del self._deaths[key]
        detail = f"the program died {deaths} times while this page was being answered, the last time: {why}"
        self._yield(unit, failed_answer(unit.request, detail))

    def _draw_again(self, unit: _Unit) -> None:
        """Who drew its picture is gone, or does not hand it out: have the page read once more, for the picture alone."""
        if unit.round != self._round:
            return
        image = unit.request.image
        assert image is not None  # noqa: S101 - a picture was lost
        unit.drawn += 1
        if unit.drawn > MOST_DRAWN:
            self._yield(unit, failed_answer(unit.request, f"its picture was drawn {MOST_DRAWN} times more and never arrived"))
            return
        pixels = cast("Any", image.rgb)

        def drawn(reply: Reply) -> None:
            if unit.round != self._round:
                return
            if reply.error or len(reply.parts) <= pixels.index + 1:
                error = reply.error
                self._yield(
                    unit, failed_answer(unit.request, f"its picture was lost: {error}", error.reason if error else "unreadable")
                )
                return
            unit.request = replace(unit.request, image=replace(image, rgb=reply.parts[pixels.index + 1]))
            self._once_more(unit)
            self._hand_out()

        self._reads.submit(pixels.call, drawn)


class Digests:
    """Digests of templates, which are costly, for those that come again and again."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Template, str]] = OrderedDict()

    def of(self, template: Template) -> str:
        """As ``digest``."""
        known = self._known.get(id(template))
        if known is None:
            known = self._known[id(template)] = (template, digest(template))
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known[1]


def _load(actor: Actor) -> int | None:
    return len(actor.units) if not actor.reserved and len(actor.units) < actor.window else None

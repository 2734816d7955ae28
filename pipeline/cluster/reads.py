"""Pages on their way to readers in the cluster and back; those whose actor is lost are read by another one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

from pipeline.cluster.crew import Actor, Crew, Least, is_lost, plainly
from pipeline.cluster.wire import Head, Pixels
from pipeline.errors import DocumentError, EngineUnavailableError
from pipeline.worker import Lost, Reply

AHEAD = 2
"""Calls that an actor has for every reader: one that is read, and the next one."""


@dataclass(eq=False)
class _Call:
    key: Hashable
    call: bytes
    then: Callable[[Reply], None]
    losses: int = 0


@dataclass(eq=False)
class _Flight:
    call: _Call
    actor: Actor
    pixels: Any
    """Reference to what stays on the machine."""


class Reads:
    """Calls to readers. ``most`` is how often one may be lost with its actor before it counts as unreadable."""

    def __init__(self, crew: Crew, most: int) -> None:
        self._crew, self._most = crew, most
        self._waiting: deque[_Call] = deque()
        self._flights: dict[int, _Flight] = {}
        self._tickets = 0
        self._least = Least(crew.ready, _load)
        self.lost: Lost | None = None
        """Told of processes and machines that were lost over a call."""
        crew.joined.append(self._joined)
        crew.lost.append(self._lose)

    @property
    def load(self) -> int:
        """Calls without a reply."""
        return len(self._waiting) + len(self._flights)

    @property
    def room(self) -> bool:
        """Whether a reader would be idle soon."""
        return not self._waiting and self._least.find() is not None

    def submit(self, key: Hashable, call: bytes, then: Callable[[Reply], None]) -> None:
        """Have it read by somebody; ``then`` gets the reply."""
        self._waiting.append(_Call(key, call, then))
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and (actor := self._least.find()):
            call = self._waiting.popleft()
            self._tickets += 1
            ticket = self._tickets
            head, pixels = actor.handle.read.options(num_returns=2).remote(call.call)
            self._flights[ticket] = _Flight(call, actor, pixels)
            actor.reads.add(ticket)
            self._least.note(actor)
            self._crew.then(head, lambda future, ticket=ticket: self._replied(ticket, future))  # type: ignore[misc]

    def _replied(self, ticket: int, future: Future[Any]) -> None:
        flight = self._flights.pop(ticket, None)
        if flight is None:  # its actor was given up
            return
        call, actor = flight.call, flight.actor
        actor.reads.discard(ticket)
        self._least.note(actor)
        error = future.exception()
        if error is None:
            actor.heard = time.monotonic()
            head: Head = future.result()
            for why in head.lost:
                self._tell(call, why)
            stay = (Pixels(flight.pixels, index, size, actor.number, call.call) for index, size in enumerate(head.pixels))
            call.then(
                Reply(
                    call.key,
                    [*head.parts, *cast("list[bytes]", list(stay))],
                    DocumentError(*head.error) if head.error else None,
                    head.seconds,
                )
            )
        elif is_lost(error):
            self._again(call, plainly(error))
            self._crew.lose(actor, plainly(error))
        elif isinstance(error, EngineUnavailableError):  # its readers cannot start
            self._waiting.appendleft(call)
            self._crew.drop(actor, plainly(error))
        else:
            call.then(Reply(call.key, error=DocumentError("unreadable", plainly(error))))
        self._hand_out()

    def _joined(self, actor: Actor) -> None:
        self._least.note(actor)
        self._hand_out()

    def _lose(self, actor: Actor) -> None:
        for ticket in sorted(actor.reads, reverse=True):
            self._again(self._flights.pop(ticket).call, "its actor was lost")
        actor.reads.clear()
        self._hand_out()

    def _again(self, call: _Call, why: str) -> None:
        call.losses += 1
        self._tell(call, why)
        if call.losses < self._most:
            self._waiting.appendleft(call)
        else:
            detail = f"{call.losses} actors were lost while it was read, the last time: {why}"
            call.then(Reply(call.key, error=DocumentError("unreadable", detail)))

    def _tell(self, call: _Call, why: str) -> None:
        if self.lost and isinstance(call.key, tuple):
            self.lost(call.key, why)


def _load(actor: Actor) -> int | None:
    return len(actor.reads) if len(actor.reads) < AHEAD * actor.readers else None

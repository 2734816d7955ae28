"""Pages on their way to readers in the cluster and back; those whose actor is lost are read by another one.

Readers are processes with limits, so that a page hardly ever takes its actor with it: what is lost with one is read again among others.
Lost twice, it is read alone, so that a page is given up for what it did itself, never for what was done beside it.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

from pipeline.cluster.actors import Actor, Crew, Least, is_lost, plainly
from pipeline.cluster.messages import Head, Pixels
from pipeline.errors import DocumentError, EngineUnavailableError
from pipeline.runtime.worker_pool import OnLoss, OnReply, Reply

AHEAD = 2
"""Calls that an actor has for every reader: one that is read, and the next one."""
AMONG_OTHERS = 2
"""How often a page may be lost with its actor before it is read alone."""


@dataclass(eq=False)
class _Call:
    call: bytes
    on_reply: OnReply
    on_loss: OnLoss | None
    losses: int = 0
    """Actors that were lost while it was read among others."""
    deaths: int = 0
    """Actors that were lost while they had nothing else."""

    @property
    def suspect(self) -> bool:
        """Whether it is to be read alone."""
        return self.losses >= AMONG_OTHERS


@dataclass(eq=False)
class _Flight:
    call: _Call
    actor: Actor
    pixels: Any
    """Reference to what stays on the machine."""


class Reads:
    """Calls to readers. ``most`` is how often actors may be lost over one, which was alone there, before it counts as unreadable."""

    def __init__(self, crew: Crew, most: int) -> None:
        self._crew, self._most = crew, most
        self._waiting: deque[_Call] = deque()
        self._flights: dict[int, _Flight] = {}
        self._tickets = 0
        self._least = Least(crew.ready, _load)
        crew.joined.append(self._joined)
        crew.lost.append(self._lose)

    @property
    def room(self) -> bool:
        """Whether a reader would be idle soon."""
        return not self._waiting and self._least.find() is not None

    def submit(self, call: bytes, on_reply: OnReply, on_loss: OnLoss | None = None) -> None:
        """Queue one call; ``on_loss`` gets the cause each time a process or a machine is lost over it."""
        self._waiting.append(_Call(call, on_reply, on_loss))
        self._hand_out()

    def _hand_out(self) -> None:
        self._crew.quarantine.assign(self._crew.ready.values())
        while self._waiting and (actor := self._least.find()):
            self._send(self._waiting.popleft(), actor)

    def _send(self, call: _Call, actor: Actor) -> None:
        self._tickets += 1
        ticket = self._tickets
        head, pixels = actor.handle.read.options(num_returns=2).remote(call.call)
        self._flights[ticket] = _Flight(call, actor, pixels)
        actor.reads.add(ticket)
        self._least.note(actor)
        self._crew.then(head, lambda future: self._replied(ticket, future))

    def _replied(self, ticket: int, future: Future[Any]) -> None:
        flight = self._flights.pop(ticket, None)
        if flight is None:  # its actor was given up
            return
        call, actor = flight.call, flight.actor
        actor.reads.discard(ticket)
        self._crew.quarantine.release(call, actor)
        self._least.note(actor)
        error = future.exception()
        if error is None:
            actor.heard = time.monotonic()
            head: Head = future.result()
            for why in head.lost:
                self._tell(call, why)
            stay = (Pixels(flight.pixels, index, size, actor.number, call.call) for index, size in enumerate(head.pixels))
            call.on_reply(
                Reply(
                    [*head.parts, *cast("list[bytes]", list(stay))],
                    DocumentError(*head.error) if head.error else None,
                    head.seconds,
                )
            )
        elif is_lost(error):
            self._again(call, plainly(error))
            self._crew.lose(actor, plainly(error))
        elif isinstance(error, EngineUnavailableError):  # its readers cannot start
            self._once_more(call)
            self._crew.drop(actor, plainly(error))
        else:
            call.on_reply(Reply(error=DocumentError("unreadable", plainly(error))))
        self._hand_out()

    def _joined(self, actor: Actor) -> None:
        self._least.note(actor)
        self._hand_out()

    def _lose(self, actor: Actor) -> None:
        for ticket in sorted(actor.reads, reverse=True):
            call = self._flights.pop(ticket).call
            if actor.dropped:
                self._once_more(call)
            else:
                self._again(call, "its actor was lost")
        actor.reads.clear()
        self._hand_out()

    def _once_more(self, call: _Call) -> None:
        if call.suspect:
            self._crew.quarantine.add(call, lambda actor: self._send(call, actor), first=True)
        else:
            self._waiting.appendleft(call)

    def _again(self, call: _Call, why: str) -> None:
        """It was with an actor that is gone. If it was alone there, it is accused."""
        self._tell(call, why)
        if call.suspect:
            call.deaths += 1
        else:
            call.losses += 1
        if call.deaths < self._most:
            self._once_more(call)
        else:
            detail = f"{call.deaths} actors were lost while they read nothing else, the last time: {why}"
            call.on_reply(Reply(error=DocumentError("unreadable", detail)))

    def _tell(self, call: _Call, why: str) -> None:
        if call.on_loss:
            call.on_loss(why)


def _load(actor: Actor) -> int | None:
    return len(actor.reads) if not actor.reserved and len(actor.reads) < AHEAD * actor.readers else None

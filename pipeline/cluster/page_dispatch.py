"""Hands pages to readers in the cluster; a page whose actor is lost is read by another one.

Readers are processes with limits, so a page rarely kills its actor: after the first losses it is read again among others. A page that was
lost twice is a suspect, and read alone: it is given up for what it did itself, never for what was done beside it.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from pipeline.cluster.actors import Actor, Actors, LeastBusy, error_text, is_actor_loss
from pipeline.cluster.messages import ReplyHead
from pipeline.errors import DocumentError, EngineUnavailableError
from pipeline.records import RemotePixels
from pipeline.runtime.worker_pool import OnLoss, OnReply, Reply

CALLS_PER_READER = 2
"""Calls that an actor has for every reader: one that is read, and the next one."""
LOSSES_AMONG_OTHERS = 2
"""How often a page may be lost with its actor before it is read alone."""


@dataclass(eq=False)
class _Call:
    request: bytes
    on_reply: OnReply
    on_loss: OnLoss | None
    losses: int = 0
    """Actors that were lost while it was read among others."""
    deaths: int = 0
    """Actors that were lost while they had nothing else."""

    @property
    def is_suspect(self) -> bool:
        """Whether it is to be read alone."""
        return self.losses >= LOSSES_AMONG_OTHERS


@dataclass(eq=False)
class _InFlight:
    call: _Call
    actor: Actor
    pixels: Any
    """Reference to the parts that stay on the machine."""


class PageDispatch:
    """Calls to readers. A call over which ``max_deaths`` actors were lost, each with nothing else to do, ends as unreadable."""

    def __init__(self, actors: Actors, max_deaths: int) -> None:
        self._actors, self._max_deaths = actors, max_deaths
        self._waiting: deque[_Call] = deque()
        self._in_flight: dict[int, _InFlight] = {}
        self._ticket = 0
        self._least_busy = LeastBusy(actors.ready, _load)
        actors.on_ready.append(self._on_ready)
        actors.on_loss.append(self._on_actor_loss)

    @property
    def room(self) -> bool:
        """Whether a reader would be idle soon."""
        return not self._waiting and self._least_busy.find() is not None

    def submit(self, request: bytes, on_reply: OnReply, on_loss: OnLoss | None = None) -> None:
        """Queue one call; ``on_loss`` gets the cause each time a process or a machine is lost over it."""
        self._waiting.append(_Call(request, on_reply, on_loss))
        self._hand_out()

    def _hand_out(self) -> None:
        self._actors.hand_out_suspects()
        while self._waiting and (actor := self._least_busy.find()):
            self._send(self._waiting.popleft(), actor)

    def _send(self, call: _Call, actor: Actor) -> None:
        self._ticket += 1
        ticket = self._ticket
        head, pixels = actor.handle.read.options(num_returns=2).remote(call.request)
        self._in_flight[ticket] = _InFlight(call, actor, pixels)
        actor.pages.add(ticket)
        self._least_busy.update(actor)
        self._actors.when_done(head, lambda future: self._on_result(ticket, future))

    def _on_result(self, ticket: int, future: Future[Any]) -> None:
        in_flight = self._in_flight.pop(ticket, None)
        if in_flight is None:  # its actor was given up
            return
        call, actor = in_flight.call, in_flight.actor
        actor.pages.discard(ticket)
        self._actors.quarantine.release(call, actor)
        self._least_busy.update(actor)
        error = future.exception()
        if error is None:
            actor.last_sign = time.monotonic()
            head: ReplyHead = future.result()
            for cause in head.losses:
                self._report_loss(call, cause)
            remote = [
                RemotePixels(in_flight.pixels, index, size, actor.number, call.request)
                for index, size in enumerate(head.remote_sizes)
            ]
            call.on_reply(Reply(head.parts, remote, DocumentError(*head.error) if head.error else None, head.seconds))
        elif is_actor_loss(error):
            self._retry_or_fail(call, error_text(error))
            self._actors.remove(actor, error_text(error))
        elif isinstance(error, EngineUnavailableError):  # its readers cannot start
            self._requeue(call)
            self._actors.give_up(actor, error_text(error))
        else:
            call.on_reply(Reply(error=DocumentError("unreadable", error_text(error))))
        self._hand_out()

    def _on_ready(self, actor: Actor) -> None:
        self._least_busy.update(actor)
        self._hand_out()

    def _on_actor_loss(self, actor: Actor) -> None:
        for ticket in sorted(actor.pages, reverse=True):
            call = self._in_flight.pop(ticket).call
            if actor.given_up:
                self._requeue(call)
            else:
                self._retry_or_fail(call, "its actor was lost")
        actor.pages.clear()
        self._hand_out()

    def _requeue(self, call: _Call) -> None:
        if call.is_suspect:
            self._actors.quarantine.add(call, lambda actor: self._send(call, actor), first=True)
        else:
            self._waiting.appendleft(call)

    def _retry_or_fail(self, call: _Call, cause: str) -> None:
        """The call was with an actor that is lost. If it was alone there, it is accused."""
        self._report_loss(call, cause)
        if call.is_suspect:
            call.deaths += 1
        else:
            call.losses += 1
        if call.deaths < self._max_deaths:
            self._requeue(call)
        else:
            detail = f"{call.deaths} actors were lost while they read nothing else, the last time: {cause}"
            call.on_reply(Reply(error=DocumentError("unreadable", detail)))

    def _report_loss(self, call: _Call, cause: str) -> None:
        if call.on_loss:
            call.on_loss(cause)


def _load(actor: Actor) -> int | None:
    return len(actor.pages) if not actor.reserved and len(actor.pages) < CALLS_PER_READER * actor.readers else None

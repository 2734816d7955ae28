"""What may have killed an actor is done again by one that has nothing else to do, so that the next death accuses it and nobody else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.cluster.actors import Actor, Crew

ALONE_SHARE = 4
"""One actor in so many, and one at least, is kept free for suspects."""


@dataclass(eq=False)
class _Suspect:
    what: object
    send: Callable[[Actor], None]
    sent: bool = False


class Alone:
    """Suspects, be they pages to be read or units to be answered, in one queue."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._waiting: deque[_Suspect] = deque()
        self._held: dict[int, _Suspect] = {}
        """Those that wait for their actor to be empty, or are with it, by its number."""
        crew.lost.append(self._lose)

    def waiting(self, kind: type) -> int:
        """Suspects of a kind that no actor has yet."""
        held = (suspect for suspect in self._held.values() if not suspect.sent)
        return sum(isinstance(suspect.what, kind) for suspect in (*self._waiting, *held))

    def forget(self, kind: type) -> None:
        """Nobody wants those of a kind any more that no actor has yet."""
        self._waiting = deque(suspect for suspect in self._waiting if not isinstance(suspect.what, kind))
        for number, suspect in list(self._held.items()):
            if isinstance(suspect.what, kind) and not suspect.sent:
                self._free(number)

    def add(self, what: object, send: Callable[[Actor], None], *, first: bool = False) -> None:
        """Have it sent to an actor that is empty and stays so until ``release``."""
        (self._waiting.appendleft if first else self._waiting.append)(_Suspect(what, send))

    def place(self) -> None:
        """Reserve actors, and send what waits for those that are empty."""
        most = max(1, len(self._crew.ready) // ALONE_SHARE)
        while self._waiting and len(self._held) < most:
            free = [actor for actor in self._crew.ready.values() if not actor.reserved]
            if not free:
                break
            actor = min(free, key=lambda actor: len(actor.units) + len(actor.reads))
            actor.reserved = True
            self._held[actor.number] = self._waiting.popleft()
        for number, suspect in list(self._held.items()):
            reserved = self._crew.ready.get(number)
            if reserved and not suspect.sent and not (reserved.units or reserved.reads):
                suspect.sent = True
                suspect.send(reserved)

    def release(self, what: object, actor: Actor) -> None:
        """It needs its actor no more; does nothing when it was not alone there."""
        suspect = self._held.get(actor.number)
        if suspect and suspect.what is what:
            self._free(actor.number)

    def _free(self, number: int) -> None:
        del self._held[number]
        if actor := self._crew.ready.get(number):
            actor.reserved = False
            self._crew.later(lambda: self._crew.tell_ready(actor))

    def _lose(self, actor: Actor) -> None:
        suspect = self._held.pop(actor.number, None)
        if suspect and not suspect.sent:
            self._waiting.appendleft(suspect)

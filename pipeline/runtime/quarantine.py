"""Suspects are tried alone: the next death then accuses one of them and nothing else.

A suspect is a unit or a page that was in work when a process or a machine died. A place is where work is done: an actor of a cluster,
or this process itself. All suspects wait in one queue. Each gets a place that has nothing else to do, and keeps it until it is released.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

RESERVED_SHARE = 4
"""One place in so many, and one at least, is reserved for suspects at the same time."""


class QuarantinePlace(Protocol):
    """A place where suspects can be alone. It must be hashable by identity."""

    reserved: bool
    """Set while the place is for one suspect: nothing else may be handed to it."""

    @property
    def in_flight(self) -> int:
        """How much it has to do."""
        ...


SuspectT = TypeVar("SuspectT")
PlaceT = TypeVar("PlaceT", bound=QuarantinePlace)


@dataclass(eq=False)
class _Entry(Generic[SuspectT, PlaceT]):
    suspect: SuspectT
    hand_out: Callable[[PlaceT], None]
    handed_out: bool = False


class Quarantine(Generic[SuspectT, PlaceT]):
    """The queue of suspects and the places that are reserved for them. ``on_release`` is called with each place that is free again."""

    def __init__(self, on_release: Callable[[PlaceT], None] | None = None) -> None:
        self._on_release = on_release
        self._waiting: deque[_Entry[SuspectT, PlaceT]] = deque()
        self._reserved: dict[PlaceT, _Entry[SuspectT, PlaceT]] = {}
        """Reserved places, with the suspect that waits for them to be idle or is there."""

    def add(self, suspect: SuspectT, hand_out: Callable[[PlaceT], None], *, first: bool = False) -> None:
        """Queue a suspect; ``hand_out`` is called with its place when that is idle."""
        (self._waiting.appendleft if first else self._waiting.append)(_Entry(suspect, hand_out))

    def count_waiting(self, matches: Callable[[SuspectT], bool] = lambda _: True) -> int:
        """Suspects that match and were not handed out yet."""
        reserving = (entry for entry in self._reserved.values() if not entry.handed_out)
        return sum(matches(entry.suspect) for entry in (*self._waiting, *reserving))

    def suspect_at(self, place: PlaceT) -> SuspectT | None:
        """The suspect that a place is reserved for."""
        entry = self._reserved.get(place)
        return entry.suspect if entry else None

    def assign(self, places: Collection[PlaceT]) -> None:
        """Reserve places, the least busy ones first, and hand out suspects whose place is idle."""
        most = max(1, len(places) // RESERVED_SHARE)
        while self._waiting and len(self._reserved) < most:
            free = [place for place in places if not place.reserved]
            if not free:
                break
            place = min(free, key=lambda place: place.in_flight)
            place.reserved = True
            self._reserved[place] = self._waiting.popleft()
        for place, entry in list(self._reserved.items()):
            if not entry.handed_out and not place.in_flight:
                entry.handed_out = True
                entry.hand_out(place)

    def release(self, suspect: SuspectT, place: PlaceT) -> None:
        """The suspect has its answer. Does nothing when the place is not reserved for it."""
        entry = self._reserved.get(place)
        if entry and entry.suspect == suspect:
            self._free(place)

    def discard(self, matches: Callable[[SuspectT], bool]) -> None:
        """Remove the suspects that match and were not handed out yet."""
        self._waiting = deque(entry for entry in self._waiting if not matches(entry.suspect))
        for place, entry in list(self._reserved.items()):
            if not entry.handed_out and matches(entry.suspect):
                self._free(place)

    def remove_place(self, place: PlaceT) -> None:
        """The place is gone. A suspect that waited for it to be idle is the next one again."""
        entry = self._reserved.pop(place, None)
        if entry and not entry.handed_out:
            self._waiting.appendleft(entry)

    def clear(self) -> None:
        """Remove all suspects, and free the places."""
        self._waiting.clear()
        for place in list(self._reserved):
            self._free(place)

    def _free(self, place: PlaceT) -> None:
        del self._reserved[place]
        place.reserved = False
        if self._on_release:
            self._on_release(place)

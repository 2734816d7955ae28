"""The actors as the driver knows them: started where machines have room, forgotten when they or their machines are gone.

Everything here happens in the loop's thread; Ray's own threads only put what came into ``events``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from types import ModuleType
from typing import Any

from pipeline import __version__
from pipeline.backoff import Backoff
from pipeline.cluster.actor import Station, numa_cores
from pipeline.cluster.messages import Setup
from pipeline.cluster.placement import GIGABYTE, Machine, Place, machines, places
from pipeline.errors import EngineUnavailableError
from pipeline.runtime.engine_process import EngineDescription
from pipeline.runtime.quarantine import Quarantine
from pipeline.settings import Settings

Event = Callable[[], None]
Loss = Callable[["Actor"], None]
PING_SECONDS = 30.0
"""How often an actor is asked whether it is alive."""
SILENT_SECONDS = 300.0
"""After so long without an answer to that it counts as dead."""
FIRST_SECONDS, LONGEST_SECONDS = 5.0, 600.0
"""Pauses before an actor is started again where one could not work."""
LOGGER = logging.getLogger("pipeline.cluster")


@dataclass(eq=False)
class Actor:
    """One actor, with what it has to do. It takes units and pages once it is ``described``."""

    number: int
    place: Place
    handle: Any
    host: str
    window: int
    """Units that it holds at most."""
    readers: int
    described: EngineDescription | None = None
    units: set[int] = field(default_factory=set)
    """Tickets of what it was asked."""
    reads: set[int] = field(default_factory=set)
    reserved: bool = False
    """Whether it is to be empty, or is alone with a unit or a page that may kill it."""
    answered: int = 0
    dropped: bool = False
    """Whether it was given up though it lives: its engine cannot work."""
    heard: float = field(default_factory=time.monotonic)
    pinged: float | None = None
    """Since when it owes a sign of life."""

    @property
    def node(self) -> str:
        """Ray's name of its machine; empty while nobody knows it."""
        return self.described.node if self.described else self.place.node

    @property
    def in_flight(self) -> int:
        """Units and pages that it has."""
        return len(self.units) + len(self.reads)


class Least:
    """Finds the actor with the least to do. ``load`` is None for those that take no more."""

    def __init__(self, ready: dict[int, Actor], load: Callable[[Actor], int | None]) -> None:
        self._ready, self._load = ready, load
        self._heap: list[tuple[int, int]] = []

    def note(self, actor: Actor) -> None:
        """Its load has changed."""
        load = self._load(actor)
        if load is not None and actor.number in self._ready:
            heappush(self._heap, (load, actor.number))
        if len(self._heap) > 100 + 8 * len(self._ready):
            self._heap = [(load, number) for number, other in self._ready.items() if (load := self._load(other)) is not None]
            heapify(self._heap)

    def find(self) -> Actor | None:
        """The one with the least to do; None when all are busy."""
        while self._heap:
            load, number = self._heap[0]
            actor = self._ready.get(number)
            if actor and self._load(actor) == load:
                return actor
            heappop(self._heap)
        return None


class Crew:
    """All actors. ``lost`` is told of each that is gone, before it is forgotten."""

    def __init__(
        self,
        ray: ModuleType,
        settings: Settings,
        setup: Setup,
        events: queue.SimpleQueue[Event],
        *,
        pause_seconds: float = FIRST_SECONDS,
    ) -> None:
        """``pause_seconds``: before an actor is started again, for the first time, where one could not work."""
        self._ray, self._settings, self._setup, self._events = ray, settings, setup, events
        self._pause_seconds = pause_seconds
        self.lost: list[Loss] = []
        self.joined: list[Loss] = []
        self.quarantine: Quarantine[object, Actor] = Quarantine(lambda actor: self.later(lambda: self.tell_ready(actor)))
        """Units and pages over which actors died; each is tried again by an actor that has nothing else to do."""
        self.ready: dict[int, Actor] = {}
        self.starting: dict[int, Actor] = {}
        self.machines: dict[str, Machine] = {}
        self.unfit: dict[str, str] = {}
        """Why actors cannot work, by the host's name."""
        self.first: EngineDescription | None = None
        """What all engines are."""
        self.losses = 0
        self.looked = False
        self._groups: dict[str, list[tuple[int, ...]] | None] = {}
        self._backoffs: dict[Place, Backoff] = {}
        self._next_starts: dict[Place, float] = {}
        """When an actor may be started again at a place where one could not work (time.monotonic)."""
        self._number = 0
        self._actor_class = ray.remote(Station)
        self._numa = ray.remote(numa_cores)

    def then(self, ref: Any, act: Callable[[Future[Any]], None]) -> None:
        """Do that in the loop's thread when the call has come to its end."""
        ref.future().add_done_callback(lambda future: self._events.put(lambda: act(future)))

    def later(self, act: Event) -> None:
        """Do that in the loop's thread when what is under way there is done."""
        self._events.put(act)

    @property
    def hopeless(self) -> bool:
        """Whether all that could be started was found unfit."""
        unknown = None in self._groups.values()
        return bool(self.unfit) and self.looked and not (self.starting or self.ready or unknown)

    # ---- machines and places ----------------------------------------------------------------------

    def saw(self, nodes: list[dict[str, Any]]) -> None:
        """The machines that there are just now."""
        now = {machine.node: machine for machine in machines(nodes)}
        for machine in now.values():
            if machine.node not in self.machines:
                _log("machine_joined", host=machine.host, cpus=machine.cpus)
        for name in self.machines.keys() - now.keys():
            _log("machine_left", host=self.machines[name].host)
        self.machines, self.looked = now, True
        hosts = {machine.host for machine in now.values()}
        self.unfit = {host: why for host, why in self.unfit.items() if host in hosts}
        for actor in [*self.ready.values(), *self.starting.values()]:
            if actor.node and actor.node not in now:
                self.lose(actor, "its machine is gone")
        for machine in now.values():
            if machine.node not in self._groups and machine.cpus and not self._settings.ray.cpus:
                self._groups[machine.node] = None
                self._find_groups(machine)
        self.fill()

    def _find_groups(self, machine: Machine) -> None:
        ref = self._numa.options(num_cpus=0, max_retries=0, scheduling_strategy=self._on(machine.node)).remote()

        def found(future: Future[Any]) -> None:
            if future.exception() is None:
                self._groups[machine.node] = future.result()
                self.fill()
            else:
                self._groups.pop(machine.node, None)

        self.then(ref, found)

    def _on(self, node: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node, soft=False)

    def places(self) -> Iterator[Place]:
        """Where there is room for actors, taken or not."""
        for machine in self.machines.values():
            groups = self._groups.get(machine.node) or ()
            if self._settings.ray.cpus or groups:
                yield from places(machine, self._settings.ray, groups)

    def fill(self) -> None:
        """Start actors where there is room for more."""
        most = self._settings.ray.actors
        present = [*self.ready.values(), *self.starting.values()]
        taken = {actor.place for actor in present}
        for floating in present:  # Ray put it somewhere, where it takes the room of one of ours
            if not floating.place.node and floating.described:
                taken |= set([place for place in self.places() if place.node == floating.node and place not in taken][:1])
        for place in self.places():
            if most and len(self.ready) + len(self.starting) >= most:
                return
            if place not in taken and self._rested(place):
                self._start(place)
        cpus = self._settings.ray.cpus
        for index in range(most - len(self.ready) - len(self.starting) if cpus else 0):
            self._start(Place("", index, cpus))

    def _rested(self, place: Place) -> bool:
        return time.monotonic() >= self._next_starts.get(place, 0.0)

    def _pause(self, place: Place) -> None:
        backoff = self._backoffs.setdefault(place, Backoff(self._pause_seconds, LONGEST_SECONDS))
        self._next_starts[place] = time.monotonic() + backoff.next_seconds()

    def _start(self, place: Place) -> None:
        settings = self._settings
        readers = settings.workers or place.cpus
        vlm = settings.vlm.model_copy(update={"threads": settings.vlm.threads or place.cpus})
        setup = replace(
            self._setup,
            settings=settings.model_copy(update={"vlm": vlm}),
            readers=readers,
            cores=place.cores,
            must_hold=tuple(folder for folder in self._setup.must_see if holds_something(folder)),
        )
        batch = max(settings.vlm.batch, settings.server.concurrency)
        options: dict[str, Any] = {"num_cpus": place.cpus, "max_concurrency": 8 + 2 * readers + _window(settings, batch)}
        if settings.ray.memory_gb:
            options["memory"] = int(settings.ray.memory_gb * GIGABYTE)
        options["scheduling_strategy"] = self._on(place.node) if place.node else "SPREAD"
        self._number += 1
        handle = self._actor_class.options(**options).remote(setup)
        host = self.machines[place.node].host if place.node in self.machines else ""
        actor = self.starting[self._number] = Actor(self._number, place, handle, host, 0, readers)
        self.then(handle.describe.remote(), lambda future: self._began(actor, future))

    def _began(self, actor: Actor, future: Future[Any]) -> None:
        if actor.number not in self.starting:  # lost meanwhile
            return
        if error := future.exception():
            self.lose(actor, plainly(error)) if is_lost(error) else self.drop(actor, plainly(error))
            return
        described: EngineDescription = future.result()
        first = self.first = self.first or described
        if described.version != __version__:
            self.drop(actor, f"has pipeline {described.version}, the driver {__version__}: install the same everywhere")
        elif described.identity != first.identity:
            self.drop(actor, f"its engine would be `{described.identity}`, that of the others is `{first.identity}`")
        else:
            del self.starting[actor.number]
            actor.described, actor.host, actor.heard = described, described.host, time.monotonic()
            actor.window = _window(self._settings, described.batch)
            self.ready[actor.number] = actor
            self._backoffs.pop(actor.place, None)
            self._next_starts.pop(actor.place, None)
            self.unfit.pop(actor.host, None)
            _log("actor_ready", host=actor.host, cpus=actor.place.cpus, actors=len(self.ready))
            self.tell_ready(actor)

    def tell_ready(self, actor: Actor) -> None:
        """It takes units and pages, for the first time or again."""
        if actor.number in self.ready:
            for tell in self.joined:
                tell(actor)

    # ---- those that are gone ------------------------------------------------------------------------

    def lose(self, actor: Actor, why: str) -> None:
        """It is gone; another one takes its place if its machine is still there."""
        known = self.ready.pop(actor.number, None) or self.starting.pop(actor.number, None)
        if known is None:
            return
        self.losses += 1
        _log("actor_lost", level=logging.WARNING, host=actor.host, detail=why)
        with contextlib.suppress(Exception):
            self._ray.kill(actor.handle)
        self.quarantine.remove_place(actor)
        for tell in self.lost:
            tell(actor)
        if not actor.answered and actor.node in self.machines:
            self._pause(actor.place)

    def drop(self, actor: Actor, why: str) -> None:
        """It cannot work; its place rests for a while."""
        self.unfit[actor.host or "?"] = why
        actor.answered, actor.dropped = 0, True
        self.lose(actor, why)

    def look_after(self) -> None:
        """Ask those that were not heard of for long whether they are alive."""
        now = time.monotonic()
        for actor in list(self.ready.values()):
            if actor.pinged is not None:
                if now - actor.pinged > SILENT_SECONDS:
                    self.lose(actor, f"not heard of for {SILENT_SECONDS:g} s")
            elif now - actor.heard > PING_SECONDS:
                actor.pinged = now
                self.then(actor.handle.alive.remote(), lambda future, actor=actor: self._pong(actor, future))  # type: ignore[misc]

    def _pong(self, actor: Actor, future: Future[Any]) -> None:
        if error := future.exception():
            self.lose(actor, plainly(error))
        else:
            actor.heard, actor.pinged = time.monotonic(), None


def _window(settings: Settings, batch: int) -> int:
    """Units that an actor holds: as many as its engine answers together, and some that wait while answers travel."""
    return settings.ray.units_per_actor or batch + max(3, batch // 4)


def plainly(error: BaseException) -> str:
    """What went wrong, in one line."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, EngineUnavailableError):
        return cause.message
    lines = str(cause).strip().splitlines() or [""]
    if getattr(cause, "actor_init_failed", False):  # a traceback, whose last line says it
        return lines[-1].strip()[:300]
    return f"{type(cause).__name__}: {lines[0]}"[:300]


def is_lost(error: BaseException) -> bool:
    """Whether Ray says that the actor is gone, rather than the actor that something went wrong."""
    from ray.exceptions import RayError, RayTaskError

    return (
        isinstance(error, RayError) and not isinstance(error, RayTaskError) and not getattr(error, "actor_init_failed", False)
    )


def holds_something(path: str) -> bool:
    """Whether it is a folder that is not empty."""
    try:
        with os.scandir(path) as entries:
            return any(entries)
    except OSError:
        return False


def _log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    LOGGER.log(level, event, extra={"fields": fields})

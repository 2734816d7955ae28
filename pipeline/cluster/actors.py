"""The actors as the driver knows them: started where machines have room, removed when they or their machines are gone.

Everything here runs in the loop's thread. Ray's own threads only put functions into ``events``, which the loop's thread calls.
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
from pipeline.cluster.actor import ReadingActor, numa_cores
from pipeline.cluster.messages import ActorSetup
from pipeline.cluster.placement import GIGABYTE, ActorPlace, Machine, actor_places, alive_machines
from pipeline.errors import EngineUnavailableError
from pipeline.runtime.engine_process import EngineDescription
from pipeline.runtime.quarantine import Quarantine
from pipeline.settings import Settings

Event = Callable[[], None]
ActorCallback = Callable[["Actor"], None]
PING_SECONDS = 30.0
"""How long an actor may be silent before it gets a ping."""
PING_TIMEOUT_SECONDS = 300.0
"""After so long without an answer it counts as dead."""
FIRST_SECONDS, LONGEST_SECONDS = 5.0, 600.0
"""Pauses before an actor is started again where one could not work."""
LOGGER = logging.getLogger("pipeline.cluster")


@dataclass(eq=False)
class Actor:
    """One actor, with what it has to do. It takes units and pages once it has its ``description``."""

    number: int
    place: ActorPlace
    handle: Any
    """Ray's handle, for calls to it."""
    host: str
    readers: int
    max_units: int = 0
    """Units that it holds at most."""
    description: EngineDescription | None = None
    units: set[int] = field(default_factory=set)
    """Tickets of the units that it has."""
    pages: set[int] = field(default_factory=set)
    """Tickets of the pages that it reads."""
    reserved: bool = False
    """Whether it is for one suspect alone (see Quarantine)."""
    answered: int = 0
    given_up: bool = False
    """Whether it was removed though it is alive: its engine or its readers cannot work."""
    last_sign: float = field(default_factory=time.monotonic)
    """When it was last heard of."""
    pinged_at: float | None = None
    """Since when an answer to a ping is missing."""

    @property
    def node(self) -> str:
        """Ray's name of its machine; empty while that is unknown."""
        return self.description.node if self.description else self.place.node

    @property
    def in_flight(self) -> int:
        """Units and pages that it has."""
        return len(self.units) + len(self.pages)


class LeastBusy:
    """Finds the actor with the least to do. ``load`` is None for actors that take no more."""

    def __init__(self, ready: dict[int, Actor], load: Callable[[Actor], int | None]) -> None:
        self._ready, self._load = ready, load
        self._heap: list[tuple[int, int]] = []

    def update(self, actor: Actor) -> None:
        """The actor's load has changed."""
        load = self._load(actor)
        if load is not None and actor.number in self._ready:
            heappush(self._heap, (load, actor.number))
        if len(self._heap) > 100 + 8 * len(self._ready):
            self._heap = [(load, number) for number, other in self._ready.items() if (load := self._load(other)) is not None]
            heapify(self._heap)

    def find(self) -> Actor | None:
        """The actor with the least to do; None when all are busy."""
        while self._heap:
            load, number = self._heap[0]
            actor = self._ready.get(number)
            if actor and self._load(actor) == load:
                return actor
            heappop(self._heap)
        return None


class Actors:
    """All actors. ``on_ready`` are called with each that takes work, ``on_loss`` with each that is gone, before it is forgotten."""

    def __init__(
        self,
        ray: ModuleType,
        settings: Settings,
        setup: ActorSetup,
        events: queue.SimpleQueue[Event],
        *,
        pause_seconds: float = FIRST_SECONDS,
    ) -> None:
        """``pause_seconds``: before an actor is started again, for the first time, where one could not work."""
        self._ray, self._settings, self._setup, self._events = ray, settings, setup, events
        self._pause_seconds = pause_seconds
        self.on_loss: list[ActorCallback] = []
        self.on_ready: list[ActorCallback] = []
        self.quarantine: Quarantine[object, Actor] = Quarantine(
            lambda actor: self.call_later(lambda: self._announce_ready(actor))
        )
        """Units and pages over which actors died; each is tried again by an actor that has nothing else to do."""
        self.ready: dict[int, Actor] = {}
        self.starting: dict[int, Actor] = {}
        self.machines: dict[str, Machine] = {}
        self.unfit: dict[str, str] = {}
        """Why actors cannot work, by the host's name."""
        self.engine: EngineDescription | None = None
        """What all engines are: the first one decides."""
        self.loss_count = 0
        self._machines_known = False
        self._groups: dict[str, list[tuple[int, ...]] | None] = {}
        """Processors by NUMA node, for each machine; None while the machine was not heard of."""
        self._backoffs: dict[ActorPlace, Backoff] = {}
        self._next_starts: dict[ActorPlace, float] = {}
        """When an actor may be started again at a place where one could not work (time.monotonic)."""
        self._number = 0
        self._actor_class = ray.remote(ReadingActor)
        self._numa = ray.remote(numa_cores)

    def when_done(self, ref: Any, act: Callable[[Future[Any]], None]) -> None:
        """Call ``act`` in the loop's thread when a remote call has ended."""
        ref.future().add_done_callback(lambda future: self._events.put(lambda: act(future)))

    def call_later(self, act: Event) -> None:
        """Call ``act`` in the loop's thread, after the callbacks that run now."""
        self._events.put(act)

    def hand_out_suspects(self) -> None:
        """Hand suspects to actors that have nothing else to do."""
        self.quarantine.assign(self.ready.values())

    @property
    def is_hopeless(self) -> bool:
        """Whether all actors that could be started are unfit."""
        unknown = None in self._groups.values()
        return bool(self.unfit) and self._machines_known and not (self.starting or self.ready or unknown)

    # ---- machines and places ----------------------------------------------------------------------

    def update_machines(self, nodes: list[dict[str, Any]]) -> None:
        """Take note of ``ray.nodes()``: actors of machines that left are lost, and actors are started where there is room."""
        now = {machine.node: machine for machine in alive_machines(nodes)}
        for machine in now.values():
            if machine.node not in self.machines:
                _log("machine_joined", host=machine.host, cpus=machine.cpus)
        for name in self.machines.keys() - now.keys():
            _log("machine_left", host=self.machines[name].host)
        self.machines, self._machines_known = now, True
        hosts = {machine.host for machine in now.values()}
        self.unfit = {host: why for host, why in self.unfit.items() if host in hosts}
        for actor in [*self.ready.values(), *self.starting.values()]:
            if actor.node and actor.node not in now:
                self.remove(actor, "its machine is gone")
        for machine in now.values():
            if machine.node not in self._groups and machine.cpus and not self._settings.ray.cpus:
                self._groups[machine.node] = None
                self._find_groups(machine)
        self._start_actors()

    def _find_groups(self, machine: Machine) -> None:
        ref = self._numa.options(num_cpus=0, max_retries=0, scheduling_strategy=self._affinity(machine.node)).remote()

        def on_groups(future: Future[Any]) -> None:
            if future.exception() is None:
                self._groups[machine.node] = future.result()
                self._start_actors()
            else:
                self._groups.pop(machine.node, None)

        self.when_done(ref, on_groups)

    def _affinity(self, node: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node, soft=False)

    def _places(self) -> Iterator[ActorPlace]:
        """Where there is room for actors, taken or not."""
        for machine in self.machines.values():
            groups = self._groups.get(machine.node) or ()
            if self._settings.ray.cpus or groups:
                yield from actor_places(machine, self._settings.ray, groups)

    def _start_actors(self) -> None:
        """Start actors where there is room for more."""
        most = self._settings.ray.actors
        present = [*self.ready.values(), *self.starting.values()]
        taken = {actor.place for actor in present}
        for floating in present:  # Ray chose its machine, where it takes the room of another place
            if not floating.place.node and floating.description:
                taken |= set([place for place in self._places() if place.node == floating.node and place not in taken][:1])
        for place in self._places():
            if most and len(self.ready) + len(self.starting) >= most:
                return
            if place not in taken and self._may_start(place):
                self._start(place)
        cpus = self._settings.ray.cpus
        for index in range(most - len(self.ready) - len(self.starting) if cpus else 0):
            self._start(ActorPlace("", index, cpus))

    def _may_start(self, place: ActorPlace) -> bool:
        return time.monotonic() >= self._next_starts.get(place, 0.0)

    def _postpone_start(self, place: ActorPlace) -> None:
        backoff = self._backoffs.setdefault(place, Backoff(self._pause_seconds, LONGEST_SECONDS))
        self._next_starts[place] = time.monotonic() + backoff.next_seconds()

    def _start(self, place: ActorPlace) -> None:
        settings = self._settings
        readers = settings.workers or place.cpus
        vlm = settings.vlm.model_copy(update={"threads": settings.vlm.threads or place.cpus})
        setup = replace(
            self._setup,
            settings=settings.model_copy(update={"vlm": vlm}),
            readers=readers,
            cores=place.cores,
            nonempty_folders=tuple(folder for folder in self._setup.required_paths if _is_nonempty_folder(folder)),
        )
        batch = max(settings.vlm.batch, settings.server.concurrency)
        options: dict[str, Any] = {"num_cpus": place.cpus, "max_concurrency": 8 + 2 * readers + _max_units(settings, batch)}
        if settings.ray.memory_gb:
            options["memory"] = int(settings.ray.memory_gb * GIGABYTE)
        options["scheduling_strategy"] = self._affinity(place.node) if place.node else "SPREAD"
        self._number += 1
        handle = self._actor_class.options(**options).remote(setup)
        host = self.machines[place.node].host if place.node in self.machines else ""
        actor = self.starting[self._number] = Actor(self._number, place, handle, host, readers)
        self.when_done(handle.describe.remote(), lambda future: self._on_described(actor, future))

    def _on_described(self, actor: Actor, future: Future[Any]) -> None:
        if actor.number not in self.starting:  # lost meanwhile
            return
        if error := future.exception():
            self.remove(actor, error_text(error)) if is_actor_loss(error) else self.give_up(actor, error_text(error))
            return
        description: EngineDescription = future.result()
        first = self.engine = self.engine or description
        if description.version != __version__:
            self.give_up(actor, f"has pipeline {description.version}, the driver {__version__}: install the same everywhere")
        elif description.identity != first.identity:
            self.give_up(actor, f"its engine would be `{description.identity}`, that of the others is `{first.identity}`")
        else:
            del self.starting[actor.number]
            actor.description, actor.host, actor.last_sign = description, description.host, time.monotonic()
            actor.max_units = _max_units(self._settings, description.batch)
            self.ready[actor.number] = actor
            self._backoffs.pop(actor.place, None)
            self._next_starts.pop(actor.place, None)
            self.unfit.pop(actor.host, None)
            _log("actor_ready", host=actor.host, cpus=actor.place.cpus, actors=len(self.ready))
            self._announce_ready(actor)

    def _announce_ready(self, actor: Actor) -> None:
        """The actor takes units and pages, for the first time or again."""
        if actor.number in self.ready:
            for callback in self.on_ready:
                callback(actor)

    # ---- actors that are gone -----------------------------------------------------------------------

    def remove(self, actor: Actor, cause: str) -> None:
        """The actor is lost; another one takes its place if its machine is still there."""
        present = self.ready.pop(actor.number, None) or self.starting.pop(actor.number, None)
        if present is None:
            return
        self.loss_count += 1
        _log("actor_lost", level=logging.WARNING, host=actor.host, detail=cause)
        with contextlib.suppress(Exception):
            self._ray.kill(actor.handle)
        self.quarantine.remove_place(actor)
        for callback in self.on_loss:
            callback(actor)
        if not actor.answered and actor.node in self.machines:
            self._postpone_start(actor.place)

    def give_up(self, actor: Actor, cause: str) -> None:
        """The actor is alive and cannot work; the next one is started there after a pause."""
        self.unfit[actor.host or "?"] = cause
        actor.answered, actor.given_up = 0, True
        self.remove(actor, cause)

    def ping_silent_actors(self) -> None:
        """Ask actors that were silent for long whether they are alive, and remove those that do not answer."""
        now = time.monotonic()
        for actor in list(self.ready.values()):
            if actor.pinged_at is not None:
                if now - actor.pinged_at > PING_TIMEOUT_SECONDS:
                    self.remove(actor, f"not heard of for {PING_TIMEOUT_SECONDS:g} s")
            elif now - actor.last_sign > PING_SECONDS:
                actor.pinged_at = now
                ref = actor.handle.is_alive.remote()
                self.when_done(ref, lambda future, actor=actor: self._on_ping_answer(actor, future))  # type: ignore[misc]

    def _on_ping_answer(self, actor: Actor, future: Future[Any]) -> None:
        if error := future.exception():
            self.remove(actor, error_text(error))
        else:
            actor.last_sign, actor.pinged_at = time.monotonic(), None


def _max_units(settings: Settings, batch: int) -> int:
    """Units that an actor holds at most: as many as its engine answers together, and some that wait while answers travel."""
    return settings.ray.units_per_actor or batch + max(3, batch // 4)


def error_text(error: BaseException) -> str:
    """The error in one line."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, EngineUnavailableError):
        return cause.message
    lines = str(cause).strip().splitlines() or [""]
    if getattr(cause, "actor_init_failed", False):  # a traceback: the last line has the error
        return lines[-1].strip()[:300]
    return f"{type(cause).__name__}: {lines[0]}"[:300]


def is_actor_loss(error: BaseException) -> bool:
    """Whether Ray reports that the actor is gone; other errors come from the actor itself."""
    from ray.exceptions import RayError, RayTaskError

    return (
        isinstance(error, RayError) and not isinstance(error, RayTaskError) and not getattr(error, "actor_init_failed", False)
    )


def _is_nonempty_folder(path: str) -> bool:
    try:
        with os.scandir(path) as entries:
            return any(entries)
    except OSError:
        return False


def _log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    LOGGER.log(level, event, extra={"fields": fields})

"""The driver's real side of a cluster; its machines and actors do what a test says."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipeline import __version__
from pipeline.cluster.actors import FIRST_SECONDS, Actors, Event
from pipeline.cluster.messages import ActorSetup
from pipeline.cluster.page_dispatch import PageDispatch
from pipeline.cluster.unit_dispatch import UnitDispatch
from pipeline.runtime.engine_process import EngineDescription
from pipeline.settings import Settings
from pipeline.settings_sections import RaySettings
from tests.cluster.test_engine_process import request


def node(number: int) -> str:
    """Ray's name of a machine."""
    return f"{number + 1:056x}"


@dataclass(eq=False)
class Call:
    """A call to an actor, which the test answers."""

    argument: Any
    actor: int
    result: Future[Any] = field(default_factory=Future)

    def future(self) -> Future[Any]:
        """As ObjectRef's."""
        return self.result


class RemoteMethod:
    """A method of an actor's handle."""

    def __init__(self, act: Callable[..., Any]) -> None:
        self._act = act

    def options(self, **_: Any) -> RemoteMethod:
        return self

    def remote(self, *arguments: Any) -> Any:
        return self._act(*arguments)


class FakeCluster:
    """``unit_calls`` and ``page_calls`` are calls without a result, the oldest first."""

    def __init__(self, machines: int = 2, *, pause_seconds: float = FIRST_SECONDS, **settings: Any) -> None:
        self.unit_calls: list[Call] = []
        self.page_calls: list[Call] = []
        self.starts: list[Call] = []
        self.killed = 0
        actor_class = RemoteMethod(self._start_actor)
        ray: Any = SimpleNamespace(remote=lambda _: actor_class, kill=self._kill)
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.settings = Settings(inbox=Path("inbox"), workers=1, ray=RaySettings(cpus=1, **settings))
        setup = ActorSetup(self.settings, "handler", 0)
        self.actors = Actors(ray, self.settings, setup, self.events, pause_seconds=pause_seconds)
        self.pages = PageDispatch(self.actors, 3)
        self.units = UnitDispatch(self.actors, self.pages, 3, lambda template: template)
        self.units.reset()
        self.set_machines(machines)

    def _start_actor(self, setup: ActorSetup) -> Any:
        del setup
        number = len(self.starts)
        self.starts.append(Call("start", number))
        return SimpleNamespace(
            describe=RemoteMethod(lambda: self.starts[number]),
            answer=RemoteMethod(lambda unit: self._add(self.unit_calls, unit, number)),
            read=RemoteMethod(lambda page: (self._add(self.page_calls, page, number), "pixels")),
            is_alive=RemoteMethod(lambda: Call("is_alive", number)),
        )

    def _add(self, calls: list[Call], argument: Any, actor: int) -> Call:
        calls.append(Call(argument, actor))
        return calls[-1]

    def _kill(self, handle: Any) -> None:
        del handle
        self.killed += 1

    def set_machines(self, machines: int) -> None:
        """The cluster has so many machines."""
        nodes = [
            {"NodeID": node(number), "NodeManagerHostname": f"h{number}", "Alive": True, "Resources": {"CPU": 1.0}}
            for number in range(machines)
        ]
        self.actors.update_machines(nodes)
        self.handle_events()

    def start(self, *actors: int, identity: str = "fake/1") -> None:
        """These actors become ready."""
        for number in actors:
            self.starts[number].result.set_result(
                EngineDescription(__version__, identity, 0, False, 1, f"h{number}", node(number))
            )
        self.handle_events()

    def handle_events(self) -> None:
        """Call the functions that wait in ``events``."""
        while not self.events.empty():
            self.events.get()()

    def finish(self, call: Call, result: Any) -> None:
        """A call returns a result, or raises it."""
        (self.unit_calls if call in self.unit_calls else self.page_calls).remove(call)
        call.result.set_exception(result) if isinstance(result, Exception) else call.result.set_result(result)
        self.handle_events()

    def submit(self, count: int, **changes: Any) -> None:
        """Submit so many units, of pages 1, 2, …"""
        for number in range(1, count + 1):
            self.units.submit(replace(request(f"page {number}", number), **changes))

    def assignments(self) -> list[tuple[int, int]]:
        """Actor and page of each unit without a result."""
        return [(call.actor, call.argument.key.page) for call in self.unit_calls]

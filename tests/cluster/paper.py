"""A cluster of paper: the driver's side is real, its machines and actors do what a test says."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipeline import __version__
from pipeline.cluster.actors import FIRST_SECONDS, Crew, Event
from pipeline.cluster.messages import Setup
from pipeline.cluster.page_dispatch import Reads
from pipeline.cluster.unit_dispatch import Units
from pipeline.runtime.engine_process import EngineDescription
from pipeline.settings import RaySettings, Settings
from tests.cluster.test_engine_process import request


def node(number: int) -> str:
    """Ray's name of a machine."""
    return f"{number + 1:056x}"


@dataclass(eq=False)
class Ref:
    """A call, which the test answers."""

    what: Any
    number: int
    told: Future[Any] = field(default_factory=Future)

    def future(self) -> Future[Any]:
        return self.told


class Method:
    def __init__(self, act: Callable[..., Any]) -> None:
        self._act = act

    def options(self, **_: Any) -> Method:
        return self

    def remote(self, *arguments: Any) -> Any:
        return self._act(*arguments)


class Paper:
    """A driver's side whose machines are on paper. ``asked`` and ``read`` are calls without an answer, the oldest first."""

    def __init__(self, machines: int = 2, *, pause_seconds: float = FIRST_SECONDS, **settings: Any) -> None:
        self.asked: list[Ref] = []
        self.read: list[Ref] = []
        self.started: list[Ref] = []
        self.killed = 0
        make = Method(self._make)
        ray: Any = SimpleNamespace(remote=lambda _: make, kill=self._kill)
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.settings = Settings(inbox=Path("inbox"), workers=1, ray=RaySettings(cpus=1, **settings))
        self.crew = Crew(ray, self.settings, Setup(self.settings, "handler", 0), self.events, pause_seconds=pause_seconds)
        self.reads = Reads(self.crew, 3)
        self.units = Units(self.crew, self.reads, 3, lambda template: template)
        self.units.begin()
        self.see(machines)

    def _make(self, setup: Setup) -> Any:
        del setup
        number = len(self.started)
        self.started.append(Ref("start", number))
        return SimpleNamespace(
            describe=Method(lambda: self.started[number]),
            answer=Method(lambda asked: self._note(self.asked, asked, number)),
            read=Method(lambda call: (self._note(self.read, call, number), "pixels")),
            alive=Method(lambda: Ref("alive", number)),
        )

    def _note(self, calls: list[Ref], what: Any, number: int) -> Ref:
        calls.append(Ref(what, number))
        return calls[-1]

    def _kill(self, handle: Any) -> None:
        del handle
        self.killed += 1

    def see(self, machines: int) -> None:
        """So many machines are there."""
        nodes = [
            {"NodeID": node(number), "NodeManagerHostname": f"h{number}", "Alive": True, "Resources": {"CPU": 1.0}}
            for number in range(machines)
        ]
        self.crew.saw(nodes)
        self.turn()

    def ready(self, *numbers: int, identity: str = "paper/1") -> None:
        """These actors are ready."""
        for number in numbers:
            self.started[number].told.set_result(
                EngineDescription(__version__, identity, 0, False, 1, f"h{number}", node(number))
            )
        self.turn()

    def turn(self) -> None:
        """What came is done."""
        while not self.events.empty():
            self.events.get()()

    def tell(self, ref: Ref, told: Any) -> None:
        """A call has come to its end."""
        (self.asked if ref in self.asked else self.read).remove(ref)
        ref.told.set_exception(told) if isinstance(told, Exception) else ref.told.set_result(told)
        self.turn()

    def ask(self, count: int, **changes: Any) -> None:
        for number in range(1, count + 1):
            self.units.ask(replace(request(f"page {number}", number), **changes))

    def pages(self) -> list[tuple[int, int]]:
        """What was asked: actor and page."""
        return [(ref.number, ref.what.key.page) for ref in self.asked]

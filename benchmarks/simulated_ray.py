"""A stand-in for Ray with as many machines as one likes, whose actors reply at once: what is left is the driver's own work.

The driver's code is the real one, all of it: loop, ledger, publishing, and the choice of an actor for every page and unit. What Ray itself
takes for a call is measured elsewhere (``cluster_throughput``).
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from pipeline import __version__
from pipeline.cluster.actors import Actors
from pipeline.cluster.cluster import Cluster, ClusterEngine
from pipeline.cluster.messages import RemoteRequest, ReplyHead, unpack_page
from pipeline.cluster.page_dispatch import PageDispatch
from pipeline.cluster.unit_dispatch import UnitDispatch
from pipeline.records import Answer, Claim, Page, Word
from pipeline.run.page_requests import DOCUMENT_REPLY, HANDLER, PAGE_CONTENT, DocumentReply, PageContent, ReadRequest
from pipeline.runtime.engine_process import EngineDescription
from pipeline.settings import Settings
from pipeline.settings_sections import RaySettings

WORDS = 380


@dataclass(frozen=True)
class _Ref:
    """A reference whose value is there already."""

    value: Any

    def future(self) -> Future[Any]:
        """As ObjectRef's."""
        future: Future[Any] = Future()
        future.set_result(self.value)
        return future


class _Method:
    def __init__(self, act: Callable[..., Any]) -> None:
        self._act = act

    def options(self, **_: Any) -> _Method:
        return self

    def remote(self, *arguments: Any) -> Any:
        return self._act(*arguments)


class _Handle:
    """An actor: pages of ``WORDS`` words, answers that repeat them. Requests are pickled and replies unpickled, as Ray does it."""

    def __init__(self, node: str, pages: int) -> None:
        words = tuple(Word(f"word{number}", (10.0, 10.0, 50.25, 20.5), number // 10, size=11.0) for number in range(WORDS))
        self._page = Page(1, 595.0, 842.0, words, "textlayer", seconds=0.01)
        self._node, self._pages = node, pages
        self.describe = _Method(lambda: _Ref(EngineDescription(__version__, "simulated/1", 0, False, 1, node, node)))
        self.read, self.answer = _Method(self._read), _Method(self._answer)
        self.is_alive = _Method(lambda: _Ref(True))
        self.wants_image = _Method(lambda _: False)

    def _read(self, call: bytes) -> tuple[_Ref, None]:
        request: ReadRequest = pickle.loads(call)  # made by this very process
        if not request.page:
            return _Ref(ReplyHead([DOCUMENT_REPLY.dump_json(DocumentReply("pdf", self._pages))])), None
        page = Page(request.page, 595.0, 842.0, self._page.words, "textlayer", seconds=0.01)
        return _Ref(ReplyHead([PAGE_CONTENT.dump_json(PageContent(page))])), None

    def _answer(self, request: RemoteRequest) -> _Ref:
        pickle.dumps(request)
        text = " ".join(word.text for word in unpack_page(request).words)
        return _Ref(pickle.loads(pickle.dumps(Answer(request.key, {"text": Claim(text)}))))


def _name(number: int) -> str:
    return f"{number + 1:056x}"


class SimulatedCluster(Cluster):
    """``machines`` machines with an actor each; every document has ``pages`` pages."""

    def __init__(self, settings: Settings, machines: int, pages: int) -> None:
        super().__init__(settings.model_copy(update={"ray": RaySettings(address="simulated", cpus=1)}), HANDLER)
        self._simulated_nodes = [
            {"NodeID": _name(number), "NodeManagerHostname": f"node{number}", "Alive": True, "Resources": {"CPU": 1.0}}
            for number in range(machines)
        ]
        self._document_pages = pages

    def __enter__(self) -> SimulatedCluster:
        actors = iter(range(len(self._simulated_nodes)))
        make = _Method(lambda _: _Handle(_name(next(actors)), self._document_pages))
        ray = SimpleNamespace(remote=lambda _: make, kill=lambda _: None, get=lambda value, **_: value, put=lambda value: value)
        self._ray = cast(Any, ray)
        self._set_gc_thresholds()
        self._actors = Actors(cast(Any, ray), self._settings, self._setup, self._events)
        self._pages = PageDispatch(self._actors, 3)
        self._units = UnitDispatch(self._actors, self._pages, 3, lambda _: b"")
        self._actors.update_machines(self._simulated_nodes)
        self._wait_for_first()
        while self._actors.starting:
            self.turn(0)
        self.engine = ClusterEngine(self)
        return self

    def turn(self, wait: float) -> None:
        """As Cluster's; the machines are always there."""
        self._last_listed = time.monotonic()
        super().turn(wait)

"""The cluster as the loop uses it: a pool of readers and an engine, both spread over the machines of the cluster.

Everything runs in the loop's thread, in ``turn``, which the pool and the engine call while the loop waits for them. One more thread lists
the machines; answers and replies come through Ray's threads. These threads only put events into one queue.
"""

from __future__ import annotations

import gc
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from pipeline.cluster.actors import Actors, Event
from pipeline.cluster.connect import connect
from pipeline.cluster.messages import ENGINE_FACTORY, ActorSetup, ClusterStatus
from pipeline.cluster.page_dispatch import PageDispatch
from pipeline.cluster.resolve import resolve_auto
from pipeline.cluster.unit_dispatch import DigestCache, UnitDispatch
from pipeline.engines.base import Engine, Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer
from pipeline.runtime.engine_process import EngineDescription, needed_variables
from pipeline.runtime.garbage_collection import collect_rarely
from pipeline.runtime.worker_pool import OnLoss, OnReply, ReaderPool, Reply
from pipeline.settings import Settings
from pipeline.templates.template import Template
from pipeline.words.precision import Precision

MACHINES_SECONDS = 1.0
"""How often the machines are listed."""
HEAD_TIMEOUT_SECONDS = 60.0
"""After so long without an answer from the cluster's head, the cluster counts as gone."""
STATUS_SECONDS = 1.0
"""How often the status is renewed, and silent actors get a ping."""
MAX_WAIT_SECONDS = 0.2
"""How long the loop sleeps at most; each event wakes it."""
MIN_WAIT_SECONDS = 0.05
"""How long a call of ``poll`` may wait at least, also with a shorter timeout. The loop asks a local pool again at once, because the local
engine works in the same thread; here each event wakes the loop."""
MARK = "shared-"
"""Prefix of the name of a file by which a state folder is known to be the same one on another machine."""


class Cluster:
    """Use as a context manager: joins the cluster, starts actors, waits for the first one; leaves it in the end.

    Raises EngineUnavailableError when there is no cluster, or none that can work; later, whenever no actor is left for
    ``ray.timeout_seconds``.
    """

    def __init__(self, settings: Settings, handler: str, *, engine_factory: str = ENGINE_FACTORY) -> None:
        self._settings = settings = resolve_auto(settings)
        self._setup = ActorSetup(settings, handler, 0, required_paths=shared_paths(settings), engine_factory=engine_factory)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stack = ExitStack()
        self._end = threading.Event()
        self._wants_image: dict[str, bool] = {}
        self._digests = DigestCache()
        self._head_error: str | None = None
        self._nodes: deque[tuple[float, list[dict[str, Any]]]] = deque(maxlen=1)
        """When the machines were listed last, and the list, until ``turn`` takes it."""
        self._last_listed = self._last_ready = self._last_status = 0.0
        self._status: ClusterStatus = {}

    def __enter__(self) -> Self:
        self._ray = self._stack.enter_context(connect(self._settings.ray, needed_variables(self._settings)))
        self._set_gc_thresholds()
        try:
            retry = self._settings.retry
            self._actors = Actors(self._ray, self._settings, self._setup, self._events)
            self._pages = PageDispatch(self._actors, retry.crash_attempts)
            self._units = UnitDispatch(self._actors, self._pages, retry.crash_attempts, self._ray.put)
            threading.Thread(target=self._list_machines, name="cluster", daemon=True).start()
            self._wait_for_first()
            self.engine: Engine = ClusterEngine(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._stack.close()

    def _set_gc_thresholds(self) -> None:
        before = collect_rarely()
        self._stack.callback(lambda: gc.set_threshold(*before))

    # ---- machines -----------------------------------------------------------------------------------

    def _list_machines(self) -> None:
        """The thread that lists the machines."""
        while not self._end.is_set():
            try:
                nodes: list[dict[str, Any]] = self._ray.nodes()
            except Exception as error:
                self._head_error = f"{type(error).__name__}: {error}"[:300]
            else:
                self._head_error = None
                self._nodes.append((time.monotonic(), nodes))
            self._end.wait(MACHINES_SECONDS)

    def _wait_for_first(self) -> None:
        self._last_listed = self._last_ready = time.monotonic()
        while not self._actors.ready:
            self.turn(MAX_WAIT_SECONDS)
            if self._actors.is_hopeless:
                host, cause = next(iter(self._actors.unfit.items()))
                raise EngineUnavailableError(f"no actor can work; on {host}: {cause}", "run `pipeline doctor` there")

    def turn(self, wait: float) -> None:
        """Handle all events; wait so long for the first one. Raises EngineUnavailableError when the cluster or all actors are gone."""
        try:
            event = self._events.get(timeout=wait) if wait > 0 else self._events.get_nowait()
            while True:
                event()
                event = self._events.get_nowait()
        except queue.Empty:
            pass
        now = time.monotonic()
        if self._nodes:
            self._last_listed, nodes = self._nodes.pop()
            self._actors.update_machines(nodes)
        if now - self._last_status > STATUS_SECONDS:
            self._last_status = now
            self._actors.ping_silent_actors()
            self._status = self._make_status()
        if self._actors.ready:
            self._last_ready = now
        self._check_alive(now)

    def _check_alive(self, now: float) -> None:
        settings, actors = self._settings.ray, self._actors
        cure = "the same command goes on where it was, once the cluster is there; without --executor ray it goes on here"
        if now - self._last_listed > HEAD_TIMEOUT_SECONDS:
            raise EngineUnavailableError(
                f"the cluster at {settings.address} is gone: {self._head_error or 'it does not answer'}", cure
            )
        if now - self._last_ready > settings.timeout_seconds:
            self._last_ready = now  # a caller that goes on waits as long again
            size = f"{settings.cpus or 'all'} cores" + (f" and {settings.memory_gb:g} GB" if settings.memory_gb else "")
            unfit = next((f"; on {host}: {cause}" for host, cause in actors.unfit.items()), "")
            raise EngineUnavailableError(
                f"no actor is at work since {settings.timeout_seconds:g} s: {len(actors.machines)} machines are there, "
                f"{len(actors.starting)} actors of {size} wait for room or start{unfit}",
                cure,
            )

    # ---- status -------------------------------------------------------------------------------------

    @property
    def status(self) -> ClusterStatus:
        """The machines and actors and their work, as of a second ago. Any thread may read it."""
        return self._status

    def _make_status(self) -> ClusterStatus:
        actors = [
            {
                "actor": actor.number,
                "host": actor.host,
                "node": actor.node[:8],
                "cpus": actor.place.cpus,
                "units": len(actor.units),
                "pages": len(actor.pages),
                "answered": actor.answered,
            }
            for actor in self._actors.ready.values()
        ]
        return {
            "executor": "ray",
            "address": self._settings.ray.address,
            "machines": len(self._actors.machines),
            "actors": actors,
            "starting": len(self._actors.starting),
            "waiting_units": self._units.waiting,
            "lost_actors": self._actors.loss_count,
            "retried_units": self._units.retries,
            "unfit": dict(self._actors.unfit),
        }

    # ---- for the pool and the engine ----------------------------------------------------------------

    def readers(self) -> ReaderPool:
        """The readers of all machines, as a pool."""
        return ClusterReaders(self._pages, self._units, self.turn)

    @property
    def precision(self) -> Precision:
        """Of the OCR on all machines."""
        precision = self._settings.ocr.precision
        assert precision != "auto"  # noqa: S101 - resolve_auto names one
        return precision

    @property
    def units(self) -> UnitDispatch:
        """Requests and answers."""
        return self._units

    def describe(self) -> EngineDescription:
        """What all engines are."""
        engine = self._actors.engine
        assert engine is not None  # noqa: S101 - the first actor was waited for
        return engine

    def wants_image(self, template: Template) -> bool:
        """As Engine's; one actor answers once for every template."""
        name = self._digests.digest(template)
        while name not in self._wants_image:
            actor = next(iter(self._actors.ready.values()), None)
            if actor:
                try:
                    self._wants_image[name] = self._ray.get(
                        actor.handle.wants_image.remote(template), timeout=HEAD_TIMEOUT_SECONDS
                    )
                except Exception as error:
                    self._actors.remove(actor, f"{type(error).__name__}"[:300])
            else:
                self.turn(MAX_WAIT_SECONDS)
        return self._wants_image[name]


def shared_paths(settings: Settings) -> tuple[str, ...]:
    """What must exist on all machines: the inbox, or a mark in the folder to which the driver fetches objects."""
    if not settings.inbox_url:
        return (str(settings.inbox.resolve()),) if settings.inbox.is_dir() else ()
    state = settings.objects_folder.parent
    state.mkdir(parents=True, exist_ok=True)
    marks = sorted(state.glob(f"{MARK}*"))
    if not marks:
        marks.append(state / f"{MARK}{uuid.uuid4().hex}")
        marks[0].touch()
    return (str(marks[0]),)


class ClusterReaders:
    """The readers of all machines as one pool. See ReaderPool for the methods."""

    def __init__(self, pages: PageDispatch, units: UnitDispatch, turn: Callable[[float], None]) -> None:
        """``turn`` handles events, as Cluster's."""
        self._pages, self._units, self._turn = pages, units, turn
        self._replies: deque[tuple[OnReply, Reply]] = deque()
        """Replies that are not delivered yet: they arrive in every turn of the cluster, and are delivered by ``poll`` alone."""
        self._in_flight = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def load(self) -> int:
        """Calls that are submitted and not replied to yet."""
        return self._in_flight

    @property
    def room(self) -> bool:
        """Whether a reader would be idle soon, and the engines have no backlog."""
        return self._pages.room and not self._units.has_backlog

    def submit(self, request: bytes, on_reply: OnReply, on_loss: OnLoss | None = None) -> None:
        """Queue one call."""
        self._in_flight += 1
        self._pages.submit(request, lambda reply: self._replies.append((on_reply, reply)), on_loss)

    def poll(self, timeout: float | None = None) -> int:
        """Deliver replies; wait until ``timeout`` seconds pass, no call is in flight, or an engine has answered."""
        until = None if timeout is None else time.monotonic() + max(timeout, MIN_WAIT_SECONDS)
        wait = 0.0
        while True:
            self._turn(wait)
            if self._replies:
                return self._deliver()
            left = MAX_WAIT_SECONDS if until is None else until - time.monotonic()
            if self._units.answers or left <= 0 or (until is None and not self._in_flight):
                return 0
            wait = min(left, MAX_WAIT_SECONDS)

    def _deliver(self) -> int:
        delivered = 0
        while self._replies:
            on_reply, reply = self._replies.popleft()
            self._in_flight -= 1
            delivered += 1
            on_reply(reply)
        return delivered

    def close(self) -> None:
        """Drop the replies that are not delivered."""
        self._replies.clear()


class ClusterEngine:
    """The engines of all actors as one engine. Its identity is theirs. See Engine for the methods."""

    prefers_batches = False

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        engine = cluster.describe()
        self.identity, self.retries, self.needs_whole_page = engine.identity, engine.retries, engine.needs_whole_page

    def wants_image(self, template: Template) -> bool:
        """See Engine."""
        return self._cluster.wants_image(template)

    @property
    def load(self) -> int:
        """Requests whose answer was not returned by ``poll`` yet."""
        units = self._cluster.units
        return units.load + len(units.answers)

    @property
    def room(self) -> bool:
        """Whether the actors have work for less than a moment ahead, so that more should be submitted."""
        return not self._cluster.units.has_backlog

    def submit(self, request: Request) -> None:
        """See Engine. The request goes to an actor at once if one has room."""
        self._cluster.units.submit(request)

    def poll(self, timeout: float) -> list[Answer]:
        """See Engine. Returns also when readers have replied, which their pool then delivers. Raises EngineUnavailableError."""
        cluster, answers = self._cluster, self._cluster.units.answers
        if not self.room:  # the caller cannot submit, and would come back at once
            timeout = max(timeout, MIN_WAIT_SECONDS)
        cluster.turn(0 if answers else timeout)
        complete = list(answers)
        answers.clear()
        return complete

    def reset(self) -> None:
        """Drop all requests. Actors finish those that they have; the answers are ignored."""
        self._cluster.units.reset()

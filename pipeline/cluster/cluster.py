"""The cluster as the loop uses it: a pool of readers and an engine, both spread over the machines there are.

Everything happens in the loop's thread, in ``turn``, which the pool and the engine call while the loop waits for them. A thread of its own
only looks which machines there are; answers and replies come through Ray's threads. All of them put what came into one queue.
"""

from __future__ import annotations

import gc
import queue
import threading
import time
import uuid
from collections import deque
from contextlib import ExitStack
from typing import Any, Self

from pipeline.cluster.actors import Crew, Event
from pipeline.cluster.connect import joined
from pipeline.cluster.messages import MAKE_ENGINE, Setup, Told
from pipeline.cluster.page_dispatch import Reads
from pipeline.cluster.resolve import decided
from pipeline.cluster.unit_dispatch import Digests, Units
from pipeline.engines.base import AnswersRequests, Engine, Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer
from pipeline.runtime.worker_pool import OnLoss, OnReply, ReaderPool, Reply
from pipeline.settings import Settings
from pipeline.templates.model import Template
from pipeline.words.precision import Precision

LOOK_SECONDS = 1.0
"""How often it is looked which machines there are."""
GONE_SECONDS = 60.0
"""After so long without a word from the cluster's head it counts as gone."""
TELL_SECONDS = 1.0
IDLE_SECONDS = 0.2
"""How long a waiting loop sleeps at most; whatever comes wakes it."""
LEAST_SECONDS = 0.05
"""A local pool is asked again at once, for its engine works in the same thread; here whatever comes wakes the loop."""
COLLECT = (50_000, 20, 100)
"""Thresholds of Python's garbage collector. With a thousand actors a million words are under way, and looking through them again and again
took a fourth of the driver's time (docs/scale.md)."""
MARK = "shared-"
"""Beginning of the name of a file by which a state folder is known to be the same one on another machine."""
BACKLOG = 16
"""Units beyond two an actor that may wait for engines before no more pages are read."""


class Cluster:
    """Use as a context manager: joins the cluster, starts actors, waits for the first one; leaves it in the end.

    Raises EngineUnavailableError when there is no cluster, or none that can work; later, whenever no actor is left for
    ``ray.timeout_seconds``.
    """

    def __init__(self, settings: Settings, handler: str, *, make: str = MAKE_ENGINE) -> None:
        self._settings = settings = decided(settings)
        self._setup = Setup(settings, handler, 0, must_see=_shared(settings), make=make)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stack = ExitStack()
        self._end = threading.Event()
        self._wants_image: dict[str, bool] = {}
        self._digests = Digests()
        self._silent: str | None = None
        self._seen: deque[tuple[float, list[dict[str, Any]]]] = deque(maxlen=1)
        """When the machines were looked at last, and what they were."""
        self._heard = self._worked = self._cared = 0.0
        self._told: Told = {}

    def __enter__(self) -> Self:
        self._ray = self._stack.enter_context(joined(self._settings.ray))
        self._collect_less()
        try:
            retry = self._settings.retry
            self._crew = Crew(self._ray, self._settings, self._setup, self._events)
            self._reads = Reads(self._crew, retry.crash_attempts)
            self._units = Units(self._crew, self._reads, retry.crash_attempts, self._ray.put)
            threading.Thread(target=self._look, name="cluster", daemon=True).start()
            self._wait_for_first()
            self.engine: Engine = ClusterEngine(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._stack.close()

    def _collect_less(self) -> None:
        before = gc.get_threshold()
        gc.set_threshold(*COLLECT)
        self._stack.callback(lambda: gc.set_threshold(*before))

    # ---- machines -----------------------------------------------------------------------------------

    def _look(self) -> None:
        while not self._end.is_set():
            try:
                nodes: list[dict[str, Any]] = self._ray.nodes()
            except Exception as error:
                told = f"{type(error).__name__}: {error}"[:300]
                self._silent = told
            else:
                self._silent = None
                self._seen.append((time.monotonic(), nodes))
            self._end.wait(LOOK_SECONDS)

    def _wait_for_first(self) -> None:
        self._heard = self._worked = time.monotonic()
        while not self._crew.ready:
            self.turn(IDLE_SECONDS)
            crew = self._crew
            if crew.hopeless:
                host, why = next(iter(crew.unfit.items()))
                raise EngineUnavailableError(f"no actor can work; on {host}: {why}", "run `pipeline doctor` there")

    def turn(self, wait: float) -> None:
        """Do what there is to do; wait so long for the first of it. Raises EngineUnavailableError when nobody is left to do it."""
        try:
            event = self._events.get(timeout=wait) if wait > 0 else self._events.get_nowait()
            while True:
                event()
                event = self._events.get_nowait()
        except queue.Empty:
            pass
        now = time.monotonic()
        if self._seen:
            self._heard, nodes = self._seen.pop()
            self._crew.saw(nodes)
        if now - self._cared > TELL_SECONDS:
            self._cared = now
            self._crew.look_after()
            self._told = self._snapshot()
        if self._crew.ready:
            self._worked = now
        self._check(now)

    def _check(self, now: float) -> None:
        settings, crew = self._settings.ray, self._crew
        again = "the same command goes on where it was, once the cluster is there; without --executor ray it goes on here"
        if now - self._heard > GONE_SECONDS:
            raise EngineUnavailableError(
                f"the cluster at {settings.address} is gone: {self._silent or 'it does not answer'}", again
            )
        if now - self._worked > settings.timeout_seconds:
            self._worked = now  # who goes on waits anew
            wanted = f"{settings.cpus or 'all'} cores" + (f" and {settings.memory_gb:g} GB" if settings.memory_gb else "")
            why = f"; on {next(iter(crew.unfit))}: {next(iter(crew.unfit.values()))}" if crew.unfit else ""
            raise EngineUnavailableError(
                f"no actor is at work since {settings.timeout_seconds:g} s: {len(crew.machines)} machines are there, "
                f"{len(crew.starting)} actors of {wanted} wait for room or start{why}",
                again,
            )

    # ---- for those who look on ----------------------------------------------------------------------

    @property
    def told(self) -> Told:
        """What there is and what it does, as of a second ago; may be asked by any thread."""
        return self._told

    def _snapshot(self) -> Told:
        crew = self._crew
        actors = [
            {
                "actor": actor.number,
                "host": actor.host,
                "node": actor.node[:8],
                "cpus": actor.place.cpus,
                "units": len(actor.units),
                "pages": len(actor.reads),
                "answered": actor.answered,
            }
            for actor in crew.ready.values()
        ]
        return {
            "executor": "ray",
            "address": self._settings.ray.address,
            "machines": len(crew.machines),
            "actors": actors,
            "starting": len(crew.starting),
            "waiting_units": self._units.waiting,
            "lost_actors": crew.losses,
            "asked_again": self._units.again,
            "unfit": dict(crew.unfit),
        }

    # ---- for the pool and the engine ----------------------------------------------------------------

    def readers(self) -> ReaderPool:
        """The readers of all machines, as a pool."""
        return ClusterReaders(self._reads, self)

    @property
    def precision(self) -> Precision:
        """Of the OCR on all machines."""
        precision = self._settings.ocr.precision
        assert precision != "auto"  # noqa: S101 - it was decided
        return precision

    @property
    def units(self) -> Units:
        """Requests and answers."""
        return self._units

    @property
    def backlogged(self) -> bool:
        """Whether engines have enough to do, so that no more pages need be read."""
        return self._units.waiting > BACKLOG + 2 * len(self._crew.ready)

    def describe(self) -> tuple[str, int, bool]:
        """The engine's identity, its retries, and whether it measures."""
        first = self._crew.first
        assert first is not None  # noqa: S101 - the first actor was waited for
        return first.identity, first.retries, first.needs_whole_page

    def wants_image(self, template: Template) -> bool:
        """As Engine's; an actor is asked once for every template."""
        name = self._digests.of(template)
        while name not in self._wants_image:
            actor = next(iter(self._crew.ready.values()), None)
            if actor:
                try:
                    self._wants_image[name] = self._ray.get(actor.handle.wants_image.remote(template), timeout=GONE_SECONDS)
                except Exception as error:
                    self._crew.lose(actor, f"{type(error).__name__}"[:300])
            else:
                self.turn(IDLE_SECONDS)
        return self._wants_image[name]


def _shared(settings: Settings) -> tuple[str, ...]:
    """What all machines must see: the inbox, or the very folder to which the driver fetches objects, known by a mark in it."""
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

    def __init__(self, reads: Reads, cluster: Cluster) -> None:
        self._reads, self._cluster = reads, cluster
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
        return self._reads.room and not self._cluster.backlogged

    def submit(self, request: bytes, on_reply: OnReply, on_loss: OnLoss | None = None) -> None:
        """Queue one call."""
        self._in_flight += 1
        self._reads.submit(request, lambda reply: self._replies.append((on_reply, reply)), on_loss)

    def poll(self, timeout: float | None = None) -> int:
        """Deliver replies; wait until ``timeout`` seconds pass, no call is in flight, or an engine has answered."""
        until = None if timeout is None else time.monotonic() + max(timeout, LEAST_SECONDS)
        wait = 0.0
        while True:
            self._cluster.turn(wait)
            if self._replies:
                return self._deliver()
            left = IDLE_SECONDS if until is None else until - time.monotonic()
            if self._cluster.units.answers or left <= 0 or (until is None and not self._in_flight):
                return 0
            wait = min(left, IDLE_SECONDS)

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


class ClusterEngine(AnswersRequests):
    """The engines of all actors as one engine. Its identity is theirs. See Engine for the methods."""

    prefers_batches = False

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.identity, self.retries, self.needs_whole_page = cluster.describe()

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
        return not self._cluster.backlogged

    def submit(self, request: Request) -> None:
        """See Engine. The request goes to an actor at once if one has room."""
        self._cluster.units.ask(request)

    def poll(self, timeout: float) -> list[Answer]:
        """See Engine. Returns also when readers have replied, which their pool then delivers. Raises EngineUnavailableError."""
        cluster, answers = self._cluster, self._cluster.units.answers
        if not self.room:  # the caller cannot submit, and would come back at once
            timeout = max(timeout, LEAST_SECONDS)
        cluster.turn(0 if answers else timeout)
        complete = list(answers)
        answers.clear()
        return complete

    def reset(self) -> None:
        """Drop all requests. Actors finish those that they have; the answers are ignored."""
        self._cluster.units.begin()

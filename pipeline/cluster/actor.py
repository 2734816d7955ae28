"""An actor: the readers and the engine of one machine, or of a part of it. Ray starts it where the driver says.

Its methods run in many threads at the same time; each call waits for a process that does the work.
"""

from __future__ import annotations

import queue
from dataclasses import replace
from pathlib import Path
from platform import node
from typing import Any

from pipeline.cluster.messages import ActorSetup, ImageLostError, RemoteRequest, ReplyHead, unpack_page
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer, AnyImage, PageImage, RemoteImage
from pipeline.runtime.engine_process import EngineDescription, EngineProcess, pin_to_cores
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.templates.template import Template
from pipeline.words.precision import choose_precision

FETCH_SECONDS = 15.0
"""How long pixels may take from one machine to another. Ray itself would look for lost ones for ten minutes."""
SMALL_BYTES = 10_000
"""Pixels up to this size travel with the reply."""


class ReadingActor:
    """One actor. Its readers start with the first page, its engine at once."""

    def __init__(self, setup: ActorSetup) -> None:
        self._setup = setup
        pin_to_cores(setup.cores)
        self._readers: queue.SimpleQueue[WorkerPool] = queue.SimpleQueue()
        for _ in range(setup.readers):
            self._readers.put(_make_reader(setup))
        self._engine = EngineProcess(setup.settings, setup.engine_factory, setup.cores)
        self._templates: dict[str, Template] = {}

    def describe(self) -> EngineDescription:
        """What its engine is and where it runs, once it is ready. Raises EngineUnavailableError."""
        check_machine(self._setup)
        import ray

        description = self._engine.describe()
        return replace(description, host=node(), node=ray.get_runtime_context().get_node_id())

    def wants_image(self, template: Template) -> bool:
        """As Engine's."""
        return self._engine.wants_image(template)

    def read(self, call: bytes) -> tuple[ReplyHead, list[bytes] | None]:
        """One call to a reader: the head of the reply, and the pixels for Ray to keep here. Raises EngineUnavailableError."""
        reader, losses = self._readers.get(), list[str]()
        try:
            reply = reader.call(call, losses.append)
        finally:
            self._readers.put(reader)
        error = (reply.error.reason, reply.error.detail) if reply.error else None
        parts, pixels = reply.parts, reply.parts[1:]
        if sum(map(len, pixels)) <= SMALL_BYTES:
            return ReplyHead(parts, error=error, seconds=reply.seconds, losses=tuple(losses)), None
        return ReplyHead(parts[:1], tuple(map(len, pixels)), error, reply.seconds, tuple(losses)), pixels

    def answer(self, request: RemoteRequest) -> Answer:
        """The engine's answer to one unit. Raises ImageLostError, EngineDiedError, EngineUnavailableError."""
        page, template, image = unpack_page(request), self._template(request), _local_image(request.image)
        facts = (request.pages, request.temperature, request.lesson, request.reading)
        asked = Request(request.key, page, template, image, *facts)
        return self._engine.answer(asked)

    def is_alive(self) -> bool:
        """True: a reply means that its process still works."""
        return True

    def _template(self, request: RemoteRequest) -> Template:
        template = self._templates.get(request.digest)
        if template is None:
            template = self._templates[request.digest] = _fetch(request.template)
        return template


def check_machine(setup: ActorSetup) -> None:
    """Raises EngineUnavailableError where this machine lacks the driver's files, or cannot read in the same precision."""
    for path in setup.required_paths:
        if not Path(path).exists():
            raise EngineUnavailableError(f"{path} is not there on {node()}", "mount it on all machines at the same place")
    for folder in setup.nonempty_folders:
        if not any(Path(folder).iterdir()):
            raise EngineUnavailableError(f"{folder} is empty on {node()}", "mount it on all machines at the same place")
    choose_precision(setup.settings)


def _local_image(image: AnyImage | None) -> PageImage | None:
    if not isinstance(image, RemoteImage):
        return image
    rgb = _fetch(image.pixels.ref)[image.pixels.index]
    return PageImage(image.width, image.height, rgb, image.scale)


def _fetch(ref: Any) -> Any:
    """The value of a reference. Raises ImageLostError when it is gone."""
    import ray

    try:
        return ray.get(ref, timeout=FETCH_SECONDS)
    except ray.exceptions.RayError as error:
        raise ImageLostError(type(error).__name__) from None


def _make_reader(setup: ActorSetup) -> WorkerPool:
    """A pool of one process, for one thread at a time."""
    limits, attempts = setup.settings.limits, setup.settings.retry.reader_attempts
    return WorkerPool(setup.handler, size=1, seconds=limits.seconds, memory_mb=limits.memory_mb, attempts=attempts)


def numa_cores() -> list[tuple[int, ...]]:
    """The processors of this machine by NUMA node; one group where it has none. Ray runs it as a task on each machine."""
    import os

    usable = set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    groups = []
    for file in sorted(Path("/sys/devices/system/node").glob("node[0-9]*/cpulist")):
        cores = usable & parse_cpu_list(file.read_text(encoding="ascii"))
        if cores:
            groups.append(tuple(sorted(cores)))
    return groups or [tuple(sorted(usable))]


def parse_cpu_list(text: str) -> set[int]:
    """The numbers of a kernel's list of processors: ``0-3,8``."""
    cores: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cores |= set(range(int(first), int(last or first) + 1))
    return cores

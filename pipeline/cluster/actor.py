"""An actor: the readers and the engine of one machine, or of a part of it. Ray makes one of it where the driver says.

Its methods run in many threads at the same time; each of them waits for a process that does the work.
"""

from __future__ import annotations

import queue
import sys
from dataclasses import replace
from pathlib import Path
from platform import node
from typing import Any

from pipeline import languages
from pipeline.cluster.messages import Asked, Head, PicturesLostError, Setup, unpacked
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer, PageImage
from pipeline.runtime.engine_process import EngineDescription, EngineProcess, pin_to_cores
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.templates.model import Template
from pipeline.words.precision import choose_precision

FETCH_SECONDS = 15.0
"""How long a picture may take from one machine to another: Ray itself would look for one that is lost for ten minutes."""
SMALL = 10_000
"""Bytes up to which pixels travel with the reply."""


class Station:
    """One actor. Its readers start with the first page, its engine at once."""

    def __init__(self, setup: Setup) -> None:
        vars(sys.modules["__main__"]).pop("__file__", None)  # spawned processes would run Ray's own main module
        self._setup = setup
        pin_to_cores(setup.cores)
        self._readers: queue.SimpleQueue[WorkerPool] = queue.SimpleQueue()
        for _ in range(setup.readers):
            self._readers.put(_reader(setup))
        self._engine = EngineProcess(setup.settings, setup.make, setup.cores)
        self._templates: dict[str, Template] = {}

    def describe(self) -> EngineDescription:
        """What it is, once it is ready. Raises EngineUnavailableError."""
        check(self._setup)
        import ray

        described = self._engine.describe()
        return replace(described, host=node(), node=ray.get_runtime_context().get_node_id())

    def wants_image(self, template: Template) -> bool:
        """As Engine's."""
        return self._engine.wants_image(template)

    def read(self, call: bytes) -> tuple[Head, list[bytes] | None]:
        """One call to a reader: the reply's head, and its pixels for Ray to keep here. Raises EngineUnavailableError."""
        reader, losses = self._readers.get(), list[str]()
        try:
            reply = reader.call(call, losses.append)
        finally:
            self._readers.put(reader)
        error = (reply.error.reason, reply.error.detail) if reply.error else None
        head, parts = Head(error=error, seconds=reply.seconds, lost=tuple(losses)), reply.parts
        if sum(map(len, parts[1:])) <= SMALL:
            return replace(head, parts=parts), None
        return replace(head, parts=parts[:1], pixels=tuple(map(len, parts[1:]))), parts[1:]

    def answer(self, asked: Asked) -> Answer:
        """One unit to the engine. Raises PicturesLostError, EngineDiedError, EngineUnavailableError."""
        page, template, image = unpacked(asked), self._template(asked), _image(asked)
        return self._engine.answer(Request(asked.key, page, template, image, asked.pages, asked.temperature))

    def alive(self) -> bool:
        """Whether its process still does anything."""
        return True

    def _template(self, asked: Asked) -> Template:
        found = self._templates.get(asked.digest)
        if found is None:
            found = self._templates[asked.digest] = _fetch(asked.template)
        return found


def check(setup: Setup) -> None:
    """Raises EngineUnavailableError where this machine cannot read what the driver promises: the same files, in the same precision."""
    for path in setup.must_see:
        if not Path(path).exists():
            raise EngineUnavailableError(f"{path} is not there on {node()}", "mount it on all machines at the same place")
    for folder in setup.must_hold:
        if not any(Path(folder).iterdir()):
            raise EngineUnavailableError(f"{folder} is empty on {node()}", "mount it on all machines at the same place")
    choose_precision(setup.settings)
    languages.use(setup.settings.languages)


def _image(asked: Asked) -> PageImage | None:
    if asked.shape is None or asked.pixels is None:
        return None
    width, height, scale = asked.shape
    pixels = asked.pixels if isinstance(asked.pixels, bytes) else _fetch(asked.pixels.ref)[asked.pixels.index]
    return PageImage(width, height, pixels, scale)


def _fetch(ref: Any) -> Any:
    """What a reference stands for. Raises PicturesLostError when that is gone."""
    import ray

    try:
        return ray.get(ref, timeout=FETCH_SECONDS)
    except ray.exceptions.RayError as error:
        raise PicturesLostError(type(error).__name__) from None


def _reader(setup: Setup) -> WorkerPool:
    """A pool of one process, for one thread at a time."""
    limits, attempts = setup.settings.limits, setup.settings.retry.reader_attempts
    return WorkerPool(setup.handler, size=1, seconds=limits.seconds, memory_mb=limits.memory_mb, attempts=attempts)


def numa_cores() -> list[tuple[int, ...]]:
    """The processors of this machine by NUMA node; one group where it has none. Run on the machines as a task of Ray."""
    import os

    usable = set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    groups = []
    for file in sorted(Path("/sys/devices/system/node").glob("node[0-9]*/cpulist")):
        cores = usable & _listed(file.read_text(encoding="ascii"))
        if cores:
            groups.append(tuple(sorted(cores)))
    return groups or [tuple(sorted(usable))]


def _listed(text: str) -> set[int]:
    """``0-3,8`` as numbers."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found

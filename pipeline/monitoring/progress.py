"""The progress of a run, in a small file in the outbox that ``pipeline status`` reads: counts, speed, an estimate of the time left.

The process that holds the outbox's lock writes the file, at most once a second. A process that was killed leaves it behind; the lock
shows whether the process still works.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from pipeline.errors import OutboxError
from pipeline.monitoring.events import Observer
from pipeline.publish.atomic_files import write_atomically
from pipeline.publish.publication import Publication
from pipeline.records import Result, Source
from pipeline.settings import STATE_FOLDER
from pipeline.values.times import utc_timestamp

FILE_NAME = "progress.json"
WRITE_SECONDS = 1.0
RECENT_SECONDS = 120.0
"""Working time over which the recent speed is measured."""
MIN_DOCUMENTS = 3
"""Number of finished documents below which the time left is not estimated."""
LISTED_FILES = 5
"""Names of files being read that the progress file lists."""


class Throughput:
    """Measures documents and pages per second of work. Its clock stands still while there is nothing to do."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._since: float | None = None
        self._samples: deque[tuple[float, int, int]] = deque([(0.0, 0, 0)])

    @property
    def working(self) -> bool:
        """Whether there is something to do."""
        return self._since is not None

    def resume(self, now: float) -> None:
        """There is work from ``now`` on (seconds of a monotonic clock)."""
        if not self.working:
            self._since = now

    def pause(self, now: float) -> None:
        """There is nothing to do from ``now`` on."""
        self._seconds, self._since = self.seconds(now), None

    def seconds(self, now: float) -> float:
        """Seconds of work until ``now``."""
        return self._seconds + (now - self._since if self._since is not None else 0.0)

    def record(self, now: float, documents: int, pages: int) -> None:
        """Add a sample: so many documents and pages were done since the start."""
        seconds = self.seconds(now)
        self._samples.append((seconds, documents, pages))
        while len(self._samples) > 2 and self._samples[1][0] < seconds - RECENT_SECONDS:
            self._samples.popleft()

    def recent(self, now: float, documents: int, pages: int) -> tuple[float, int, int]:
        """Seconds of work, documents and pages of the last ``RECENT_SECONDS``."""
        since, earlier_documents, earlier_pages = self._samples[0]
        return self.seconds(now) - since, documents - earlier_documents, pages - earlier_pages


def time_left(waiting: int, done: int, seconds: float, recently_done: int, recent_seconds: float) -> tuple[float, float] | None:
    """Seconds that ``waiting`` documents may still take: the lower and the upper end. None while too few documents are done.

    The range covers the speed of the whole run and that of the last minutes, because documents of one kind often come together. The
    range is wider while few documents are done.
    """
    if done < MIN_DOCUMENTS or seconds <= 0:
        return None
    per_document = [seconds / done]
    if recently_done >= MIN_DOCUMENTS and recent_seconds > 0:
        per_document.append(recent_seconds / recently_done)
    uncertainty = 1 / (done + 1) ** 0.5
    return waiting * min(per_document) * (1 - uncertainty), waiting * max(per_document) * (1 + uncertainty)


class Progress(Observer):
    """Counts what a run does and writes it to the outbox, from ``begin`` (once the lock is held) to ``end``."""

    def __init__(self, command: str) -> None:
        self._command = command
        self.backlog: Callable[[], int] | None = None
        """Returns the number of files that wait. A watcher sets it. Without it, the files found less those finished wait."""
        self.cluster: Callable[[], Mapping[str, Any]] | None = None
        """Returns the state of the cluster's machines, where a cluster reads and answers."""
        self.documents: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self.pages = 0
        self._to_read = self._known = self._skipped = 0
        self._reading: dict[str, str] = {}
        self._finished_pages: dict[str, set[int]] = {}
        self._throughput = Throughput()
        self._file: Path | None = None
        self._engine = self._started = ""
        self._warning: str | None = None
        self._began = self._written = 0.0
        self._changed = False

    def begin(self, outbox: Path, engine: str) -> None:
        """Write the file from now on."""
        self._file, self._engine = outbox / STATE_FOLDER / FILE_NAME, engine
        self._started, self._began = utc_timestamp(), time.monotonic()
        self._write()

    def end(self, exit_code: int, error: str | None = None) -> None:
        """Write the file for the last time, with the result of the run."""
        self._throughput.pause(time.monotonic())
        self._write(state="ended", exit_code=exit_code, error=error)

    @property
    def waiting(self) -> int:
        """Number of files to read whose result is not published yet."""
        if self.backlog is not None:
            return self.backlog() + len(self._reading)
        return max(0, self._to_read - self.documents.total() - self._skipped)

    def files_found(self, documents: int, known: int) -> None:
        """See Observer."""
        self._to_read += documents
        self._known += known
        self._skipped = 0  # files skipped before this event are not among ``documents``
        if documents:
            self._throughput.resume(time.monotonic())
        self._changed = True

    def file_started(self, source: Source, sha256: str) -> None:
        """See Observer."""
        self._reading[sha256] = source.name
        self._warning = None
        self._throughput.resume(time.monotonic())
        self._changed = True

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        self.units[result.status] += 1
        if result.status == "skipped":  # thousands come at once and take no time
            return
        finished = self._finished_pages.setdefault(result.key.sha256, set())
        if result.key.page not in finished:
            finished.add(result.key.page)
            self.pages += 1
        self._changed = True

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        self.documents[publication.status] += 1
        self._forget(publication.document.sha256)
        self._changed = True
        self._pause_if_idle()

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        del reason
        self._skipped += 1
        for sha256 in [sha256 for sha256, started in self._reading.items() if started == name]:
            self._forget(sha256)
        self._changed = True
        self._pause_if_idle()

    def warning(self, message: str) -> None:
        """See Observer. The files in work start again when the cause has passed."""
        self._warning = message
        self._reading.clear()
        self._finished_pages.clear()
        self._throughput.pause(time.monotonic())
        self._write()

    def heartbeat(self) -> None:
        """See Observer."""
        if (self._changed or self.cluster) and time.monotonic() - self._written >= WRITE_SECONDS:
            self._write()

    def _forget(self, sha256: str) -> None:
        self._reading.pop(sha256, None)
        self._finished_pages.pop(sha256, None)

    def _pause_if_idle(self) -> None:
        """Write at once when a watcher has read everything: no ``heartbeat`` comes while it waits."""
        if self.backlog is not None and not self.waiting:
            self._throughput.pause(time.monotonic())
            self._write()

    def _write(self, **end: Any) -> None:
        if self._file is None:
            return
        state = self._snapshot(time.monotonic()) | end
        with contextlib.suppress(OutboxError):  # no user data is lost; writes of results report the same fault
            write_atomically(self._file, [json.dumps(state).encode()], sync=False)
        self._written, self._changed = time.monotonic(), False

    def _snapshot(self, now: float) -> dict[str, Any]:
        done, pages, waiting = self.documents.total(), self.pages, self.waiting
        self._throughput.record(now, done, pages)
        seconds = self._throughput.seconds(now)
        recent_seconds, recently_done, recent_pages = self._throughput.recent(now, done, pages)
        left = time_left(waiting, done, seconds, recently_done, recent_seconds) if waiting else None
        return {
            "command": self._command,
            "state": "idle" if self.backlog is not None and not self._throughput.working else "reading",
            "host": platform.node(),
            "pid": os.getpid(),
            "engine": self._engine,
            "started": self._started,
            "updated": utc_timestamp(),
            "seconds": round(now - self._began, 1),
            "working_seconds": round(seconds, 1),
            "documents": dict(self.documents),
            "units": dict(self.units),
            "pages": pages,
            "waiting": waiting,
            "known": self._known,
            "warning": self._warning,
            "cluster": self.cluster() if self.cluster else None,
            "reading": list(self._reading.values())[:LISTED_FILES],
            "documents_per_minute": _per_minute(done, seconds),
            "pages_per_minute": _per_minute(pages, seconds),
            "recent": {
                "seconds": round(recent_seconds, 1),
                "documents_per_minute": _per_minute(recently_done, recent_seconds),
                "pages_per_minute": _per_minute(recent_pages, recent_seconds),
            },
            "seconds_left": [round(end, 1) for end in left] if left else None,
        }


def last_run(outbox: Path, *, locked: bool) -> dict[str, Any] | None:
    """The progress of the run that works on ``outbox``, or of the last one. None when no progress file can be read.

    ``locked`` says whether a process holds the outbox's lock. ``state`` is ``reading``, ``idle`` (a watcher waits for files), ``ended``,
    or ``broken off`` (the process disappeared before it could write its result).
    """
    try:
        state = json.loads((outbox / STATE_FOLDER / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(state, dict):
        return None
    if "trouble" in state:  # a version before this one wrote the file
        state.setdefault("warning", state["trouble"])
    if isinstance(cluster := state.get("cluster"), dict) and "asked_again" in cluster:
        cluster.setdefault("retried_units", cluster["asked_again"])
    if state.get("state") != "ended" and not (locked and _may_be_alive(state)):
        state |= {"state": "broken off", "seconds_left": None, "reading": []}
    return state


def _may_be_alive(state: dict[str, Any]) -> bool:
    """Whether the process exists. For a process of another machine (or container) only the lock can tell, so this is True."""
    return state.get("host") != platform.node() or psutil.pid_exists(int(state.get("pid") or 0))


def _per_minute(count: int, seconds: float) -> float | None:
    return round(60 * count / seconds, 1) if seconds > 0 and count else None

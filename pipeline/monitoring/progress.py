"""How far a run is, in a small file in the outbox that `pipeline status` reads: counts, pace, an honest guess at the time left.

The process that holds the outbox's lock writes it, at most once a second. What it says holds while that process works; when it was
killed, the file stays behind, and the lock tells.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from pipeline.errors import OutboxError
from pipeline.monitoring.events import Observer
from pipeline.publish.atomic_files import write_atomically
from pipeline.publish.publication import Publication
from pipeline.records import Result, Source
from pipeline.settings import STATE_FOLDER

FILE_NAME = "progress.json"
WRITE_SECONDS = 1.0
RECENT_SECONDS = 120.0
"""Working time over which the recent pace is taken."""
LEAST_DOCUMENTS = 3
"""Documents below which nothing is said about the time left."""
SHOWN_FILES = 5


class Pace:
    """Documents and pages by the working time they took: a clock that stands still while there is nothing to do."""

    def __init__(self) -> None:
        self._worked = 0.0
        self._since: float | None = None
        self._samples: deque[tuple[float, int, int]] = deque([(0.0, 0, 0)])

    @property
    def working(self) -> bool:
        """Whether there is something to do."""
        return self._since is not None

    def work(self, now: float) -> None:
        """There is something to do from ``now`` on (a monotonic clock's seconds)."""
        if not self.working:
            self._since = now

    def rest(self, now: float) -> None:
        """There is nothing to do."""
        self._worked, self._since = self.worked(now), None

    def worked(self, now: float) -> float:
        """Seconds of work until ``now``."""
        return self._worked + (now - self._since if self._since is not None else 0.0)

    def note(self, now: float, documents: int, pages: int) -> None:
        """So many were done in all."""
        worked = self.worked(now)
        self._samples.append((worked, documents, pages))
        while len(self._samples) > 2 and self._samples[1][0] < worked - RECENT_SECONDS:
            self._samples.popleft()

    def recent(self, now: float, documents: int, pages: int) -> tuple[float, int, int]:
        """Working seconds, documents and pages of the last two minutes."""
        since, had_documents, had_pages = self._samples[0]
        return self.worked(now) - since, documents - had_documents, pages - had_pages


def time_left(waiting: int, done: int, worked: float, lately_done: int, lately_worked: float) -> tuple[float, float] | None:
    """Seconds that ``waiting`` documents may take, from and to; None when too few are done to tell.

    Both the pace of the whole run and that of the last minutes count, since documents of a kind come together; the fewer there were,
    the wider the range.
    """
    if done < LEAST_DOCUMENTS or worked <= 0:
        return None
    each = [worked / done]
    if lately_done >= LEAST_DOCUMENTS and lately_worked > 0:
        each.append(lately_worked / lately_done)
    doubt = 1 / (done + 1) ** 0.5
    return waiting * min(each) * (1 - doubt), waiting * max(each) * (1 + doubt)


class Progress(Observer):
    """Counts what a run did and writes it to the outbox, from ``begin`` (when the lock is held) to ``end``."""

    def __init__(self, command: str) -> None:
        self._command = command
        self.backlog: Callable[[], int] | None = None
        """Files that wait to be taken, for who does not know them beforehand; else they are those found, less those that ended."""
        self.cluster: Callable[[], Mapping[str, Any]] | None = None
        """What the machines do that read and answer, where that is not this one."""
        self.documents: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self.pages = 0
        self._to_read = self._known = self._left = 0
        self._reading: dict[str, str] = {}
        self._ended_pages: dict[str, set[int]] = {}
        self._pace = Pace()
        self._file: Path | None = None
        self._engine = self._started = ""
        self._trouble: str | None = None
        self._began = self._written = 0.0
        self._changed = False

    def begin(self, outbox: Path, engine: str) -> None:
        """Write from now on."""
        self._file, self._engine = outbox / STATE_FOLDER / FILE_NAME, engine
        self._started, self._began = _now(), time.monotonic()
        self._write()

    def end(self, exit_code: int, error: str | None = None) -> None:
        """The last word."""
        self._pace.rest(time.monotonic())
        self._write(state="ended", exit_code=exit_code, error=error)

    @property
    def waiting(self) -> int:
        """Files to read whose result is not published yet."""
        if self.backlog is not None:
            return self.backlog() + len(self._reading)
        return max(0, self._to_read - self.documents.total() - self._left)

    def found(self, documents: int, known: int) -> None:
        """See Observer."""
        self._to_read += documents
        self._known += known
        self._left = 0  # what was left until now was not among those to read
        if documents:
            self._pace.work(time.monotonic())
        self._changed = True

    def taken(self, source: Source, sha256: str) -> None:
        """See Observer."""
        self._reading[sha256] = source.name
        self._trouble = None
        self._pace.work(time.monotonic())
        self._changed = True

    def unit(self, result: Result) -> None:
        """See Observer."""
        self.units[result.status] += 1
        if result.status == "skipped":  # thousands at once, in no time
            return
        ended = self._ended_pages.setdefault(result.key.sha256, set())
        if result.key.page not in ended:
            ended.add(result.key.page)
            self.pages += 1
        self._changed = True

    def document(self, publication: Publication) -> None:
        """See Observer."""
        self.documents[publication.status] += 1
        self._forget(publication.document.sha256)
        self._changed = True
        self._rest_if_idle()

    def left(self, name: str, why: str) -> None:
        """See Observer."""
        del why
        self._left += 1
        for sha256 in [sha256 for sha256, taken in self._reading.items() if taken == name]:
            self._forget(sha256)
        self._changed = True
        self._rest_if_idle()

    def trouble(self, what: str) -> None:
        """See Observer; what was under way is taken up again when it is over."""
        self._trouble = what
        self._reading.clear()
        self._ended_pages.clear()
        self._pace.rest(time.monotonic())
        self._write()

    def turn(self) -> None:
        """See Observer."""
        if (self._changed or self.cluster) and time.monotonic() - self._written >= WRITE_SECONDS:
            self._write()

    def _forget(self, sha256: str) -> None:
        self._reading.pop(sha256, None)
        self._ended_pages.pop(sha256, None)

    def _rest_if_idle(self) -> None:
        """A watcher that has read everything waits; nobody calls ``turn`` then."""
        if self.backlog is not None and not self.waiting:
            self._pace.rest(time.monotonic())
            self._write()

    def _write(self, **end: Any) -> None:
        if self._file is None:
            return
        told = self._snapshot(time.monotonic()) | end
        with contextlib.suppress(OutboxError):  # nobody's data; what matters complains by itself
            write_atomically(self._file, [json.dumps(told).encode()], sync=False)
        self._written, self._changed = time.monotonic(), False

    def _snapshot(self, now: float) -> dict[str, Any]:
        done, pages, waiting = self.documents.total(), self.pages, self.waiting
        self._pace.note(now, done, pages)
        worked = self._pace.worked(now)
        lately, lately_done, lately_pages = self._pace.recent(now, done, pages)
        left = time_left(waiting, done, worked, lately_done, lately) if waiting else None
        return {
            "command": self._command,
            "state": "idle" if self.backlog is not None and not self._pace.working else "reading",
            "host": platform.node(),
            "pid": os.getpid(),
            "engine": self._engine,
            "started": self._started,
            "updated": _now(),
            "seconds": round(now - self._began, 1),
            "working_seconds": round(worked, 1),
            "documents": dict(self.documents),
            "units": dict(self.units),
            "pages": pages,
            "waiting": waiting,
            "known": self._known,
            "trouble": self._trouble,
            "cluster": self.cluster() if self.cluster else None,
            "reading": list(self._reading.values())[:SHOWN_FILES],
            "documents_per_minute": _a_minute(done, worked),
            "pages_per_minute": _a_minute(pages, worked),
            "recent": {
                "seconds": round(lately, 1),
                "documents_per_minute": _a_minute(lately_done, lately),
                "pages_per_minute": _a_minute(lately_pages, lately),
            },
            "seconds_left": [round(side, 1) for side in left] if left else None,
        }


def last_run(outbox: Path, *, locked: bool) -> dict[str, Any] | None:
    """What the run that works on ``outbox`` says, or the last one that did; None when there is nothing to read.

    ``locked`` says whether somebody holds the outbox's lock. ``state`` is ``reading``, ``idle`` (a watcher that waits for files),
    ``ended``, or ``broken off`` when its process is gone without a last word.
    """
    try:
        told = json.loads((outbox / STATE_FOLDER / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(told, dict):
        return None
    if told.get("state") != "ended" and not (locked and _may_live(told)):
        told |= {"state": "broken off", "seconds_left": None, "reading": []}
    return told


def _may_live(told: dict[str, Any]) -> bool:
    """Whether the process is there; one of another machine (or container) cannot be looked at, and the lock must do."""
    return told.get("host") != platform.node() or psutil.pid_exists(int(told.get("pid") or 0))


def _a_minute(count: int, seconds: float) -> float | None:
    return round(60 * count / seconds, 1) if seconds > 0 and count else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

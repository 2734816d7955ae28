"""Files as they come into the inbox: told by the operating system (watchdog), and by looking again now and then.

The observer's thread only notes which paths changed. Whether they are there, settled and new is decided by whoever asks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self

from watchdog.events import FileClosedNoWriteEvent, FileOpenedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from pipeline.intake.scan import Found, Inbox, Namer, is_candidate, look_at
from pipeline.intake.settle import Settler

POLL_SECONDS = 0.1


class _Notes(FileSystemEventHandler):
    """Notes paths; never reads anything."""

    def __init__(self, note: Callable[[Path], None], changed: Callable[[], None]) -> None:
        self._note, self._folder_changed = note, changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        """A path appeared, changed or moved. A moved folder brings files without events of their own: look at everything."""
        if isinstance(event, FileOpenedEvent | FileClosedNoWriteEvent):
            return
        if event.is_directory:
            if event.event_type in ("moved", "created"):
                self._folder_changed()
            return
        for raw in (event.src_path, event.dest_path):
            if raw:
                self._note(Path(raw if isinstance(raw, str) else raw.decode(errors="surrogateescape")))


class Watcher:
    """Candidates in the inbox that wait for their turn. Use as a context manager; ``pending`` gives a round of settled files."""

    def __init__(self, inbox: Inbox, namer: Namer, scan: Callable[[], Iterable[Found]], *, quiet: float, rescan: float) -> None:
        self._inbox, self._root = inbox, inbox.root
        self._namer, self._scan, self._rescan = namer, scan, rescan
        self._settler = Settler(quiet)
        self._paths: dict[Path, None] = {}
        self._lock, self._bell = threading.Lock(), threading.Event()
        self._next_scan = 0.0
        self._observer: BaseObserver = Observer()

    def __enter__(self) -> Self:
        self._observer.schedule(_Notes(self._note, self._look_around), str(self._root), recursive=True)
        self._observer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._observer.stop()
        self._observer.join(5)

    def wait(self) -> bool:
        """Wait until a file has settled (True), for a second at most (False): signals are looked at in between."""
        if time.monotonic() >= self._next_scan:
            for found in self._scan():
                self._paths.setdefault(found.source.path)
            self._next_scan = time.monotonic() + self._rescan
        if not self._paths:
            self._bell.wait(min(1.0, max(0.0, self._next_scan - time.monotonic())))
            self._bell.clear()
        settled = any(self._settled(path) for path in self._waiting())
        if self._paths and not settled:
            time.sleep(POLL_SECONDS)
        return settled

    def pending(self) -> Iterator[Found]:
        """The files that have settled, each taken off the list; also those that settle while these are read."""
        while True:
            ready = [found for path in self._waiting() if (found := self._settled(path))]
            if not ready:
                return
            for found in ready:
                with self._lock:
                    self._paths.pop(found.source.path, None)
                self._settler.forget(found.source.path)
                yield found

    def backlog(self) -> int:
        """Files that wait for their turn; may be asked by any thread."""
        return len(self._paths)

    def _settled(self, path: Path) -> Found | None:
        found = look_at(path, self._root, self._namer)
        if found is None:
            with self._lock:
                self._paths.pop(path, None)
            self._settler.forget(path)
            return None
        return found if self._settler.settled(found) else None

    def _waiting(self) -> list[Path]:
        with self._lock:
            return list(self._paths)

    def _note(self, path: Path) -> None:
        if self._inbox.holds(path) and all(map(is_candidate, path.relative_to(self._root).parts)):
            with self._lock:
                self._paths.setdefault(path)
            self._bell.set()

    def _look_around(self) -> None:
        self._next_scan = 0.0
        self._bell.set()

"""Files as they come into the inbox: told by the operating system (watchdog), and by looking again now and then.

The observer's thread only notes which paths changed. Whether they are there, settled and new is decided by whoever asks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

import psutil
from watchdog.events import FileClosedNoWriteEvent, FileOpenedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from pipeline.intake.scan import Inbox, InboxFile, Namer, is_candidate, relative_path, stat_file
from pipeline.intake.settle import SettleTracker

POLL_SECONDS = 0.1
ROUND_SECONDS = 300.0
"""After so long a round takes in no more files, so that it ends and spreadsheets can be tidied."""
RESCAN_SHARE = 20
"""A large inbox is looked through again only after this many times as long as that takes."""
NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "fuse", "vboxsf", "vmhgfs", "prl_fs", "davfs", "virtiofs", "lustre")
"""Beginnings of the types of file systems that others write to without the system here being told."""
Kind = Literal["auto", "native", "polling"]


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


def is_network(folder: Path) -> bool:
    """Whether ``folder`` lies on a file system that other machines write to."""
    mounts = [(Path(part.mountpoint), part.fstype) for part in psutil.disk_partitions(all=True)]
    holding = [(len(mount.parts), kind) for mount, kind in mounts if folder.is_relative_to(mount)]
    return max(holding, default=(0, ""))[1].lower().startswith(NETWORK)


class FolderWatcher:
    """Candidates in the inbox that wait for their turn. Use as a context manager; ``pending`` gives a round of settled files.

    ``scan`` looks through the whole inbox for files that are to be read. ``observer`` is how changes are heard of; ``auto`` polls network
    shares, and where the system has no more watches to give.
    """

    def __init__(
        self,
        inbox: Inbox,
        namer: Namer,
        scan: Callable[[], Iterable[InboxFile]],
        *,
        quiet: float,
        rescan: float,
        observer: Kind = "auto",
        poll: float = 2.0,
    ) -> None:
        self._inbox, self._root = inbox, inbox.root
        self._namer, self._scan, self._rescan = namer, scan, rescan
        self._settler = SettleTracker(quiet)
        self._paths: dict[Path, None] = {}
        self._lock, self._bell = threading.Lock(), threading.Event()
        self._next_scan = 0.0
        self._poll = poll
        self.polling = observer == "polling" or (observer == "auto" and is_network(self._root))
        """Whether changes are found by looking."""
        self._may_poll = observer != "native"
        self._observer: BaseObserver | None = None
        self._seen_root: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        self._observe()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_observing()

    def wait(self) -> bool:
        """Wait until a file has settled (True), for a second at most (False): signals are looked at in between."""
        self._scan_if_due()
        if not self._paths:
            self._bell.wait(min(1.0, max(0.0, self._next_scan - time.monotonic())))
            self._bell.clear()
        settled = any(self._settled(path) for path in self._waiting())
        if self._paths and not settled:
            time.sleep(POLL_SECONDS)
        return settled

    def pending(self, busy: Callable[[], bool] = lambda: False) -> Iterator[InboxFile | None]:
        """The files that have settled, each taken off the list; also those that settle while these are read.

        While somebody is ``busy`` with them, None stands for "none just now".
        """
        until = time.monotonic() + ROUND_SECONDS
        while time.monotonic() < until:
            ready = [found for path in self._waiting() if (found := self._settled(path))]
            for found in ready:
                with self._lock:
                    self._paths.pop(found.source.path, None)
                self._settler.forget(found.source.path)
                yield found
            if not ready:
                if not busy():
                    return
                yield None
                self._scan_if_due()

    def look_around(self) -> None:
        """Look through the whole inbox at the next opportunity."""
        self._next_scan = 0.0
        self._bell.set()

    # ---- the observer -------------------------------------------------------------------------------

    def _observe(self) -> None:
        """Start listening; where the system gives no watches, polling takes its place."""
        try:
            status = self._root.stat()
        except OSError:  # not mounted just now
            return
        try:
            self._start(PollingObserver(timeout=self._poll) if self.polling else Observer())
        except OSError:  # no more inotify watches
            if self.polling or not self._may_poll:
                raise
            self.polling = True
            self._start(PollingObserver(timeout=self._poll))
        self._seen_root = (status.st_dev, status.st_ino)

    def _start(self, observer: BaseObserver) -> None:
        observer.schedule(_Notes(self._note, self.look_around), str(self._root), recursive=True)
        observer.start()
        self._observer = observer

    def _stop_observing(self) -> None:
        if self._observer:
            self._observer.stop()
            self._observer.join(5)
        self._observer = None

    def _listen_again(self) -> None:
        """An inbox that was unmounted or made anew is another folder, of which the observer hears nothing."""
        try:
            status = self._root.stat()
        except OSError:
            self._seen_root = None
            return
        alive = self._observer is not None and self._observer.is_alive()
        if not alive or self._seen_root != (status.st_dev, status.st_ino):
            self._stop_observing()
            self._observe()

    def _scan_if_due(self) -> None:
        if time.monotonic() < self._next_scan:
            return
        self._listen_again()
        begun = time.monotonic()
        planned = self._next_scan = begun + self._rescan  # before the scan: what changes meanwhile asks for another one
        for found in self._scan():
            with self._lock:
                self._paths.setdefault(found.source.path)
        if self._next_scan == planned:
            self._next_scan = max(planned, begun + RESCAN_SHARE * (time.monotonic() - begun))

    # ---- paths --------------------------------------------------------------------------------------

    def backlog(self) -> int:
        """Files that wait for their turn; may be asked by any thread."""
        return len(self._paths)

    def _settled(self, path: Path) -> InboxFile | None:
        found = stat_file(path, self._root, self._namer)
        if found is None:
            with self._lock:
                self._paths.pop(path, None)
            self._settler.forget(path)
            return None
        return found if self._settler.settled(found) else None

    def _waiting(self) -> list[Path]:
        with self._lock:
            return list(self._paths)

    def _is_ours(self, path: Path) -> bool:
        relative = relative_path(path, self._root)
        return all(map(is_candidate, relative.split("/"))) and self._inbox.takes(relative)

    def _note(self, path: Path) -> None:
        if self._inbox.holds(path) and self._is_ours(path):
            with self._lock:
                self._paths.setdefault(path)
            self._bell.set()

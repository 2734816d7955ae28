"""Watches the inbox for new files: the operating system reports changes (watchdog), and a scan now and then finds what it missed.

Where it reports none, as on network shares, the folder is listed again and again. Linked folders are never entered. The observer's thread
only records paths. The caller's thread decides which of them exist, are settled and are to be read.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

import psutil
from watchdog.events import FileClosedNoWriteEvent, FileOpenedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from pipeline.intake.folder_poll import FolderPoller
from pipeline.intake.scan import Inbox, InboxFile, OutboxNamer, inbox_entries, relative_path, stat_files
from pipeline.intake.settle import SettleTracker

POLL_SECONDS = 0.1
"""Pause between two checks whether a file has settled."""
MAX_WAIT_SECONDS = 1.0
"""The longest wait for a file. The caller handles signals after each wait."""
STOP_SECONDS = 5.0
"""How long the observer's thread may take to end."""
RESCAN_FACTOR = 20
"""The pause between two scans is at least this many times as long as a scan."""
NETWORK_SHARES = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "fuse",
    "vboxsf",
    "vmhgfs",
    "prl_fs",
    "davfs",
    "virtiofs",
    "lustre",
)
"""First letters of file system types on which other machines write. This machine's kernel reports no such changes."""
ObserverKind = Literal["auto", "native", "polling"]
# watchdog 6 reports an observer that stops while it waits for an event as an error. Its thread notices the end late; nothing is lost.
logging.getLogger("watchdog.observers.inotify").addFilter(lambda record: "thread is inactive" not in record.getMessage())


class _PathRecorder(FileSystemEventHandler):
    """Passes the paths of file system events on. It opens no file."""

    def __init__(self, on_path: Callable[[Path], None], on_folder_change: Callable[[], None]) -> None:
        self._on_path, self._on_folder_change = on_path, on_folder_change

    def on_any_event(self, event: FileSystemEvent) -> None:
        """A path appeared, changed or moved. The files of a moved folder have no events of their own, so a scan must find them."""
        if isinstance(event, FileOpenedEvent | FileClosedNoWriteEvent):
            return
        if event.is_directory:
            if event.event_type in ("moved", "created"):
                self._on_folder_change()
            return
        for raw in (event.src_path, event.dest_path):
            if raw:
                self._on_path(Path(raw if isinstance(raw, str) else raw.decode(errors="surrogateescape")))


def is_network(folder: Path) -> bool:
    """Whether ``folder`` lies on a file system to which other machines write."""
    mounts = [(Path(part.mountpoint), part.fstype) for part in psutil.disk_partitions(all=True)]
    containing = [(len(mount.parts), kind) for mount, kind in mounts if folder.is_relative_to(mount)]
    return max(containing, default=(0, ""))[1].lower().startswith(NETWORK_SHARES)


class FolderWatcher:
    """A queue of files in the inbox that may be read. Use as a context manager; ``pending`` gives one round of settled files.

    ``scan`` lists the files of the inbox that are to be read. ``observer`` is the way in which changes are detected; ``auto`` polls network
    file systems, and folders for which the kernel has no more watches.
    """

    def __init__(
        self,
        inbox: Inbox,
        namer: OutboxNamer,
        scan: Callable[[], Iterable[InboxFile]],
        *,
        quiet: float,
        rescan: float,
        observer: ObserverKind = "auto",
        poll: float = 2.0,
    ) -> None:
        self._inbox, self._root = inbox, inbox.root
        self._namer, self._scan, self._rescan_seconds = namer, scan, rescan
        self._tracker = SettleTracker(quiet)
        self._paths: dict[Path, None] = {}
        self._lock, self._changed = threading.Lock(), threading.Event()
        self._next_scan = 0.0
        self._poll_seconds = poll
        self.polling = observer == "polling" or (observer == "auto" and is_network(self._root))
        """Whether changes are detected by polling."""
        self.on_ready: Callable[[list[InboxFile]], object] = lambda _: None
        """Called with the files that ``pending`` gives out next."""
        self._may_poll = observer != "native"
        self._observer: BaseObserver | FolderPoller | None = None
        self._observed_root: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        self._start_observing()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_observing()

    def wait(self) -> bool:
        """Wait for a settled file, for a second at most, and return whether there is one. The caller handles signals in between."""
        self._scan_if_due()
        if not self._paths:
            self._changed.wait(min(MAX_WAIT_SECONDS, max(0.0, self._next_scan - time.monotonic())))
            self._changed.clear()
        settled = any(self._settled_files())
        if self._paths and not settled:
            time.sleep(POLL_SECONDS)
        return settled

    def pending(self, busy: Callable[[], bool] = lambda: False) -> Iterator[InboxFile | None]:
        """The settled files, each removed from the queue, and those that settle meanwhile.

        None means that no file is settled now while the caller is ``busy``.
        """
        while True:
            ready = list(self._settled_files())
            if ready:
                self.on_ready(ready)
            for file in ready:
                with self._lock:
                    self._paths.pop(file.source.path, None)
                self._tracker.forget(file.source.path)
                yield file
            if not ready:
                if not busy():
                    return
                yield None
            self._scan_if_due()

    def request_scan(self) -> None:
        """Scan the whole inbox at the next opportunity."""
        self._next_scan = 0.0
        self._changed.set()

    def wake(self) -> None:
        """End a ``wait`` now. Safe to call from any thread."""
        self._changed.set()

    def backlog(self) -> int:
        """Number of queued files. Safe to call from any thread."""
        return len(self._paths)

    # ---- the observer -------------------------------------------------------------------------------

    def _start_observing(self) -> None:
        """Start the observer. Polling replaces it where the kernel has no more watches."""
        try:
            status = self._root.stat()
        except OSError:  # not mounted now
            return
        if not self.polling:
            observer = Observer()
            observer.schedule(_PathRecorder(self._add_path, self.request_scan), str(self._root), recursive=True)
            try:
                observer.start()
                self._observer = observer
            except OSError:  # no more inotify watches
                if not self._may_poll:
                    raise
                self.polling = True
            except RecursionError:  # folders deeper than watchdog can descend
                self.polling = True
        if self.polling:
            self._observer = FolderPoller(self._entries, self._add_path, self.request_scan, self._poll_seconds)
            self._observer.start()
        self._observed_root = (status.st_dev, status.st_ino)

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        def on_skip(name: str, reason: str) -> None:  # the scan reports what cannot be read
            if name == os.fspath(self._root):
                raise OSError(reason)

        return inbox_entries(self._inbox, on_skip)

    def _is_observing(self) -> bool:
        """Whether the observer's threads live; they end at errors."""
        if isinstance(self._observer, BaseObserver):
            return self._observer.is_alive() and all(emitter.is_alive() for emitter in self._observer.emitters)
        return self._observer is not None and self._observer.is_alive()

    def _stop_observing(self) -> None:
        if self._observer:
            self._observer.stop()
            self._observer.join(STOP_SECONDS)
        self._observer = None

    def _restart_observing(self) -> None:
        """Observe the inbox again where it was unmounted or created again. The old observer gets no events of the new folder."""
        try:
            status = self._root.stat()
        except OSError:
            self._observed_root = None
            return
        if not self._is_observing() or self._observed_root != (status.st_dev, status.st_ino):
            self._stop_observing()
            self._start_observing()

    def _scan_if_due(self) -> None:
        if time.monotonic() < self._next_scan:
            return
        self._restart_observing()
        started = time.monotonic()
        planned = self._next_scan = (
            started + self._rescan_seconds
        )  # set before the scan: a change during it requests another one
        for file in self._scan():
            with self._lock:
                self._paths.setdefault(file.source.path)
        if self._next_scan == planned:
            self._next_scan = max(planned, started + RESCAN_FACTOR * (time.monotonic() - started))

    # ---- paths --------------------------------------------------------------------------------------

    def _settled_files(self) -> Iterator[InboxFile]:
        """The queued files that are settled. Paths where no file is leave the queue."""
        for path, file in stat_files(self._queued_paths(), self._root, self._namer):
            if file is None:
                with self._lock:
                    self._paths.pop(path, None)
                self._tracker.forget(path)
            elif self._tracker.is_settled(file):
                yield file

    def _queued_paths(self) -> list[Path]:
        with self._lock:
            return list(self._paths)

    def _is_candidate(self, path: Path) -> bool:
        relative = relative_path(path, self._root)
        return not self._inbox.ignored.ignores_path(relative) and self._inbox.is_in_shard(relative)

    def _add_path(self, path: Path) -> None:
        if self._inbox.contains(path) and self._is_candidate(path):
            with self._lock:
                self._paths.setdefault(path)
            self._changed.set()

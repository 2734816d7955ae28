"""An outbox in an object store: this machine's folder is the outbox, and its changes are sent to the store.

Ledger and results are first written here, as for every outbox, so nothing about them differs. A document's JSON is sent at once, in
the background; spreadsheets and a copy of the ledger follow at checkpoints: rarely enough to cost little, and at the end of every round.
A copy of the ledger is put after everything that it names as published. Files of the inbox are archived only after that, so that the
next machine finds each document in the ledger or in the inbox.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path

from pipeline.backoff import retry_store_call, store_backoff
from pipeline.errors import LedgerError, StoreError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replacement import put_ledger
from pipeline.publish.atomic_files import atomic_path, write_atomically
from pipeline.remote import snapshot
from pipeline.remote.lease import Lease
from pipeline.remote.object_store import ObjectStore, open_store
from pipeline.remote.sent_log import SentFile, SentLog
from pipeline.settings import STATE_FOLDER, Settings

SENDERS = 8
BATCH = 500
"""Files that are sent in the background before their outcome is checked."""
CHECKPOINT_SECONDS = 10.0
CHECKPOINT_SHARE = 20
"""While documents are read, a checkpoint is made only after this many times as long as the last one took."""
HOLDER = "holder"
"""File with this machine's random name for the lease."""
PLACE = "place"
"""File with the path of the folder in which it lies, as the ledger's paths begin."""
_Batch = tuple[list[SentFile], StoreError | None]


class Mirror:
    """The outbox in the store, for the run that holds its lease."""

    def __init__(self, settings: Settings, url: str, store: ObjectStore, lease: Lease, sent_log: SentLog) -> None:
        self.url = url
        self._settings, self._store, self._lease, self._sent_log = settings, store, lease, sent_log
        self._folder = settings.outbox
        self._snapshot = snapshot.latest_snapshot(store, url)
        self._waiting: dict[str, None] = {}
        self._sheets: dict[str, None] = {}
        self._sending: Future[_Batch] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="send")
        self._next_try, self._backoff = 0.0, store_backoff()
        self._next_checkpoint = time.monotonic() + CHECKPOINT_SECONDS
        self._was_complete = self._snapshot is not None and sent_log.mark("even") == self._snapshot.id
        self._saved: int | None = None
        sent_log.set_mark("even", "")
        for entry in store.entries(f"{url}/{STATE_FOLDER}"):  # copies of a ledger that was never named
            if entry.url.endswith(".sqlite") and not (self._snapshot and entry.url == self._snapshot.url(url)):
                store.remove(entry.url)
        self.on_warning: Callable[[str], None] = lambda _: None
        """Called with a message when something cannot be sent now."""

    def attach(self, ledger: Ledger) -> None:
        """Set the open ledger, and queue the files that an earlier run did not send."""
        self._ledger = ledger
        self.add_files(self._folder / name for name in self._sent_log.unsent(self._folder))

    def add_files(self, paths: Iterable[Path]) -> None:
        """Queue files of the outbox that are new or changed."""
        for path in paths:
            name = path.relative_to(self._folder).as_posix()
            (self._waiting if name.endswith(".json") else self._sheets)[name] = None

    def remove_files(self, names: Iterable[str]) -> None:
        """Remove files of the outbox from the store, too. Raises StoreError, LockedError."""
        if self._sending:
            self._collect()
        self._lease.check()
        for name in names:
            self._waiting.pop(name, None)
            self._store.remove(f"{self.url}/{name}")

    @property
    def is_behind(self) -> bool:
        """Whether the store lacks anything that is in the outbox or the ledger."""
        if self._was_complete and self._saved is None:  # the records of a run's start are no reason to send everything
            self._saved = self._ledger.change_count
        return bool(self._waiting or self._sheets or self._sending) or self._saved != self._ledger.change_count

    def turn(self) -> None:
        """Send files that wait, in the background. Raises LockedError when another machine has taken over."""
        if self._sending and self._sending.done():
            self._collect()
        if self._waiting and not self._sending and time.monotonic() >= self._next_try:
            self._sending = self._pool.submit(self._send, list(islice(self._waiting, BATCH)))

    def checkpoint(self, *, now: bool) -> bool:
        """Send everything, and a copy of the ledger; unless ``now``, only when that is due. Returns whether the store has it all.

        ``now``: raises StoreError when it cannot be done for too long. Raises LockedError when another machine has taken over.
        """
        self.turn()
        if not self.is_behind:
            return True
        if not now and (time.monotonic() < max(self._next_checkpoint, self._next_try) or self._sending):
            return False
        begun = time.monotonic()
        try:
            if now:
                retry_store_call(self._save, self._settings.intake.wait_seconds)
            else:
                self._save()
        except StoreError as error:
            if now:
                raise
            self._on_failure(error)
            return False
        finally:
            took = time.monotonic() - begun
            self._next_checkpoint = time.monotonic() + max(CHECKPOINT_SECONDS, CHECKPOINT_SHARE * took)
        return True

    def finish(self) -> None:
        """End the run: send everything. Raises StoreError when not everything can be sent, LockedError."""
        self.checkpoint(now=True)
        if self._snapshot:
            self._sent_log.set_mark("even", self._snapshot.id)

    def close(self) -> None:
        """Stop sending."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._sending and not self._sending.cancelled() and not self._sending.exception():
            self._sent_log.record(self._sending.result()[0])

    def _save(self) -> None:
        """One checkpoint. Raises StoreError."""
        if self._sending:
            self._collect()
        while self._waiting or self._sheets:
            sheets = list(self._sheets)
            sent, error = self._send([*self._waiting, *sheets])
            self._record_sent(sent)
            if error:
                raise error
        changes = self._ledger.change_count
        if changes == self._saved:
            return
        scratch = self._folder / STATE_FOLDER / "tmp" / f"{uuid.uuid4().hex}.sqlite"
        scratch.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._ledger.copy_to(scratch)
            made = snapshot.new_snapshot(self._settings.objects_folder.parent)
            self._sent_log.set_mark("saving", made.id)
            self._lease.check()
            snapshot.put_snapshot(self._store, self.url, made, scratch, self._snapshot)
            self._sent_log.set_mark("saved", made.id)
        finally:
            scratch.unlink(missing_ok=True)
        self._snapshot, self._saved = made, changes

    def _collect(self) -> None:
        """Record what was sent in the background."""
        assert self._sending is not None  # noqa: S101 - the callers look
        sent, error = self._sending.result()
        self._sending = None
        self._record_sent(sent)
        if error:
            self._on_failure(error)
        else:
            self._backoff.reset()

    def _record_sent(self, sent: list[SentFile]) -> None:
        self._sent_log.record(sent)
        for name, *size_and_time in sent:
            if _size_and_time(self._folder / name) == tuple(size_and_time):  # else it was written again in the meantime
                self._waiting.pop(name, None)
                self._sheets.pop(name, None)

    def _on_failure(self, error: StoreError) -> None:
        pause = self._backoff.next_seconds()
        self._next_try = time.monotonic() + pause
        self.on_warning(f"{error.message}; results wait on this machine, trying again in {pause:g} s")

    def _send(self, names: list[str]) -> _Batch:
        """Send files. Returns those that were sent, and the first error. Raises LockedError."""
        try:
            self._lease.check()
        except StoreError as error:
            return [], error
        sent: list[SentFile] = []
        failed: StoreError | None = None

        def send(name: str) -> SentFile | StoreError | None:
            if failed:
                return None
            path = self._folder / name
            size, mtime_ns = _size_and_time(path)
            try:
                self._store.put(f"{self.url}/{name}", path)
            except StoreError as error:
                return error
            except FileNotFoundError:  # it was deleted here
                size, mtime_ns = _size_and_time(path)
            except OSError as error:
                self.on_warning(f"{path}: cannot be sent to the store: {error.strerror or error}")
                size, mtime_ns = _size_and_time(path)
            return name, size, mtime_ns

        with ThreadPoolExecutor(SENDERS) as pool:
            for outcome in pool.map(send, names):
                if isinstance(outcome, StoreError):
                    failed = failed or outcome
                elif outcome:
                    sent.append(outcome)
        return sent, failed


@contextmanager
def mirrored(settings: Settings) -> Iterator[Mirror | None]:
    """Take the lease on an outbox in a store and bring this machine's folder up to date; None for an outbox that is a folder.

    The local lock must be held, the ledger not open. Raises LockedError, StoreError.
    """
    url = settings.outbox_url
    if url is None:
        yield None
        return
    store = open_store(url)
    folder = settings.outbox / STATE_FOLDER
    with ExitStack() as stack:
        lease = stack.enter_context(Lease(store, url, holder_name(folder)))
        bring_up_to_date(settings)
        sent_log = stack.enter_context(SentLog(folder))
        mirror = Mirror(settings, url, store, lease, sent_log)
        stack.callback(mirror.close)
        yield mirror


def bring_up_to_date(settings: Settings) -> None:
    """Bring this machine's folder up to date where another machine wrote the outbox in the store last.

    The local lock must be held, the ledger not open. Raises StoreError, OutboxError.
    """
    url = settings.outbox_url
    if url is None:
        return
    store, folder = open_store(url), settings.outbox / STATE_FOLDER
    found = snapshot.latest_snapshot(store, url)
    with SentLog(folder) as sent_log:
        own_ids = sent_log.mark("saved"), sent_log.mark("saving")
        if found and found.id in own_ids:
            return
        if found is None:  # a new outbox, or an emptied one: this machine's files are sent again
            sent_log.clear()
            return
    with atomic_path(folder / "fetched.sqlite") as path:
        snapshot.fetch_snapshot(store, url, found, path)
    for entry in settings.outbox.iterdir():
        if entry.name != STATE_FOLDER:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    _write_note(folder / PLACE, found.folder)
    put_ledger(folder, folder / "fetched.sqlite")
    with SentLog(folder) as sent_log:
        sent_log.clear()
        sent_log.set_mark("saved", found.id)
    with suppress(LedgerError), Ledger(folder) as ledger:  # the next run repairs a damaged one
        update_ledger_paths(settings, ledger)


def update_ledger_paths(settings: Settings, ledger: Ledger) -> None:
    """Rewrite the ledger's paths of objects and of members of archives, so that they lie in this machine's folder."""
    note, now = settings.outbox / STATE_FOLDER / PLACE, str(settings.objects_folder.parent)
    before = note.read_text(encoding="utf-8") if note.is_file() else now
    if before != now:
        ledger.record_folder_move(Path(before), Path(now))
    if before != now or not note.is_file():
        _write_note(note, now)


def _size_and_time(path: Path) -> tuple[int, int]:
    """Size and time of a file; -1 where it is gone."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _write_note(path: Path, text: str) -> None:
    """Write a small file that a crash leaves whole or as it was."""
    write_atomically(path, [text.encode(errors="surrogateescape")])


def holder_name(folder: Path) -> str:
    """This machine's random name for the lease on an outbox, kept in its state folder."""
    note = folder / HOLDER
    if not note.is_file():
        _write_note(note, uuid.uuid4().hex)
    return note.read_text(encoding="utf-8")

"""Reads documents again whose password somebody has given, by orders in the ledger, as files of the round that is at work.

An order stays open until its files are read, so that it survives a crash. A part of a container is read by taking the whole container
apart once more: parts that were read are not read again, and what is inside of the unlocked part comes out, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.errors import StoreError
from pipeline.intake.scan import InboxFile
from pipeline.ledger.contained_records import part_of
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.orders import Order, close_order, open_readings
from pipeline.remote.object_store import ObjectGoneError
from pipeline.run.job import Job
from pipeline.run.original_file import is_remote

POLL_SECONDS = 1.0
"""How often the ledger is queried for orders."""


@dataclass
class UnlockOrders:
    """The open orders of a run.

    ``is_reading`` says whether the file with a name in the outbox is being read; ``flush`` brings what was published to the disk.
    """

    job: Job
    is_reading: Callable[[str], bool]
    flush: Callable[[], None]
    enabled: bool = True
    _admitted: dict[int, tuple[Order, list[str]]] = field(default_factory=dict)
    _elsewhere: set[int] = field(default_factory=set)
    """Orders about files of another store or mailbox, which wait for a run whose inbox that is."""
    _next_poll: float = 0.0
    _has_new: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether a file is to be read, or being read."""
        self._poll()
        return self._has_new or bool(self._admitted)

    def files(self) -> list[InboxFile]:
        """The files to read now, of new orders. Orders whose files were read are closed."""
        ended = [order for order, names in self._admitted.values() if not any(map(self.is_reading, names))]
        if ended:
            self.flush()  # an order is closed when its results are on the disk
        for order in ended:
            del self._admitted[order.id]
            close_order(self.job.ledger, order.id, self._outcome(order))
        self._poll()
        if not self._has_new:
            return []
        self._has_new = False
        files: dict[str, InboxFile] = {}
        for order in self._open():
            files |= self._admit(order)
        return list(files.values())

    def clear(self) -> None:
        """Forget what is being read; its orders stay open."""
        self._admitted.clear()
        self._next_poll, self._has_new = 0.0, False

    def _poll(self) -> None:
        if self.enabled and time.monotonic() >= self._next_poll:
            self._next_poll = time.monotonic() + POLL_SECONDS
            self._has_new = bool(self._open())

    def _open(self) -> list[Order]:
        """The open orders that this run can carry out and has not begun with."""
        orders = open_readings(self.job.ledger, unlocking=True)
        return [order for order in orders if order.id not in self._admitted and order.id not in self._elsewhere]

    def _admit(self, order: Order) -> dict[str, InboxFile]:
        """The files of an order by their names, marked to be read again; none while one of them is being read."""
        ledger = self.job.ledger
        records = ledger.files_with_contents(order.sha256)
        outermost = {root.source.name: root for record in records if (root := self._outermost(record))}
        if outermost and not any(map(self._is_reachable, outermost.values())):
            self._elsewhere.add(order.id)
            return {}
        if any(map(self.is_reading, outermost)):  # without the password: it follows with the next query
            return {}
        files, problem = {}, "its file is not known any more: put it into the inbox again"
        for name, root in outermost.items():
            try:
                files[name] = self._present(root)
            except (StoreError, FileNotFoundError) as error:
                problem = str(error)
        if not files:
            close_order(ledger, order.id, {"error": problem})
            return {}
        ledger.mark_for_rereading([*records, *(outermost[name] for name in files)], failed_only=True)
        self._admitted[order.id] = (order, list(files))
        return files

    def _outermost(self, record: FileRecord) -> FileRecord | None:
        """The file in which a document lies: itself, or the outermost container."""
        origin = part_of(self.job.ledger, record.source.name)
        return self.job.ledger.file_by_name(origin.root) if origin else record

    def _is_reachable(self, record: FileRecord) -> bool:
        """Whether this run can look whether a file is there: a folder always, a store or a mailbox where it is that of the inbox."""
        job = self.job
        return not is_remote(record, job.settings) or (job.objects is not None and job.objects.reaches(record.source.path))

    def _present(self, record: FileRecord) -> InboxFile:
        """A file as it is now; an object of a store is fetched. Raises StoreError, FileNotFoundError."""
        try:
            file = None if record.place == "deleted" else self.job.present_file(record.source)
            if file and self.job.objects and self.job.objects.is_object(record.source.path):
                file = self.job.objects.fetch(file)
        except ObjectGoneError:  # since it was looked for
            file = None
        if file is None:
            raise FileNotFoundError(f"{record.source.relative} is no longer where it was read: put it into the inbox again")
        return file

    def _outcome(self, order: Order) -> dict[str, str | None]:
        record = self.job.ledger.file_by_name(order.details["name"])
        if record is None or record.stale:
            return {"error": "the file changed while it was read; it is read again when it has settled"}
        return {"status": record.status, "reason": record.reason}

"""Carries out deletions: originals go to the trash, results to the undo log, and both come back.

Order of the steps: the record says where each file comes from; the files move, by removals in the ledger, which a start after a crash
finishes or undoes; then the results are taken back as by `pipeline forget`. A deletion stays open until its last step, so that a crash
leaves one that the next start completes. Undoing has the same steps backwards. A document of a stack of which others stay has no file of
its own: its pages are left out of the split.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipeline.checks.split.removed_documents import with_documents, without_documents
from pipeline.errors import OutboxError, SettingsError
from pipeline.ledger.contained_records import part_of
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.person_splits import place_split
from pipeline.ledger.removal_records import Removal
from pipeline.ledger.split_json import page_range_json, page_range_of
from pipeline.run.container_moves import with_parts
from pipeline.run.file_removal import CHANGED, KeptFileError, claim_path, numbered
from pipeline.run.forget import Forgetter
from pipeline.run.job import Job
from pipeline.run.local_folders import LocalFolders
from pipeline.run.publisher import Publisher
from pipeline.run.trash_records import (
    OPEN_STATES,
    Deletion,
    Origin,
    RemovedPart,
    deletions,
    empty,
    request_emptying,
    save,
    trash_folder,
)
from pipeline.run.undo_log import undo_logs
from pipeline.runtime.file_system import sync_folder
from pipeline.split_records import PageRange
from pipeline.values.times import utc_timestamp

POLL_SECONDS = 1.0
"""How often the folder of the trash is looked at."""
_EMPTYING_SECONDS = 3_600.0
"""How often old deletions are looked for."""
_INODE = 2**63 - 1


class Trash:
    """Carries out what people delete and bring back, between rounds of the loop. Only where inbox and outbox are folders."""

    def __init__(self, job: Job, publisher: Publisher) -> None:
        self._job = job
        self._forgetter = Forgetter(job, publisher)
        self._folders = LocalFolders(job.settings, lambda path: job.ledger.file_at(path) is not None)
        self._next_poll, self._next_emptying, self._has_open = 0.0, 0.0, False
        self._is_local = job.objects is None and job.mirror is None
        self._changed_split = False

    def is_waiting(self) -> bool:
        """Whether a deletion is to be carried out, so that a round should end; the folder is looked at once a second."""
        if self._is_local and time.monotonic() >= self._next_poll:
            self._next_poll = time.monotonic() + POLL_SECONDS
            if time.monotonic() >= self._next_emptying:
                self._next_emptying = time.monotonic() + _EMPTYING_SECONDS
                days = timedelta(days=self._job.settings.serve.trash_days)
                request_emptying(self._job.outbox, utc_timestamp(-days))
            self._has_open = bool(self._open())
        return self._has_open

    def carry_out(self) -> None:
        """Carry out what is open. An error of the disk or the database is raised; the deletion stays open then."""
        if not self.is_waiting():
            return
        self._has_open, self._next_poll = False, 0.0
        for log in self._forgetter.resume():
            self._forgetter.end(log)
        for deletion in self._open():
            match deletion.state:
                case "deleting":
                    self._delete(deletion)
                case "restoring":
                    self._restore(deletion)
                case _:
                    empty(self._job.outbox, deletion)
            if self._changed_split:  # its results follow before the next deletion: the loop carries out orders first
                self._changed_split, self._next_poll = False, time.monotonic() + POLL_SECONDS
                return

    def _open(self) -> list[Deletion]:
        return [item for item in deletions(self._job.outbox) if item.state in OPEN_STATES]

    # ---- deleting -----------------------------------------------------------------------------------

    def _delete(self, deletion: Deletion) -> None:
        outbox, ledger = self._job.outbox, self._job.ledger
        if any(log.id == deletion.id for log in undo_logs(outbox)):  # a crash came after the last step
            save(outbox, replace(deletion, state="deleted"))
            return
        records = [record for name in deletion.names if (record := ledger.file_by_name(name))]
        deletion, records = self._take_out(deletion, records)
        kept, planned = dict(deletion.kept), []
        origins = dict(deletion.origins)
        for record in with_parts(self._job, records):
            try:
                removal = self._removal(record, deletion.id, len(origins))
            except (KeptFileError, OSError) as error:
                kept[record.source.name] = getattr(error, "reason", None) or str(error)
                continue
            if removal and removal.target:
                origins[record.source.name] = Origin(str(removal.path), record.place, str(removal.target))
                planned.append((record.source.name, removal))
        deletion = save(outbox, replace(deletion, origins=origins, kept=kept))
        kept |= self._move(planned)
        going = [record.source.name for record in with_parts(self._job, [r for r in records if r.source.name not in kept])]
        if going:
            log = self._forgetter.forget(going, deletion.id)
            for name in going:
                self._release(name, origins.get(name), records)
            self._forgetter.end(log)
        origins = {name: origin for name, origin in origins.items() if name not in kept}
        save(outbox, replace(deletion, state="deleted", origins=origins, kept=kept))

    def _take_out(self, deletion: Deletion, records: Sequence[FileRecord]) -> tuple[Deletion, list[FileRecord]]:
        """Take documents out of the files that hold others, too. Returns the record of it, and the files that go as a whole."""
        ledger, parts = self._job.ledger, dict(deletion.parts)
        whole = {record.source.name: record for record in records if record.part is None}
        by_file: dict[str, dict[str, PageRange]] = {}
        for record in records:
            if record.part and record.part.file not in whole:
                by_file.setdefault(record.part.file, {})[record.source.name] = record.part.pages
        splits = {}
        for name, removed in by_file.items():
            file = ledger.file_by_name(name)
            split = ledger.split_of_file(name, file.sha256) if file else None
            if file and split and (rest := without_documents(split, removed.values())):
                splits[file.sha256] = rest
                parts |= {part: RemovedPart(name, file.sha256, page_range_json(pages)) for part, pages in removed.items()}
            elif file:
                whole[name] = file
        if splits:
            deletion = save(self._job.outbox, replace(deletion, parts=parts))  # before it is done, so that it can be undone
        for sha256, rest in splits.items():
            place_split(ledger, sha256, rest, deletion.by)
        self._changed_split = bool(splits)
        return deletion, list(whole.values())

    def _put_back(self, deletion: Deletion) -> str:
        """Put documents back into the files from which they were taken. Returns why some were not; empty where all are back."""
        ledger, problems = self._job.ledger, []
        by_file: dict[tuple[str, str], list[PageRange]] = {}
        for part in deletion.parts.values():
            by_file.setdefault((part.file, part.sha256), []).append(page_range_of(part.pages))
        for (name, sha256), returned in by_file.items():
            file, split = ledger.file_by_name(name), ledger.split_of_file(name, sha256)
            if file is None or file.sha256 != sha256:
                problems.append(f"{name}: the file is not there any more; bring it back first")
                continue
            if split is None or (wanted := with_documents(split, returned)) is None:
                problems.append(f"{name}: it was split in another way since")
                continue
            decided = ledger.decided_split(name, sha256)
            is_decided = decided is not None and decided.documents == wanted.documents
            place_split(ledger, sha256, None if is_decided else wanted, deletion.by)
            self._changed_split = True
        return "; ".join(problems)

    def _removal(self, record: FileRecord, identifier: str, number: int) -> Removal | None:
        """The way of a file into the trash; None for one that has none, or is there already. Raises KeptFileError, OSError."""
        path, settings = record.source.path, self._job.settings
        roots = [folder.resolve() for folder in (settings.inbox, settings.archive_folder, settings.failed_folder)]
        origin = part_of(self._job.ledger, record.source.name)
        is_part = record.part is not None or (origin is not None and origin.root != record.source.name)
        if is_part or record.place == "deleted" or not any(path.is_relative_to(root) for root in roots):
            return None
        present = self._job.present_file(record.source)
        if present is None:
            return None
        if (present.size, present.mtime_ns) != (record.size, record.mtime_ns):
            raise KeptFileError(CHANGED)
        target = trash_folder(self._job.outbox).resolve() / identifier / str(number) / path.name
        _make_durable_folder(target.parent)
        return _removal(record, path, target)

    def _move(self, planned: Sequence[tuple[str, Removal]]) -> dict[str, str]:
        """Move files as planned. Returns why some were kept, by name."""
        kept: dict[str, str] = {}
        done, undone = [], []
        self._job.ledger.begin_removals(removal for _, removal in planned)
        try:
            for name, removal in planned:
                try:
                    self._folders.remove(removal)
                    done.append(removal)
                except (KeptFileError, OSError) as error:
                    kept[name] = getattr(error, "reason", None) or str(error)
                    undone.append(removal)
        finally:
            try:
                self._folders.sync()
            except OSError as error:
                raise OutboxError(f"the trash cannot be synced: {error.strerror or error}", "check the disk") from error
            for removal, path in self._job.ledger.end_removals(done, undone):
                self._job.file_records.pop(os.fspath(path), None)
                self._job.vacated_paths.add(os.fspath(path))
                if removal.target:
                    self._job.outbox_names.moved(path, removal.target)
        return kept

    def _release(self, name: str, origin: Origin | None, records: Sequence[FileRecord]) -> None:
        """Let another document have the name."""
        paths = {origin.trash, origin.path} if origin else {os.fspath(r.source.path) for r in records if r.source.name == name}
        for path in paths:
            self._job.file_records.pop(path, None)
            self._job.vacated_paths.add(path)
        self._job.outbox_names.forget(name, paths)

    # ---- bringing back ------------------------------------------------------------------------------

    def _restore(self, deletion: Deletion) -> None:
        outbox, ledger = self._job.outbox, self._job.ledger
        if problem := self._put_back(deletion):
            save(outbox, replace(deletion, state="deleted", error=problem))
            return
        log = next((log for log in undo_logs(outbox) if log.id == deletion.id), None)
        if log and log.state != "undone":
            try:
                self._forgetter.undo(log)
            except SettingsError as error:
                save(outbox, replace(deletion, state="deleted", error=error.message))
                return
            self._forgetter.end(log)
        planned = []
        taken: set[Path] = set()
        for name, origin in deletion.origins.items():
            record, trash = ledger.file_by_name(name), Path(origin.trash)
            if record and record.source.path == trash and os.path.lexists(trash):
                target = self._free(Path(origin.path), taken)
                taken.add(target)
                planned.append((name, _removal(record, trash, target)))
        kept = self._move(planned)
        for name, origin in deletion.origins.items():
            record = ledger.file_by_name(name)
            if record and name not in kept:
                path = record.source.path
                ledger.record_move(path, path, origin.place, watch=origin.place != "original")
                self._job.outbox_names.returned(Path(origin.trash), path, name)
                if present := ledger.file_by_name(name):
                    self._job.file_records[os.fspath(path)] = present
        problem = "; ".join(f"{name}: {reason}" for name, reason in kept.items())
        save(outbox, replace(deletion, state="deleted" if kept else "restored", error=problem))

    def _free(self, path: Path, taken: set[Path]) -> Path:
        candidate, number = path, 1
        while os.path.lexists(candidate) or candidate in taken or self._job.ledger.file_at(candidate):
            number += 1
            candidate = numbered(path, number)
        return candidate


def _removal(record: FileRecord, path: Path, target: Path) -> Removal:
    status = path.stat()
    return Removal(
        *(path, "archive", target, claim_path(path), status.st_dev & _INODE, status.st_ino & _INODE),
        *(path.parent.stat().st_ino & _INODE, status.st_size, status.st_mtime_ns, record.sha256),
    )


def _make_durable_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)

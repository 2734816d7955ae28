"""Recognises files that were renamed or moved within the inbox. Their results follow them, and nothing is read again.

A file at a new path (or with new contents) is a document of the ledger under another name when it has the same contents and the document
is no longer at its old path. Two paths with the same contents stay two documents. Corrections and conversations belong to the contents,
so they follow by themselves.

The ledger gets the new paths and names in one transaction. Then the results are published under their new names, and the old result
files are removed. A run that dies in between leaves the rest to the next one.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.errors import BlockedResultError, FileChangedError
from pipeline.intake.hashing import content_hash
from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.moved_files import FileMove, clear_renamed, files_of_sizes, record_moves, renamed_results
from pipeline.monitoring.events import Observer
from pipeline.publish.rows import DOCUMENTS, sheet_names
from pipeline.remote.mail_inbox import is_mail_inbox
from pipeline.run.container_moves import is_part, moved_parts
from pipeline.run.document_run import DocumentRun
from pipeline.run.job import Job
from pipeline.run.presence import Presence
from pipeline.run.publisher import Publisher
from pipeline.run.rebuilt_records import is_new_version

MAX_PAIRS = 10_000
"""Pairs of old and new paths of one document that are compared; for more, the paths are paired in their order."""


class Moves:
    """Moves of files within the inbox. ``runs`` are the documents that are being read, by the hash of their contents."""

    def __init__(self, job: Job, publisher: Publisher, runs: Mapping[str, DocumentRun], observer: Observer) -> None:
        self._job, self._publisher, self._runs, self._observer = job, publisher, runs, observer
        self._presence = Presence(job)

    def recognise(self, files: Sequence[InboxFile], known: Iterable[InboxFile] = ()) -> int:
        """Take the files that a scan has found and that are to be read, and those that are up to date. Returns how many were moved.

        All moves among them are recognised together: whole folders, and files that change places.
        """
        known = list(known)
        self._presence.observe(files, known)
        self._job.ledger.record_inodes(_missing_inodes(self._job, known))
        moves = find_moves(self._job, self._presence, files, self._runs)
        return self._carry_out([move for move in moves if not self._would_replace(move.source.path)])

    def _would_replace(self, path: Path) -> bool:
        """Whether the record of a path is that of an earlier file, whose result must stay. Admission gives such a file another name."""
        record = self._job.ledger.file_at(path)
        if record is None:
            return False
        if record.size < 0 and not is_new_version(self._job, record, path):
            return True
        return self._job.ledger.leaving_file(path, record.sha256) is not None

    def recognise_file(self, file: InboxFile, sha256: str) -> bool:
        """Whether a file that is about to be read is a document of another path; its record is then at the file's path."""
        if not self._presence.is_in_inbox(file.source.path):
            return False
        records = self._job.ledger.files_with_contents(sha256)
        sources = [record for record in records if _may_move(self._job, self._presence, record, file.source.path)]
        return bool(self._carry_out(_paired(sources, [file])))

    def observe(self, file: InboxFile) -> None:
        """Record the folders of a file that is about to be read."""
        if self._presence.is_in_inbox(file.source.path):
            self._presence.observe([file], ())

    def waits_for(self, file: InboxFile, sha256: str, record: FileRecord | None) -> DocumentRun | None:
        """The document that is being read from the path of ``file``, which holds another document of the ledger now."""
        run = self._runs.get(record.sha256) if record and record.sha256 != sha256 else None
        if run is None or run.file.source.path != file.source.path or not self._presence.is_in_inbox(file.source.path):
            return None
        records = self._job.ledger.files_with_contents(sha256)
        return run if any(_may_move(self._job, self._presence, item, file.source.path) for item in records) else None

    def finish(self) -> None:
        """Publish the results of moved files under their names, and remove the old files. A run that died may have left some."""
        ledger = self._job.ledger
        names = renamed_results(ledger)
        for name in names:
            record = ledger.file_by_name(name)
            document = ledger.document(record.published_sha256, stale=True) if record and record.published_sha256 else None
            if record and document:
                try:
                    self._publisher.republish(record, document)
                except BlockedResultError:  # the next scan finds the file, and its reading reports the obstacle
                    ledger.mark_stale(record.source.name)
        if names:
            clear_renamed(ledger, names)
        self._publisher.remove_obsolete()

    def _carry_out(self, moves: Sequence[FileMove]) -> int:
        if not moves:
            return 0
        job = self._job
        moves = [*moves, *(part for move in moves for part in moved_parts(job, move))]
        self._publisher.flush()  # no row of a document that moves may wait
        replaced = [record for move in moves if (record := job.ledger.file_at(move.source.path))]
        templates = [job.templates[name] for record in [*(move.record for move in moves), *replaced] for name in record.recipes
                     if name in job.templates]  # fmt: skip
        record_moves(job.ledger, moves, {DOCUMENTS, *(name for template in templates for name in sheet_names(template))})
        for move in moves:
            old = os.fspath(move.record.source.path)
            job.file_records.pop(old, None)
            job.vacated_paths.add(old)
        for move in moves:
            if record := job.ledger.file_at(move.source.path):
                job.file_records[os.fspath(move.source.path)] = record
            if move.source.name == move.record.source.name:
                job.outbox_names.returned(move.record.source.path, move.source.path, move.source.name)
            elif not is_part(job, move.record):
                self._observer.file_renamed(move.record.source.name, move.source.name)
        self.finish()
        return sum(not is_part(job, move.record) for move in moves)


def find_moves(
    job: Job, presence: Presence, files: Iterable[InboxFile], runs: Mapping[str, DocumentRun] | None = None
) -> list[FileMove]:
    """The moves among files that a scan has found. Only files that have the size of a known document are hashed."""
    runs = runs or {}
    inside = [file for file in files if presence.is_in_inbox(file.source.path)]
    candidates = files_of_sizes(job.ledger, (file.size for file in inside)) if inside else []
    sizes = {record.size for record in candidates}
    found: dict[str, list[InboxFile]] = defaultdict(list)
    for file in inside:
        record = job.ledger.file_at(file.source.path) if file.size in sizes else None
        if file.size not in sizes or (record and record.sha256 in runs):
            continue
        try:
            sha256 = file.sha256 or content_hash(file)
        except (OSError, FileChangedError):
            continue
        if sha256 and sha256 not in runs and not (record and record.sha256 == sha256):
            found[sha256].append(file)
    sources: dict[str, list[FileRecord]] = defaultdict(list)
    for candidate in candidates:
        if candidate.sha256 in found and _may_move(job, presence, candidate):
            sources[candidate.sha256].append(candidate)
    return [move for sha256, records in sources.items() for move in _paired(records, found[sha256])]


def _missing_inodes(job: Job, known: Iterable[InboxFile]) -> dict[str, str]:
    """Inodes of files that are up to date, by name, where the ledger has none."""
    records = ((file, job.file_records.get(os.fspath(file.source.path))) for file in known if file.inode)
    return {record.source.name: file.inode for file, record in records if record and record.inode is None and file.inode}


def _may_move(job: Job, presence: Presence, record: FileRecord, path: Path | None = None) -> bool:
    """Whether the document of a record has left its path, which is in the inbox and not ``path``."""
    is_marked = is_mail_inbox(job.objects) and job.objects.is_marked(record)
    if (
        (record.place != "original" and not is_marked)
        or record.source.path == path
        or not presence.is_in_inbox(record.source.path)
    ):
        return False
    if job.ledger.leaving_file(record.source.path, record.sha256):  # the program moves it
        return False
    if record.size < 0 and job.settings.after != "keep":  # a rebuilt ledger: the file may be in the archive
        return False
    return presence.has_left(record)


def _paired(records: Sequence[FileRecord], files: Sequence[InboxFile]) -> list[FileMove]:
    """Each record with at most one file of the same contents, the likeliest first."""
    if len(records) * len(files) > MAX_PAIRS:
        ordered = zip(
            sorted(records, key=lambda record: record.source.relative),
            sorted(files, key=lambda file: file.source.relative),
            strict=False,
        )
        return [_move(record, file) for record, file in ordered]
    pairs = sorted(((record, file) for record in records for file in files), key=lambda pair: _likeness(*pair), reverse=True)
    moves: list[FileMove] = []
    taken: set[Path] = set()
    for record, file in pairs:
        if not {record.source.path, file.source.path} & taken:
            taken |= {record.source.path, file.source.path}
            moves.append(_move(record, file))
    return moves


def _likeness(record: FileRecord, file: InboxFile) -> tuple[bool, int, int]:
    """How likely a file is the one of a record: the same time, many equal parts at the path's end, then at its beginning."""
    old, new = record.source.path.parts, file.source.path.parts
    return record.mtime_ns == file.mtime_ns, _equal_parts(old[::-1], new[::-1]), _equal_parts(old, new)


def _equal_parts(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _move(record: FileRecord, file: InboxFile) -> FileMove:
    source = file.source
    if source.relative == record.source.relative:  # a message under another number: what people see of it is as before
        source = replace(source, name=record.source.name)
    return FileMove(record, source, file.size, file.mtime_ns, file.inode)

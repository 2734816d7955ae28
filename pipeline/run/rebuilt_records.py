"""Finds the record of a file in a ledger that was rebuilt from the outbox.

A result names the path below the inbox, or below the argument on the command line (``run ~/a.pdf``, ``reprocess ~/post.zip``), and not the
folder in which that was. So a rebuilt ledger supposes every file in the inbox, with unknown size and time. A file that was read elsewhere
is found again by that path and its contents.

A file that has other contents now is a new version of the document only where the earlier one was not moved or deleted: the next scan of
a scanner often has the name of the last one. A result says so by a hash of the path at which its file stays. Results of older versions,
and those of files that were to be moved or deleted, do not.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.recovery import MAX_RESULT_BYTES, hash_at
from pipeline.object_urls import url_of
from pipeline.records import Source
from pipeline.run.job import Job
from pipeline.safe_open import open_file
from pipeline.settings import STATE_FOLDER

HASH_DIGITS = 16


def stays_at(job: Job, source: Source) -> str | None:
    """A hash of the path or URL at which the file of a result stays after it was read; None where it is moved, deleted or unpacked."""
    path = source.path
    if path.is_relative_to(job.unpacked_root) or (job.settings.after != "keep" and _is_in_inbox(job, source)):
        return None
    url = url_of(job.settings.objects_folder, path) if job.objects else None  # the same on every machine
    return _hash(url.encode(errors="surrogatepass") if url else os.fsencode(path))


def is_new_version(job: Job, record: FileRecord, path: Path) -> bool:
    """Whether a file with other contents at ``path`` is a new version of the document of a rebuilt ledger's record."""
    source = replace(record.source, path=path)
    present = stays_at(job, source) if record.size < 0 else None
    if present is None or recorded_stay(job.outbox, record.source.name) != present:
        return False
    return not (_is_in_inbox(job, source) and _was_archived(job, source))


def with_rebuilt_record(job: Job, file: InboxFile, sha256: str) -> InboxFile:
    """The file with the name of the result that a rebuilt ledger has of it elsewhere, whose record is now at the file's path.

    The file as it is, where there is no such record, or where another such file is at the path of the record.
    """
    ledger, source = job.ledger, file.source
    records = [
        record for record in ledger.files_with_contents(sha256) if record.size < 0 and record.source.relative == source.relative
    ]
    records.sort(key=lambda record: record.place != "deleted")  # one that is at no path has no other file
    namesake = ledger.file_by_name(source.relative)
    if namesake and namesake not in records and is_new_version(job, namesake, source.path):
        records.append(namesake)
    for record in records:
        if record.place == "deleted" or hash_at(record.source.path) != record.sha256:
            ledger.record_return(record.source.name, source.path)
            job.outbox_names.returned(record.source.path, source.path, record.source.name)
            return replace(file, source=replace(source, name=record.source.name))
    return file


def _hash(place: bytes) -> str:
    return hashlib.sha256(place).hexdigest()[:HASH_DIGITS]


def _is_in_inbox(job: Job, source: Source) -> bool:
    return job.objects is not None or source.path == job.inbox_root / source.relative


def _was_archived(job: Job, source: Source) -> bool:
    """Whether the archive has a file that was at this path of the inbox: ``after`` was another then."""
    try:
        with os.scandir(job.settings.archive_folder) as days:
            return any(os.path.lexists(Path(day) / source.relative) for day in days)
    except OSError:
        return False


def stay_for_export(outbox: Path, record: FileRecord | None, name: str) -> str | None:
    """What a result that is written again says about the place of its file: what it said, or, where it is gone, the hash of the path of a
    file that the program left where it was."""
    said = recorded_stay(outbox, name)
    if said or record is None or record.place != "original" or os.path.lexists(outbox / f"{name}.json"):
        return said
    path = record.source.path
    own = Path(os.path.realpath(outbox)) / STATE_FOLDER  # files of archives and of object stores
    return None if path.is_relative_to(own) or path.is_relative_to(outbox / STATE_FOLDER) else _hash(os.fsencode(path))


def recorded_stay(outbox: Path, name: str) -> str | None:
    """What a result says about the place of its file (see ``stays_at``); None where it says nothing, or cannot be read."""
    try:
        with open_file(Path(os.path.realpath(outbox)) / f"{name}.json") as file:
            if os.fstat(file.fileno()).st_size > MAX_RESULT_BYTES:
                return None
            recorded = json.loads(file.read())["provenance"]["stays_at"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return recorded if isinstance(recorded, str) else None

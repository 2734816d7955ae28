"""Finds the record of a file in a ledger that was rebuilt from the outbox.

A result names the path below the inbox, or below the argument on the command line (``run ~/a.pdf``, ``reprocess ~/post.zip``), and not the
folder in which that was. So a rebuilt ledger supposes every file in the inbox, with unknown size and time. A file that was read elsewhere
is found again by that path and its contents.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.intake.scan import InboxFile
from pipeline.ledger.recovery import hash_at
from pipeline.run.job import Job


def with_rebuilt_record(job: Job, file: InboxFile, sha256: str) -> InboxFile:
    """The file with the name of the result that a rebuilt ledger has of it elsewhere, whose record is now at the file's path.

    The file as it is, where there is no such record, or where another such file is at the path of the record.
    """
    records = [
        record
        for record in job.ledger.files_with_contents(sha256)
        if record.size < 0 and record.source.relative == file.source.relative
    ]
    records.sort(key=lambda record: record.place != "deleted")  # one that is at no path has no other file
    for record in records:
        if record.place == "deleted" or hash_at(record.source.path) != sha256:
            job.ledger.record_return(record.source.name, file.source.path)
            job.outbox_names.returned(record.source.path, file.source.path, record.source.name)
            return replace(file, source=replace(file.source, name=record.source.name))
    return file

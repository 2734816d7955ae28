"""Which documents `pipeline forget` is about: those that its arguments name, or those whose files have vanished from the inbox."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.ledger.file_records import FileRecord
from pipeline.object_urls import local_folder, local_path
from pipeline.run.container_moves import with_parts
from pipeline.run.job import Job
from pipeline.run.moves import find_moves
from pipeline.run.presence import Presence
from pipeline.run.refresh import split_up_to_date


def named_documents(job: Job, arguments: Sequence[Path | str], *, may_be_gone: bool = False) -> list[FileRecord]:
    """The documents that files or folders of the inbox, names or files in the outbox, or URLs name, by name.

    Raises SettingsError for an argument that names none, unless they ``may_be_gone``.
    """
    records = [*job.ledger.files_by_path().values(), *job.ledger.deleted_files()]
    found: dict[str, FileRecord] = {}
    for argument in arguments:
        name = _Name.of(job, argument)
        matching = [record for record in records if name.matches(record)]
        if not matching and not may_be_gone:
            raise SettingsError(
                f"{argument}: no document of {job.settings.outbox_location} has this path or name",
                "name files or folders of the inbox, or names in the outbox as in `documents.csv`; nothing was changed",
            )
        found |= {record.source.name: record for record in matching}
    return with_parts(job, found.values())


@dataclass(frozen=True, slots=True)
class _Name:
    """One argument, in all ways in which it may be meant."""

    paths: tuple[str, ...]
    """Absolute paths of a file or folder."""
    relative: str | None
    """The path below the inbox."""
    results: tuple[str, ...]
    """Names in the outbox."""

    @classmethod
    def of(cls, job: Job, argument: Path | str) -> _Name:
        if isinstance(argument, str):
            objects, url = job.settings.objects_folder, argument.rstrip("/")
            return cls((os.fspath(local_path(objects, url)), os.fspath(local_folder(objects, url))), None, ())
        real = os.fspath(argument.resolve())
        plain = os.fspath(argument.parent.resolve() / argument.name) if argument.name else real  # a link may be a document
        root, outbox = os.fspath(job.inbox.root), os.path.realpath(job.outbox)
        relative = next((path[len(root) + 1 :] for path in (real, plain) if path.startswith(f"{root}/")), None)
        results = [] if argument.is_absolute() else [os.fspath(argument)]
        results += [path[len(outbox) + 1 :] for path in (real, plain) if path.startswith(f"{outbox}/")]
        return cls((plain, real), relative, tuple({*results, *(name.removesuffix(".json") for name in results)}))

    def matches(self, record: FileRecord) -> bool:
        """Whether a document is meant."""
        path = os.fspath(record.source.path)
        was_in_inbox = record.place in ("archive", "failed")  # where the file was read
        return (
            any(_is_below(path, one) for one in self.paths)
            or any(_is_below(record.source.name, one) for one in self.results)
            or (was_in_inbox and self.relative is not None and _is_below(record.source.relative, self.relative))
        )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


@dataclass(frozen=True, slots=True)
class Vanished:
    """What is missing of the inbox."""

    records: list[FileRecord]
    """Documents whose files are gone, by name."""
    unreachable: int
    """Number of documents whose files are not seen, and may lie on a share that is not mounted."""
    known: int
    """Number of documents that were read from the inbox and not moved or deleted by the program."""
    present: int
    """Number of files in the inbox now."""

    @property
    def most_are_gone(self) -> bool:
        """Whether the inbox looks as if it were not mounted: it is empty, or most files are missing."""
        return not self.present or 2 * (len(self.records) + self.unreachable) > self.known


def vanished_documents(job: Job) -> Vanished:
    """The documents whose files are no longer in the inbox, without those that were renamed or that the program moved or deleted.

    Raises SettingsError for an inbox that cannot be listed, StoreError.
    """
    problems: list[str] = []
    files = list(job.scan(lambda name, reason: problems.append(f"{name}: {reason}")))
    if problems and not files:
        raise SettingsError(problems[0], "check that the inbox is there and may be read; nothing was changed")
    presence = Presence(job)
    to_read, up_to_date = split_up_to_date(job, files, job.file_records)
    presence.observe(files, up_to_date)
    renamed = {move.record.source.name for move in find_moves(job, presence, to_read)}
    there = {file.source.path for file in files}
    known = list(_read_from_inbox(job, presence))
    missing = [record for record in known if record.source.path not in there and record.source.name not in renamed]
    gone = [record for record in missing if presence.is_gone(record)]
    unseen = [record for record in missing if not _exists(record, job)]
    return Vanished(with_parts(job, gone), len(unseen) - len(gone), len(known), len(files))


def _read_from_inbox(job: Job, presence: Presence) -> Iterator[FileRecord]:
    """Documents that the program did not move or delete. A rebuilt ledger (size -1) does not know whether it has."""
    about_to_move = {
        os.fspath(path) for removal in job.ledger.open_removals() for path in (removal.path, removal.claim) if path
    }
    for path, record in job.file_records.items():
        if record.place == "original" and record.size >= 0 and path not in about_to_move and presence.is_in_inbox(Path(path)):
            yield record


def _exists(record: FileRecord, job: Job) -> bool:
    return job.objects is None and os.path.lexists(record.source.path)


def still_there(job: Job, records: Sequence[FileRecord]) -> list[FileRecord]:
    """Those documents whose file is in the inbox now: the next run reads it again."""
    presence = Presence(job)
    return [
        record
        for record in records
        if record.place == "original" and presence.is_in_inbox(record.source.path) and job.present_file(record.source)
    ]

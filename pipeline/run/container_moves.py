"""Parts of containers follow the container: when it is renamed, and when it is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipeline.ledger.contained_records import records_of_parts
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.moved_files import FileMove
from pipeline.run.job import Job
from pipeline.run.part_sources import unpacked_folder


def is_part(job: Job, record: FileRecord) -> bool:
    """Whether a document was taken out of a container."""
    return record.source.path.is_relative_to(job.unpacked_root)


def moved_parts(job: Job, move: FileMove) -> Iterator[FileMove]:
    """What becomes of the parts of a container that is renamed or moved: their results have its new name in front."""
    if not move.record.has_parts:
        return
    old, new = move.record.source, move.source
    folder = unpacked_folder(job, new.name)
    for part in records_of_parts(job.ledger, old.name):
        source = replace(
            part.source,
            path=folder / part.source.path.name,
            name=_with_prefix(part.source.name, old.name, new.name),
            relative=_with_prefix(part.source.relative, old.relative, new.relative),
        )
        yield FileMove(part, source, part.size, part.mtime_ns, part.inode)


def _with_prefix(text: str, old: str, new: str) -> str:
    return new + text[len(old) :] if text.startswith(f"{old}/") else text


def with_parts(job: Job, records: Iterable[FileRecord]) -> list[FileRecord]:
    """Documents, and the parts of those that are containers, by name."""
    found: dict[str, FileRecord] = {}
    for record in records:
        found[record.source.name] = record
        if record.has_parts:
            found |= {part.source.name: part for part in records_of_parts(job.ledger, record.source.name)}
    return [found[name] for name in sorted(found)]

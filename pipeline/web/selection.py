"""The documents of a review, selected by file, template and time, latest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.publish.publication import Publication
from pipeline.run.compose import compose
from pipeline.templates.template import Template


@dataclass(frozen=True)
class Selection:
    """Which documents to review; by default all."""

    paths: Sequence[Path] = ()
    """Originals, results in the outbox, or folders of either; empty for all."""
    template: str | None = None
    since: str | None = None
    """Only documents that were published at this time or later, as a timestamp of the ledger."""
    needs_review: bool = False
    """Only documents with a value to check, or with missing pages."""


@dataclass(frozen=True)
class SelectedDocument:
    """A document of the review."""

    file: FileRecord
    publication: Publication

    @property
    def needs_review(self) -> bool:
        """Whether a person should check a value, or a page is missing."""
        return self.publication.needs_review


def matching_files(ledger: Ledger, selection: Selection, outbox: Path) -> list[FileRecord]:
    """Published files that match everything but ``needs_review``, latest first."""
    paths = [path.resolve() for path in selection.paths]
    files = [
        file
        for file in ledger.published_files()
        if not file.is_split
        and (not selection.template or selection.template in file.recipes)
        and (not selection.since or (file.published_at or "") >= selection.since)
        and (not paths or _is_below(file, paths, outbox.resolve()))
    ]
    return sorted(files, key=lambda file: file.published_at or "", reverse=True)


def _is_below(file: FileRecord, paths: Sequence[Path], outbox: Path) -> bool:
    own_paths = file.source.path, outbox / f"{file.source.name}.json"
    return any(own.is_relative_to(path) for own in own_paths for path in paths)


def select_documents(
    files: Sequence[FileRecord], ledger: Ledger, templates: Mapping[str, Template], selection: Selection, accepted_error: float
) -> Iterator[SelectedDocument | None]:
    """One item for each file: its document, or None when it is not selected."""
    for file in files:
        document = ledger.document(file.published_sha256 or "", stale=True)
        if document is None:
            yield None
            continue
        item = SelectedDocument(
            file, compose(ledger, templates, file.source, document, file.recipes, accepted_error, file.part)
        )
        yield item if item.needs_review or not selection.needs_review else None

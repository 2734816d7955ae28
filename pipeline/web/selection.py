"""Which documents a review is about: by file, template and time, the latest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.publish.publication import Publication
from pipeline.run.compose import compose
from pipeline.templates.model import Template


@dataclass(frozen=True)
class Choice:
    """What was asked for; the default is everything."""

    paths: Sequence[Path] = ()
    """Originals, results in the outbox, or folders of either; empty is all."""
    template: str | None = None
    since: str | None = None
    """As the ledger writes times."""
    needs_review: bool = False
    """Only documents with a value to look at, or with pages that are missing."""


@dataclass(frozen=True)
class Chosen:
    """A document of the review."""

    file: FileRecord
    publication: Publication

    @property
    def needs_review(self) -> bool:
        """Whether a person should look at it."""
        return self.publication.needs_review


def candidates(ledger: Ledger, choice: Choice, outbox: Path) -> list[FileRecord]:
    """Published files that fit all but ``needs_review``, the latest first."""
    paths = [path.resolve() for path in choice.paths]
    fitting = [
        file
        for file in ledger.published_files()
        if (not choice.template or choice.template in file.recipes)
        and (not choice.since or (file.published_at or "") >= choice.since)
        and (not paths or _is_among(file, paths, outbox.resolve()))
    ]
    return sorted(fitting, key=lambda file: file.published_at or "", reverse=True)


def _is_among(file: FileRecord, paths: Sequence[Path], outbox: Path) -> bool:
    places = file.source.path, outbox / f"{file.source.name}.json"
    return any(place.is_relative_to(path) for place in places for path in paths)


def chosen(
    files: Sequence[FileRecord], ledger: Ledger, templates: Mapping[str, Template], choice: Choice, accepted_error: float
) -> Iterator[Chosen | None]:
    """The documents of files, one for each; None for one that is left out."""
    for file in files:
        document = ledger.document(file.published_sha256 or "", stale=True)
        if document is None:
            yield None
            continue
        found = Chosen(file, compose(ledger, templates, file.source, document, file.recipes, accepted_error))
        yield found if found.needs_review or not choice.needs_review else None

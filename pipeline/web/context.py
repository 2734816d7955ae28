"""What every request needs: settings, templates, the ledger for a moment, pages as pictures, and the process that reads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.publish.publication import Publication
from pipeline.run.compose import compose
from pipeline.run.job import known_templates, open_ledger
from pipeline.settings import Settings
from pipeline.templates.model import Template
from pipeline.web.image_cache import Drawing
from pipeline.web.supervisor import Keeper


@dataclass(frozen=True)
class House:
    """Made once; requests come from several threads."""

    settings: Settings
    templates: Mapping[str, Template]
    """Without those made of questions."""
    drawing: Drawing
    keeper: Keeper

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, for one request. Raises LedgerError."""
        with open_ledger(self.settings) as ledger:
            yield ledger

    def known_templates(self, ledger: Ledger) -> dict[str, Template]:
        """All templates, with those made of questions asked of whole documents."""
        return known_templates(self.templates, ledger)

    def publication(self, ledger: Ledger, file: FileRecord) -> Publication | None:
        """What is published of a file, from the ledger; None when nothing is."""
        document = ledger.document(file.published_sha256 or "", stale=True)
        if document is None:
            return None
        error = self.settings.review.accepted_error
        return compose(ledger, self.known_templates(ledger), file.source, document, file.recipes, error)


def identifier(name: str) -> str:
    """A document's name in the outbox as one part of an address."""
    return base64.urlsafe_b64encode(name.encode(errors="surrogateescape")).decode().rstrip("=")


def name_of(identified: str) -> str | None:
    """The name behind an identifier; None when it is none."""
    try:
        raw = base64.b64decode(identified + "=" * (-len(identified) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.decode(errors="surrogateescape")

"""What every request needs: settings, templates, the ledger, page images, and the state of the process that reads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.list_index import ListIndex
from pipeline.publish.list_values import list_values
from pipeline.publish.publication import Publication
from pipeline.run.compose import compose
from pipeline.run.job import known_templates, open_ledger
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.templates.template import Template
from pipeline.web.image_cache import PageImageCache
from pipeline.web.supervisor import Supervisor
from pipeline.web.task_store import TaskStore


class RemoteInboxError(Exception):
    """The inbox is a mailbox or an object store: this server does not write there."""


@dataclass(frozen=True)
class ServerContext:
    """Made once for a server; several threads use it."""

    settings: Settings
    templates: Mapping[str, Template]
    """Without the templates made from questions."""
    page_images: PageImageCache
    supervisor: Supervisor
    tasks: TaskStore
    chat_socket: Path | None = None
    """Where the reading process answers for its model."""

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, opened for one request. Raises LedgerError."""
        with open_ledger(self.settings) as ledger:
            yield ledger

    def upload_folder(self) -> Path:
        """The inbox, for files that are sent. Raises RemoteInboxError where it is no folder."""
        if self.settings.inbox_url:
            raise RemoteInboxError
        return self.settings.inbox

    @cached_property
    def index(self) -> ListIndex:
        """The index by which documents are listed and searched."""
        return ListIndex(self.settings.outbox / STATE_FOLDER)

    def values_in_list(self, ledger: Ledger, name: str) -> dict[str, str]:
        """What lists show of a result that an older version has recorded."""
        file = ledger.file_by_name(name)
        publication = self.publication(ledger, file) if file else None
        return list_values(publication, self.known_templates(ledger)) if publication else {}

    def known_templates(self, ledger: Ledger) -> dict[str, Template]:
        """The templates, and those made from questions about whole documents."""
        return known_templates(self.templates, ledger)

    def publication(self, ledger: Ledger, file: FileRecord) -> Publication | None:
        """The publication of a file from the ledger; None before its first one."""
        document = ledger.document(file.published_sha256 or "", stale=True)
        if document is None:
            return None
        error = self.settings.review.accepted_error
        return compose(ledger, self.known_templates(ledger), file.source, document, file.recipes, error, file.part)


def document_id(name: str) -> str:
    """A document's name in the outbox as one part of a URL."""
    return base64.urlsafe_b64encode(name.encode(errors="surrogateescape")).decode().rstrip("=")


def document_name(identifier: str) -> str | None:
    """The name that ``document_id`` encoded; None for any other text."""
    try:
        raw = base64.b64decode(identifier + "=" * (-len(identifier) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.decode(errors="surrogateescape")

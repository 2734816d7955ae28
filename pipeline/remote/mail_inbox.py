"""A folder of a mailbox as an inbox: its messages are files like mails in a folder (docs/containers.md)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

from pipeline.errors import StoreError
from pipeline.intake.folder_walk import SkipCallback
from pipeline.intake.scan import FileStates, InboxFile, OutboxNamer
from pipeline.ledger.file_records import FileRecord
from pipeline.mailbox_urls import is_mailbox_url, parse_message_url
from pipeline.records import Source
from pipeline.remote.message_store import MessageStore, open_mailbox
from pipeline.remote.object_store import StoreEntry, open_store
from pipeline.remote.objects import ObjectInbox, ReadableStore
from pipeline.settings import Settings


class MailInbox(ObjectInbox):
    """The messages of a folder, by the paths that stand for them."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.messages: MessageStore = open_mailbox(url, settings.mailbox, may_change=settings.after != "keep")
        super().__init__(settings, url, self.messages)
        self.recorded: Callable[[Path], FileRecord | None] = lambda _: None
        """The ledger's record of a path. It has the size that was fetched, where a server gives another one."""
        self._copies: set[str] = set()

    def scan(
        self, name: OutboxNamer, on_skip: SkipCallback, unchanged: FileStates | None = None, below: str | None = None
    ) -> Iterator[InboxFile]:
        """See ObjectInbox. Copies of messages that were read are left out once they are known."""
        for file in super().scan(name, on_skip, unchanged, below):
            if os.fspath(file.source.path) not in self._copies:
                yield file

    def _file(self, path: Path, key: str, entry: StoreEntry, name: OutboxNamer) -> InboxFile:
        return self._with_recorded_size(super()._file(path, key, entry, name))

    def restat_file(self, source: Source) -> InboxFile | None:
        """See ObjectInbox."""
        file = super().restat_file(source)
        return self._with_recorded_size(file) if file else None

    def _with_recorded_size(self, file: InboxFile) -> InboxFile:
        record = self.recorded(file.source.path)
        if record and record.size >= 0 and record.mtime_ns == file.mtime_ns:
            return replace(file, size=record.size)
        return file

    def reaches(self, path: Path) -> bool:
        """See ObjectInbox."""
        url = self._url(path)
        return url is not None and self.messages.reaches(url)

    def add_copy(self, path: Path) -> None:
        """Leave a message out of later scans: it is a copy of one that was read."""
        self._copies.add(os.fspath(path))

    def is_marked(self, record: FileRecord) -> bool:
        """Whether a message was marked after it was read, and is still in its folder. The ledger has it in the archive, at its own path."""
        message = parse_message_url(self._url(record.source.path) or "")
        return record.place == "archive" and message is not None and message.size is None


def is_mail_inbox(objects: ObjectInbox | None) -> TypeGuard[MailInbox]:
    """Whether an inbox is a mailbox."""
    return isinstance(objects, MailInbox)


def open_inbox(settings: Settings) -> ObjectInbox | None:
    """The inbox, where it is in an object store or a mailbox; None for a folder. Raises StoreError."""
    url = settings.inbox_url
    if url is None:
        return None
    return MailInbox(settings, url) if is_mailbox_url(url) else ObjectInbox(settings, url)


def open_originals(settings: Settings, url: str) -> ReadableStore:
    """The store or the mailbox that the original at ``url`` is in. Raises StoreError."""
    if not is_mailbox_url(url):
        return open_store(url)
    if settings.inbox_url and is_mailbox_url(settings.inbox_url):
        messages = open_mailbox(settings.inbox_url, settings.mailbox, may_change=settings.after != "keep")
        if messages.reaches(url):
            return messages
    raise StoreError("it is in a mailbox that is not this inbox", "name the mailbox with --inbox")

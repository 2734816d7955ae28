"""What becomes of a message that was read: a mark, another folder of the mailbox, or its deletion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.intake.scan import InboxFile
from pipeline.ledger.removal_records import Removal, RemovalPlace
from pipeline.object_urls import local_path, url_of
from pipeline.remote.mail_inbox import MailInbox
from pipeline.remote.message_store import Mark
from pipeline.remote.object_store import ObjectGoneError, StoreEntry
from pipeline.run.archive_folders import Outcome
from pipeline.run.file_removal import GONE, KeptFileError
from pipeline.settings import Settings


class MailFolders:
    """Folders of a mailbox, by the paths that stand for its messages; see ArchiveFolders.

    A message that is marked stays in its folder: its removal leads to its own path. A message is moved with MOVE (RFC 6851), which the
    server does as a whole; where it has no MOVE, it is copied and then deleted, and a crash in between leaves no second copy.
    """

    def __init__(self, settings: Settings, inbox: MailInbox) -> None:
        self._settings, self._root, self._messages = settings, inbox.root, inbox.messages
        self._mark: Mark | None = settings.after if settings.after in ("seen", "flagged") else None

    def plan(self, file: InboxFile, sha256: str, place: RemovalPlace) -> Removal | None:
        """See ArchiveFolders. None for a message that failed, where no folder is named for those: it stays as it is."""
        folder = self._settings.mailbox.failed if place == "failed" else self._settings.mailbox.archive
        if place == "failed" and (not folder or self._mark):
            return None
        target: Path | None = None
        if self._mark:
            target = file.source.path
        elif place != "deleted":
            with _gone():
                target = local_path(self._root, self._messages.moved_url(self._entry(file.source.path), folder))
        return Removal(file.source.path, place, target, None, 0, 0, 0, file.size, file.mtime_ns, sha256)

    def remove(self, removal: Removal) -> None:
        """See ArchiveFolders."""
        with _gone():
            self._remove(removal)

    def _remove(self, removal: Removal) -> None:
        entry = self._entry(removal.path)
        if removal.target == removal.path:
            self._messages.mark(entry, self._mark or "seen")
        elif removal.target:
            self._messages.move(entry, self._url(removal.target))
        else:
            self._messages.remove_unchanged(entry)

    def sync(self) -> None:
        """See ArchiveFolders. A server has done what it says that it has done."""

    def resolve(self, removal: Removal, *, may_delete: bool = True) -> Outcome:
        """See ArchiveFolders. A message that is still there stays, unless it was copied."""
        try:
            entry = self._entry(removal.path)
            if removal.target == removal.path:
                return "done" if self._messages.is_marked(entry, self._mark or "seen") else "undone"
            present = self._messages.entry(entry.url)
            if removal.target is None:
                return "undone" if present else "done"
            if self._messages.entry(self._url(removal.target)) is None:
                return "undone"  # it is where it was, or a person has moved it
            if present and may_delete:
                self._messages.move(entry, self._url(removal.target))
        except ObjectGoneError:
            return "undone"
        except (StoreError, ValueError):
            return "in doubt"
        return "done"

    def failed_path(self, relative: str) -> Path:
        """See ArchiveFolders. A message is known by its contents there, and not by a name."""
        return self._settings.failed_folder / relative

    def was_taken_out(self, path: Path, other: Path | None) -> bool:
        """See ArchiveFolders."""
        url = url_of(self._root, path)
        return other is None and url is not None and self._messages.entry(url) is None

    def has_reason(self, path: Path) -> bool:
        """See ArchiveFolders. The reason of a message is in its result."""
        del path
        return False

    def write_reason(self, path: Path, reason: str, document: Path) -> None:
        """See ArchiveFolders."""

    def remove_reason(self, path: Path) -> None:
        """See ArchiveFolders."""

    def _entry(self, path: Path) -> StoreEntry:
        return StoreEntry(self._url(path), 0, 0)

    def _url(self, path: Path) -> str:
        """The URL of a path that stands for a message. Raises ValueError for another path."""
        if url := url_of(self._root, path):
            return url
        raise ValueError(f"{path} stands for no message")


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except ObjectGoneError as error:
        raise KeptFileError(GONE) from error

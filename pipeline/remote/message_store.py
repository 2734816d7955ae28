"""The messages of a mailbox's folder as objects: listed, fetched, marked, moved and deleted. It has the reading methods of ObjectStore.

A message never changes under its number (UIDVALIDITY and UID, RFC 3501, 2.3.1.1), so its size, its time of arrival and a hash of its
Message-ID and subject stand for its contents. Messages are fetched in pieces, so that memory does not grow with their size.
"""

from __future__ import annotations

import email.parser
import hashlib
import imaplib
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

from pipeline.errors import SettingsError, StoreError
from pipeline.intake.mail import decoded, one_line, raw_text
from pipeline.mailbox_urls import MessageAddress, message_url, moved_message_url, parse_mailbox_url, parse_message_url
from pipeline.remote.mail_connection import MailConnection, NoFolderError
from pipeline.remote.object_store import ObjectGoneError, StoreEntry
from pipeline.settings_sections import MailboxSettings

T = TypeVar("T")
LISTED_AT_ONCE = 200
"""Messages whose headers are asked for in one command."""
HEADER_BYTES = 4_096
"""Bytes of a message's header that are asked for to name it: a hostile header is as long as it likes."""
PIECE_BYTES = 2_000_000
"""Bytes of a message that are asked for in one command."""
MAX_LOSSES = 3
"""A message over which the connection broke so often, while the server was well, is left, so that it does not stop the others."""
SUBJECT_LETTERS = 80
_NANO = 1_000_000_000
_FIELDS = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID SUBJECT)]"
_NOT_IN_NAMES = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))
Mark = Literal["seen", "flagged"]
_FLAGS: dict[Mark, bytes] = {"seen": b"\\Seen", "flagged": b"\\Flagged"}


class MessageStore:
    """The messages of the folder that ``url`` names. Several threads may use it; one at a time has the connection.

    All methods raise StoreError where the server refuses or cannot be reached, SettingsError where the password is missing.
    ``may_change``: whether messages are marked, moved or deleted; else the folder is opened for reading only.
    """

    def __init__(self, url: str, settings: MailboxSettings, *, may_change: bool) -> None:
        self.url, self.settings = url, settings
        self.address = parse_mailbox_url(url)
        self._read_only = not may_change
        self._lock = threading.RLock()
        self._connection: MailConnection | None = None
        self._listed: dict[int, StoreEntry] = {}
        """Entries by UID of the messages that the last list had, so that a list costs little where nothing is new."""
        self._listed_validity = 0
        self._losses: dict[MessageAddress, int] = {}

    # ---- reading ------------------------------------------------------------------------------------

    def entries(self, url: str) -> Iterator[StoreEntry]:
        """The messages of the folder that the settings ask for, in the order of their arrival."""
        if url != self.url:
            entry = self.entry(url)
            yield from [entry] if entry else []
            return
        uids = iter(self._run(self._search, again=True))
        while batch := list(islice(uids, LISTED_AT_ONCE)):
            yield from self._entries_of(batch)

    def _search(self, connection: MailConnection) -> list[int]:
        """The UIDs of the messages to read. What is marked as deleted is none."""
        if connection.uid_validity != self._listed_validity:
            self._listed, self._listed_validity = {}, connection.uid_validity
        criteria = f"UNDELETED {self.settings.search}"
        if self.settings.days:
            since = datetime.now(UTC) - timedelta(days=self.settings.days)
            criteria += f" SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}"
        search = connection.client.search
        try:
            found = search(criteria) if criteria.isascii() else search(_words(criteria), "UTF-8")
        except Exception as error:
            if type(error).__name__ == "InvalidCriteriaError" or " BAD" in str(error):
                raise SettingsError(
                    f"mailbox.search: the server does not understand `{self.settings.search}`",
                    'write it as in IMAP (RFC 3501, 6.4.4): UNSEEN FROM "billing@example.com"',
                ) from None
            raise
        uids = sorted(map(int, found))
        known = set(uids)
        self._listed = {uid: entry for uid, entry in self._listed.items() if uid in known}
        return uids

    def _entries_of(self, uids: Sequence[int]) -> Iterator[StoreEntry]:
        validity = self._listed_validity
        new = [uid for uid in uids if uid not in self._listed]
        found = {uid: self._listed[uid] for uid in uids if uid in self._listed}
        if new:
            found |= self._run(lambda connection: self._described(connection, new))
        if validity == self._listed_validity:
            self._listed |= found
        yield from (found[uid] for uid in uids if uid in found)

    def _described(self, connection: MailConnection, uids: Sequence[int]) -> dict[int, StoreEntry]:
        """Entries by UID. A message that the server cannot describe has an entry, too: its fetching fails, and that names it."""
        try:
            answers = connection.client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE", f"{_FIELDS}<0.{HEADER_BYTES}>"])
        except Exception as error:
            if not _is_refusal(error):
                raise
            if len(uids) > 1:
                middle = len(uids) // 2
                return self._described(connection, uids[:middle]) | self._described(connection, uids[middle:])
            url = message_url(self.url, connection.uid_validity, uids[0])
            return {uids[0]: StoreEntry(url, 1, uids[0], f"message {uids[0]}.eml")}
        return {
            uid: _entry(message_url(self.url, connection.uid_validity, uid), answers[uid])
            for uid in uids
            if uid in answers and b"RFC822.SIZE" in answers[uid]
        }

    def reaches(self, url: str) -> bool:
        """Whether a URL is of this mailbox, in any folder."""
        return url.startswith(f"{self.address.server}/")

    def _other_folder(self, message: MessageAddress) -> str | None:
        """The folder of a message that is not in the folder of this store, or was moved."""
        return message.folder if message.size is not None or message.folder != self.address.folder else None

    def entry(self, url: str) -> StoreEntry | None:
        """One message; None when it is no longer there. A message that was moved is looked for in that folder."""
        message = parse_message_url(url) if self.reaches(url) else None
        if message is None:
            return None
        if message.size is not None:
            try:
                found = self._run(lambda connection: self._moved(connection, message), folder=message.folder)
            except NoFolderError:
                return None
            return StoreEntry(url, found[1].size, found[1].stamp, found[1].name) if found else None

        def look(connection: MailConnection) -> StoreEntry | None:
            if connection.uid_validity != message.uid_validity:
                return None
            found = self._described(connection, [message.uid]).get(message.uid)
            return replace(found, url=url) if found else None

        try:
            return self._run(look, folder=self._other_folder(message))
        except NoFolderError:
            return None

    def _moved(self, connection: MailConnection, message: MessageAddress) -> tuple[int, StoreEntry] | None:
        """UID and entry in the open folder of a message that has the size and the stamp of ``message``."""
        return next(self._all_moved(connection, message), None)

    def _all_moved(self, connection: MailConnection, message: MessageAddress) -> Iterator[tuple[int, StoreEntry]]:
        """As ``_moved``, of all such messages: what a scanner sends within a second has no more that differs."""
        size = message.size or 0
        uids = connection.client.search(f"UNDELETED LARGER {size - 1} SMALLER {size + 1}" if size else "UNDELETED SMALLER 1")
        for uid, entry in self._described(connection, uids).items() if uids else ():
            if (entry.size, entry.stamp) == (message.size, message.stamp):
                yield uid, entry

    def fetch(self, entry: StoreEntry, path: Path) -> None:
        """The message as a file. Raises ObjectGoneError when it is no longer there, OSError when the disk is full."""
        message = parse_message_url(entry.url) if self.reaches(entry.url) else None
        if message is None:
            raise ObjectGoneError(entry.url)
        try:
            with path.open("wb") as file:
                at = 0
                while piece := self._piece(message, at):
                    file.write(piece)
                    at += len(piece)
                    if at > 2 * entry.size + PIECE_BYTES:
                        raise StoreError("the message is longer than the server said", "look at it in a program for mail")
                    if len(piece) < PIECE_BYTES and at >= entry.size:
                        break
        except StoreError as error:
            if error.passing and self._is_well():
                self._losses[message] = self._losses.get(message, 0) + 1
                if self._losses[message] >= MAX_LOSSES:
                    raise StoreError(
                        "the connection broke each time that this message was fetched", "look at it in a program for mail"
                    ) from None
            raise
        self._losses.pop(message, None)

    def _piece(self, message: MessageAddress, at: int) -> bytes:
        """Bytes of a message from a place on; empty at its end."""

        def read(connection: MailConnection) -> bytes:
            uid = message.uid
            if message.size is not None:
                found = self._moved(connection, message)
                uid = found[0] if found else 0
            elif connection.uid_validity != message.uid_validity:
                uid = 0
            return _body(connection, uid, at)

        return self._run(read, folder=self._other_folder(message))

    def _is_well(self) -> bool:
        try:
            self._run(lambda connection: connection.client.noop())
        except StoreError:
            return False
        return True

    # ---- changing -----------------------------------------------------------------------------------

    def _own(self, entry: StoreEntry) -> MessageAddress:
        """Where a message of this folder is. Raises ObjectGoneError for one of another folder: numbers count within a folder."""
        message = _numbered(entry)
        if not self.reaches(entry.url) or message.folder != self.address.folder:
            raise ObjectGoneError(entry.url)
        return message

    def mark(self, entry: StoreEntry, mark: Mark) -> None:
        """Give a message a flag. Raises ObjectGoneError, StoreError where the folder does not keep it."""
        message = self._own(entry)

        def do(connection: MailConnection) -> None:
            self._check_number(connection, message)
            flags = connection.client.add_flags([message.uid], [_FLAGS[mark]]).get(message.uid)
            if flags is None and not connection.client.fetch([message.uid], ["FLAGS"]).get(message.uid):
                raise ObjectGoneError(entry.url)
            if flags is not None and _FLAGS[mark].lower() not in {flag.lower() for flag in flags}:
                raise StoreError(f"{self.address.server}: the folder does not keep the mark `{mark}`", "use another `after`")

        self._run(do)

    def is_marked(self, entry: StoreEntry, mark: Mark) -> bool:
        """Whether a message has a flag. Raises ObjectGoneError."""
        message = self._own(entry)

        def look(connection: MailConnection) -> bool:
            self._check_number(connection, message)
            answer = connection.client.fetch([message.uid], ["FLAGS"]).get(message.uid)
            if answer is None:
                raise ObjectGoneError(entry.url)
            return _FLAGS[mark].lower() in {flag.lower() for flag in answer.get(b"FLAGS", ())}

        return self._run(look)

    def moved_url(self, entry: StoreEntry, folder: str) -> str:
        """What the URL of a message will be once it is moved to a folder. Raises ObjectGoneError."""
        present = self.entry(entry.url)
        if present is None:
            raise ObjectGoneError(entry.url)
        return moved_message_url(self.address.server, folder, _numbered(entry), present.size, present.stamp)

    def move(self, entry: StoreEntry, target: str) -> None:
        """Move a message to the folder of a URL that ``moved_url`` gave. Done once more after a crash, it moves nothing twice.

        A message that looks the same there is another one, unless its contents are the same. Raises ObjectGoneError when it is in neither
        folder.
        """
        message, moved = _numbered(entry), _numbered(StoreEntry(target, 0, 0))
        other = self._other_folder(message)

        def do(connection: MailConnection) -> None:
            client, uid = connection.client, self._uid_here(connection, message)
            name = connection.make_folder(moved.folder)
            if client.has_capability("MOVE"):
                client.move([uid], name)
                return
            if not self._is_copied(
                connection, message, moved
            ):  # else a copy from before a crash, or a connection that was lost
                client.copy([uid], name)
            _delete(client, uid)

        try:
            self._run(do, folder=other, may_change=True)
        except ObjectGoneError:
            if self.entry(target) is None:
                raise

    def _is_copied(self, connection: MailConnection, message: MessageAddress, moved: MessageAddress) -> bool:
        """Whether the contents of a message are in the folder to which it is moved, too. Its own folder is open again afterwards."""
        connection.open_folder(moved.folder, read_only=True)
        copies = {_digest(connection, uid) for uid, _ in list(self._all_moved(connection, moved))}
        connection.open_folder(message.folder, read_only=self._read_only)
        return bool(copies) and _digest(connection, self._uid_here(connection, message)) in copies

    def remove_unchanged(self, entry: StoreEntry) -> None:
        """Delete a message. Where the server cannot delete a single one (no UIDPLUS), it is marked as deleted. Raises ObjectGoneError."""
        message = _numbered(entry)

        def do(connection: MailConnection) -> None:
            _delete(connection.client, self._uid_here(connection, message))

        self._run(do, folder=self._other_folder(message), may_change=True)

    def _uid_here(self, connection: MailConnection, message: MessageAddress) -> int:
        """The UID in the open folder of a message that is not marked as deleted. Raises ObjectGoneError."""
        if message.size is not None:
            found = self._moved(connection, message)
            if found is None:
                raise ObjectGoneError(str(message.uid))
            return found[0]
        self._check_number(connection, message)
        answer = connection.client.fetch([message.uid], ["FLAGS"]).get(message.uid)
        if answer is None or b"\\deleted" in {flag.lower() for flag in answer.get(b"FLAGS", ())}:
            raise ObjectGoneError(str(message.uid))
        return message.uid

    def _check_number(self, connection: MailConnection, message: MessageAddress) -> None:
        if connection.uid_validity != message.uid_validity:
            raise ObjectGoneError(str(message.uid))

    # ---- the connection -----------------------------------------------------------------------------

    def _run(
        self, do: Callable[[MailConnection], T], *, folder: str | None = None, may_change: bool = False, again: bool = False
    ) -> T:
        """The result of ``do`` with the folder open, another ``folder`` for reading only unless ``may_change``.

        A connection that was lost since it was used last is made anew, once.
        """
        with self._lock:
            while True:
                is_new = self._connection is None
                try:
                    connection = self._connection = self._connection or MailConnection(self.address, self.settings)
                    with connection.errors():
                        read_only = self._read_only or (folder is not None and not may_change)
                        connection.open_folder(folder or self.address.folder, read_only=read_only, again=again)
                        return do(connection)
                except ObjectGoneError:
                    raise
                except StoreError as error:
                    if error.passing:
                        self.close()
                    if is_new or not error.passing:
                        raise
                except BaseException:
                    self.close()
                    raise

    def ask(self, do: Callable[[MailConnection], T]) -> T:
        """The result of a question about the mailbox, with the folder open."""
        return self._run(do)

    def close(self) -> None:
        """End the connection; the next call makes another one."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None


@lru_cache(maxsize=4)
def open_mailbox(url: str, settings: MailboxSettings, *, may_change: bool) -> MessageStore:
    """The messages of a folder; one connection for all that ask for the same."""
    return MessageStore(url, settings, may_change=may_change)


def _numbered(entry: StoreEntry) -> MessageAddress:
    message = parse_message_url(entry.url)
    if message is None:
        raise ObjectGoneError(entry.url)
    return message


def _body(connection: MailConnection, uid: int, at: int) -> bytes:
    """Bytes from a place on of a message in the open folder; empty at its end. Raises ObjectGoneError, StoreError."""
    answer = connection.client.fetch([uid], [f"BODY.PEEK[]<{at}.{PIECE_BYTES}>"]).get(uid) if uid else None
    if answer is None:
        raise ObjectGoneError(str(uid))
    body = next((value for key, value in answer.items() if key.startswith(b"BODY[]")), None)
    if body is None:
        connection.client.noop()  # a message that another program has taken is without contents until the server says so
        if uid not in connection.client.fetch([uid], ["FLAGS"]):
            raise ObjectGoneError(str(uid))
        if not at:
            raise StoreError("the server gives no contents of this message", "look at it in a program for mail")
    return bytes(body or b"")


def _digest(connection: MailConnection, uid: int) -> bytes:
    """SHA-256 of a message in the open folder. Raises ObjectGoneError, StoreError."""
    digest, at = hashlib.sha256(), 0
    while piece := _body(connection, uid, at):
        digest.update(piece)
        at += len(piece)
        if len(piece) < PIECE_BYTES:
            break
    return digest.digest()


def _entry(url: str, answer: dict[bytes, Any]) -> StoreEntry:
    arrived: datetime = answer.get(b"INTERNALDATE") or datetime.fromtimestamp(0, UTC)
    arrived = arrived.astimezone(UTC)
    header = next((value for key, value in answer.items() if key.startswith(b"BODY[HEADER")), None) or b""
    below = int.from_bytes(hashlib.sha256(header).digest()[:8]) % _NANO
    seconds = max(0, int(arrived.timestamp()))
    return StoreEntry(url, int(answer[b"RFC822.SIZE"]), seconds * _NANO + below, f"{arrived:%Y-%m-%d} {_subject(header)}.eml")


def _subject(header: bytes) -> str:
    """The subject of a message as a part of a file's name."""
    try:
        field = email.parser.BytesHeaderParser().parsebytes(header).get("subject", "")
        text = one_line(decoded(raw_text(str(field))))
    except (ValueError, LookupError, TypeError, AttributeError):
        text = ""
    return text.translate(_NOT_IN_NAMES)[:SUBJECT_LETTERS].strip(" .") or "no subject"


def _delete(client: Any, uid: int) -> None:
    client.add_flags([uid], [b"\\Deleted"], silent=True)
    if client.has_capability("UIDPLUS"):  # without it, EXPUNGE would delete what other programs have marked
        client.uid_expunge([uid])


def _is_refusal(error: Exception) -> bool:
    """Whether a server refused a command, and the connection is as it was."""
    return isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort)


def _words(criteria: str) -> list[str]:
    """A search as a list of words, which the library sends as literals where they hold other letters than ASCII. Raises SettingsError."""
    try:
        return shlex.split(criteria)
    except ValueError as error:
        raise SettingsError(f"mailbox.search: {error}", "close the quotes") from None


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

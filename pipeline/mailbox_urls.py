"""URLs of mailboxes and of messages in them, after RFC 5092: ``imaps://user@host/Folder``.

``imaps`` is TLS from the first byte, ``imap`` is STARTTLS; there is no third way. A message of a folder has the folder's URL and
``/;UIDVALIDITY=1/;UID=2``. A message that was moved to another folder has ``;FOLDER=`` in place of its first folder, and its size and
time: the server gave it another number there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

MAIL_SCHEMES = {"imaps": 993, "imap": 143}
"""Schemes of mailboxes, each with its port."""
INBOX = "INBOX"
"""The folder that every mailbox has."""
_FORM = "a mailbox's URL is imaps://user@host/Folder"
_HOST = re.compile(r"([\w.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::([0-9]{1,5}))?")
_NUMBERED = re.compile(
    r"(.*)/;UIDVALIDITY=([0-9]{1,20})/;UID=([0-9]{1,20})(?:/;SIZE=([0-9]{1,20})/;STAMP=([0-9]{1,20}))?", re.DOTALL
)
_OTHER_FOLDER = "/;FOLDER="


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """A folder of a mailbox, and how its server is reached."""

    scheme: str
    user: str
    host: str
    port: int
    folder: str
    """Its levels are parted by ``/``, whatever the server parts them by."""

    @property
    def server(self) -> str:
        """The URL without the folder."""
        port = "" if self.port == MAIL_SCHEMES[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{_quoted(self.user, '/:')}@{self.host}{port}"

    @property
    def url(self) -> str:
        """The canonical URL of the folder."""
        return f"{self.server}/{_quoted(self.folder)}"


@dataclass(frozen=True, slots=True)
class MessageAddress:
    """Where a message is: in the folder in which it was found, or in another one to which it was moved."""

    folder: str
    uid_validity: int
    uid: int
    size: int | None = None
    """Size as the server gives it, for a message that was moved: together with ``stamp`` it tells which one it is."""
    stamp: int | None = None


def is_mailbox_url(text: object) -> bool:
    """Whether a text is the URL of a mailbox, a folder or a message."""
    return isinstance(text, str) and text.partition("://")[0].lower() in MAIL_SCHEMES and "://" in text


def parse_mailbox_url(text: str) -> MailboxAddress:
    """A folder's address. Raises ValueError, whose message never repeats the URL: it may contain a password."""
    scheme, _, rest = text.partition("://")
    login, slash, path = rest.partition("/")
    user, at, place = login.rpartition("@")
    scheme = scheme.lower()
    match = _HOST.fullmatch(place)
    if scheme not in MAIL_SCHEMES or not at or not user or not match:
        raise ValueError(f"{_FORM}, with a user")
    if ":" in user or "?" in rest or "#" in rest:
        raise ValueError(f"{_FORM} and nothing else; a password comes from elsewhere (docs/mailbox.md)")
    port = int(match[2] or MAIL_SCHEMES[scheme])
    parts = [unquote(part) for part in path.split("/") if part] if slash else []
    folder = "/".join(parts) or INBOX
    if not 0 < port < 65536 or not folder.isprintable() or not unquote(user).isprintable() or not {".", ".."}.isdisjoint(parts):
        raise ValueError(_FORM)
    if folder.upper() == INBOX:
        folder = INBOX
    return MailboxAddress(scheme, unquote(user), match[1].lower(), port, folder)


def canonical_url(text: str) -> str:
    """The canonical URL of a folder or a message. Raises ValueError as ``parse_mailbox_url`` does."""
    if match := _NUMBERED.fullmatch(text):
        return parse_mailbox_url(match[1]).url + text[match.end(1) :]
    return parse_mailbox_url(text).url


def message_url(folder_url: str, uid_validity: int, uid: int) -> str:
    """The URL of a message in a folder."""
    return f"{folder_url}/;UIDVALIDITY={uid_validity}/;UID={uid}"


def other_folder_url(server: str, folder: str) -> str:
    """The URL of a folder to which messages are moved. It lies below no other folder's URL, though the folder may lie in that folder."""
    return f"{server}{_OTHER_FOLDER}{_quoted(folder, '/')}"


def moved_message_url(server: str, folder: str, message: MessageAddress, size: int, stamp: int) -> str:
    """The URL of a message after it was moved to another folder."""
    return f"{message_url(other_folder_url(server, folder), message.uid_validity, message.uid)}/;SIZE={size}/;STAMP={stamp}"


def parse_message_url(url: str) -> MessageAddress | None:
    """Where a message is; None for the URL of a folder."""
    match = _NUMBERED.fullmatch(url)
    if match is None:
        return None
    path = match[1].split("://", 1)[-1].partition("/")[2]
    folder = unquote(path.removeprefix(_OTHER_FOLDER[1:]))
    size, stamp = (int(text) if text else None for text in match.group(4, 5))
    return MessageAddress(folder, int(match[2]), int(match[3]), size, stamp)


def _quoted(text: str, also: str = "") -> str:
    return "".join(f"%{ord(letter):02X}" if letter in f"%;?#{also}" else letter for letter in text)

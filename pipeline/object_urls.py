"""URLs of object stores and mailboxes, and the local paths that stand for objects. A message of a mailbox is an object, too.

Everywhere in the project an object has a local path, below a folder ``objects``; its URL can be derived from that path. The file exists
only while its contents are read. Keys are not trusted: no key leads out of the folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from pipeline.mailbox_urls import MAIL_SCHEMES, canonical_url, is_mailbox_url, other_folder_url, parse_mailbox_url

SCHEMES = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "abfs", "abfss": "abfss", "memory": "memory"}
SCHEMES |= {scheme: scheme for scheme in MAIL_SCHEMES}
"""Schemes of stores, each with its canonical name. ``memory`` is for tests; ``file`` is a plain folder."""
OUTBOX = "%outbox"
"""Folder with this machine's copy of an outbox; no object of a store has this name."""
MAX_PIECE_BYTES = 200
"""Bytes of one part of a key in one file name; a longer part continues in a folder below."""
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


def is_url(value: object) -> bool:
    """Whether a setting is a URL of any kind, rather than a path."""
    return isinstance(value, str) and bool(_URL.match(value))


def parse_store_url(text: str) -> Path | str:
    """The canonical form of a URL, without a slash at its end; a path for ``file://``.

    Raises ValueError, whose message never repeats the URL: it may contain a password.
    """
    match = _URL.match(text)
    scheme = match[1].lower() if match else ""
    rest = match[2] if match else ""
    if scheme == "file":
        if not rest.startswith("/"):
            raise ValueError("file:// wants an absolute path: file:///folder")
        return Path(rest)
    if scheme not in SCHEMES:
        raise ValueError(f"no store is known for `{scheme}://`; known are s3, gs, az, abfs, abfss, file, imap and imaps")
    if is_mailbox_url(text):
        return canonical_url(text)
    bucket, _, prefix = rest.partition("/")
    user = bucket.rpartition("@")[0]
    if ":" in user or (user and not scheme.startswith("abfs")) or "?" in rest or "#" in rest:
        raise ValueError(
            "a store's URL is scheme://bucket/prefix and nothing else; credentials come from the environment (docs/stores.md)"
        )
    parts = [part for part in prefix.split("/") if part]
    if not bucket or not rest.isprintable() or not {".", ".."}.isdisjoint([bucket, *parts]):
        raise ValueError("a store's URL is scheme://bucket/prefix")
    return "/".join([f"{SCHEMES[scheme]}://{bucket}", *parts])


def key_below(url: str, of: str) -> str | None:
    """The key of an object or a folder below ``of``; None for a URL that does not lie there."""
    return url[len(of) + 1 :] if url.startswith(f"{of}/") else None


def sibling_url(url: str, name: str) -> str:
    """The URL of a folder with this name beside ``url``, or in the bucket or mailbox itself."""
    if is_mailbox_url(url):
        return other_folder_url(parse_mailbox_url(url).server, name)
    scheme, rest = url.split("://")
    return f"{scheme}://{rest.rpartition('/')[0] or rest}/{name}"


def local_path(objects: Path, url: str) -> Path:
    """The path that stands for an object. Raises ValueError for a key that ends in a slash: it is a folder."""
    if url.endswith("/"):
        raise ValueError(f"{url} names no object")
    scheme, rest = url.split("://", 1)
    *folders, name = rest.split("/")
    return objects.joinpath(scheme, *(piece for part in folders for piece in _folder(part)), *_pieces(_escape(name)))


def local_folder(objects: Path, url: str) -> Path:
    """The folder that holds the paths of all objects below ``url``."""
    scheme, rest = url.split("://", 1)
    return objects.joinpath(scheme, *(piece for part in rest.split("/") for piece in _folder(part)))


def url_of(objects: Path, path: Path) -> str | None:
    """The URL that a path or folder stands for; None for a path that stands for none."""
    if not path.is_relative_to(objects):
        return None
    scheme, *pieces = path.relative_to(objects).parts or ("",)
    if scheme not in SCHEMES or not pieces or OUTBOX in pieces:
        return None
    parts = [""]
    for piece in pieces:
        is_last = piece.endswith("%")
        parts[-1] += piece.removesuffix("%") if is_last else piece.removesuffix("%-")
        if is_last:
            parts.append("")
    named = parts if parts[-1] else parts[:-1]
    return f"{scheme}://" + "/".join(unquote(part, errors="surrogatepass") for part in named)


def state_folder() -> Path:
    """This program's folder for state files (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "pipeline"


def outbox_folder(state: Path, url: str) -> Path:
    """This machine's folder for an outbox in a store."""
    return local_folder(state, url) / OUTBOX


def outbox_url(state: Path, folder: Path) -> str | None:
    """The URL of the outbox that a folder is this machine's copy of; None for a folder that is an outbox itself."""
    return url_of(state, folder.parent) if folder.name == OUTBOX else None


def _escape(part: str) -> str:
    """One part of a key as a file name. A ``%`` of the key is followed by two digits, so other uses of ``%`` are marks of this module."""
    if part.isprintable() and "%" not in part and "\\" not in part:  # nearly all names
        return part
    return "".join(
        letter
        if letter.isprintable() and letter not in "%\\"
        else "".join(f"%{byte:02X}" for byte in letter.encode(errors="surrogatepass"))
        for letter in part
    )


def _folder(part: str) -> Iterator[str]:
    *pieces, last = _pieces(_escape(part))
    yield from pieces
    yield f"{last}%"  # a store may have an object `a` and objects below `a/`


def _pieces(name: str) -> Iterator[str]:
    """A name cut into pieces that every file system accepts; ``%-`` marks a piece that continues."""
    piece, size = "", 0
    for letter in name:
        bytes_ = len(letter.encode())
        if size + bytes_ > MAX_PIECE_BYTES:
            yield f"{piece}%-"
            piece, size = "", 0
        piece, size = piece + letter, size + bytes_
    yield "%2E" * len(piece) if piece in (".", "..") else piece

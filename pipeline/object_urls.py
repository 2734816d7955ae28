"""Places in object stores: what their URLs look like, and which local path stands for which object.

An object is known everywhere by a local path, below a folder ``objects``, from which its URL can be told again. The path is a name: the
file is there only while its contents are being read. Keys come from strangers, and no key leads out of the folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

SCHEMES = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "abfs", "abfss": "abfss", "memory": "memory"}
"""Kinds of stores with the names they go by here. ``memory`` is for tests; ``file`` is a plain folder."""
OUTBOX = "%outbox"
"""Folder that holds what this machine has of an outbox; not the name of anything in a store."""
PIECE = 200
"""Bytes of one part of a key in one file name; longer ones go on in a folder below."""
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


def is_url(written: object) -> bool:
    """Whether a setting names a URL, of whatever kind, and not a path."""
    return isinstance(written, str) and bool(_URL.match(written))


def parse(written: str) -> Path | str:
    """A URL as it is written everywhere here, without a slash at its end; a path for ``file://``.

    Raises ValueError, which never repeats the URL: it may hold a password.
    """
    match = _URL.match(written)
    scheme = match[1].lower() if match else ""
    rest = match[2] if match else ""
    if scheme == "file":
        if not rest.startswith("/"):
            raise ValueError("file:// wants an absolute path: file:///folder")
        return Path(rest)
    if scheme not in SCHEMES:
        raise ValueError(f"no store is known for `{scheme}://`; known are s3, gs, az, abfs, abfss and file")
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
    """The key below ``of`` of an object or a folder; None for one that does not lie there."""
    return url[len(of) + 1 :] if url.startswith(f"{of}/") else None


def beside(url: str, name: str) -> str:
    """A folder of that name beside ``url``; in the bucket, where that is the bucket."""
    scheme, rest = url.split("://")
    return f"{scheme}://{rest.rpartition('/')[0] or rest}/{name}"


def local_path(objects: Path, url: str) -> Path:
    """The path that stands for an object. Raises ValueError for a key that ends in a slash: those are folders."""
    if url.endswith("/"):
        raise ValueError(f"{url} names no object")
    scheme, rest = url.split("://", 1)
    *folders, name = rest.split("/")
    return objects.joinpath(scheme, *(piece for part in folders for piece in _folder(part)), *_pieces(_written(name)))


def local_folder(objects: Path, url: str) -> Path:
    """The folder that holds the paths of all objects below ``url``."""
    scheme, rest = url.split("://", 1)
    return objects.joinpath(scheme, *(piece for part in rest.split("/") for piece in _folder(part)))


def url_of(objects: Path, path: Path) -> str | None:
    """The URL that a path or folder stands for; None for one that stands for none."""
    if not path.is_relative_to(objects):
        return None
    scheme, *pieces = path.relative_to(objects).parts or ("",)
    if scheme not in SCHEMES or not pieces or OUTBOX in pieces:
        return None
    parts = [""]
    for piece in pieces:
        whole = piece.endswith("%")
        parts[-1] += piece.removesuffix("%") if whole else piece.removesuffix("%-")
        if whole:
            parts.append("")
    told = parts if parts[-1] else parts[:-1]
    return f"{scheme}://" + "/".join(unquote(part, errors="surrogatepass") for part in told)


def state_folder() -> Path:
    """Where programs keep what is worth keeping but nobody's document."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "pipeline"


def outbox_folder(state: Path, url: str) -> Path:
    """The folder of this machine for an outbox in a store."""
    return local_folder(state, url) / OUTBOX


def outbox_url(state: Path, folder: Path) -> str | None:
    """The other way round; None for a folder that is an outbox of its own."""
    return url_of(state, folder.parent) if folder.name == OUTBOX else None


def _written(part: str) -> str:
    """One part of a key as (part of) a file name; ``%`` is followed by two digits always, so that it can mark what we add."""
    if part.isprintable() and "%" not in part and "\\" not in part:  # nearly all
        return part
    return "".join(
        letter
        if letter.isprintable() and letter not in "%\\"
        else "".join(f"%{byte:02X}" for byte in letter.encode(errors="surrogatepass"))
        for letter in part
    )


def _folder(part: str) -> Iterator[str]:
    *begun, last = _pieces(_written(part))
    yield from begun
    yield f"{last}%"  # a file `a` and a folder `a` may lie side by side in a store


def _pieces(written: str) -> Iterator[str]:
    """A name cut so that every file system takes it; ``%-`` says that it goes on."""
    piece, size = "", 0
    for letter in written:
        bytes_ = len(letter.encode())
        if size + bytes_ > PIECE:
            yield f"{piece}%-"
            piece, size = "", 0
        piece, size = piece + letter, size + bytes_
    yield "%2E" * len(piece) if piece in (".", "..") else piece

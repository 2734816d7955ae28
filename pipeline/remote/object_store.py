"""An object store through fsspec. Objects are whole or not there; every failure of a store is a StoreError.

fsspec is imported when the first store is opened. Its libraries take credentials and endpoints from the environment.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import StoreError
from pipeline.install_hint import install_hint
from pipeline.safe_open import open_file

EXTRAS = {"s3": "stores", "gs": "gs", "az": "az", "abfs": "az", "abfss": "az", "memory": "stores"}
"""The extra of this package that installs what a kind of store needs."""
_ETAGS = ("ETag", "etag", "md5Hash", "generation", "created")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
_NANO = 1_000_000_000


class ObjectGoneError(Exception):
    """The object does not exist, or no longer."""


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """An object as it was listed.

    ``stamp`` changes whenever its contents may have: the second of its last change times 10^9, and below that 10^9 values of a hash of
    its ETag. It takes the place of a file's time in nanoseconds.
    """

    url: str
    size: int
    stamp: int
    name: str = field(default="", compare=False)
    """What people call it, where that is not the end of its URL: the date and subject of a message."""

    def same_contents(self, other: StoreEntry) -> bool:
        """Whether both have the same size and the same ETag, regardless of their times."""
        return (self.size, self.stamp % _NANO) == (other.size, other.stamp % _NANO)


class ObjectStore:
    """The objects of one kind of store, by URL. Several threads may use it.

    All methods raise StoreError where the store refuses, cannot be reached or does not have the bucket.
    """

    def __init__(self, filesystem: Any, scheme: str) -> None:
        self.filesystem = filesystem
        """fsspec's."""
        self._scheme = scheme

    def entries(self, url: str) -> Iterator[StoreEntry]:
        """All objects below ``url``. S3 lists a thousand at a time, so that memory does not grow with their number."""
        bucket, _, prefix = url.split("://")[1].partition("/")
        with _store_errors(url):
            if self._scheme == "s3":
                for page in self._s3_pages(bucket, f"{prefix}/" if prefix else ""):
                    for item in page:
                        yield _entry(f"{self._scheme}://{bucket}/{item['Key']}", item["Size"], item)
                return
            try:
                found: dict[str, Any] = self.filesystem.find(url, detail=True)
            except FileNotFoundError:
                if not self.filesystem.exists(url.removesuffix(f"/{prefix}")):
                    raise
                found = {}
            root = self.filesystem._strip_protocol(url)
            for name in sorted(found):
                info = found.pop(name)
                if info["type"] == "file":
                    yield _entry(f"{url}/{name[len(root) + 1 :]}", info["size"], info)

    def _s3_pages(self, bucket: str, prefix: str) -> Iterator[list[dict[str, Any]]]:
        more: dict[str, str] = {}
        while True:
            page = self.filesystem.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
            yield page.get("Contents", [])
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def entry(self, url: str) -> StoreEntry | None:
        """One object; None when it does not exist."""
        with _store_errors(url):
            try:
                info = self.filesystem.info(url)
            except FileNotFoundError:
                return None
        return _entry(url, info["size"], info) if info["type"] == "file" else None

    def fetch(self, entry: StoreEntry, path: Path) -> None:
        """The object's contents as a file. Raises ObjectGoneError when it is not there as it was listed, OSError when the disk is full."""
        with _store_errors(entry.url, local=True):
            try:
                self.filesystem.get_file(entry.url, str(path))
            except FileNotFoundError as error:
                raise ObjectGoneError(entry.url) from error
        if self.entry(entry.url) != entry or path.stat().st_size != entry.size:
            raise ObjectGoneError(entry.url)

    def read(self, url: str) -> bytes | None:
        """A small object's contents; None when it does not exist."""
        with _store_errors(url):
            try:
                return bytes(self.filesystem.cat_file(url))
            except FileNotFoundError:
                return None

    def write(self, url: str, content: bytes, *, new: bool = False) -> bool:
        """Put bytes as an object; with ``new`` only where none is. Returns whether it was put."""
        with _store_errors(url):
            try:
                self.filesystem.pipe_file(url, content, **({"mode": "create"} if new else {}))
            except FileExistsError:
                return False
            except OSError as error:
                if new and _is_precondition(error):
                    return False
                raise
        return True

    def put(self, url: str, path: Path) -> None:
        """Put a file as an object. Raises OSError where the file cannot be read, or is a link or a pipe, say."""
        with open_file(Path(os.path.realpath(path.parent)) / path.name):  # an error of the file is not an error of the store
            pass
        with _store_errors(url):
            self.filesystem.put_file(str(path), url)

    def copy(self, url: str, to: str) -> None:
        """Copy an object within the store. Raises ObjectGoneError."""
        with _store_errors(url):
            try:
                self.filesystem.cp_file(url, to)
            except FileNotFoundError as error:
                raise ObjectGoneError(url) from error

    def remove(self, url: str) -> None:
        """Delete an object, if it exists."""
        with _store_errors(url):
            try:
                self.filesystem.rm_file(url)
            except FileNotFoundError:
                return

    def remove_unchanged(self, entry: StoreEntry) -> None:
        """Delete an object that is still as it was listed. Raises ObjectGoneError when it is not.

        S3 itself compares the ETag at the deletion; for other stores there is an instant between the check and the deletion.
        """
        with _store_errors(entry.url):
            try:
                info = self.filesystem.info(entry.url)
            except FileNotFoundError as error:
                raise ObjectGoneError(entry.url) from error
            if _entry(entry.url, info["size"], info) != entry:
                raise ObjectGoneError(entry.url)
            if self._scheme == "s3" and info.get("ETag"):
                bucket, _, key = entry.url.split("://")[1].partition("/")
                try:
                    self.filesystem.call_s3("delete_object", Bucket=bucket, Key=key, IfMatch=info["ETag"])
                except Exception as error:  # every library has errors of its own
                    if _is_precondition(error):
                        raise ObjectGoneError(entry.url) from error
                    if not _is_unsupported(error):
                        raise
                else:
                    return
        self.remove(entry.url)


def open_store(url: str) -> ObjectStore:
    """The store that a URL points into. Raises StoreError when its package is not installed."""
    scheme, rest = url.split("://")
    return _open(scheme, rest.partition("/")[0])


@lru_cache(maxsize=8)
def _open(scheme: str, bucket: str) -> ObjectStore:
    url = f"{scheme}://{bucket}"
    try:
        from fsspec.core import url_to_fs

        with _store_errors(url):
            return ObjectStore(url_to_fs(url, use_listings_cache=False)[0], scheme)
    except ImportError as error:
        raise StoreError(f"{scheme}:// needs a package that is not installed: {error}", install_hint(EXTRAS[scheme])) from error


def _entry(url: str, size: int, info: Mapping[str, Any]) -> StoreEntry:
    etag = next((str(info[key]) for key in _ETAGS if info.get(key)), "")
    when = next((info[key] for key in _TIMES if info.get(key)), 0)
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    seconds = int(when.timestamp() if isinstance(when, datetime) else when)
    below = int.from_bytes(hashlib.sha256(etag.encode()).digest()[:8]) % _NANO
    return StoreEntry(url, int(size), seconds * _NANO + below)


def _is_precondition(error: Exception) -> bool:
    return "precondition" in str(error).lower().replace("-", "") or "412" in str(error)


def _is_unsupported(error: Exception) -> bool:
    """Whether a server or library does not know a condition at the deletion of objects."""
    text = f"{type(error).__name__} {error}".lower()
    return any(mark in text for mark in ("notimplemented", "not implemented", "501", "paramvalidation", "unknown parameter"))


@contextmanager
def _store_errors(url: str, *, local: bool = False) -> Iterator[None]:
    """Turn every error of a store's library into a StoreError; with ``local``, errors of a local file pass through."""
    try:
        yield
    except (StoreError, ObjectGoneError, ImportError, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except FileNotFoundError as error:
        raise StoreError(f"{url}: there is no such bucket", "make it, or correct the URL") from error
    except PermissionError as error:
        raise StoreError(
            f"{url}: access denied: {_one_line(error)}", "check the credentials and what they allow (docs/stores.md)"
        ) from error
    except Exception as error:  # every library has errors of its own
        if local and isinstance(error, OSError) and (error.filename or error.errno in (errno.ENOSPC, errno.EDQUOT)):
            raise
        if "credential" in f"{type(error).__name__} {error}".lower():
            raise StoreError(f"{url}: {_one_line(error)}", "set the credentials in the environment (docs/stores.md)") from error
        cure = "check the network and the store; nothing is lost, run again"
        raise StoreError(f"{url}: {_one_line(error)}", cure, passing=True) from error


def _one_line(error: Exception) -> str:
    """An error in one line, without the query strings of URLs: they may hold signatures."""
    text = re.sub(r"\?\S+", "", " ".join(str(error).split()))[:300]
    return text or type(error).__name__

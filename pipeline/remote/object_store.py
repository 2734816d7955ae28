"""An object store through fsspec. Objects are whole or not there; every failure of a store is a StoreError.

fsspec is imported when the first store is opened. Credentials and endpoints are the business of its libraries and their environment.
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import StoreError
from pipeline.install_hint import install_hint

EXTRAS = {"s3": "stores", "gs": "gs", "az": "az", "abfs": "az", "abfss": "az", "memory": "stores"}
"""Which extra of ours brings what a kind of store needs."""
_ETAGS = ("ETag", "etag", "md5Hash", "generation", "created")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
_NANO = 1_000_000_000


class GoneError(Exception):
    """The object is not there, or no longer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as it was listed.

    ``stamp`` changes whenever its contents may have: the second of its last change times 10^9, and below that 10^9 values of a hash of
    its ETag. It stands where a file has its time in nanoseconds.
    """

    url: str
    size: int
    stamp: int

    def same_contents(self, other: Entry) -> bool:
        """Whether both have the same size and the same ETag, whenever they were put."""
        return (self.size, self.stamp % _NANO) == (other.size, other.stamp % _NANO)


class Store:
    """The objects of one kind of store, by URL. May be used by several threads.

    All methods raise StoreError where the store refuses, cannot be reached or does not have the bucket.
    """

    def __init__(self, filesystem: Any, scheme: str) -> None:
        self._fs, self._scheme = filesystem, scheme

    def entries(self, url: str) -> Iterator[Entry]:
        """All objects below ``url``; of S3 a thousand at a time, so that memory does not grow with their number."""
        bucket, _, prefix = url.split("://")[1].partition("/")
        with _telling(url):
            if self._scheme == "s3":
                for page in self._s3_pages(bucket, f"{prefix}/" if prefix else ""):
                    for item in page:
                        yield _entry(f"{self._scheme}://{bucket}/{item['Key']}", item["Size"], item)
                return
            try:
                found: dict[str, Any] = self._fs.find(url, detail=True)
            except FileNotFoundError:
                if not self._fs.exists(url.removesuffix(f"/{prefix}")):
                    raise
                found = {}
            root = self._fs._strip_protocol(url)
            for name in sorted(found):
                info = found.pop(name)
                if info["type"] == "file":
                    yield _entry(f"{url}/{name[len(root) + 1 :]}", info["size"], info)

    def _s3_pages(self, bucket: str, prefix: str) -> Iterator[list[dict[str, Any]]]:
        more: dict[str, str] = {}
        while True:
            page = self._fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
            yield page.get("Contents", [])
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def look(self, url: str) -> Entry | None:
        """One object; None when it is not there."""
        with _telling(url):
            try:
                info = self._fs.info(url)
            except FileNotFoundError:
                return None
        return _entry(url, info["size"], info) if info["type"] == "file" else None

    def fetch(self, entry: Entry, path: Path) -> None:
        """The object's contents as a file. Raises GoneError when it is not there as it was listed, OSError when the disk is full."""
        with _telling(entry.url, local=True):
            try:
                self._fs.get_file(entry.url, str(path))
            except FileNotFoundError as error:
                raise GoneError(entry.url) from error
        if self.look(entry.url) != entry or path.stat().st_size != entry.size:
            raise GoneError(entry.url)

    def read(self, url: str) -> bytes | None:
        """A small object's contents; None when it is not there."""
        with _telling(url):
            try:
                return bytes(self._fs.cat_file(url))
            except FileNotFoundError:
                return None

    def write(self, url: str, content: bytes, *, new: bool = False) -> bool:
        """Put an object. ``new``: only where none is; returns whether it was put."""
        with _telling(url):
            try:
                self._fs.pipe_file(url, content, **({"mode": "create"} if new else {}))
            except FileExistsError:
                return False
            except OSError as error:
                if new and _is_precondition(error):
                    return False
                raise
        return True

    def put(self, url: str, path: Path) -> None:
        """Put a file as an object. Raises OSError where the file cannot be read."""
        with path.open("rb"):  # what is wrong with the file is not the store's fault
            pass
        with _telling(url):
            self._fs.put_file(str(path), url)

    def copy(self, url: str, to: str) -> None:
        """Copy an object within the store. Raises GoneError."""
        with _telling(url):
            try:
                self._fs.cp_file(url, to)
            except FileNotFoundError as error:
                raise GoneError(url) from error

    def remove(self, url: str) -> None:
        """Delete an object, if it is there."""
        with _telling(url):
            try:
                self._fs.rm_file(url)
            except FileNotFoundError:
                return


def open_store(url: str) -> Store:
    """The store that a URL points into. Raises StoreError when its package is not installed."""
    scheme, rest = url.split("://")
    return _open(scheme, rest.partition("/")[0])


@lru_cache(maxsize=8)
def _open(scheme: str, bucket: str) -> Store:
    url = f"{scheme}://{bucket}"
    try:
        from fsspec.core import url_to_fs

        with _telling(url):
            return Store(url_to_fs(url, use_listings_cache=False)[0], scheme)
    except ImportError as error:
        raise StoreError(f"{scheme}:// needs a package that is not here: {error}", install_hint(EXTRAS[scheme])) from error


def _entry(url: str, size: int, info: Mapping[str, Any]) -> Entry:
    etag = next((str(info[key]) for key in _ETAGS if info.get(key)), "")
    when = next((info[key] for key in _TIMES if info.get(key)), 0)
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    seconds = int(when.timestamp() if isinstance(when, datetime) else when)
    below = int.from_bytes(hashlib.sha256(etag.encode()).digest()[:8]) % _NANO
    return Entry(url, int(size), seconds * _NANO + below)


def _is_precondition(error: Exception) -> bool:
    return "precondition" in str(error).lower().replace("-", "") or "412" in str(error)


@contextmanager
def _telling(url: str, *, local: bool = False) -> Iterator[None]:
    """Whatever a store's library raises becomes a StoreError; ``local``: trouble with a file of ours stays what it is."""
    try:
        yield
    except (StoreError, GoneError, ImportError, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except FileNotFoundError as error:
        raise StoreError(f"{url}: there is no such bucket", "make it, or correct the URL") from error
    except PermissionError as error:
        raise StoreError(
            f"{url}: access denied: {_plain(error)}", "check the credentials and what they allow (docs/stores.md)"
        ) from error
    except Exception as error:  # every library has errors of its own
        if local and isinstance(error, OSError) and (error.filename or error.errno in (errno.ENOSPC, errno.EDQUOT)):
            raise
        if "credential" in f"{type(error).__name__} {error}".lower():
            raise StoreError(f"{url}: {_plain(error)}", "set the credentials in the environment (docs/stores.md)") from error
        cure = "check the network and the store; nothing is lost, run again"
        raise StoreError(f"{url}: {_plain(error)}", cure, passing=True) from error


def _plain(error: Exception) -> str:
    """An error in one line, without what stands behind a question mark in addresses: there may be signatures."""
    told = re.sub(r"\?\S+", "", " ".join(str(error).split()))[:300]
    return told or type(error).__name__

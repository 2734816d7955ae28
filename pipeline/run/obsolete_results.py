"""Removes result files of documents that have another name now, or that were forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

from pipeline.errors import OutboxError, StoreError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.moved_files import clear_obsolete, obsolete_results
from pipeline.name_keys import name_key
from pipeline.publish.own_files import DISK_ERRORS
from pipeline.publish.result_files import keep_changed_result
from pipeline.remote.mirror import Mirror
from pipeline.runtime.file_system import sync_folder
from pipeline.safe_open import open_file

NO_COPIES: Mapping[str, Path] = MappingProxyType({})
_CHUNK = 1 << 20


def remove_obsolete_results(
    ledger: Ledger,
    outbox: Path,
    mirror: Mirror | None,
    warn: Callable[[str], None],
    copies: Mapping[str, Path] = NO_COPIES,
) -> None:
    """Remove the files and the folders that are empty then, also from a store. What cannot be removed now waits for the next run.

    A name that a document has again keeps its file. What somebody else has changed gets another name, unless the file of its name in
    ``copies`` has the same bytes. ``warn`` gets a line about that, and about files that stay. No publication may be pending. Raises
    OutboxError for a fault of the disk.
    """
    names = obsolete_results(ledger)
    if not names:
        return
    removable = [name for name in names if not ((record := ledger.file_by_name(name)) and record.published_sha256)]
    published = {name_key(name): name for name in ledger.published_names()} if removable else {}
    left = set()
    for name in removable:
        path = outbox / f"{name}.json"
        try:
            if _is_one_file(outbox, name, published.get(name_key(name))):
                continue
            is_copied = name in copies and _have_equal_bytes(path, copies[name])
            if is_copied or not keep_changed_result(path, warn):
                path.unlink(missing_ok=True)
        except (IsADirectoryError, NotADirectoryError):
            continue  # something else is there now
        except (OSError, OutboxError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if isinstance(cause, OSError) and cause.errno in DISK_ERRORS:
                raise OutboxError(
                    f"{path}: an old result cannot be removed: {cause}", "check the disk, then run again"
                ) from error
            if path.is_dir():  # another system's number for that
                continue
            left.add(name)
    if left:
        warn(f"{min(left)}.json: an old result cannot be removed{_and_more(left)}; the next run tries again")
    try:
        folders = {_remove_empty_folders((outbox / name).parent, outbox) for name in removable}
        for folder in folders:
            if folder.is_dir():  # else it became empty after this one was looked at
                sync_folder(folder)
    except OSError as error:
        if error.errno in DISK_ERRORS:
            raise OutboxError(f"{outbox}: cannot be synced: {error}", "check the disk, then run again") from error
        return
    if mirror:
        try:
            mirror.remove_files([f"{name}.json" for name in removable])
        except StoreError as error:
            warn(f"{error.message}; old results stay in the store until the next run")
            return
    clear_obsolete(ledger, [name for name in names if name not in left])


def _have_equal_bytes(path: Path, copy: Path) -> bool:
    """Whether a file and its copy have the same contents. False where one of them cannot be read."""
    try:
        with (
            open_file(Path(os.path.realpath(path.parent)) / path.name) as one,
            open_file(Path(os.path.realpath(copy))) as other,
        ):
            chunks = zip_longest(iter(lambda: one.read(_CHUNK), b""), iter(lambda: other.read(_CHUNK), b""))
            return all(left == right for left, right in chunks)
    except OSError:
        return False


def _is_one_file(outbox: Path, name: str, other: str | None) -> bool:
    """Whether two results are one file, because the file system ignores case or the spelling of accents.

    Ledgers of older versions may have two documents of such names.
    """
    if other is None:
        return False
    try:
        one, two = (outbox / f"{name}.json").lstat(), (outbox / f"{other}.json").lstat()
    except OSError:
        return False
    return (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino)


def _and_more(names: set[str]) -> str:
    return f", and {len(names) - 1:,} more" if len(names) > 1 else ""


def _remove_empty_folders(folder: Path, outbox: Path) -> Path:
    """Remove a folder that is empty, and those around it that are empty then. Returns the first one that stays."""
    while folder != outbox:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:  # not empty
            return folder
        folder = folder.parent
    return outbox

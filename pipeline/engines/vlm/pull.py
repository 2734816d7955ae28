"""Downloads a model from the hub: checks the disk, downloads missing files, verifies every byte.

After a crash, downloads of huggingface_hub start again; these continue. A file grows as ``blobs/HASH.incomplete``. It is renamed to
``blobs/HASH`` once its hash is right, and then linked into the snapshot, so that other tools see only complete files.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rich.filesize import decimal

from pipeline.engines.vlm import hub, model_files
from pipeline.engines.vlm.hub import ModelListing, RemoteFile
from pipeline.engines.vlm.hub_errors import PullError, translated_errors
from pipeline.engines.vlm.model_check import has_hash
from pipeline.engines.vlm.model_store import LocalModel, cache_folder, find_model
from pipeline.errors import PipelineError

RESERVED_DISK_BYTES = 100_000_000
"""Bytes that stay free for other programs."""


class DownloadProgress(Protocol):
    """Receives the progress of a download."""

    def stage(self, text: str) -> None:
        """A new stage begins."""

    def advance(self, count: int) -> None:
        """So many bytes more were downloaded; a negative number when a download starts again."""


def missing_files(listing: ModelListing) -> list[RemoteFile]:
    """Files that are absent or have the wrong size."""
    return [file for file in listing.files if _size(listing.folder / file.name) != file.size]


def remaining_bytes(listing: ModelListing) -> int:
    """Bytes to download, without those that interrupted downloads left."""
    return sum(max(file.size - _local_bytes(listing, file), 0) for file in missing_files(listing))


def check_before_download(listing: ModelListing) -> None:
    """Raises PipelineError for a model that needs its own Python code or does not fit on the disk, before large files are downloaded."""
    needed = remaining_bytes(listing) + RESERVED_DISK_BYTES
    config = next(remote for remote in listing.files if remote.name == "config.json")
    with translated_errors(listing.name, listing.revision):
        buffer = io.BytesIO()
        hub.download_into(listing, config, buffer, lambda _: None)
        if reason := model_files.custom_code_reason(json.loads(buffer.getvalue())):
            raise PipelineError(f"{listing.name} is refused: {reason}", "choose a model that transformers knows by itself")
    free = shutil.disk_usage(next(parent for parent in (listing.home, *listing.home.parents) if parent.exists())).free
    if free < needed:
        needs = f"{decimal(remaining_bytes(listing))} to download and {decimal(RESERVED_DISK_BYTES)} to spare"
        amounts = f"{needs}, but only {decimal(free)} free"
        raise PullError(
            f"not enough disk for {listing.name} in {cache_folder()}: {amounts}", "free some, or set HF_HOME to another disk"
        )


def download(listing: ModelListing, progress: DownloadProgress) -> LocalModel:
    """Download missing files, verify all, link them. Can be interrupted at any moment and called again."""
    with translated_errors(listing.name, listing.revision):
        listing.folder.mkdir(parents=True, exist_ok=True)
        for remote in listing.files:
            _download_file(listing, remote, progress)
        write_ref(listing)
    return find_model(listing.name, listing.commit)


def write_ref(listing: ModelListing) -> None:
    """Write the commit of the branch or tag into ``refs``, once that commit is complete."""
    ref = listing.home / "refs" / listing.revision
    if listing.revision != listing.commit and (not ref.exists() or ref.read_text(encoding="ascii") != listing.commit):
        ref.parent.mkdir(parents=True, exist_ok=True)
        new = ref.with_name(f"{ref.name}.{os.getpid()}.tmp")
        new.write_text(listing.commit, encoding="ascii")
        new.replace(ref)


def _download_file(listing: ModelListing, remote: RemoteFile, progress: DownloadProgress) -> None:
    blob, place = listing.home / "blobs" / remote.hash, listing.folder / remote.name
    blob.parent.mkdir(exist_ok=True)
    with _locked(listing, remote, progress):
        for path in (blob, place):
            if path.is_file():
                progress.stage(f"checking {remote.name}")
                if has_hash(path, remote.hash):
                    return _link(path, place)
                path.unlink()
        progress.stage(remote.name)
        partial = blob.with_name(f"{blob.name}.incomplete")
        if (_size(partial) or 0) > remote.size:
            partial.unlink()
        with partial.open("ab") as file:
            hub.download_into(listing, remote, file, progress.advance)
            file.flush()
            os.fsync(file.fileno())
        progress.stage(f"checking {remote.name}")
        if not has_hash(partial, remote.hash):
            partial.unlink()
            message = f"{remote.name} of {listing.name} arrived damaged (its hash differs from the hub's) and was deleted"
            raise PullError(
                message, f"run `pipeline models pull {listing.name}` again: only this file and those after it are downloaded"
            )
        partial.replace(blob)
        return _link(blob, place)


def _link(blob: Path, place: Path) -> None:
    """Link a verified blob into the snapshot. Where the disk supports no links, move the file there."""
    if blob == place:
        return
    place.unlink(missing_ok=True)
    try:
        place.symlink_to(os.path.relpath(blob, place.parent))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        blob.replace(place)


@contextmanager
def _locked(listing: ModelListing, remote: RemoteFile, progress: DownloadProgress) -> Iterator[None]:
    """A context with the lock that the Hugging Face libraries use for this file, so that one program at a time downloads it."""
    from filelock import FileLock, Timeout

    path = cache_folder() / ".locks" / listing.home.name / f"{remote.hash}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.stage(f"waiting for another program that downloads {remote.name}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _local_bytes(listing: ModelListing, remote: RemoteFile) -> int:
    blob = listing.home / "blobs" / remote.hash
    return _size(blob) or _size(blob.with_name(f"{blob.name}.incomplete")) or 0


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None

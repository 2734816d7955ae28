"""Removes result files of documents that have another name now, or that were forgotten."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import OutboxError, StoreError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.moved_files import clear_obsolete, obsolete_results
from pipeline.remote.mirror import Mirror
from pipeline.runtime.file_system import sync_folder


def remove_obsolete_results(ledger: Ledger, outbox: Path, mirror: Mirror | None) -> None:
    """Remove the files and the folders that are empty then, also from a store; what cannot be removed there waits for the next run.

    A name that a document has again keeps its file. No publication may be pending. Raises OutboxError.
    """
    names = obsolete_results(ledger)
    if not names:
        return
    removable = [name for name in names if not ((record := ledger.file_by_name(name)) and record.published_sha256)]
    kept = set()
    try:
        for name in removable:
            path = outbox / f"{name}.json"
            try:
                path.unlink(missing_ok=True)
            except (IsADirectoryError, NotADirectoryError):
                continue  # something else is there now
            except PermissionError:
                if path.is_dir():  # another system's number for that
                    continue
                if path.parent == outbox:
                    raise
                kept.add(name)  # until the next run
        folders = {_remove_empty_folders((outbox / name).parent, outbox) for name in removable}
        for folder in folders:
            if folder.is_dir():  # else it became empty after this one was looked at
                sync_folder(folder)
    except OSError as error:
        raise OutboxError(f"{outbox}: an old result cannot be removed: {error}", "check that you may write there") from error
    if mirror:
        try:
            mirror.remove_files([f"{name}.json" for name in removable])
        except StoreError as error:
            mirror.on_warning(f"{error.message}; old results stay in the store until the next run")
            return
    clear_obsolete(ledger, [name for name in names if name not in kept])


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

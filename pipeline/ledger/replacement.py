"""Puts a whole ledger in the place of the present one, so that a crash at any instant leaves no half ledger that is trusted.

SQLite applies a write-ahead log to the file beside it by name alone. So no process may open a ledger between the removal of an old log and
the arrival of the new file: ``opening`` and ``replacing`` exclude each other. While a ledger is made anew, a mark on the disk keeps all
processes from opening what is at its place, also after a crash.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import LedgerError
from pipeline.runtime.file_system import sync_folder

LEDGER_FILE = "ledger.sqlite"
REBUILT_FILE = "rebuilt.sqlite"
"""The new ledger until it is whole."""
MARK_FILE = "rebuilding"
"""A file that exists from before the damaged ledger is moved away until the new one is at its place. It holds why, and where to."""
GATE_FILE = "opening"
"""The file whose lock (flock) processes share that are opening the ledger, and that a replacement holds alone."""
ENDINGS = ("", "-wal", "-shm")


def has_ledger(folder: Path) -> bool:
    """Whether a state folder holds a ledger, or one that is being made anew."""
    return (folder / LEDGER_FILE).is_file() or (folder / MARK_FILE).exists()


@contextmanager
def opening(folder: Path) -> Iterator[None]:
    """Hold this until SQLite has opened the ledger and its log. Raises LedgerError while the ledger is being made anew."""
    with _gate(folder, fcntl.LOCK_SH):
        if (folder / MARK_FILE).exists():
            raise LedgerError(
                f"{folder / LEDGER_FILE}: is being made anew from the outbox",
                "wait until the run has done that; without a run at work, `pipeline run` goes on with it",
            )
        yield


@contextmanager
def replacing(folder: Path) -> Iterator[None]:
    """No process opens the ledger in the meantime. Processes that have opened it keep the old files."""
    with _gate(folder, fcntl.LOCK_EX):
        yield


def put_ledger(folder: Path, new: Path) -> None:
    """Replace the ledger by ``new``, a whole and synced file in the same folder. Raises OSError."""
    with replacing(folder):
        for ending in reversed(ENDINGS):  # the file last: a log without it is nothing
            (folder / f"{LEDGER_FILE}{ending}").unlink(missing_ok=True)
        new.replace(folder / LEDGER_FILE)
        sync_folder(folder)


def begin_rebuilding(folder: Path, reason: str, set_aside: Path) -> tuple[str, Path]:
    """Mark the ledger as incomplete and move its files to the folder ``set_aside``. Returns the reason and the folder.

    Where a run that died has begun already, these are its reason and its folder; what that run has not moved yet is moved.
    Raises OSError.
    """
    with replacing(folder):
        mark = folder / MARK_FILE
        if begun := rebuilding_begun(folder):
            reason, set_aside = begun
        else:
            _write_synced(mark, f"{set_aside.name}\n{reason}\n")
        set_aside.mkdir(exist_ok=True)
        for ending in ENDINGS:
            path = folder / f"{LEDGER_FILE}{ending}"
            if not path.exists():
                continue
            path.rename(_free_path(set_aside / path.name))
        remove_unfinished(folder)
        sync_folder(set_aside)
        sync_folder(folder)
    return reason, set_aside


def rebuilding_begun(folder: Path) -> tuple[str, Path] | None:
    """The reason and the folder of a rebuilding that has begun and not ended; None when there is none."""
    try:
        name, _, reason = (folder / MARK_FILE).read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        return None
    return reason.strip() or "the last run died while it was made anew", folder / (name or "damaged")


def end_rebuilding(folder: Path) -> None:
    """Put the rebuilt ledger, which is closed, at its place and remove the mark. Raises OSError."""
    new = folder / REBUILT_FILE
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    put_ledger(folder, new)
    (folder / MARK_FILE).unlink()
    sync_folder(folder)


def remove_unfinished(folder: Path) -> None:
    """Remove what a run that died has left of a rebuilt ledger."""
    for ending in ENDINGS:
        (folder / f"{REBUILT_FILE}{ending}").unlink(missing_ok=True)


def _free_path(path: Path) -> Path:
    """``path``, or the first ``path.2``, ``path.3`` … that is free: a run that died may have moved a file there."""
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}.{number}")
    return candidate


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", errors="replace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


@contextmanager
def _gate(folder: Path, how: int) -> Iterator[None]:
    """Hold the lock of GATE_FILE. Where it cannot be made (a folder that is only readable), no run can replace the ledger either."""
    descriptor = -1
    try:
        try:
            descriptor = os.open(folder / GATE_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, how)
        except OSError:
            if how == fcntl.LOCK_EX:
                raise
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)

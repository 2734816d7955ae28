"""What an archive does with files, for folders of this machine and for an object store alike."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

from pipeline.intake.scan import REASON_ENDING, InboxFile
from pipeline.ledger.removal_records import Removal, RemovalPlace
from pipeline.run.file_removal import shortened

Outcome = Literal["done", "undone", "copied", "in doubt"]
"""What came of a removal that a crash interrupted: it is done; its file stays where it was; its file is whole where it is moved to, and
may still be where it was, too, because that folder is not there now; or nothing can be said now, because the folders are not there."""


class ArchiveFolders(Protocol):
    """The folders for finished and for failed files. All methods raise OSError, or StoreError for an object store."""

    def plan(self, file: InboxFile, sha256: str, place: RemovalPlace) -> Removal | None:
        """The removal of a file that was read, to a path that is free; None for one that stays. Raises KeptFileError when it changed."""
        ...

    def remove(self, removal: Removal) -> None:
        """Move or delete the file of a recorded removal. Raises KeptFileError; after any error but ClaimLeftError the file stays."""
        ...

    def sync(self) -> None:
        """Bring the removals since the last call to the disk."""
        ...

    def resolve(self, removal: Removal, *, may_delete: bool = True) -> Outcome:
        """Finish a removal that a crash interrupted, or undo it. Without ``may_delete``, no file is deleted that was not moved.

        Raises ClaimLeftError.
        """
        ...

    def failed_path(self, relative: str) -> Path:
        """The path in the folder of failed files for a path in the inbox."""
        ...

    def was_taken_out(self, path: Path, other: Path | None) -> bool:
        """Whether a failed file is no longer at its path.

        With ``other``, a file of the inbox with that name and other contents, it must also be certain that the folder is there.
        """
        ...

    def has_reason(self, path: Path) -> bool:
        """Whether the reason of a failed file lies beside this file: both were taken out of the folder of failed files."""
        ...

    def write_reason(self, path: Path, reason: str, document: Path) -> None:
        """Write the reason beside the path of a failed file, which is at ``document`` now. The reason is no more readable than the file."""
        ...

    def remove_reason(self, path: Path) -> None:
        """Delete the reason beside a failed file."""
        ...


def reason_path(path: Path) -> Path:
    """The file that says why the file at ``path`` failed."""
    return path.with_name(shortened(path.name) + REASON_ENDING)

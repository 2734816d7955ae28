"""Gives files their names back that a crash has left hidden, and of which the ledger knows nothing.

A file has a hidden name (its claim) while it is moved or deleted. The ledger has the claim before that, so that the next start finishes the
removal. When the ledger was lost, rebuilt or replaced by an older copy, no removal names the claim, and no scan lists a hidden file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.intake.folder_walk import walk_files
from pipeline.intake.scan import relative_path
from pipeline.run.file_removal import ClaimLeftError, claimed_path, give_back
from pipeline.run.job import Job


def give_back_lost_claims(job: Job, warn: Callable[[str], None]) -> None:
    """Rename the claims in the inbox and among the failed files that no open removal names; ``warn`` gets a line about each.

    A file of the same name stays; the claimed one then gets a number. Where several programs share an inbox (shards), each looks after its
    own files.
    """
    if job.objects:
        return
    claims = {removal.claim for removal in job.ledger.open_removals()}
    root, failed = job.inbox.root, job.settings.failed_folder.resolve()
    for folder in dict.fromkeys((root, failed)):
        for claim, path in list(_claims(job, folder)):
            if claim in claims or not job.inbox.is_in_shard(relative_path(path, folder)):
                continue
            shown = relative_path(path, folder)
            try:
                given = give_back(claim, path)
            except ClaimLeftError as error:
                warn(f"{shown}: cannot be given its name back: {error.strerror}; rename it, and it is read")
                continue
            what = "has its name again" if given == path else f"has the name {given.name} now"
            warn(f"{shown}: was hidden when a run was killed, and the ledger does not know it; it {what}")


def _claims(job: Job, folder: Path) -> Iterator[tuple[Path, Path]]:
    """The claims below a folder, and the path that each had before, without those in the program's own folders."""
    own_paths, own_numbers, inbox = set(map(str, job.inbox.own_folders_inside())), job.inbox.own_numbers(), job.inbox.root

    def is_passed_over(path: str, is_folder: bool) -> bool:
        if is_folder:
            return job.inbox.ignored.ignores(relative_path(path, folder), is_folder=True)
        return claimed_path(Path(path)) is None

    def is_own(path: str, status: os.stat_result) -> bool:
        return folder == inbox and (path in own_paths or (status.st_dev, status.st_ino) in own_numbers)

    for path, _ in walk_files(folder, is_passed_over, is_own, lambda *_: None):
        if before := claimed_path(Path(path)):
            yield Path(path), before

"""Verifies the hashes of cached models, and removes models from the cache. Offline.

The cache names every blob by its hash: 64 hexadecimal digits are the SHA-256 of a large file, 40 digits git's SHA-1 of a small one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.engines.vlm.model_files import missing
from pipeline.engines.vlm.model_store import cache_folder, repository_folder, require_packages
from pipeline.errors import PipelineError

CHUNK = 1 << 20
DIGITS = (40, 64)
State = Literal["good", "damaged", "missing", "unknown"]
BAD_STATES: tuple[State, ...] = ("damaged", "missing")


@dataclass(frozen=True, slots=True)
class FileCheck:
    """The state of one file of a model.

    ``unknown``: the cache has no hash of it, because the disk supports no links or another tool wrote the file.
    """

    revision: str
    file: str
    state: State


def has_hash(path: Path, hexadecimal: str) -> bool:
    """Whether a file has this SHA-256, or this SHA-1 as a git blob."""
    digest = hashlib.sha256() if len(hexadecimal) == 64 else hashlib.sha1(usedforsecurity=False)
    if len(hexadecimal) == 40:
        digest.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == hexadecimal


def verify(name: str) -> Iterator[FileCheck]:
    """Hash every file of every revision of a model in the cache. Damaged files are deleted, so that ``pull`` downloads them again.

    The link of a deleted file stays and leads nowhere, by which the model counts as incomplete.
    """
    hashed: dict[Path, bool] = {}
    for folder in sorted(path for path in (repository_folder(name) / "snapshots").glob("*") if path.is_dir()):
        names = set()
        for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
            names.add(path.name)
            yield FileCheck(folder.name, path.relative_to(folder).as_posix(), _state(path, hashed))
        for lack in missing(folder):
            if lack not in names:
                yield FileCheck(folder.name, lack, "missing")


def size_on_disk(name: str) -> int:
    """Bytes that a model takes in the cache, including interrupted downloads; 0 when it is absent."""
    paths = (path for path in repository_folder(name).rglob("*") if not path.is_symlink() or path.parent.name == "blobs")
    return sum(path.stat().st_size for path in paths if path.is_file())


def remove(name: str) -> None:
    """Delete a model from the cache: all revisions and interrupted downloads.

    Raises PipelineError when a file cannot be deleted.
    """
    require_packages("huggingface_hub")
    from huggingface_hub import DeleteCacheStrategy

    home = repository_folder(name)
    none: frozenset[Path] = frozenset()
    # The library keeps blobs that several models share.
    DeleteCacheStrategy(
        blobs=none, refs=none, repos=frozenset({home}), snapshots=none, expected_freed_size=0, cache_dir=cache_folder()
    ).execute()
    shutil.rmtree(cache_folder() / ".locks" / home.name, ignore_errors=True)
    if home.exists():
        raise PipelineError(f"{home} cannot be deleted", "check who owns it")


def _state(path: Path, hashed: dict[Path, bool]) -> State:
    blob = path.parent / path.readlink() if path.is_symlink() else path
    if blob in hashed or (path.exists() and path.is_symlink() and len(blob.name) in DIGITS):
        if hashed.setdefault(blob, path.exists() and has_hash(blob, blob.name)):
            return "good"
        blob.resolve().unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        return "damaged"
    return "unknown" if path.exists() else "missing"

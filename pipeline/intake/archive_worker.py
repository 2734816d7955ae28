"""Opens archives in a process of its own, so that what a stranger has packed cannot take this one's memory or time.

The dictionary of an LZMA stream alone may take four gigabytes. The process may take ``MEMORY_MB``, and ``SECONDS`` for one member; the
members come out as files, as ``containers`` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from pipeline.errors import DocumentError, OutboxError
from pipeline.intake.archive_handler import HANDLER
from pipeline.intake.containers import MemberStream, SkippedMember, UnpackedMember, may_be_archive
from pipeline.runtime.worker_pool import WorkerPool

MEMORY_MB = 512
"""Address space of the process. Dictionaries up to 256 MB fit in; those of ``xz -9`` have 64."""
SECONDS = 900.0
"""Time to unpack one member."""
_NO_LIMIT = 1 << 62


class ArchiveWorker:
    """Opens one archive at a time. A context manager; the process starts with the first archive."""

    def __init__(self, *, memory_mb: int = MEMORY_MB, seconds: float = SECONDS) -> None:
        self._pool = WorkerPool(HANDLER, size=1, seconds=seconds, memory_mb=memory_mb, calls_per_worker=_NO_LIMIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def is_archive(self, path: Path) -> bool:
        """Whether the contents of ``path`` are an archive, also one that cannot be opened."""
        if not may_be_archive(path):
            return False
        try:
            return bool(self._ask(is_archive=str(path.absolute()))["is_archive"])
        except DocumentError:  # unpacking it says why
            return True

    def unpack(
        self, archive: Path, into: Path, *, max_bytes: int, needed: Iterable[str] | None = None, ignore: Iterable[str] = ()
    ) -> MemberStream:
        """See ``containers.unpack``. ``needed`` are the names of the files to unpack; None unpacks all. ``ignore`` are patterns of names.

        A process that was killed or took too much ends the archive with a SkippedMember. Raises OutboxError when the disk is full.
        """
        try:
            places = {"archive": str(archive.absolute()), "into": str(into.absolute())}  # the process is in another folder
            self._ask(**places, max_bytes=max_bytes, needed=needed and sorted(needed), ignore=[*ignore])
            while "end" not in (answer := self._ask()):
                if "disk" in answer:
                    raise OutboxError(*answer["disk"])
                if "unpacked" in answer:
                    yield UnpackedMember(**answer["unpacked"] | {"path": Path(answer["unpacked"]["path"])})
                else:
                    yield SkippedMember(**answer["skipped"])
        except DocumentError as error:
            yield SkippedMember("", f"cannot be unpacked: {_limit(error)}; the rest is not read", True)

    def _ask(self, **request: Any) -> dict[str, Any]:
        """The worker's answer. Raises DocumentError when it has none."""
        reply = self._pool.call(json.dumps(request).encode())
        if reply.error:
            raise reply.error
        answer = json.loads(reply.parts[0])
        return answer if isinstance(answer, dict) else {}


def _limit(error: DocumentError) -> str:
    """Which limit was reached, in words."""
    if error.reason == "timeout":
        return "one file in it takes too long to unpack"
    return "it needs more memory than an archive may" if error.reason == "too_large" else error.detail

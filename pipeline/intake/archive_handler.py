"""What the process that opens archives does: it says whether a file is an archive, and unpacks one member at each request.

It runs in a ``WorkerPool`` of one process (see ``archive_worker``), which has a limit of memory and can be killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import OutboxError
from pipeline.ignored_names import IgnoredNames
from pipeline.intake.containers import SkippedMember, UnpackedMember, is_archive, unpack

HANDLER = f"{__name__}:handle"
_members: Iterator[UnpackedMember | SkippedMember] = iter(())
"""The rest of the archive that is open."""


def handle(message: bytes) -> list[bytes]:
    """Answer one request, a JSON object as bytes, with one JSON object."""
    request = json.loads(message)
    return [json.dumps(_answer(request)).encode()]


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    global _members
    if "is_archive" in request:
        return {"is_archive": is_archive(Path(request["is_archive"]))}
    if "archive" in request:
        needed = None if request["needed"] is None else set(request["needed"])
        _members = unpack(
            Path(request["archive"]),
            Path(request["into"]),
            max_bytes=request["max_bytes"],
            is_needed=lambda path: needed is None or path.name in needed,
            ignored=IgnoredNames(tuple(request["ignore"])),
        )
        return {}
    try:
        member = next(_members, None)
    except OutboxError as error:
        return {"disk": [error.message, error.cure]}
    if isinstance(member, UnpackedMember):
        return {"unpacked": asdict(member) | {"path": str(member.path)}}
    return {"skipped": asdict(member)} if member else {"end": True}

"""What the process that opens containers does: it says what a file is, and gives the next items of a container at each request.

It runs in a ``WorkerPool`` of one process (see ``container_worker``), which has a limit of memory and can be killed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import OutboxError
from pipeline.ignored_names import IgnoredNames
from pipeline.intake.container_items import ClosedContainer, Item, OpenedContainer, SkippedMember, UnpackedMember
from pipeline.intake.container_kinds import wrapper_kind
from pipeline.intake.container_readers import UNPACK_ERRORS
from pipeline.intake.container_walk import Resumption
from pipeline.intake.containers import is_archive, unpack

BATCH_ITEMS, BATCH_BYTES = 16, 16_000_000
"""Items of an answer, and bytes of the parts among them: on a busy machine each request waits for its turn at the processor."""
HANDLER = f"{__name__}:handle"
STEP_FILE = "step"
"""A file among the unpacked ones with the number of the step that the process is at: after its death, that step killed it."""
ITEM_TYPES = {kind.__name__: kind for kind in (UnpackedMember, SkippedMember, OpenedContainer, ClosedContainer)}
_items: Iterator[Item] = iter(())
"""The rest of the container that is open."""


def handle(message: bytes) -> list[bytes]:
    """Answer one request, a JSON object as bytes, with one JSON object."""
    return [json.dumps(_answer(json.loads(message))).encode()]


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if "is_archive" in request:
        return {"is_archive": is_archive(Path(request["is_archive"]))}
    if "archive" in request:
        return _open(request)
    answer: dict[str, Any] = {"items": []}
    room = BATCH_BYTES
    try:
        while len(answer["items"]) < BATCH_ITEMS and room > 0:
            item = next(_items, None)
            if item is None:
                return answer | {"end": True}
            answer["items"].append(_encoded(item))
            room -= item.size if isinstance(item, UnpackedMember) else 0
    except OutboxError as error:
        return answer | {"disk": [error.message, error.cure]}
    return answer


def _encoded(item: Item) -> dict[str, Any]:
    """An item as JSON can hold it."""
    fields = asdict(item)
    if fields.get("path") is not None:
        fields["path"] = str(fields["path"])
    return {"item": type(item).__name__, **fields}


def _open(request: dict[str, Any]) -> dict[str, Any]:
    """Begin with a container. Answers with its kind; an empty one where the file is none."""
    global _items
    _items = iter(())
    archive, into, kind = Path(request["archive"]), Path(request["into"]), request["host"]
    if not kind:
        try:
            kind = wrapper_kind(archive)
        except UNPACK_ERRORS:
            kind = "damaged"
    if not kind:
        return {"kind": ""}
    needed = None if request["needed"] is None else set(request["needed"])
    fatal = request["fatal"]
    _items = unpack(
        archive,
        into,
        max_bytes=request["max_bytes"],
        name=request["name"],
        host=request["host"],
        is_needed=lambda path: needed is None or path.name in needed,
        ignored=IgnoredNames(tuple(request["ignore"])),
        passwords=request["passwords"],
        own_passwords=request["own_passwords"],
        resumption=Resumption(
            request["items"], tuple(step for step, *_ in fatal), tuple((code, why) for _, code, why in fatal)
        ),
        on_step=lambda step: _write_step(into, step),
    )
    return {"kind": kind}


def _write_step(into: Path, step: int) -> None:
    with suppress(OSError):  # a full disk is reported where a part is written
        descriptor = os.open(into / STEP_FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.pwrite(descriptor, b"%020d" % step, 0)
        os.close(descriptor)


def last_step(into: Path) -> int:
    """The step at which the process was; 0 where that is not known."""
    try:
        return int((into / STEP_FILE).read_bytes()[:20])
    except (OSError, ValueError):
        return 0

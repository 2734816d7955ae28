"""The checksum in a result file, by which the program knows its own results, also after a crash or without a ledger.

It is the last value of the file: the SHA-256 of all bytes before it. Results of older versions have none.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any

RESULT_KEYS = frozenset({"document", "status", "results", "pages", "provenance"})
"""Keys that every result has."""
NO_CHECKSUM = "0" * 64
"""Stands in the text of a result before its checksum is known."""
_LABEL, _END = b'"checksum": "', b'"\n }\n}\n'
_CHUNK = 1 << 20
_COPY = re.compile(r" \(changed [^()/]*\)\.\w+$")


def with_checksum(content: bytes) -> bytes:
    """A result with its checksum in the place of NO_CHECKSUM, where it ends. Raises ValueError where it does not."""
    before = content.removesuffix(NO_CHECKSUM.encode() + _END)
    if before == content or not before.endswith(_LABEL):
        raise ValueError("the text of a result ends with its checksum")
    return before + hashlib.sha256(before).hexdigest().encode() + _END


def is_intact(file: int) -> bool | None:
    """Whether an open result has the contents that its checksum says; None for a file that does not end with a checksum."""
    size = os.fstat(file).st_size
    length = len(_LABEL) + len(NO_CHECKSUM) + len(_END)
    end = os.pread(file, length, max(0, size - length))
    if len(end) < length or not end.startswith(_LABEL) or not end.endswith(_END):
        return None
    digest, at, until = hashlib.sha256(), 0, size - len(NO_CHECKSUM) - len(_END)
    while at < until and (chunk := os.pread(file, min(_CHUNK, until - at), at)):
        digest.update(chunk)
        at += len(chunk)
    return end[len(_LABEL) : -len(_END)] == digest.hexdigest().encode()


def is_older_result(content: Any) -> bool:
    """Whether a JSON value has the form of a result of a version that wrote no checksum."""
    return (
        isinstance(content, Mapping)
        and content.keys() >= RESULT_KEYS
        and isinstance(content["provenance"], Mapping)
        and "checksum" not in content["provenance"]
    )


def is_copy_name(name: str) -> bool:
    """Whether a file has the name of a copy that keeps another program's changes, as `invoice (changed 2026-11-29).csv`."""
    return bool(_COPY.search(name))

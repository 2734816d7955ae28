"""The contents of a signed file: PKCS #7 and CAdES (``.p7m``), S/MIME, and time-stamped files (``.tsd``). The signature is not checked.

The file may be binary (DER, also with the open lengths of BER), in base64, or in PEM.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterator

from asn1crypto import cms, core

from pipeline.intake.container_members import Member, base_name
from pipeline.intake.mail import LOST, refused

_PEM_LINES = re.compile(rb"-----[A-Z# 0-9]+-----")
_ENDINGS = re.compile(r"\.(p7m|p7s|p7|tsd|tst|pkcs7|cms|b64)$", re.IGNORECASE)


_TIMESTAMPED = "1.2.840.113549.1.9.16.1.31"


class _TimestampedData(core.Sequence):  # type: ignore[misc]
    """RFC 5544, 2."""

    _fields = [  # noqa: RUF012 - the library's way to define a type
        ("version", core.Integer),
        ("data_uri", core.IA5String, {"optional": True}),
        ("meta_data", core.Sequence, {"optional": True}),
        ("content", core.OctetString, {"optional": True}),
        ("temporal_evidence", core.Any),
    ]


class _TimestampedInfo(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012 - the same
        ("content_type", core.ObjectIdentifier),
        ("content", _TimestampedData, {"explicit": 0}),
    ]


def signed_members(content: bytes, name: str) -> Iterator[Member]:
    """The one file that was signed; ``name`` is that of the signed file. Raises ValueError and TypeError for damaged files."""
    binary = _binary(content)
    info = cms.ContentInfo.load(binary, strict=False)
    kind = info["content_type"].native
    inner = _ENDINGS.sub("", base_name(name)) or "content"
    if kind in ("enveloped_data", "encrypted_data", "authenticated_enveloped_data"):
        yield refused(inner, f"encrypted for its receiver; {LOST}", "unsupported")
        return
    if kind == _TIMESTAMPED:
        data = _TimestampedInfo.load(binary, strict=False)["content"]["content"].native
    elif kind == "signed_data":
        inside = info["content"]["encap_content_info"]["content"]
        data = inside.native if isinstance(inside.native, bytes | None) else inside.contents
    else:
        raise ValueError(f"it holds {kind}")
    if data is None:
        yield Member(inner, 0, io.BytesIO, "a signature without the file that was signed")
        return
    signed = data
    yield Member(inner if inner != base_name(name) else "content", len(signed), lambda: io.BytesIO(signed))


def _binary(content: bytes) -> bytes:
    """The file as DER or BER. Raises ValueError."""
    if content[:1] == b"0":
        return content
    letters = b"".join(_PEM_LINES.sub(b"", content).split())
    try:
        return base64.b64decode(letters)
    except binascii.Error as error:
        raise ValueError(f"its base64 is broken: {error}") from error

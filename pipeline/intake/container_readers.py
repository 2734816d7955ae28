"""The reader of each kind of container: it opens a file, and gives the header of a mail and the members."""

from __future__ import annotations

import binascii
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.intake.container_kinds import head_of, mail_start
from pipeline.intake.container_members import UNPACK_IT, DeclinedError, Member
from pipeline.records import Reason
from pipeline.safe_open import contents, open_file

UNPACK_ERRORS = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, binascii.Error, EOFError, OSError, RuntimeError,
    ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, MemoryError,
)  # fmt: skip
"""All errors that the readers, and the libraries below them, raise on damaged files; RecursionError is a RuntimeError."""
Members = Iterator[Member | None]
"""None stands for an end that is missing: the file may be cut off."""
Contents = tuple[Mapping[str, str], Members]
"""The header of a mail, empty for other containers, and the members."""
_NO_HEADER: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class ContainerFile:
    """A container that is opened."""

    path: Path
    name: str
    """Its name for people."""
    scratch: Path
    """A path for a file that is needed for a moment."""
    max_bytes: int
    """The largest part; a mail, which is read as a whole, is not larger either."""
    passwords: tuple[str, ...] = ()


@contextmanager
def _zip(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.zip import zip_members

    with open_file(file.path) as opened:
        yield _NO_HEADER, zip_members(opened, file.passwords)


@contextmanager
def _tar(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.tar import tar_members

    yield _NO_HEADER, tar_members(file.path, head_of(file.path)[: tarfile.BLOCKSIZE])


@contextmanager
def _single(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.compression import single_members

    yield _NO_HEADER, single_members(file.path, head_of(file.path), file.name)


@contextmanager
def _seven_zip(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.seven_zip import UnsupportedMethodError, seven_zip_members

    with open_file(file.path) as opened:
        members = seven_zip_members(opened, file.scratch, file.max_bytes, file.passwords)
        try:
            yield _NO_HEADER, members
        except UnsupportedMethodError as error:
            raise DeclinedError("unsupported", str(error)) from error
        finally:
            members.close()


@contextmanager
def _mail(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.mail import read_mail

    _check_size(file)
    with open_file(file.path) as opened:
        opened.seek(mail_start(head_of(file.path)))
        yield read_mail(opened)


@contextmanager
def _outlook(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.outlook import outlook_mail

    yield outlook_mail(_whole(file))


@contextmanager
def _mailbox(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.mailbox_file import mailbox_members

    with open_file(file.path) as opened:
        yield _NO_HEADER, mailbox_members(opened)


@contextmanager
def _signed(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.signed_file import signed_members

    yield _NO_HEADER, signed_members(_whole(file), file.name)


@contextmanager
def _winmail(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.winmail import winmail_members

    yield _NO_HEADER, winmail_members(_whole(file))


@contextmanager
def _pdf(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.host_members import pdf_attachments

    with open_file(file.path) as opened:
        yield _NO_HEADER, pdf_attachments(opened, file.passwords)


@contextmanager
def _office(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.host_members import office_members

    with open_file(file.path) as opened:
        yield _NO_HEADER, office_members(opened, file.max_bytes)


@contextmanager
def _xml(file: ContainerFile) -> Iterator[Contents]:
    from pipeline.intake.host_members import xml_attachments

    yield _NO_HEADER, xml_attachments(_whole(file))


READERS: Mapping[str, Callable[[ContainerFile], AbstractContextManager[Contents]]] = {
    "zip": _zip,
    "tar": _tar,
    "gz": _single,
    "bz2": _single,
    "xz": _single,
    "7z": _seven_zip,
    "eml": _mail,
    "msg": _outlook,
    "mbox": _mailbox,
    "p7m": _signed,
    "winmail": _winmail,
    "pdf": _pdf,
    "office": _office,
    "xml": _xml,
}
"""By the kind that ``container_kinds`` gives. Libraries are imported when the first file of a kind comes. All raise ``UNPACK_ERRORS``."""


def _check_size(file: ContainerFile) -> int:
    size = file.path.stat().st_size
    if size > file.max_bytes:
        raise DeclinedError("too_large", f"larger than {file.max_bytes // 1_000_000} MB (limits.megabytes)")
    return size


def _whole(file: ContainerFile) -> bytes:
    _check_size(file)
    with open_file(file.path) as opened:
        return contents(opened)


def code_of(error: BaseException) -> Reason:
    """The typed reason of an error."""
    if isinstance(error, DeclinedError):
        return error.code
    if isinstance(error, MemoryError):
        return "too_large"
    return "unsupported" if isinstance(error, NotImplementedError) else "unreadable"


def cause_of(error: BaseException) -> str:
    """An error in words."""
    if isinstance(error, MemoryError):
        return f"needs more memory than an archive may; {UNPACK_IT}"
    if isinstance(error, RecursionError):
        return f"its parts lie in each other too deep; {UNPACK_IT}"
    return str(error) or type(error).__name__

"""The errors of the program. Each has a message, a hint how to solve it, and an exit code.

There are two families. A ``PipelineError`` ends the command, and its ``exit_code`` becomes the exit code of the process. A
``DocumentError`` ends one document or page: its ``reason`` is written into the result, and the other documents go on.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable
from enum import IntEnum

from pipeline.records import Reason


class ExitCode(IntEnum):
    """The exit codes of all commands. They are documented and do not change."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    LOCKED = 3
    NO_ENGINE = 4
    DEFECT = 70
    INTERRUPTED = 130


class PipelineError(Exception):
    """An error that ends the command. ``cure`` says in one line what to do about it."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}\n  {self.cure}" if self.cure else self.message


class SettingsError(PipelineError):
    """A settings file, an environment variable or a combination of options is wrong."""


class TemplateError(PipelineError):
    """A template is wrong. The message begins with file and line."""


class LanguageError(PipelineError):
    """A language file is wrong. The message begins with file and line."""


class TruthError(PipelineError):
    """The true values for an evaluation are missing or cannot be used. The message begins with file and line."""


MACHINE_ERRNOS = frozenset(
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO", "ESTALE", "ENODEV", "ENXIO", "ETIMEDOUT"),  # disks and shares
        *("EMFILE", "ENFILE", "EAGAIN", "ENOMEM", "ENOBUFS"),  # open files, processes, memory
    )
    if hasattr(errno, name)
)
"""Numbers of system errors that no document causes and that may pass: a full disk, too many open files or processes, a lost share."""


def is_machine_fault(error: BaseException) -> bool:
    """Whether an error of the system comes from the state of the machine, and is neither a defect nor a document's fault."""
    return isinstance(error, OSError) and error.errno in MACHINE_ERRNOS


def describe_machine_fault(error: OSError) -> str:
    """Such an error in words, with the file where there is one."""
    return f"{error.filename or 'this machine'}: {error.strerror or error}"


class LockedError(PipelineError):
    """Another run works on the same outbox."""

    exit_code = ExitCode.LOCKED


class EngineUnavailableError(PipelineError):
    """The requested engine cannot start here: packages, weights or memory are missing."""

    exit_code = ExitCode.NO_ENGINE


class LedgerError(PipelineError):
    """The ledger cannot be opened: it is damaged, or a newer version wrote it."""


class OutboxError(PipelineError):
    """The outbox cannot be written."""


class BlockedResultError(OutboxError):
    """Something is in the way of one result: a folder of its name, a file where a folder must be, a subfolder without permission.

    It concerns one document only; the others go on.
    """


class StoreError(PipelineError):
    """An object store refuses a request, cannot be reached, or lacks the bucket or the package. `watch` waits and tries again.

    ``passing``: whether the cause may pass within seconds.
    """

    def __init__(self, message: str, cure: str = "", *, passing: bool = False) -> None:
        super().__init__(message, cure)
        self.passing = passing


class DocumentError(Exception):
    """A document or page cannot be read; the others go on.

    ``reason`` is one of ``records.Reason``; ``detail`` explains it to people.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


FILE_CHANGED = "the file changed while it was read"
EMPTY_FILE = "the file is empty"
"""Why a file without content is left: it is no document yet. It is read when it has content."""


class FileChangedError(DocumentError):
    """The file changed after it was hashed. It is read again once it has stopped changing."""

    def __init__(self) -> None:
        super().__init__("unreadable", FILE_CHANGED)


CURES: dict[Reason, str] = {
    "needs_password": "give its password: `pipeline unlock FILE`, or in the web page of `pipeline serve`",
    "unreadable": "open it in its own program: if it opens there, export it again (and please report this), else have it sent again",
    "zero_pages": "the file has no page; export it again from the program that created it",
    "unsupported": "do what the message says; print the file to PDF where it says nothing",
    "too_large": "drop it in smaller parts, or raise the limit that the message names, then `pipeline reprocess --failed`",
    "too_slow": "raise `limits.document_minutes` in the settings, then `pipeline reprocess --failed`",
    "timeout": "do what the message says, else raise `limits.seconds` (for a server `server.seconds`), then `pipeline reprocess --failed`",
    "engine": "run `pipeline doctor`, then `pipeline reprocess --failed`",
}
"""What a user can do about each reason. FILE stands for the name of the document."""


def cure_of(reason: Reason, name: str, say: Callable[[str], str] = str) -> str:
    """What to do about a document that failed, with its name in the outbox in the command. ``say`` translates."""
    return say(CURES[reason]).replace("FILE", shlex.quote(name))

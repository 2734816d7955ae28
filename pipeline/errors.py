"""Every failure has a name, a one-line cure and an exit code.

Two families: a ``PipelineError`` ends the command (its ``exit_code`` becomes the process's), a ``DocumentError`` ends one
document or page (its ``reason`` is written into the result) and the others go on.
"""

from __future__ import annotations

from enum import IntEnum

from pipeline.records import Reason


class ExitCode(IntEnum):
    """Exit codes of every command; documented and stable."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    LOCKED = 3
    NO_ENGINE = 4
    DEFECT = 70
    INTERRUPTED = 130


class PipelineError(Exception):
    """A failure that ends the command. ``cure`` says what to do next, in one line."""

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
    """The truth of an evaluation is not there, or cannot be used. The message begins with file and line."""


class LockedError(PipelineError):
    """Another run works on the same outbox."""

    exit_code = ExitCode.LOCKED


class EngineUnavailableError(PipelineError):
    """The engine asked for cannot start here (packages, weights or memory are missing)."""

    exit_code = ExitCode.NO_ENGINE


class LedgerError(PipelineError):
    """The ledger cannot be opened: damaged, or written by a newer version."""


class OutboxError(PipelineError):
    """The outbox cannot be written."""


class StoreError(PipelineError):
    """An object store refuses, cannot be reached, or lacks the bucket or the package; `watch` waits for it to come back.

    ``passing``: whether it may be over in a moment.
    """

    def __init__(self, message: str, cure: str = "", *, passing: bool = False) -> None:
        super().__init__(message, cure)
        self.passing = passing


class DocumentError(Exception):
    """A document or page that cannot be read; the batch goes on.

    ``reason`` is one of the closed list in ``records.Reason``; ``detail`` is for people.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


FILE_CHANGED = "the file changed while it was read"


class FileChangedError(DocumentError):
    """The file is no longer the one that was hashed. It is read when it has settled."""

    def __init__(self) -> None:
        super().__init__("unreadable", FILE_CHANGED)


CURES: dict[Reason, str] = {
    "needs_password": "add the password to `limits.passwords` in the settings, then `pipeline reprocess --failed`",
    "unreadable": "open the file in a viewer; if it opens there, please report it, else scan or export it again",
    "zero_pages": "the file holds no page; export it again from the program that made it",
    "unsupported": "convert the file to PDF, PNG, JPEG or TIFF",
    "too_large": "raise the limit named in the message (in the settings or the template), then `pipeline reprocess --failed`",
    "timeout": "raise `limits.seconds` (for a server `server.seconds`) in the settings, then `pipeline reprocess --failed`",
    "engine": "run `pipeline doctor`, then `pipeline reprocess --failed`",
}
"""What a person can do about each reason."""

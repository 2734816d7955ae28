"""What the process does that tries a password on a document: it opens the file and reads no page, so that it starts quickly."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import DocumentError, FileChangedError
from pipeline.pages.formats.limits import FormatLimits
from pipeline.pages.open_document import open_document
from pipeline.safe_open import FileState, open_listed_file

OPENS, LOCKED, PROBLEM = b"opens", b"locked", b"problem"


@dataclass(frozen=True, slots=True)
class PasswordRequest:
    """Try a password on the file at ``path`` (without symbolic links), which must be in this state."""

    path: str
    state: FileState
    password: str
    megapixels: int
    formats: FormatLimits


def handle(message: bytes) -> list[bytes]:
    """Answer one pickled request, which comes from the trusted side: OPENS, LOCKED, or PROBLEM with what is wrong."""
    request = pickle.loads(message)  # noqa: S301 - of this program
    assert isinstance(request, PasswordRequest)  # noqa: S101 - its only kind of request
    try:
        with open_listed_file(Path(request.path), request.state) as file:
            open_document(
                file, request.path, passwords=(request.password,), megapixels=request.megapixels, formats=request.formats
            ).close()
    except OSError:
        return [PROBLEM, str(FileChangedError().detail).encode()]
    except FileChangedError as error:
        return [PROBLEM, error.detail.encode()]
    except DocumentError as error:  # with another reason the password opens it, and its reading says what is wrong
        return [LOCKED if error.reason == "needs_password" else OPENS]
    return [OPENS]

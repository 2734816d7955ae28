"""The original files of documents in one zip file, in the folders of the inbox."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.ledger.ledger import Ledger
from pipeline.run.part_file import is_part
from pipeline.safe_open import open_file
from pipeline.settings import Settings
from pipeline.web.originals import find_original, local_originals
from pipeline.web.selection import SelectedDocument

MAX_BYTES = 4_000_000_000
"""Of all files together."""
MISSING = "missing.txt"
"""The file of the archive that names the documents without one."""


class TooLargeError(ValueError):
    """The files are larger than ``MAX_BYTES``."""


def write_originals(path: Path, settings: Settings, ledger: Ledger, documents: Sequence[SelectedDocument]) -> None:
    """Write the zip file ``path``. A file of which several documents are chosen is in it once; files are not compressed once more.

    Raises TooLargeError, OSError.
    """
    by_name = {item.file.part.file if item.file.part else item.file.source.name: item for item in documents}
    if sum(max(0, item.file.size) for item in by_name.values()) > MAX_BYTES:
        raise TooLargeError(f"the files are larger than {MAX_BYTES // 1_000_000_000} GB together: choose fewer")
    missing = []
    with (
        local_originals(settings, ledger, list(by_name.values())) as local,
        zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive,
    ):
        for name, before, item in zip(by_name, by_name.values(), local, strict=True):
            is_local_copy = item.file.source.path != before.file.source.path
            if not is_local_copy and (is_part(before.file, settings) or find_original(before.file, settings).state == "gone"):
                missing.append(name)
                continue
            try:
                with open_file(item.file.source.path.resolve()) as file, archive.open(name, "w", force_zip64=True) as member:
                    shutil.copyfileobj(file, member, 1_000_000)
            except OSError:
                missing.append(name)
        if missing:
            text = "These documents have no file where it was read; it was moved or deleted:\n" + "\n".join(missing) + "\n"
            archive.writestr(MISSING, text.encode(errors="replace"))

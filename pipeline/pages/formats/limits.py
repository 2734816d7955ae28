"""What reading a file without pages may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FormatLimits:
    """``words`` that are read, and ``unpacked_megabytes`` that the parts of a packed file (docx, xlsx, odt …) may have together."""

    words: int = 1_000_000
    unpacked_megabytes: int = 200
    by_libreoffice: bool = False
    """Whether LibreOffice draws the pages of office documents, where it is installed."""
    seconds: float = 120.0
    """Time that LibreOffice may take for one file."""

    @property
    def unpacked_bytes(self) -> int:
        """The limit in bytes."""
        return self.unpacked_megabytes * 1_000_000

"""Opens drawn files as the reader does, and gives what is on their pages."""

from __future__ import annotations

import io

import pytest

from pipeline.errors import DocumentError
from pipeline.pages.formats.limits import FormatLimits
from pipeline.pages.layout.laid_out_document import LaidOutDocument
from pipeline.pages.open_document import open_document


def laid_out(content: bytes, name: str = "file", limits: FormatLimits | None = None) -> LaidOutDocument:
    """The file with its pages."""
    document = open_document(io.BytesIO(content), name, formats=limits or FormatLimits())
    assert isinstance(document, LaidOutDocument)
    return document


def words(content: bytes, name: str = "file") -> list[str]:
    """The words of all pages in reading order."""
    document = laid_out(content, name)
    return [word.text for number in range(1, document.pages + 1) for word in document.words(number)]


def text(content: bytes, name: str = "file") -> str:
    """The words of all pages, with blanks between them."""
    return " ".join(words(content, name))


def places(content: bytes, name: str = "file") -> dict[str, str]:
    """The place of each word of the first page."""
    return {word.text: word.place for word in laid_out(content, name).words(1)}


def refusal(content: bytes, name: str = "file", limits: FormatLimits | None = None) -> DocumentError:
    """Why the file cannot be opened."""
    with pytest.raises(DocumentError) as refused:
        open_document(io.BytesIO(content), name, formats=limits or FormatLimits()).close()
    return refused.value

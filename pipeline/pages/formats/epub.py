"""Electronic books (EPUB 2 and 3): the text of their chapters in the order of reading. Nothing is run or fetched."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from pipeline.errors import DocumentError
from pipeline.pages.formats.declined import LOCKED_BOOK, declined
from pipeline.pages.formats.html import declared_encoding, html_blocks
from pipeline.pages.formats.package import Package
from pipeline.pages.formats.text_encoding import decode
from pipeline.pages.formats.xml_safety import attribute, child, children
from pipeline.pages.layout.blocks import Block, PageBreak

_CONTAINER = "META-INF/container.xml"
_CHAPTERS = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_PACKAGE = "application/oebps-package+xml"
MAX_CHAPTERS = 5_000


def is_book(package: Package) -> bool:
    """Whether a packed file is an EPUB: by its list of packages, as other kinds have that list, too (EPUB OCF 3.3, 4.2.6.3.1)."""
    return bool(_CONTAINER in package and _package_file(package))


def epub_blocks(package: Package) -> Iterator[Block]:
    """The blocks of all chapters, each on a page of its own. Raises DocumentError: ``unreadable``, ``unsupported`` for locked books."""
    name = _package_file(package)
    root = package.xml(name)
    files = {
        attribute(item, "id"): posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(attribute(item, "href"))))
        for item in children(child(root, "manifest"), "item")
        if attribute(item, "media-type") in _CHAPTERS
    }
    order = [attribute(item, "idref") for item in children(child(root, "spine"), "itemref")]
    chapters = [files[key] for key in dict.fromkeys(order) if key in files and files[key] in package][:MAX_CHAPTERS]
    if not chapters:
        raise DocumentError("unreadable", "an electronic book in which no chapter is found: have it sent again")
    if not _encrypted(package).isdisjoint(chapters):
        raise declined(LOCKED_BOOK)
    for number, chapter in enumerate(chapters, 1):
        if number > 1:
            yield PageBreak()
        content = package.read(chapter)
        if text := decode(content, declared_encoding(content)):
            yield from html_blocks(text, f"chapter {number}, ")


def _package_file(package: Package) -> str:
    """The part that lists chapters; empty for other kinds of packed files."""
    roots = children(child(package.optional_xml(_CONTAINER), "rootfiles"), "rootfile")
    found = (attribute(root, "full-path") for root in roots if attribute(root, "media-type") == _PACKAGE)
    return next((name for name in found if name in package), "")


def _encrypted(package: Package) -> set[str]:
    """Names of the encrypted parts; fonts may be so in a book that can be read (EPUB OCF 3.3, 4.2.6.3.2)."""
    root = package.optional_xml("META-INF/encryption.xml")
    return {unquote(attribute(part, "URI")) for part in root.iter("{*}CipherReference")} if root is not None else set()

"""Parses XML of strangers: nothing is fetched, no entity is expanded, depth and size of texts are limited by the parser."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

from pipeline.errors import DocumentError

_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
"""``huge_tree`` off limits XML to 256 levels and texts to ten million letters (libxml2, parserInternals.h)."""


def parse_xml(content: bytes, name: str) -> etree._Element:
    """The root of an XML file. Raises DocumentError: ``unreadable`` where it is damaged, ``unsupported`` where it declares entities."""
    try:
        root = etree.fromstring(content, etree.XMLParser(**_OPTIONS))
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise (_entities(name) if b"<!ENTITY" in content[:100_000] else damaged(name, error)) from error
    if root is None:
        raise DocumentError("unreadable", f"{name}: holds no XML element")
    refuse_entities(root, name)
    return root


def iterate_xml(stream: IO[bytes] | io.RawIOBase, name: str, tags: tuple[str, ...]) -> Iterator[etree._Element]:
    """The elements with these local names, each when it is complete; what was given is forgotten then. Raises as ``parse_xml``."""
    wanted = [f"{{*}}{tag}" for tag in tags]
    checked = False
    try:
        for _, element in etree.iterparse(stream, events=("end",), tag=wanted, **_OPTIONS):
            if not checked:
                refuse_entities(element.getroottree().getroot(), name)
                checked = True
            yield element
            element.clear(keep_tail=False)
            while (before := element.getprevious()) is not None:
                parent = before.getparent()
                if parent is None:
                    break
                parent.remove(before)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise damaged(name, error) from error


def refuse_entities(root: etree._Element, name: str) -> None:
    """Raises DocumentError where the document declares entities: their text would be missing, or come from elsewhere."""
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise _entities(name)


def _entities(name: str) -> DocumentError:
    detail = f"{name}: declares XML entities of its own, which can fetch files or grow without end, and are never expanded"
    return DocumentError("unsupported", f"{detail}; save it again from the program that created it, or print it to PDF")


def damaged(name: str, error: Exception) -> DocumentError:
    """The error for XML that cannot be parsed."""
    return DocumentError("unreadable", f"{name}: damaged XML: {str(error)[:200]}")


def local_name(element: etree._Element) -> str:
    """The tag without its namespace; empty for comments and entities. Versions of a format differ in namespaces, hardly in names."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: etree._Element, name: str, default: str = "") -> str:
    """The attribute of a local name, in any namespace."""
    if (plain := element.get(name)) is not None:
        return str(plain)
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return default


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first descendant along these local names."""
    for name in path:
        if element is None:
            return None
        element = next((each for each in element if local_name(each) == name), None)
    return element


def children(element: etree._Element | None, *names: str) -> Iterator[etree._Element]:
    """The children with one of these local names."""
    return (each for each in (element if element is not None else ()) if local_name(each) in names)


def all_text(element: etree._Element | None) -> str:
    """All text inside an element."""
    return "".join(text for text in element.itertext() if isinstance(text, str)) if element is not None else ""

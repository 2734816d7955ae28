"""XML of any kind: each element with text is a line of its name and its text; equal elements that hold others are a table.

The names are shown as words (``InvoiceNumber`` as "Invoice Number"), so that they can be labels; a place is the element's path.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from lxml import etree

from pipeline.pages.formats.xml_safety import all_text, local_name
from pipeline.pages.layout.blocks import Block, Cell, Paragraph, Row, Run, Table

MIN_RECORDS = 2
MAX_FIELDS = 30
"""Columns of a table; records with more are shown one after the other."""
MAX_DEPTH = 250
_INDENT, _MAX_INDENT = 12.0, 120.0
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_.-]+")


def xml_blocks(root: etree._Element) -> Iterator[Block]:
    """The contents of an XML document."""
    yield Paragraph((Run(_words(local_name(root)), bold=True),), f"/{local_name(root)}", 13.0)
    yield from _element(root, f"/{local_name(root)}", 0)


def _element(element: etree._Element, path: str, depth: int) -> Iterator[Block]:
    indent = min(_MAX_INDENT, depth * _INDENT)
    for name, value in element.attrib.items():
        local = str(name).rpartition("}")[2]
        if str(value).strip() and not str(name).startswith("{http://www.w3.org/2001/XMLSchema-instance}"):
            yield _line(local, str(value), f"{path}/@{local}", indent)
    if len(element) and _is_mixed(element):
        yield Paragraph((Run(" ".join(all_text(element).split())),), path, indent=indent)
        return
    counts = Counter(local_name(child) for child in element)
    numbers: Counter[str] = Counter()
    waiting: list[tuple[etree._Element, str]] = []
    for child in element:
        name = local_name(child)
        if not name:
            continue
        numbers[name] += 1
        where = f"{path}/{name}" + (f"[{numbers[name]}]" if counts[name] > 1 else "")
        if waiting and local_name(waiting[0][0]) != name:
            yield from _records(waiting, depth)
            waiting = []
        if len(child) or counts[name] > 1:
            waiting.append((child, where))
        else:
            yield from _leaf(child, where, indent)
    yield from _records(waiting, depth)


def _is_mixed(element: etree._Element) -> bool:
    """Whether text stands between the elements inside, as in a sentence with marks."""
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _records(found: list[tuple[etree._Element, str]], depth: int) -> Iterator[Block]:
    """Neighbouring elements of one name: a table where they are records of plain fields, else one after the other."""
    if len(found) >= MIN_RECORDS and (names := _field_names([element for element, _ in found])):
        heading = Row(
            tuple(Cell((Paragraph((Run(_words(name), bold=True),), found[0][1], space=0.0),)) for name in names), heading=True
        )
        rows = [Row(tuple(_field(element, path, name) for name in names)) for element, path in found]
        yield Table((heading, *rows))
        return
    for element, path in found:
        indent = min(_MAX_INDENT, depth * _INDENT)
        if not len(element):
            yield from _leaf(element, path, indent)
            continue
        yield Paragraph((Run(_words(local_name(element)), bold=True),), path, indent=indent)
        if depth < MAX_DEPTH:
            yield from _element(element, path, depth + 1)


def _field_names(elements: list[etree._Element]) -> list[str]:
    """Names of the fields of records in the order of their first use; none where a record holds more than plain fields."""
    names: dict[str, None] = {}
    for element in elements:
        inside = [local_name(child) for child in element if local_name(child)]
        if any(len(child) for child in element) or len(set(inside)) != len(inside) or (element.text or "").strip():
            return []
        names |= dict.fromkeys([*(f"@{str(key).rpartition('}')[2]}" for key in element.attrib), *inside])
    return list(names) if 1 < len(names) <= MAX_FIELDS else []


def _field(element: etree._Element, path: str, name: str) -> Cell:
    if name.startswith("@"):
        text = next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name[1:]), "")
    else:
        text = next((child.text or "" for child in element if local_name(child) == name), "")
    text = " ".join(text.split())
    return Cell((Paragraph((Run(text),), f"{path}/{name}", space=0.0),) if text else ())


def _leaf(element: etree._Element, path: str, indent: float) -> Iterator[Block]:
    text = " ".join((element.text or "").split())
    if text:
        yield _line(local_name(element), text, path, indent)
    for key, value in element.attrib.items():
        local = str(key).rpartition("}")[2]
        if str(value).strip():
            yield _line(f"{local_name(element)} {local}", str(value), f"{path}/@{local}", indent)


def _line(name: str, text: str, path: str, indent: float) -> Paragraph:
    return Paragraph((Run(f"{_words(name)}:"), Run("\t"), Run(text)), path, indent=indent, space=2.0)


def _words(name: str) -> str:
    return " ".join(part for part in _WORDS.split(name.lstrip("@")) if part)

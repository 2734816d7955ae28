"""How a Word document looks, as far as it matters for reading: size, bold, hidden text, and the numbers of lists.

Source: ECMA-376-1, 17.7 (styles) and 17.9 (numbering).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from lxml import etree

from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xml_safety import attribute, child, children
from pipeline.pages.layout.blocks import BODY_SIZE
from pipeline.values.list_labels import list_label

MIN_SIZE, MAX_SIZE = 6.0, 28.0
_INDENT = 18.0
_MAX_LEVEL = 8
_BASES = 20
"""Styles on which a style may be based, one on the other."""
_OFF = ("0", "false", "off", "none")


@dataclass(frozen=True, slots=True)
class Style:
    """Properties of a paragraph and its runs."""

    size: float = BODY_SIZE
    bold: bool = False
    hidden: bool = False
    align: str = ""
    space: float = 4.0
    list_id: str = ""
    level: int = 0


class Styles:
    """The styles of a document."""

    def __init__(self, package: Package, main: str) -> None:
        self._elements: dict[str, etree._Element] = {}
        self._known: dict[str, Style] = {}
        self._default = Style()
        default_id = ""
        for name in package.related(main, "styles")[:1]:
            root = package.xml(name)
            self._default = _with_run(self._default, child(root, "docDefaults", "rPrDefault", "rPr"))
            for element in children(root, "style"):
                identity = attribute(element, "styleId")
                self._elements[identity] = element
                if attribute(element, "type") == "paragraph" and attribute(element, "default") in ("1", "true"):
                    default_id = identity
        self._default = self._named(default_id)

    def of_paragraph(self, properties: etree._Element | None) -> Style:
        """The style of a paragraph by its ``pPr``."""
        name = child(properties, "pStyle")
        style = self._named(attribute(name, "val")) if name is not None else self._default
        return _with_paragraph(style, properties)

    def of_run(self, properties: etree._Element | None, style: Style) -> Style:
        """The style of a run by its ``rPr`` in a paragraph of this style."""
        if properties is None:
            return style
        name = child(properties, "rStyle")
        element = self._elements.get(attribute(name, "val")) if name is not None else None
        if element is not None:
            style = _with_run(style, child(element, "rPr"))
        return _with_run(style, properties)

    def _named(self, identity: str) -> Style:
        if identity not in self._known:
            chain: list[etree._Element] = []
            name = identity
            while (element := self._elements.get(name)) is not None and element not in chain and len(chain) < _BASES:
                chain.append(element)
                base = child(element, "basedOn")
                name = attribute(base, "val") if base is not None else ""
            style = self._default
            for element in reversed(chain):
                style = _with_run(_with_paragraph(style, child(element, "pPr")), child(element, "rPr"))
            self._known[identity] = style
        return self._known[identity]


def _with_run(style: Style, properties: etree._Element | None) -> Style:
    if properties is None:
        return style
    for element in properties:
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if name == "b":
            style = replace(style, bold=_is_on(element))
        elif name in ("vanish", "specVanish"):
            style = replace(style, hidden=_is_on(element))
        elif name == "sz" and attribute(element, "val").isdecimal():
            size = int(attribute(element, "val")[:6]) / 2
            style = replace(style, size=min(MAX_SIZE, max(MIN_SIZE, size)))
    return style


def _with_paragraph(style: Style, properties: etree._Element | None) -> Style:
    if properties is None:
        return style
    if (align := child(properties, "jc")) is not None:
        style = replace(style, align=attribute(align, "val"))
    if (numbers := child(properties, "numPr")) is not None:
        identity, level = child(numbers, "numId"), child(numbers, "ilvl")
        if identity is not None:
            style = replace(style, list_id=attribute(identity, "val"))
        if level is not None and attribute(level, "val").isdecimal():
            style = replace(style, level=min(_MAX_LEVEL, int(attribute(level, "val")[:3])))
    return style


def _is_on(element: etree._Element) -> bool:
    return attribute(element, "val", "1") not in _OFF


class Numbering:
    """Counts the paragraphs of lists and says what is printed in front of each."""

    def __init__(self, package: Package, main: str) -> None:
        self._levels: dict[str, dict[int, etree._Element]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0] * (_MAX_LEVEL + 1))
        for name in package.related(main, "numbering")[:1]:
            root = package.xml(name)
            for element in children(root, "abstractNum"):
                levels = {
                    int(attribute(each, "ilvl", "0")[:2]): each
                    for each in children(element, "lvl")
                    if attribute(each, "ilvl", "0").isdecimal()
                }
                self._levels[attribute(element, "abstractNumId")] = levels
            for element in children(root, "num"):
                if (link := child(element, "abstractNumId")) is not None:
                    self._abstract[attribute(element, "numId")] = attribute(link, "val")

    def label(self, properties: etree._Element | None, style: Style) -> tuple[str, float]:
        """What is printed in front of a paragraph, and its indent in points; empty and 0 outside of lists."""
        del properties
        levels = self._levels.get(self._abstract.get(style.list_id, ""))
        if not levels or style.list_id == "0":
            return "", 0.0
        counts = self._counts[self._abstract[style.list_id]]
        level = style.level
        counts[level] += 1
        counts[level + 1 :] = [0] * (_MAX_LEVEL - level)
        element = levels.get(level)
        text, kind = child(element, "lvlText"), child(element, "numFmt")
        indent = _INDENT * (level + 1)
        if kind is None or attribute(kind, "val") == "bullet":
            return "•", indent
        label = attribute(text, "val") if text is not None else "%1."
        for number in range(_MAX_LEVEL + 1):
            if f"%{number + 1}" in label:
                other = levels.get(number)
                start, form = child(other, "start"), child(other, "numFmt")
                first = (
                    int(attribute(start, "val", "1")[:6])
                    if start is not None and attribute(start, "val", "1").isdecimal()
                    else 1
                )
                count = first + max(0, counts[number] - 1)
                label = label.replace(
                    f"%{number + 1}", list_label(count, attribute(form, "val") if form is not None else "decimal")
                )
        return label, indent

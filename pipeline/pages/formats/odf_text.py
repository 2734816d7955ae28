"""The text of OpenDocument paragraphs, and what their styles say. Used by text documents, sheets and slides.

Source: OASIS OpenDocument 1.3, part 3, 6 (paragraph elements) and 16 (styles).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from pipeline.pages.formats.package import Package
from pipeline.pages.formats.xml_safety import attribute, child, children, local_name
from pipeline.pages.layout.blocks import BODY_SIZE, Align, Run

MAX_BLANKS = 200
MAX_DEPTH = 40
_SKIPPED = frozenset(
    ("annotation", "annotation-end", "tracked-changes", "note", "ruby-text", "hidden-text", "script", "desc", "title")
)
_BOXES = frozenset(("frame", "custom-shape", "text-box", "rect", "g", "a"))
_ALIGN: dict[str, Align] = {"end": "right", "right": "right", "center": "center"}
_BASES = 20
_UNITS = {"cm": 72 / 2.54, "mm": 72 / 25.4, "in": 72.0, "pt": 1.0, "pc": 12.0, "px": 0.75}


@dataclass(frozen=True, slots=True)
class OdfStyle:
    """Properties of a paragraph, run, row, column or table."""

    size: float = BODY_SIZE
    bold: bool = False
    hidden: bool = False
    align: Align = "left"
    width: float = 0.0
    """Of a column, in points; 0 when it is not known."""
    breaks_page: bool = False


class OdfStyles:
    """The styles of an OpenDocument file by family and name."""

    def __init__(self, roots: Sequence[etree._Element]) -> None:
        self._elements: dict[tuple[str, str], etree._Element] = {}
        self._known: dict[tuple[str, str], OdfStyle] = {}
        for root in roots:
            for section in children(root, "styles", "automatic-styles"):
                for style in children(section, "style"):
                    self._elements[attribute(style, "family"), attribute(style, "name")] = style

    def get(self, family: str, name: str) -> OdfStyle:
        """A style with what it takes from those on which it is based."""
        key = (family, name)
        if key not in self._known:
            chain: list[etree._Element] = []
            while (element := self._elements.get((family, name))) is not None and element not in chain and len(chain) < _BASES:
                chain.append(element)
                name = attribute(element, "parent-style-name")
            style = OdfStyle()
            for element in reversed(chain):
                style = _with(style, element)
            self._known[key] = style
        return self._known[key]


def _with(style: OdfStyle, element: etree._Element) -> OdfStyle:
    for properties in element:
        size, weight = length(attribute(properties, "font-size")), attribute(properties, "font-weight")
        if size and local_name(properties) == "text-properties":
            style = replace(style, size=min(28.0, max(6.0, size)))
        if weight and local_name(properties) == "text-properties":
            style = replace(style, bold=weight == "bold" or (weight.isdecimal() and int(weight[:4]) >= 600))
        if attribute(properties, "display") in ("none", "false"):
            style = replace(style, hidden=True)
        if align := attribute(properties, "text-align"):
            style = replace(style, align=_ALIGN.get(align, "left"))
        if width := length(attribute(properties, "column-width")):
            style = replace(style, width=width)
        if attribute(properties, "break-before") == "page":
            style = replace(style, breaks_page=True)
    return style


def length(text: str) -> float:
    """A length in points; 0 for other texts."""
    for unit, points in _UNITS.items():
        if text.endswith(unit):
            try:
                return min(max(0.0, float(text[: -len(unit)]) * points), 5_000.0)
            except ValueError:
                return 0.0
    return 0.0


def load(package: Package | None, root: etree._Element | None) -> tuple[etree._Element, etree._Element | None, OdfStyles]:
    """Contents, further styles, and all styles: of a package, or of a file that is one XML document (``root``)."""
    if root is not None or package is None:
        assert root is not None  # noqa: S101 - one of the two is given
        return root, root, OdfStyles([root])
    content, styles = package.xml("content.xml"), package.optional_xml("styles.xml")
    return content, styles, OdfStyles([each for each in (styles, content) if each is not None])


def text_runs(paragraph: etree._Element, styles: OdfStyles, bold: bool, depth: int = 0) -> Iterator[Run]:
    """The runs of a paragraph. Text in frames, notes and remarks is left out."""
    if paragraph.text:
        yield Run(_collapsed(paragraph.text), bold)
    for element in paragraph:
        yield from _element_runs(element, styles, bold, depth)
        if element.tail:
            yield Run(_collapsed(element.tail), bold)


def _element_runs(element: etree._Element, styles: OdfStyles, bold: bool, depth: int) -> Iterator[Run]:
    name = local_name(element)
    if name == "s":
        count = attribute(element, "c", "1")
        yield Run(" " * (min(int(count), MAX_BLANKS) if count.isdecimal() and len(count) < 6 else 1), bold)
    elif name == "tab":
        yield Run("\t")
    elif name == "line-break":
        yield Run("\n")
    elif name == "note":
        citation = child(element, "note-citation")
        yield Run(f"[{(citation.text or '') if citation is not None else ''}]")
    elif name in ("span", "a") or (name and name not in _SKIPPED and name not in _BOXES):
        style = styles.get("text", attribute(element, "style-name")) if name == "span" else None
        if depth < MAX_DEPTH and not (style and style.hidden):
            yield from text_runs(element, styles, bold or bool(style and style.bold), depth + 1)


def _collapsed(text: str) -> str:
    """Text whose line breaks and tabs are blanks (6.1.2); further blanks have elements of their own."""
    return " ".join(text.split()).join((" " * text[:1].isspace(), " " * text[-1:].isspace())) if not text.isspace() else " "


def boxes_in(paragraph: etree._Element) -> Iterator[etree._Element]:
    """Text boxes and shapes inside of a paragraph, not those inside of others."""
    waiting = [each for each in reversed(paragraph) if local_name(each) not in _SKIPPED]
    while waiting:
        element = waiting.pop()
        if local_name(element) in ("text-box", "custom-shape", "rect"):
            yield element
        elif local_name(element) not in ("p", "h"):
            waiting += [each for each in reversed(element) if local_name(each) not in _SKIPPED]


def notes_in(paragraph: etree._Element) -> Iterator[etree._Element]:
    """Footnotes and endnotes."""
    return (note for note in paragraph.iter("{*}note"))

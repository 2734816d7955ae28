"""Makes an SVG of matplotlib inert and accessible: no style sheet, no prolog, a label, and a text for each mark.

A strict Content-Security-Policy forbids styles in a page, so they become attributes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SVG = "{http://www.w3.org/2000/svg}"


def clean_text(text: object, most: int) -> str:
    """Return a text on one line with at most so many letters, without those that XML forbids; empty for None."""
    return limit_letters(" ".join(_FORBIDDEN.sub("", str(text or "")[: 4 * most]).split()), most)


def limit_letters(text: str, most: int) -> str:
    """Return a text with at most so many letters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def inert_svg(svg: str, label: str, mark_texts: Sequence[str]) -> str:
    """Return the SVG as an element. A group whose id is "mark:3,4" has the marks 3 and 4; ids with a colon become classes."""
    root = etree.fromstring(svg.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    for sheet in list(root.iter(f"{_SVG}style")):
        sheet.getparent().remove(sheet)
    root.attrib.update({"role": "img", "aria-label": label, "stroke-linejoin": "round", "stroke-linecap": "butt"})
    for name in ("width", "height"):
        del root.attrib[name]
    for element in list(root.iter(f"{_SVG}*")):
        for declaration in element.attrib.pop("style", "").split(";"):
            name, _, value = declaration.partition(":")
            if value:
                element.set(name.strip(), value.strip())
    for group in list(root.iter(f"{_SVG}g")):
        name, colon, numbers = group.attrib.pop("id", "").partition(":")
        shapes = [shape for shape in group.iter(f"{_SVG}path", f"{_SVG}use") if shape.getparent().tag != f"{_SVG}defs"]
        for shape in shapes if colon else ():
            shape.set("class", name)
        for shape, number in zip(shapes, numbers.split(",") if numbers else (), strict=False):
            etree.SubElement(shape, f"{_SVG}title").text = mark_texts[int(number)]
    return str(etree.tostring(root, encoding="unicode"))

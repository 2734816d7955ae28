"""Elements of XML by their local names, and the decimals and dates in them. Namespaces differ between versions, local names hardly do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from lxml import etree

_DECIMAL = re.compile(r"[+-]?(?=\.?\d)\d{0,18}(\.\d{0,18})?", re.ASCII)
"""The decimals of XML Schema (3.2.3), of at most 36 digits: ``.5`` and ``50.`` are valid."""
_COMPACT_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)


def children(parent: etree._Element | None, names: str) -> Iterator[etree._Element]:
    """Children with one of the local names, which ``|`` separates."""
    alternatives = names.split("|")
    return (child for child in (parent if parent is not None else ()) if local_name(child) in alternatives)


def child_at(parent: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element at a path of local names; None where there is none."""
    for names in path:
        parent = next(children(parent, names), None)
    return parent


def text_at(parent: etree._Element | None, *path: str) -> str | None:
    """The text of the first element at a path, with single blanks; None without any."""
    return own_text(child_at(parent, *path))


def own_text(element: etree._Element | None) -> str | None:
    """The text of an element, with single blanks; None without any."""
    text = " ".join((element.text or "").split()) if element is not None else ""
    return text or None


def local_name(element: etree._Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def plain_number(text: str | None) -> str | None:
    """A decimal of XML Schema with a digit before the point, without a plus sign; as written otherwise."""
    if not text or not _DECIMAL.fullmatch(text):
        return None
    sign, digits = ("-" if text[0] == "-" else ""), text.lstrip("+-")
    whole, _, fraction = digits.partition(".")
    return sign + (whole or "0") + (f".{fraction}" if fraction else "")


def iso_day(text: str | None) -> str | None:
    """ISO 8601 from CII's format 102 (20240131) or UBL's xs:date; None for impossible dates."""
    match = _COMPACT_DATE.match(text or "")
    try:
        return date(*(int(part) for part in match.groups())).isoformat() if match else None
    except ValueError:
        return None

"""Which elements of a web page are not shown: by attributes, by their own style, by simple rules of its style sheets."""

from __future__ import annotations

import re

from lxml import etree

MAX_STYLE_LETTERS = 500_000
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|mso-hide\s*:\s*all|font-size\s*:\s*0(px|pt|em)?\s*(;|!|$)",
    re.IGNORECASE,
)
_AT_BLOCK = re.compile(r"@[\w-]+[^{};]*\{(?:[^{}]|\{[^{}]*\})*\}")
"""Rules for some media, and others that begin with @, are not applied."""
_RULE = re.compile(r"([^{}]{1,2000})\{([^{}]{0,5000})\}")
_SIMPLE = re.compile(r"(?P<tag>[a-z][a-z0-9]*)?(?P<rest>(?:[.#][\w-]+)*)", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)


class HiddenElements:
    """Knows the rules of the page that ``root`` is. Selectors of one element (``div.preheader``, ``#x``, ``.a.b``) are applied."""

    def __init__(self, root: etree._Element) -> None:
        self._rules: list[tuple[str, frozenset[str], frozenset[str]]] = []
        text = "".join(style.text or "" for style in root.iter("style"))[:MAX_STYLE_LETTERS]
        text = _AT_BLOCK.sub("", _COMMENT.sub("", text))
        for match in _RULE.finditer(text):
            if not _HIDING.search(match[2]):
                continue
            for selector in match[1].split(","):
                simple = _SIMPLE.fullmatch(selector.strip())
                if simple and selector.strip() and (simple["rest"] or simple["tag"] not in ("html", "body")):
                    marks = re.findall(r"[.#][\w-]+", simple["rest"])
                    classes = frozenset(mark[1:] for mark in marks if mark[0] == ".")
                    ids = frozenset(mark[1:] for mark in marks if mark[0] == "#")
                    self._rules.append(((simple["tag"] or "").lower(), classes, ids))

    def hides(self, element: etree._Element) -> bool:
        """Whether an element, and with it all that is inside, is not shown."""
        attributes = element.attrib
        if not attributes and not self._rules:
            return False
        if "hidden" in attributes or (element.tag == "input" and attributes.get("type") == "hidden"):
            return True
        if (style := attributes.get("style")) and _HIDING.search(style):
            return True
        if not self._rules:
            return False
        classes, identity = set((attributes.get("class") or "").split()), attributes.get("id")
        return any(
            (not tag or tag == element.tag) and wanted <= classes and ids <= {identity} for tag, wanted, ids in self._rules
        )

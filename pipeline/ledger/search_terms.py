"""Texts and queries of the full-text search: words in every script, whole or by their beginning."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Letters of scripts that have no blanks between words: each is found by itself."""
MAX_CHARACTERS = 2_000_000
"""Of one document's text."""


def searchable(texts: Iterable[str]) -> str:
    """Texts of a document as the index holds them."""
    joined = "\n".join(filter(None, texts))[:MAX_CHARACTERS].encode(errors="replace").decode().replace("\0", " ")
    return _WITHOUT_BLANKS.sub(r" \g<0> ", joined)


def match_query(text: str) -> str:
    """The query of FTS5 that finds documents with all words of a text, the last letters of which may be missing; words in quotation marks
    follow each other. Empty where the text has no letter and no digit.
    """
    phrases = []
    for quoted, word in re.findall(r'"([^"]*)"|([^\s"]+)', text):
        letters = _WITHOUT_BLANKS.sub(r" \g<0> ", quoted or word).replace("\0", " ").strip()
        if any(letter.isalnum() for letter in letters):
            phrases.append(f'"{letters}"' + ("" if quoted else " *"))
    return " ".join(phrases)

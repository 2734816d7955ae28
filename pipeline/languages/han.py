"""Traditional and simplified Chinese characters: words are compared in the simplified ones, in which the language files have them."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_VARIANTS = "han_variants.txt"
_HAN = re.compile(r"[\u4e00-\u9fff]")


def simplified(text: str) -> str:
    """The text with each traditional character replaced by the simplified one; its length stays."""
    return text.translate(_variants()) if _HAN.search(text) else text


@cache
def _variants() -> dict[int, str]:
    lines = resources.files("pipeline.languages").joinpath(_VARIANTS).read_text("utf-8").splitlines()
    return {ord(pair[0]): pair[1] for line in lines if not line.startswith("#") for pair in line.split()}

"""The script and the style sheet of the interface, which the served pages and the static review share.

There is no build step: the script is its parts one after the other, in one function, so that no name of theirs is global.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "interface"
SCRIPT_PARTS = (
    "elements",
    "sources",
    "queue",
    "document",
    "fields",
    "pages",
    "words",
    "editing",
    "tables",
    "table_editing",
    "stacks",
    "extras",
    "approval",
    "keys",
    "start",
)
"""Files of ``interface/script`` in their order: each may use the constants of those before it, and the functions of all."""


@lru_cache(maxsize=1)
def interface_script() -> str:
    """The script."""
    parts = [(FOLDER / "script" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPT_PARTS]
    return "\n".join(['"use strict";\n(() => {', *parts, "})();\n"])


@lru_cache(maxsize=1)
def interface_style() -> str:
    """The style sheet."""
    return (FOLDER / "interface.css").read_text(encoding="utf-8")

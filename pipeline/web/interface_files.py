"""The script and the style sheet of the interface, which the served pages and the static review share; and the script of the list.

There is no build step: the script is its parts one after the other, in one function, so that no name of theirs is global.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "interface"
SHARED_PARTS = ("elements", "texts")
SCRIPT_PARTS = (
    *SHARED_PARTS,
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
    "answers",
    "extras",
    "approval",
    "keys",
    "start",
)
"""Files of ``interface/script`` in their order: each may use the constants of those before it, and the functions of all."""


LIST_FOLDER = Path(__file__).parent / "list"
LIST_PARTS = ("data", "updates", "uploads", "choice", "actions", "deletions", "views", "start")
"""Files of ``list`` in their order, behind the shared ones."""


@lru_cache(maxsize=1)
def interface_script() -> str:
    """The script of the interface."""
    return _in_one_function(FOLDER / "script" / f"{name}.js" for name in SCRIPT_PARTS)


@lru_cache(maxsize=1)
def list_script() -> str:
    """The script of the list of documents."""
    shared = [FOLDER / "script" / f"{name}.js" for name in SHARED_PARTS]
    return _in_one_function([*shared, *(LIST_FOLDER / f"{name}.js" for name in LIST_PARTS)])


def _in_one_function(paths: Iterable[Path]) -> str:
    return "\n".join(['"use strict";\n(() => {', *(path.read_text(encoding="utf-8") for path in paths), "})();\n"])


@lru_cache(maxsize=1)
def interface_style() -> str:
    """The style sheet."""
    return (FOLDER / "interface.css").read_text(encoding="utf-8")

"""What the program says of failures and refusals to people in the browser, collected from its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pipeline
from pipeline.errors import FILE_CHANGED
from pipeline.pages.formats import declined
from pipeline.pages.protocol import LOCKED
from pipeline.run.original_file import CHANGED, GONE
from pipeline.web.page_languages import read_catalogue

ROOT = Path(pipeline.__file__).parent
REFUSALS = (
    "bulk",
    "common",
    "corrections",
    "deletions",
    "documents",
    "files",
    "orders",
    "answers",
    "pages",
    "split",
    "unlock",
    "views",
)
SOURCES = (
    *(f"web/api/{name}.py" for name in REFUSALS),
    *("web/html_pages.py", "web/people_pages.py", "web/app.py", "web/present_files.py", "web/correction_input.py"),
    *("web/originals_zip.py", "web/saved_views.py", "runtime/worker_pool.py", "run/page_requests.py", "run/part_cache.py"),
    *(
        "run/part_file.py",
        "run/original_file.py",
        "run/unlocking.py",
        "run/questions.py",
        "run/unlock_orders.py",
        "run/reread_orders.py",
    ),
)
RAISED = ("DocumentError", "PartFileError", "HTTPException", "TooLargeError", "TooManyViewsError", "ValueError")
OTHERS = re.compile(r"(?:MuPDF|PDFium|Pillow)\b|\0:? |.{0,8}$")
"""Words of libraries, and texts that are hardly more than a value."""
ASIDE = frozenset(
    {
        "its reader sent an invalid reply: \0",
        "lengths do not fit",
        "another page, or pixels that do not fit their size",
        "this is an office file with encryption by a method that is not supported: \0",
    }
)
"""What only a defect or a hostile process says, and a text that is made of two."""


def detail_texts_in_use() -> Iterator[tuple[str, str]]:
    """Place and text. A text with values is that of the catalogue, whose places have names."""
    known = {skeleton(str(message.id)): str(message.id) for message in read_catalogue("de", "details") if message.id}
    for path in (*(ROOT / source for source in SOURCES), *sorted((ROOT / "pages").rglob("*.py"))):
        for line, text in texts_of(ast.parse(path.read_text(encoding="utf-8"))):
            if skeleton(text) in known or not (OTHERS.match(skeleton(text)) or skeleton(text) in ASIDE):
                yield f"{path.relative_to(ROOT)}:{line}", known.get(skeleton(text), text)
    kinds = [
        *(kind for _, _, kind in declined.SIGNATURES),
        *(kind for _, kind in declined.IN_PACKAGES),
        *declined.BY_NAME.values(),
    ]
    kinds += [value for value in vars(declined).values() if isinstance(value, declined.Kind)]
    yield from (("declined.py", text) for kind in kinds for text in (kind.what, kind.cure))
    yield from (("a constant", text) for text in (FILE_CHANGED, LOCKED, CHANGED, GONE, "it is not in it"))
    yield "office_encryption.py", "an office file with encryption by a method that is not supported"


def skeleton(text: str) -> str:
    """A text without its values and their names."""
    return re.sub(r"%\(\w+\)s|\{[^{}]*\}", "\0", text)


def texts_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of what is raised, given as ``detail`` or ``cure``, or recorded as the error of an order."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in RAISED and node.args:
            yield from _texts(node.args[-1] if len(node.args) < 3 else node.args[1])
        elif isinstance(node, ast.Assign) and _name(node.targets[0]) in ("detail", "cure", "_NO_PDF", "problem"):
            yield from _texts(node.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in ("error", "detail"):
                    yield from _texts(value)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _texts(node: ast.expr) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    if isinstance(node, ast.JoinedStr):
        yield node.lineno, "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)

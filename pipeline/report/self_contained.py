"""A page in one file that can load and run nothing but itself.

Values come from documents of strangers: the template escapes everything, and the page's own policy allows its pictures, its style sheet
and its script by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


def render(template: Path, values: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]] | None = None) -> bytes:
    """A page by its template; ``style``, ``script`` and ``policy`` come from the files of the same name beside it (``.css``, ``.js``)."""
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= dict(filters or {})
    style, script = (_beside(template, ending) for ending in (".css", ".js"))
    own = {"style": Markup(style), "script": Markup(script), "policy": Markup(policy(style, script))}  # noqa: S704 - our files
    return environment.get_template(template.name).render(**values, **own).encode(errors="replace")


def policy(style: str, script: str = "") -> str:
    """The Content-Security-Policy of a page with this style sheet and this script; text that becomes markup is an error, too."""
    runs = f"script-src {_hash(script)}; require-trusted-types-for 'script'; trusted-types 'none'; " if script else ""
    return f"default-src 'none'; img-src data:; style-src {_hash(style)}; {runs}base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _beside(template: Path, ending: str) -> str:
    path = template.with_suffix(ending)
    return path.read_text(encoding="utf-8") if path.exists() else ""

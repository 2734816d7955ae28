"""A page in one file that can load and run nothing else.

Its values come from foreign documents: the template escapes everything, and the page's Content-Security-Policy allows images inside the
file, and the style sheet and script with the given hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


def render(
    template: Path,
    values: Mapping[str, Any],
    filters: Mapping[str, Callable[..., Any]] | None = None,
    *,
    style: str | None = None,
    script: str | None = None,
) -> bytes:
    """A page from its template, which gets ``style``, ``script`` and their ``policy``; by default the files of its name with ``.css`` and
    ``.js``."""
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= dict(filters or {})
    environment.globals["_"] = lambda text, **named: Markup(text) % named  # noqa: S704 - texts of our own templates, in English
    style = _sibling_text(template, ".css") if style is None else style
    script = _sibling_text(template, ".js") if script is None else script
    own = {"style": Markup(style), "script": Markup(script), "policy": Markup(policy(style, script))}  # noqa: S704 - our files
    return environment.get_template(template.name).render(**values, **own).encode(errors="replace")


def policy(style: str, script: str = "") -> str:
    """The Content-Security-Policy of a page with this style sheet and this script. A script that makes markup of a text fails, too."""
    scripts = f"script-src {_hash(script)}; require-trusted-types-for 'script'; trusted-types 'none'; " if script else ""
    return f"default-src 'none'; img-src data:; style-src {_hash(style)}; {scripts}base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _sibling_text(template: Path, suffix: str) -> str:
    path = template.with_suffix(suffix)
    return path.read_text(encoding="utf-8") if path.exists() else ""

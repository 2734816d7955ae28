"""Chooses the templates for a file by its path, and the template for a kind of page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeline.errors import SettingsError
from pipeline.split_records import SplitPolicy
from pipeline.templates.template import TEXT_KINDS, PageKind, Template
from pipeline.yaml_files.explain import did_you_mean

FALLBACK = "transcript"
"""The template for pages that no other template is for."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Route(BaseModel):
    """One line of the settings' ``routes``: files that match the glob are read by these templates, and split as it says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str = Field(min_length=1)
    """A glob on the path below the inbox, e.g. `bank/**/*.pdf`."""
    template: Annotated[list[str], BeforeValidator(_as_list)] = []
    """The name of a template, or a list of several that read the same page. Without one, a later route or the pages decide."""
    split: SplitPolicy | None = None
    """How its files are split into documents. Without it, a later route or the setting `split` decides."""

    @model_validator(mode="after")
    def _says_something(self) -> Route:
        if not self.template and self.split is None:
            raise ValueError("a route needs a `template`, or `split`")
        return self


def check_routes(routes: Sequence[Route], templates: Mapping[str, Template]) -> None:
    """Raises SettingsError when a route names a template that does not exist."""
    for route in routes:
        for name in route.template:
            if name not in templates:
                hint = did_you_mean(name, templates) or f" (there are {', '.join(sorted(templates))})"
                raise SettingsError(f"the route `{route.match}` names the template `{name}`, which does not exist{hint}")


def route(relative: str, templates: Mapping[str, Template], routes: Sequence[Route]) -> list[str]:
    """The templates for a path below the inbox; an empty list where the pages decide.

    The first match of these counts: the settings' routes in their order; the innermost folder that is named like a template
    (``invoice/``, ``Invoices/``, ``delivery notes/``); the templates' own ``for.files`` (all that match).
    """
    for candidate in routes:
        if candidate.template and matches(candidate.match, relative):
            return list(candidate.template)
    named = _by_folder(relative, templates)
    if named is not None:
        return [named]
    return [name for name, template in templates.items() if any(matches(glob, relative) for glob in template.applies.files)]


def split_policy(relative: str, routes: Sequence[Route], default: SplitPolicy) -> SplitPolicy:
    """How a file at a path below the inbox is split: as the first route that matches and says so, else as the setting."""
    named = (candidate.split for candidate in routes if candidate.split and matches(candidate.match, relative))
    return next(named, default)


def template_for_kind(kind: PageKind, templates: Mapping[str, Template]) -> str:
    """The first template that is for this kind of page (users' own come first, see ``load_templates``), else ``transcript``.

    Letters, orders and the like are ``text``, too: a user's template for ``text`` goes before a built-in one for letters.
    """
    kinds = {kind, "text"} if kind in TEXT_KINDS else {kind}
    return next((name for name, template in templates.items() if kinds.intersection(template.applies.kinds)), FALLBACK)


def matches(glob: str, relative: str) -> bool:
    """Whether a glob fits a path with POSIX separators. Case does not count.

    ``*`` and ``?`` stay within a folder, ``**`` spans folders, a glob that ends in ``/`` means everything below, and one
    without any ``/`` is compared with the file's name only.
    """
    pattern = _folded(glob.removeprefix("./").lstrip("/"))
    parts = tuple(_folded(relative).split("/"))
    if "/" not in pattern and pattern != "**":
        return fnmatchcase(parts[-1], pattern)
    return _matches(tuple((f"{pattern}**" if pattern.endswith("/") else pattern).split("/")), parts)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


@lru_cache(maxsize=4096)
def _matches(globs: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if not globs:
        return not parts
    if globs[0] == "**":
        return _matches(globs[1:], parts) or (bool(parts) and _matches(globs, parts[1:]))
    return bool(parts) and fnmatchcase(parts[0], globs[0]) and _matches(globs[1:], parts[1:])


def _by_folder(relative: str, templates: Mapping[str, Template]) -> str | None:
    folders = relative.split("/")[:-1]
    if not folders:
        return None
    named = _folder_names(tuple(templates))
    plain = (re.sub(r"[\s._-]+", "_", _folded(folder)) for folder in reversed(folders))
    return next((named[folder] for folder in plain if folder in named), None)


@lru_cache(maxsize=8)
def _folder_names(templates: tuple[str, ...]) -> dict[str, str]:
    """Template by the folder names that stand for it; its own name wins over another's plural."""
    named = {spelling: name for name in reversed(templates) for spelling in _spellings(name)}
    return named | {name: name for name in templates}


def _spellings(name: str) -> list[str]:
    """A template's name in the singular and the plural."""
    plural = (
        f"{name[:-1]}ies"
        if re.search(r"[^aeiou]y$", name)
        else f"{name}es"
        if re.search(r"(s|x|z|ch|sh)$", name)
        else f"{name}s"
    )
    singular = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
    return [plural, singular] if len(singular) > 1 else [plural]

"""Refuses settings in which two folders overlap so that originals could be lost, or results be read as documents.

docs/service.md has the same table. Folders are compared by what they are: links and ``..`` are resolved, and a folder that a file system
knows by several spellings is one folder. Folders that exist only after the first run are compared by their names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.object_urls import url_of
from pipeline.settings import STATE_FOLDER, Settings

_STATE = f"outbox/{STATE_FOLDER}"
_PROGRAM = "the program empties folders there"
_REREAD = "files that were read would be read again"
_AMONG = "originals would lie among results, and results overwrite them"
_TEMPLATE = "files of the inbox would become settings"


@dataclass(frozen=True, slots=True)
class _Rule:
    """``inner`` must not be ``outer`` nor lie in it; with ``same``, it only must not be it."""

    inner: str
    outer: str
    why: str
    same: bool = False


_RULES = (
    _Rule("inbox", "outbox", "results would be read as documents"),
    _Rule("inbox", "archive", _REREAD),
    _Rule("inbox", "failed", _REREAD),
    _Rule("inbox", "templates", "templates would be read as documents", same=True),
    _Rule("inbox", "languages", "language files would be read as documents", same=True),
    _Rule("outbox", "archive", _AMONG),
    _Rule("outbox", "failed", _AMONG),
    *(_Rule(key, _STATE, _PROGRAM) for key in ("archive", "failed", "templates", "languages")),
    *(_Rule(key, "state", "other outboxes are there") for key in ("inbox", "archive", "failed")),
    _Rule("state", "inbox", "results of other outboxes would be read as documents"),
    *(_Rule(key, folder, _TEMPLATE) for key in ("templates", "languages") for folder in ("archive", "failed")),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder of this machine, a URL in an object store, or both: an outbox in a store and its copy here."""

    path: Path | None = None
    url: str | None = None

    def __str__(self) -> str:
        return self.url or str(self.path)

    def lies_in(self, other: _Place, *, same: bool = False) -> bool:
        """Whether this place is ``other`` or lies in it; with ``same``, whether it is the same place."""
        if self.url and other.url and (self.url == other.url or (not same and self.url.startswith(f"{other.url}/"))):
            return True
        return bool(self.path and other.path) and _lies_in(Path(self.path or ""), Path(other.path or ""), same=same)


def check_folders(settings: Settings) -> None:
    """Raises SettingsError, which names both settings, for two folders that must not overlap."""
    places = _places(settings)
    for rule in _RULES:
        inner, outer = places.get(rule.inner), places.get(rule.outer)
        if inner and outer and inner.lies_in(outer, same=rule.same):
            relation = "is the same folder as" if inner.lies_in(outer, same=True) else "lies in"
            raise SettingsError(
                f"`{rule.inner}` ({inner}) {relation} `{rule.outer}` ({outer}): {rule.why}",
                f"choose another folder for `{rule.inner}` or `{rule.outer.partition('/')[0]}`",
            )


def check_paths(paths: Iterable[Path], settings: Settings) -> None:
    """Raises SettingsError for a path of the command line in the outbox's own state, and for a folder of results."""
    places = _places(settings)
    for path in paths:
        place = _Place(path)
        if place.lies_in(places[_STATE]):
            raise SettingsError(f"{path} lies in `{_STATE}` ({places[_STATE]}): {_PROGRAM}", "name the documents themselves")
        originals = [places[key] for key in ("archive", "failed") if key in places]
        if path.is_dir() and place.lies_in(places["outbox"]) and not any(map(place.lies_in, originals)):
            raise SettingsError(
                f"{path} lies in `outbox` ({places['outbox']}): results would be read as documents",
                "name the documents themselves, or another outbox with --outbox",
            )


def _places(settings: Settings) -> dict[str, _Place]:
    """The places that the settings name, and those that this run would use, by key."""
    return dict(_named_places(settings))


def _named_places(settings: Settings) -> Iterator[tuple[str, _Place]]:
    inbox_url = settings.inbox_url
    yield "inbox", _Place(None if inbox_url else settings.inbox, inbox_url)
    yield "outbox", _Place(settings.outbox, settings.outbox_url)
    yield _STATE, _Place(settings.outbox / STATE_FOLDER)
    if settings.state and settings.outbox_url:
        yield "state", _Place(settings.state)
    if settings.archive or settings.after == "move":
        yield "archive", _stored(settings, settings.archive_folder)
    if settings.failed or settings.after != "keep":
        yield "failed", _stored(settings, settings.failed_folder)
    if settings.templates:
        yield "templates", _Place(settings.templates)
    if settings.languages:
        yield "languages", _Place(settings.languages)


def _stored(settings: Settings, folder: Path) -> _Place:
    return _Place(url=url_of(settings.objects_folder, folder)) if settings.inbox_url else _Place(folder)


def _lies_in(inner: Path, outer: Path, *, same: bool) -> bool:
    inner, outer = Path(os.path.realpath(inner)), Path(os.path.realpath(outer))
    candidates = [inner] if same else [inner, *inner.parents]
    if outer in candidates:
        return True
    numbers = _numbers(outer)
    return numbers is not None and any(_numbers(candidate) == numbers for candidate in candidates)


def _numbers(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino

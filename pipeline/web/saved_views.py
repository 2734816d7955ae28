"""Saved views of the list: filters and order under a name, in a file of the state folder."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock

from pipeline.publish.atomic_files import write_atomically
from pipeline.settings import STATE_FOLDER

FILE = "views.json"
MAX_VIEWS = 200
_lock = Lock()


class TooManyViewsError(ValueError):
    """There are ``MAX_VIEWS`` already."""


def saved_views(outbox: Path) -> dict[str, str]:
    """The query of each view, as in the address of the list, by its name. A file that is damaged has none."""
    try:
        views = json.loads((outbox / STATE_FOLDER / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(query) for name, query in views.items()} if isinstance(views, dict) else {}


def save_view(outbox: Path, name: str, query: str | None) -> None:
    """Save a view, or delete it without a query. Raises TooManyViewsError, OutboxError."""
    with _lock:
        views = saved_views(outbox)
        views.pop(name, None)
        if query is not None:
            if len(views) >= MAX_VIEWS:
                raise TooManyViewsError(f"there are {MAX_VIEWS} views already: delete one")
            views[name] = query
        text = json.dumps(dict(sorted(views.items())), ensure_ascii=False, indent=1)
        write_atomically(outbox / STATE_FOLDER / FILE, [text.encode(errors="replace")])

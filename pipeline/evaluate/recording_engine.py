"""Keeps the pages that an engine is given, so that a report can show where the truth stands without reading them a second time."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.engines.base import Engine, Request
from pipeline.publish.atomic_files import write_atomically
from pipeline.records import Answer, Page
from pipeline.settings import STATE_FOLDER
from pipeline.templates.model import Template

PAGE = TypeAdapter(Page)
FOLDER = "pages"
MOST_PAGES = 30
"""Pages of a document that are looked at afterwards."""


class Listening:
    """An engine that answers as the one behind it does, and notes every page in the outbox."""

    def __init__(self, engine: Engine, outbox: Path) -> None:
        self._engine, self._outbox = engine, outbox
        self.identity, self.retries = engine.identity, engine.retries
        self.needs_whole_page, self.prefers_batches = engine.needs_whole_page, engine.prefers_batches

    def wants_image(self, template: Template) -> bool:
        """See Engine."""
        return self._engine.wants_image(template)

    @property
    def load(self) -> int:
        """See Engine."""
        return self._engine.load

    @property
    def room(self) -> bool:
        """See Engine."""
        return self._engine.room

    def submit(self, request: Request) -> None:
        """See Engine; a page that is asked about again is the same page."""
        path = _place(self._outbox, request.key.sha256, request.page.number)
        if not path.exists():
            write_atomically(path, [PAGE.dump_json(request.page)], sync=False)
        self._engine.submit(request)

    def poll(self, timeout: float) -> list[Answer]:
        """See Engine."""
        return self._engine.poll(timeout)

    def reset(self) -> None:
        """See Engine."""
        self._engine.reset()


def kept_pages(outbox: Path, sha256: str, first: Collection[int] = ()) -> list[Page]:
    """The pages of a document that an engine was given: those in ``first``, then the others in order, ``MOST_PAGES`` at most.

    What cannot be read of them is left out.
    """
    numbers = [int(path.stem) for path in _place(outbox, sha256, 0).parent.glob("*.json") if path.stem.isdecimal()]
    found = []
    for number in sorted(numbers, key=lambda number: (number not in first, number))[:MOST_PAGES]:
        try:
            found.append(PAGE.validate_json(_place(outbox, sha256, number).read_bytes()))
        except (OSError, ValueError):
            continue
    return found


def _place(outbox: Path, sha256: str, page: int) -> Path:
    return outbox / STATE_FOLDER / FOLDER / sha256 / f"{page}.json"

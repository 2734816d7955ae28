"""Records the pages that an engine receives, so that a report can show where the truth stands without reading them a second time."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.engines.base import Engine, Request
from pipeline.publish.atomic_files import write_atomically
from pipeline.records import Answer, Page
from pipeline.settings import STATE_FOLDER
from pipeline.templates.template import Template

PAGE = TypeAdapter(Page)
FOLDER = "pages"
MAX_PAGES = 30
"""Most pages of a document that are read back."""


class RecordingEngine:
    """An engine that answers as the one behind it, and writes every page that it receives to the outbox."""

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
        """See Engine."""
        path = _page_path(self._outbox, request.key.sha256, request.page.number)
        if not path.exists():  # a second request about a page has the same page
            write_atomically(path, [PAGE.dump_json(request.page)], sync=False)
        self._engine.submit(request)

    def poll(self, timeout: float) -> list[Answer]:
        """See Engine."""
        return self._engine.poll(timeout)

    def reset(self) -> None:
        """See Engine."""
        self._engine.reset()


def recorded_pages(outbox: Path, sha256: str, first: Collection[int] = ()) -> list[Page]:
    """The recorded pages of a document: those with a number in ``first``, then the others in order, ``MAX_PAGES`` at most.

    A page whose file cannot be read is left out.
    """
    numbers = [int(path.stem) for path in _page_path(outbox, sha256, 0).parent.glob("*.json") if path.stem.isdecimal()]
    pages = []
    for number in sorted(numbers, key=lambda number: (number not in first, number))[:MAX_PAGES]:
        try:
            pages.append(PAGE.validate_json(_page_path(outbox, sha256, number).read_bytes()))
        except (OSError, ValueError):
            continue
    return pages


def _page_path(outbox: Path, sha256: str, page: int) -> Path:
    return outbox / STATE_FOLDER / FOLDER / sha256 / f"{page}.json"

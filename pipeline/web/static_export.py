"""The review: one HTML file with every value on its page, held to a size that can be mailed.

Texts travel as data and become text nodes; the page's policy refuses everything else (see ``pipeline.report.self_contained``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2.utils import htmlsafe_json_dumps

from pipeline import __version__
from pipeline.publish.atomic_files import write_atomically
from pipeline.publish.publication import Publication
from pipeline.report.page_images import Drawn, Wanted, draw
from pipeline.report.self_contained import render
from pipeline.run.page_requests import Picture
from pipeline.settings import Settings
from pipeline.templates.model import Template
from pipeline.web.originals import Original, look
from pipeline.web.selection import Chosen
from pipeline.web.view import document_told, visible

PAGE = Path(__file__).parent / "review.html"
TOKENS = 1_100
"""Pixels of a page in units of 32 x 32: 890 across A4, about 108 a printed inch."""
MOST_PAGES = 10
"""Pages of one document with a picture: those with values first."""
_dumps = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))

Key = tuple[int, int]
"""Number of the document in the report, and page."""
Progress = Callable[[int, int], None]
"""Pages drawn, and to draw."""


@dataclass(frozen=True)
class Written:
    """What the report holds."""

    bytes: int
    documents: int
    to_review: int
    pictures: int
    without_picture: int
    """Pages for whose picture there was no room."""


def write_review(
    path: Path,
    items: Sequence[Chosen],
    templates: Mapping[str, Template],
    settings: Settings,
    about: Mapping[str, Any],
    most_bytes: int,
    progress: Progress | None = None,
) -> Written:
    """Write the report; pictures take at most ``most_bytes``, those of documents that need a look come first.

    ``about`` tells what was chosen: ``outbox``, ``chosen`` (in words), ``left_out`` (documents). Raises OutboxError.
    """
    originals = [look(item.file) for item in items]
    documents = [document_told(item, templates, original.state) for item, original in zip(items, originals, strict=True)]
    wanted = list(_wanted(items, originals))
    pictures: dict[str, str] = {}
    for done, (key, found) in enumerate(draw(wanted, settings, most_bytes), 1):
        _note(documents[key[0]], key, found, pictures)
        if progress:
            progress(done, len(wanted))
    undrawn = sum("undrawn" in sheet for document in documents for sheet in document["sheets"])
    told = {"documents": documents, "about": {**about, "written": datetime.now(UTC).isoformat(timespec="seconds")}}
    page = render(PAGE, {"data": htmlsafe_json_dumps(told, dumps=_dumps), "pictures": pictures, "version": __version__})
    return Written(
        write_atomically(path, [page]),
        len(items),
        sum(item.needs_review for item in items),
        len(pictures),
        len(wanted) - len(pictures) - undrawn,
    )


def _wanted(items: Sequence[Chosen], originals: Sequence[Original]) -> Iterator[Wanted[Key]]:
    """Pictures in the order in which they find room: documents that need a look, then the others; first pages before further ones."""
    there = [n for n, original in enumerate(originals) if original.state == "there"]
    for urgent in (True, False):
        group = [(n, _pages(items[n].publication)) for n in there if items[n].needs_review is urgent]
        for part in (slice(0, 1), slice(1, None)):
            for n, pages in group:
                path, original = items[n].file.source.path, originals[n]
                for number, turned in pages[part]:
                    yield Wanted((n, number), path, original.size, original.mtime_ns, number, Picture(TOKENS, turned))


def _pages(publication: Publication) -> list[tuple[int, int]]:
    """Pages to show, with how they are turned: those on which values stand, then the first ones; not those that cannot be read."""
    held = [
        evidence.page
        for fields in publication.fields.values()
        for evidence in fields.values()
        if evidence.page and evidence.box
    ]
    pages = [page for page in publication.pages() if page["status"] in ("done", "failed") and not publication.document.reason]
    ordered = sorted(pages, key=lambda page: (page["page"] not in held, page["page"]))
    return [(page["page"], page["turned"]) for page in ordered[:MOST_PAGES]]


def _note(document: dict[str, Any], key: Key, found: Any, pictures: dict[str, str]) -> None:
    """Tell the document's page of its picture, or why it has none."""
    sheet = next((sheet for sheet in document["sheets"] if sheet["page"] == key[1]), None)
    if sheet is None:
        return
    if isinstance(found, Drawn):
        sheet["size"] = [round(found.width, 1), round(found.height, 1)]
        pictures[f"picture-{key[0]}-{key[1]}"] = found.uri
    else:
        sheet["undrawn"] = visible(found.detail, 300)

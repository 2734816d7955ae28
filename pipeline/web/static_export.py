"""The static review: one HTML file with every value on its page, small enough to be mailed.

The texts of documents are data in the file and become text nodes in the browser. The file's policy refuses everything else; see
``pipeline.report.self_contained``.
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
from pipeline.errors import DocumentError
from pipeline.publish.atomic_files import write_atomically
from pipeline.publish.publication import Publication
from pipeline.report.page_images import EmbeddedImage, PageImageRequest, draw_page_images
from pipeline.report.self_contained import render
from pipeline.run.page_requests import PictureRequest
from pipeline.settings import Settings
from pipeline.templates.template import Template
from pipeline.web.export_data import document_data, visible_text
from pipeline.web.interface_files import FOLDER, interface_script, interface_style
from pipeline.web.originals import Original, find_original
from pipeline.web.selection import SelectedDocument
from pipeline.web.view import document_view

TEMPLATE = FOLDER / "review.html"
PAGE_PIXELS = 1_126_400
"""Pixels of a page: 890 across A4, about 108 a printed inch."""
MAX_PAGES = 10
"""Pages of one document with an image; pages with values come first."""
_dumps = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))

ImageKey = tuple[int, int]
"""Index of the document in the review, and page number."""
ProgressCallback = Callable[[int, int], None]
"""Gets the number of pages drawn, and of pages to draw."""


@dataclass(frozen=True)
class ReviewSummary:
    """The contents of a written review."""

    bytes: int
    documents: int
    to_review: int
    pictures: int
    without_picture: int
    """Pages without an image because the limit was reached."""


def write_review(
    path: Path,
    documents: Sequence[SelectedDocument],
    templates: Mapping[str, Template],
    settings: Settings,
    about: Mapping[str, Any],
    max_image_bytes: int,
    progress: ProgressCallback | None = None,
    withheld: int = 0,
) -> ReviewSummary:
    """Write the review. Images take at most ``max_image_bytes``; those of documents that need a review come first.

    ``about`` describes the selection: ``selection`` (in words), ``left_out`` (number of documents). ``withheld`` are rights that the
    file must not have (see ``permissions``). Raises OutboxError.
    """
    originals = [find_original(item.file, settings) for item in documents]
    data = [
        document_data(document_view(item.publication, templates), item.file.published_at, original.state)
        for item, original in zip(documents, originals, strict=True)
    ]
    requests = list(_image_requests(documents, originals))
    images: dict[str, str] = {}
    for done, (key, image) in enumerate(draw_page_images(requests, settings, max_image_bytes), 1):
        _add_image(data[key[0]], key, image, images)
        if progress:
            progress(done, len(requests))
    undrawn = sum("undrawn" in page for document in data for page in document["page_list"])
    review = {"documents": data, "about": {**about, "written": datetime.now(UTC).isoformat(timespec="seconds")}}
    values = {"data": htmlsafe_json_dumps(review, dumps=_dumps), "images": images, "version": __version__}
    html = render(TEMPLATE, values, style=interface_style(), script=interface_script())
    return ReviewSummary(
        write_atomically(path, [html], withheld=withheld),
        len(documents),
        sum(item.needs_review for item in documents),
        len(images),
        len(requests) - len(images) - undrawn,
    )


def _image_requests(
    documents: Sequence[SelectedDocument], originals: Sequence[Original]
) -> Iterator[PageImageRequest[ImageKey]]:
    """Requests by urgency: documents that need a review before the others, first pages before further ones."""
    present = [n for n, original in enumerate(originals) if original.state == "there"]
    for urgent in (True, False):
        group = [(n, _pages_to_draw(documents[n].publication)) for n in present if documents[n].needs_review is urgent]
        for part in (slice(0, 1), slice(1, None)):
            for n, pages in group:
                file, original = documents[n].file, originals[n]
                place = (file.source.path, file.sha256, original.size, original.mtime_ns)
                for number, rotation in pages[part]:
                    picture = PictureRequest(PAGE_PIXELS, rotation)
                    yield PageImageRequest((n, number), *place, number, picture)


def _pages_to_draw(publication: Publication) -> list[tuple[int, int]]:
    """Number and rotation of the pages to draw: pages with values, then the first ones. Without a document that cannot be opened."""
    if publication.document.reason:
        return []
    with_values = {
        evidence.page
        for fields in publication.fields.values()
        for evidence in fields.values()
        if evidence.page and evidence.box
    }
    pages = [page for page in publication.pages() if page["status"] in ("done", "failed")]
    ordered = sorted(pages, key=lambda page: (page["page"] not in with_values, page["page"]))
    return [(page["page"], page["turned"]) for page in ordered[:MAX_PAGES]]


def _add_image(document: dict[str, Any], key: ImageKey, image: EmbeddedImage | DocumentError, images: dict[str, str]) -> None:
    """Store an image and its size, or the reason why the page has none."""
    page = next((page for page in document["page_list"] if page["page"] == key[1]), None)
    if page is None:
        return
    if isinstance(image, EmbeddedImage):
        page["size"] = [round(image.width, 1), round(image.height, 1)]
        images[f"image-{key[0]}-{key[1]}"] = image.uri
    else:
        page["undrawn"] = visible_text(image.detail, 300)

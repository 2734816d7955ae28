"""Reviews in a real browser. The tests are skipped without a browser, unless TESTS_NEED_BROWSER is set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.web.review.building import ReviewFolder

DESKTOP, PHONE = (1440, 900), (360, 740)
OpenReview = Callable[..., Page]
"""Opens a review: path, width and height, colours."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ReviewFolder]:
    folder = ReviewFolder(tmp_path)
    yield folder
    folder.ledger.close()


@pytest.fixture
def open_review(browser: Browser) -> Iterator[OpenReview]:
    """Opens reviews; at the end, no page may have loaded another file, been refused one, or had an error."""
    problems: list[str] = []
    pages: list[Page] = []

    def open_page(path: Path, size: tuple[int, int] = DESKTOP, colours: Literal["light", "dark"] = "light") -> Page:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=colours)
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: problems.append(f"loads {request.url}") if not _is_own(request.url, path) else None)
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        try:
            page.close()
        except Error:
            problems.append("the page has crashed")
    assert not problems


def _is_own(url: str, path: Path) -> bool:
    return url.startswith("data:image/") or url.split("#")[0] == path.as_uri()

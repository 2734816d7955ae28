"""A real browser. Tests that want one are skipped where there is none, unless TESTS_NEED_BROWSER says that it must be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.web.review.building import Desk

DESK, PHONE = (1440, 900), (360, 740)
Opened = Callable[..., Page]
"""Open a report; width and height, colours."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.ledger.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Reports in the browser; at the end nothing may have been loaded, refused or gone wrong."""
    troubles: list[str] = []
    pages: list[Page] = []

    def open_report(path: Path, size: tuple[int, int] = DESK, colours: Literal["light", "dark"] = "light") -> Page:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=colours)
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: troubles.append(f"loads {request.url}") if not _own(request.url, path) else None)
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_report
    for page in pages:
        try:
            page.close()
        except Error:
            troubles.append("the page is gone")
    assert not troubles


def _own(url: str, path: Path) -> bool:
    return url.startswith("data:image/") or url.split("#")[0] == path.as_uri()

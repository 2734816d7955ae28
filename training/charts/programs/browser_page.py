"""Takes pictures of web pages, in one page of a Chromium without network."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from playwright.sync_api import Error, Page, sync_playwright

from training.charts.programs.other_program import DrawingFailedError
from training.generator.browser import find_browser

WAIT = 900
"""Milliseconds until a library has drawn."""


def lacks_browser() -> str | None:
    """What to install where Chromium is missing."""
    return None if find_browser() else "Chromium (Debian package chromium, or its path in CHROMIUM)"


class BrowserPage:
    """A page that is opened by the first picture, and closed at the end of ``with``."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._page: Page | None = None

    def __enter__(self) -> BrowserPage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def picture(self, html: str, out: Path, width: int, height: int) -> None:
        """Writes a picture of a page, ``width`` and ``height`` in pixels. Raises DrawingFailedError where its scripts fail."""
        try:
            page = self._page = self._page or self._opened()
            failures: list[str] = []

            def note(error: Error) -> None:
                failures.append(error.message)

            page.on("pageerror", note)
            page.set_viewport_size({"width": width, "height": height})
            page.set_content(html)
            page.wait_for_timeout(WAIT)
            page.screenshot(path=str(out))
            page.remove_listener("pageerror", note)
        except Error as error:
            raise DrawingFailedError(str(error)[-300:]) from error
        if failures:
            raise DrawingFailedError(failures[0][-300:])

    def _opened(self) -> Page:
        driver = self._open.enter_context(sync_playwright())
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=find_browser(), args=arguments)
        self._open.callback(browser.close)
        return browser.new_context(offline=True).new_page()

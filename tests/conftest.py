"""What tests of several rooms share: a real browser. They are skipped where there is none, unless TESTS_NEED_BROWSER says that it must be
there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; one for all tests of a process, which playwright allows no more than one driver."""
    program = os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        if os.environ.get("TESTS_NEED_BROWSER"):
            pytest.fail("TESTS_NEED_BROWSER is set and there is no Chromium")
        pytest.skip("no Chromium here; CHROMIUM names one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = driver.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()

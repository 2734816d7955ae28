"""What tests of several packages share: Ctrl-C, and a real browser.

Tests of the browser are skipped where there is none, unless TESTS_NEED_BROWSER says that it must be there.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# What a script starts in the background ignores Ctrl-C, and so would the commands under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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

"""How long a review of so many documents takes to write, how large it is, and how soon a browser shows it.

    python -m benchmarks.review_thousand [DOCUMENTS]

Needs the packages of the group `dev` and a Chromium (its path in CHROMIUM, else `chromium`).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.web.review.building import Desk, thousand

READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SEARCH = """() => {
  const started = performance.now(), field = document.getElementById('text');
  field.value = 'HL-00421';
  field.dispatchEvent(new Event('input', { bubbles: true }));
  return performance.now() - started;
}"""


def main(count: int) -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        desk = Desk(Path(folder))
        thousand(desk, count)
        started = time.perf_counter()
        written = desk.written()
        print(f"{count:,} documents: written in {time.perf_counter() - started:.1f} s, {written.bytes / 1e6:.2f} MB")
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto((Path(folder) / "review.html").as_uri())
        print(f"listed after {page.evaluate(READY):.0f} ms, searched (the first time) in {page.evaluate(SEARCH):.0f} ms")
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)

"""How long a review of many documents takes to write, how large it is, and how soon a browser shows it.

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

from tests.web.review.building import ReviewFolder, add_invoices

LOADED_MILLISECONDS = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SEARCH_MILLISECONDS = """() => {
  const started = performance.now(), field = document.getElementById('text');
  field.value = 'HL-00421';
  field.dispatchEvent(new Event('input', { bubbles: true }));
  return performance.now() - started;
}"""


def main(count: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as path, sync_playwright() as playwright:
        folder = ReviewFolder(Path(path))
        add_invoices(folder, count)
        started = time.perf_counter()
        summary = folder.write_summary()
        print(f"{count:,} documents: written in {time.perf_counter() - started:.1f} s, {summary.bytes / 1e6:.2f} MB")
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto((Path(path) / "review.html").as_uri())
        loaded, searched = page.evaluate(LOADED_MILLISECONDS), page.evaluate(SEARCH_MILLISECONDS)
        print(f"listed after {loaded:.0f} ms, searched for the first time in {searched:.0f} ms")
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)

"""Makes docs/pictures/serve-*.png: the pages of `pipeline serve` with the example documents in a browser.

    python -m benchmarks.serve_pictures [FOLDER]

It reads the examples first. Needs the packages of the group `dev` and of `serve`, and a Chromium (its path in CHROMIUM, else `chromium`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SIZE = {"width": 1200, "height": 760}
TIMEOUT_MILLISECONDS = 300_000


def main(target: Path) -> None:
    """Serve a folder with the examples, use it as a person would, and take the screenshots."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "inbox").mkdir()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PIPELINE_REVIEW__ACCEPTED_ERROR": "0.02"}
        command = [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--engine", "embedded"]
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            address = re.match(r"(http://\S+)/\?token=\S+", server.stdout.readline())
            assert address
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
            page.set_default_timeout(TIMEOUT_MILLISECONDS)
            page.goto(address[0])
            _take_screenshots(page, address[1], target)
            browser.close()
            server.terminate()
            server.wait(60)


def _take_screenshots(page: Any, base: str, target: Path) -> None:
    names = ("invoice.pdf", "receipt.jpg", "chart.png", "two-page-invoice.pdf", "picture.jpg")
    page.locator("#author").fill("Anna")
    page.locator("#author").press("Tab")
    page.locator("#files").set_input_files([ROOT / "inbox" / name for name in names])
    page.locator("#uploads .good").nth(len(names) - 1).wait_for()
    until = time.monotonic() + TIMEOUT_MILLISECONDS / 1000
    while page.locator("#results tbody tr:not(:has(.badge.waiting))").count() < len(names) and time.monotonic() < until:
        page.wait_for_timeout(500)
    page.goto(base)
    _screenshot(page, target / "serve-list.png")

    page.get_by_role("link", name="two-page-invoice.pdf").click()
    page.locator(".words span").first.wait_for()
    field = page.locator('li[data-field="invoice.vendor_name"]')
    field.locator(".label").click()
    page.keyboard.press("c")
    field.locator("textarea").fill("Lindenhof Bürobedarf GmbH & Co. KG")
    page.keyboard.press("Enter")
    field.get_by_text("corrected by Anna").wait_for()
    page.locator('li[data-field="invoice.invoice_number"] .label').click()
    page.keyboard.press("c")
    page.mouse.move(0, 0)
    _screenshot(page, target / "serve-document.png")

    page.goto(base)
    page.get_by_role("link", name="chart.png").click()
    page.locator(".page-figure img").wait_for()
    for count, question in enumerate(("Which month is highest?", "And what is the value for April?"), 1):
        page.get_by_label("Question", exact=True).fill(question)
        page.get_by_role("button", name="Ask").click()
        page.locator("p.answer").nth(count - 1).wait_for()
    page.wait_for_timeout(3_000)
    page.locator("#ask input").first.blur()
    _screenshot(page, target / "serve-question.png")


def _screenshot(page: Any, path: Path) -> None:
    page.wait_for_timeout(1_000)
    page.screenshot(path=path, timeout=TIMEOUT_MILLISECONDS)
    Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=200).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
